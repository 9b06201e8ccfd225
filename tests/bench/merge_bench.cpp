// The merge stage alone, no sockets: partial rows per second on one core. Rows are made outside the
// time that is taken; each figure is the best of several runs.
//
//   merge_bench [runs] [name]

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "merge/merger.h"
#include "values/codec.h"

namespace {

using namespace anabranch;
using merge::Batch;
/// Seconds of processor time, so that other work on the machine does not count.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

constexpr std::size_t kRowsPerBatch = 1000;
constexpr std::size_t kUnlimited = std::size_t{1} << 40;

values::ColumnType type(values::Oid oid) {
  return {.oid = oid, .typmod = -1, .enumeration = nullptr};
}

/// GROUP BY c1 with one sum of counts.
merge::Recipe group_recipe(values::Oid key) {
  merge::Recipe recipe;
  recipe.inputs = {{type(key)}, {type(values::oid::int8)}};
  merge::HashAggregate step;
  step.groups = {{0, 0}};
  step.aggregates.push_back({.kind = merge::AggregateKind::count,
                             .inputs = {1},
                             .type = type(values::oid::int8),
                             .collation = {}});
  recipe.steps.emplace_back(step);
  recipe.outputs = {{0, type(key)}, {1, type(values::oid::int8)}};
  return recipe;
}

merge::Recipe merge_recipe(values::Oid key) {
  merge::Recipe recipe;
  recipe.inputs = {{type(key)}, {type(values::oid::int8)}};
  recipe.source = merge::OrderedMerge{{{.column = 0, .collation = {}}}};
  recipe.outputs = {{0, type(key)}, {1, type(values::oid::int8)}};
  return recipe;
}

merge::Binding binary_binding() {
  return {.output_formats = {values::Format::binary, values::Format::binary}, .slots = {}};
}

std::string int8_bytes(std::uint64_t value) {
  std::string bytes;
  values::append_be(bytes, value);
  return bytes;
}

/// Sixty bytes of text that share a beginning, as URLs do.
std::string text_key(std::uint64_t value) {
  std::string text = fmt::format("https://example.org/some/path/to/a/page/{:012}", value);
  text.resize(60, '.');
  return text;
}

void add_row(Batch& batch, std::string_view key) {
  merge::RowWriter row(batch, 2);
  row.add(key);
  row.add(int8_bytes(1));
  row.finish();
}

struct Result {
  double seconds = 0;
  std::size_t rows_out = 0;
  std::size_t peak = 0;
};

std::size_t drain(merge::Merger& merger) {
  std::size_t rows = 0;
  Batch out;
  while (merger.next(out).kind == merge::Merger::Status::Kind::rows) rows += out.size();
  return rows;
}

Result run_group(const merge::Recipe& recipe, std::size_t rows,
                 const std::function<std::string(std::uint64_t)>& key_of, std::uint64_t groups) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::uint64_t> pick(0, groups - 1);
  std::vector<std::string> keys;
  if (groups <= 100'000)
    for (std::uint64_t i = 0; i < groups; ++i) keys.push_back(key_of(i));
  merge::MemoryBudget budget(kUnlimited);
  merge::Merger merger(recipe, binary_binding(), 1, budget);
  Result result;
  double spent = 0;
  for (std::size_t done = 0; done < rows; done += kRowsPerBatch) {
    Batch batch;
    for (std::size_t i = 0; i < kRowsPerBatch; ++i) {
      const std::uint64_t group = pick(random);
      add_row(batch, keys.empty() ? key_of(group) : keys[group]);
    }
    const double begin = now();
    merger.consume(0, std::move(batch));
    drain(merger);
    spent += now() - begin;
  }
  const double begin = now();
  merger.finish(0);
  result.rows_out = drain(merger);
  spent += now() - begin;
  result.seconds = spent;
  result.peak = budget.peak();
  return result;
}

Result run_merge(std::size_t rows, std::size_t streams) {
  std::mt19937_64 random(7);
  std::vector<std::vector<Batch>> input(streams);
  for (auto& batches : input) {
    std::uint64_t key = 0;
    for (std::size_t done = 0; done < rows / streams; done += kRowsPerBatch) {
      Batch batch;
      for (std::size_t i = 0; i < kRowsPerBatch; ++i)
        add_row(batch, int8_bytes(key += random() % 64));
      batches.push_back(std::move(batch));
    }
  }
  std::vector<std::size_t> fed(streams, 0);
  merge::MemoryBudget budget(kUnlimited);
  const merge::Recipe recipe = merge_recipe(values::oid::int8);
  merge::Merger merger(recipe, binary_binding(), streams, budget);
  Result result;
  Batch out;
  const double begin = now();
  for (;;) {
    const auto status = merger.next(out);
    if (status.kind == merge::Merger::Status::Kind::end) break;
    if (status.kind == merge::Merger::Status::Kind::rows) {
      result.rows_out += out.size();
      continue;
    }
    auto& batches = input[status.source];
    if (fed[status.source] == batches.size())
      merger.finish(status.source);
    else
      merger.consume(status.source, std::move(batches[fed[status.source]++]));
  }
  result.seconds = now() - begin;
  result.peak = budget.peak();
  return result;
}

struct Case {
  std::string name;
  std::size_t rows;
  double goal;  ///< millions of rows per second
  std::function<Result()> run;
};

void report(const Case& bench, int runs) {
  Result best;
  for (int i = 0; i < runs; ++i) {
    const Result result = bench.run();
    if (i == 0 || result.seconds < best.seconds) best = result;
  }
  const double speed = static_cast<double>(bench.rows) / best.seconds / 1e6;
  fmt::print("{:<42} {:>7.1f} M rows/s (goal {:>4.0f}){}  {:>9} rows out, {:>5} MiB at most\n",
             bench.name, speed, bench.goal, speed < bench.goal ? " MISSED" : "       ",
             best.rows_out, best.peak >> 20);
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 5;
  const std::string only = argc > 2 ? argv[2] : "";
  const merge::Recipe by_int8 = group_recipe(values::oid::int8);
  const merge::Recipe by_text = group_recipe(values::oid::text);
  const std::size_t few = 10'000'000;
  const std::size_t many = 20'000'000;
  const Case cases[] = {
      {"group, int8 key, 10,000 groups", few, 30,
       [&] { return run_group(by_int8, few, int8_bytes, 10'000); }},
      {"group, int8 key, 5,000,000 groups", many, 8,
       [&] { return run_group(by_int8, many, int8_bytes, 5'000'000); }},
      {"group, 60-byte text key, 10,000 groups", few, 10,
       [&] { return run_group(by_text, few, text_key, 10'000); }},
      {"merge, 16 sorted streams", few, 20, [&] { return run_merge(few, 16); }},
  };
  for (const Case& bench : cases)
    if (bench.name.find(only) != std::string::npos) report(bench, runs);
}
