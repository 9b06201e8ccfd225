#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "merge_test.h"

using namespace anabranch;
using namespace anabranch::merge;
using namespace anabranch::merge::test;
namespace oid = anabranch::values::oid;

namespace {

constexpr std::size_t small_budget = 192 * 1024;
constexpr std::size_t large_budget = 256 << 20;

/// A folder of its own, to see that nothing stays in it.
class Folder {
 public:
  Folder() : path_("/tmp/anabranch-spill-test-XXXXXX") { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  bool is_empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_;
};

struct Spilled {
  TextRows rows;
  std::uint64_t written = 0;
  std::size_t peak = 0;
};

Spilled run_small(const Recipe& recipe, const std::vector<TextRows>& streams, std::vector<values::Datum> slots = {},
                  std::size_t limit = small_budget, std::size_t largest_batch = 700) {
  const Folder folder;
  Spilled spilled;
  {
    MemoryBudget budget(limit);
    Spill spill(folder.path(), 1 << 30);
    spilled.rows = run(recipe, text_binding(recipe, std::move(slots)), streams, budget, 7, &spill, largest_batch);
    spilled.written = spill.written();
    spilled.peak = budget.peak();
    CHECK(budget.used() == 0);
    CHECK(folder.is_empty());
  }
  CHECK(spilled.written > 0);
  CHECK(spilled.peak <= limit);
  return spilled;
}

TextRows run_large(const Recipe& recipe, const std::vector<TextRows>& streams, std::vector<values::Datum> slots = {}) {
  MemoryBudget budget(large_budget);
  return run(recipe, text_binding(recipe, std::move(slots)), streams, budget, 7, nullptr, 700);
}

TextRows sorted(TextRows rows) {
  std::ranges::sort(rows);
  return rows;
}

SortKey key(int column, bool descending = false) {
  return {.column = column, .descending = descending, .nulls_first = false, .collation = {}};
}

/// Keys in the first columns, one column for each aggregate behind them.
Recipe grouped(std::vector<InputColumn> inputs, int keys, std::vector<Aggregate> aggregates) {
  Recipe recipe;
  recipe.inputs = std::move(inputs);
  HashAggregate step;
  for (int i = 0; i < keys; ++i) {
    step.groups.push_back({i, i});
    recipe.outputs.push_back({i, recipe.inputs[static_cast<std::size_t>(i)].type});
  }
  for (Aggregate& aggregate : aggregates) {
    recipe.outputs.push_back({static_cast<int>(recipe.outputs.size()), aggregate.type});
    step.aggregates.push_back(std::move(aggregate));
  }
  recipe.steps.emplace_back(std::move(step));
  return recipe;
}

Aggregate aggregate(AggregateKind kind, int input, values::Oid oid) {
  return {.kind = kind, .inputs = {input}, .type = type(oid), .collation = {}};
}

Recipe rows_of(std::vector<InputColumn> inputs) {
  Recipe recipe;
  recipe.inputs = std::move(inputs);
  for (std::size_t i = 0; i < recipe.inputs.size(); ++i)
    recipe.outputs.push_back({static_cast<int>(i), recipe.inputs[i].type});
  return recipe;
}

/// Rows in four streams, of numbers that repeat.
template <typename Make>
std::vector<TextRows> four_streams(std::size_t rows, Make make) {
  std::mt19937 random(11);
  std::vector<TextRows> streams(4);
  for (std::size_t i = 0; i < rows; ++i) streams[random() % 4].push_back(make(random, i));
  return streams;
}

}  // namespace

TEST_CASE("spill: groups of numbers") {
  const Recipe recipe = grouped({binary_column(oid::int8), binary_column(oid::int8), binary_column(oid::int4)}, 1,
                                {aggregate(AggregateKind::count, 1, oid::int8), aggregate(AggregateKind::max, 2, oid::int4)});
  const auto streams = four_streams(60'000, [](std::mt19937& random, std::size_t i) -> TextRow {
    const auto group = random() % 20'000;
    return {group == 0 ? null : std::optional(std::to_string(group)), "1", std::to_string(i)};
  });
  const Spilled spilled = run_small(recipe, streams);
  CHECK(spilled.rows.size() > 18'000);
  CHECK(sorted(spilled.rows) == sorted(run_large(recipe, streams)));
}

TEST_CASE("spill: groups of text, with what memory outside of a group's record holds") {
  const Recipe recipe = grouped({text_column(oid::text), text_column(oid::text), binary_column(oid::numeric)}, 1,
                                {{.kind = AggregateKind::min, .inputs = {1}, .type = type(oid::text), .collation = values::Collation::c()},
                                 aggregate(AggregateKind::sum, 2, oid::numeric)});
  const auto streams = four_streams(30'000, [](std::mt19937& random, std::size_t i) -> TextRow {
    const auto group = random() % 8'000;
    return {group == 0 ? null : std::optional("a group's name " + std::to_string(group)),
            i % 17 == 0 ? null : std::optional("value " + std::to_string(random())), std::to_string(i) + ".25"};
  });
  const Spilled spilled = run_small(recipe, streams, {}, 1 << 20);
  CHECK(sorted(spilled.rows) == sorted(run_large(recipe, streams)));
}

TEST_CASE("spill: a few groups of many distinct values, and many groups of them") {
  for (const unsigned groups : {1U, 3U, 5'000U}) {
    CAPTURE(groups);
    const Recipe recipe = grouped({binary_column(oid::int4), binary_column(oid::int8)}, 1,
                                  {aggregate(AggregateKind::count_distinct, 1, oid::int8),
                                   aggregate(AggregateKind::sum_distinct, 1, oid::numeric),
                                   aggregate(AggregateKind::bit_xor_distinct, 1, oid::int8)});
    const auto streams = four_streams(50'000, [&](std::mt19937& random, std::size_t i) -> TextRow {
      return {std::to_string(random() % groups), i % 31 == 0 ? null : std::optional(std::to_string(random() % 30'000))};
    });
    const Spilled spilled = run_small(recipe, streams, {}, 512 * 1024);
    CHECK(sorted(spilled.rows) == sorted(run_large(recipe, streams)));
  }
}

TEST_CASE("spill: several DISTINCT aggregates that arrive as groupings") {
  Recipe recipe = grouped({binary_column(oid::int4), binary_column(oid::int4), text_column(oid::text), binary_column(oid::int8)}, 1,
                          {aggregate(AggregateKind::count_distinct, 2, oid::int8), aggregate(AggregateKind::count_distinct, 3, oid::int8)});
  auto& step = std::get<HashAggregate>(recipe.steps[0]);
  step.discriminator = 1;
  step.aggregates[1].grouping = 1;
  const auto streams = four_streams(40'000, [](std::mt19937& random, std::size_t) -> TextRow {
    const std::string group = std::to_string(random() % 4'000);
    const std::string value = std::to_string(random() % 50);
    if (random() % 2 == 0) return {group, "0", "value " + value, null};
    return {group, "1", null, value};
  });
  const Spilled spilled = run_small(recipe, streams, {}, 512 * 1024);
  CHECK(sorted(spilled.rows) == sorted(run_large(recipe, streams)));
}

TEST_CASE("spill: rows are sorted in many runs, and equal ones keep their order") {
  Recipe recipe = rows_of({text_column(oid::int4), text_column(oid::int4)});
  recipe.steps.emplace_back(Sort{.keys = {key(0, true)}});
  std::vector<TextRows> streams(1);
  std::mt19937 random(5);
  for (int i = 0; i < 60'000; ++i)
    streams[0].push_back({i % 101 == 0 ? null : std::optional(std::to_string(random() % 500)), std::to_string(i)});
  // Thirty-two runs become one on the way.
  CHECK(run_small(recipe, streams, {}, 256 * 1024).rows == run_large(recipe, streams));
}

TEST_CASE("spill: the first rows of very many") {
  Recipe recipe = rows_of({text_column(oid::int4)});
  recipe.steps.emplace_back(Sort{.keys = {key(0)}, .bound_slot = 0, .with_ties = true});
  recipe.steps.emplace_back(Limit{.count_slot = 0, .offset_slot = -1, .with_ties = true, .tie_keys = {key(0)}});
  std::vector<TextRows> streams(1);
  std::mt19937 random(5);
  for (int i = 0; i < 40'000; ++i) streams[0].push_back({std::to_string(random() % 3'000)});
  const std::vector<values::Datum> slots{values::Datum::int8(20'000)};
  const Spilled spilled = run_small(recipe, streams, slots);
  CHECK(spilled.rows.size() >= 20'000);
  CHECK(spilled.rows == run_large(recipe, streams, slots));
}

TEST_CASE("spill: groups, then their order") {
  Recipe recipe = grouped({binary_column(oid::int8), binary_column(oid::int8)}, 1, {aggregate(AggregateKind::count, 1, oid::int8)});
  recipe.steps.emplace_back(Sort{.keys = {key(1, true), key(0)}});
  const auto streams = four_streams(60'000, [](std::mt19937& random, std::size_t) -> TextRow {
    return {std::to_string(random() % 20'000), "1"};
  });
  CHECK(run_small(recipe, streams, {}, 1 << 20).rows == run_large(recipe, streams));
}

TEST_CASE("spill: distinct rows in any order") {
  Recipe recipe = rows_of({text_column(oid::text), text_column(oid::int4)});
  recipe.steps.emplace_back(Distinct{{0, 1}});
  const auto streams = four_streams(60'000, [](std::mt19937& random, std::size_t) -> TextRow {
    return {"row " + std::to_string(random() % 3'000), std::to_string(random() % 10)};
  });
  const Spilled spilled = run_small(recipe, streams);
  CHECK(sorted(spilled.rows) == sorted(run_large(recipe, streams)));
}

TEST_CASE("spill: distinct rows that come in order stay in it") {
  Recipe recipe = rows_of({text_column(oid::int4), text_column(oid::text)});
  recipe.source = OrderedMerge{{key(0)}};
  recipe.steps.emplace_back(Distinct{{0, 1}});
  // Runs that fit, and some that do not.
  auto streams = four_streams(60'000, [](std::mt19937& random, std::size_t i) -> TextRow {
    const auto run = i % 3 == 0 ? random() % 2'000 : random() % 3;
    return {std::to_string(run), "row " + std::to_string(random() % 20'000)};
  });
  const auto number = [](const TextRow& row) { return std::stoi(*row[0]); };
  for (TextRows& stream : streams) std::ranges::sort(stream, {}, number);
  const Spilled spilled = run_small(recipe, streams);
  CHECK(std::ranges::is_sorted(spilled.rows, {}, number));
  CHECK(sorted(spilled.rows) == sorted(run_large(recipe, streams)));
}

TEST_CASE("spill: where the order is by something else nothing is put off") {
  Recipe recipe = rows_of({text_column(oid::int4), text_column(oid::int4)});
  recipe.source = OrderedMerge{{key(0)}};
  recipe.steps.emplace_back(Distinct{{1}});
  std::vector<TextRows> streams(1);
  for (int i = 0; i < 30'000; ++i) streams[0].push_back({std::to_string(i), std::to_string(i)});
  const Folder folder;
  MemoryBudget budget(small_budget);
  Spill spill(folder.path(), 1 << 30);
  CHECK(sqlstate_of([&] { run(recipe, text_binding(recipe), streams, budget, 1, &spill, 700); }) == "53200");
  CHECK(spill.written() == 0);
}

TEST_CASE("spill: budgets of the disk, and disks that fail, fail the statement") {
  const Recipe recipe = grouped({binary_column(oid::int8), binary_column(oid::int8)}, 1, {aggregate(AggregateKind::count, 1, oid::int8)});
  const auto streams = four_streams(30'000, [](std::mt19937&, std::size_t i) -> TextRow { return {std::to_string(i), "1"}; });
  const Folder folder;
  const auto error_with = [&](const std::string& directory, std::uint64_t limit) {
    MemoryBudget budget(small_budget);
    Spill spill(directory, limit);
    try {
      run(recipe, text_binding(recipe), streams, budget, 1, &spill, 700);
    } catch (const values::SqlError& error) {
      return error.sqlstate + " " + error.message + " " + error.hint;
    }
    return std::string();
  };
  CHECK(error_with(folder.path(), 1 << 30).empty());
  CHECK(error_with(folder.path(), 100'000).find("limits.spill (100000 bytes)") != std::string::npos);
  CHECK(error_with(folder.path(), 100'000).starts_with("53200 "));
  CHECK(error_with(folder.path(), 0).find("limits.query_memory") != std::string::npos);
  CHECK(error_with(folder.path() + "/absent", 1 << 30).starts_with("58030 "));
  CHECK(error_with(folder.path() + "/absent", 1 << 30).find("limits.spill_directory") != std::string::npos);
  CHECK(folder.is_empty());
}

TEST_CASE("spill: wide rows, a few of which are more than memory holds") {
  const auto streams = four_streams(600, [](std::mt19937& random, std::size_t i) -> TextRow {
    return {std::string(10'000, static_cast<char>('a' + random() % 20)) + std::to_string(random() % 15),
            std::string(i % 3000, 'v'), "1"};
  });
  std::vector<InputColumn> inputs{text_column(oid::text), text_column(oid::text), binary_column(oid::int8)};
  const Recipe groups = grouped(inputs, 1, {{.kind = AggregateKind::max, .inputs = {1}, .type = type(oid::text), .collation = values::Collation::c()},
                                            aggregate(AggregateKind::count, 2, oid::int8)});
  CHECK(sorted(run_small(groups, streams, {}, 2 << 20, 5).rows) == sorted(run_large(groups, streams)));
  Recipe rows = rows_of(inputs);
  rows.steps.emplace_back(Distinct{{0}});
  CHECK(run_small(rows, streams, {}, 2 << 20, 5).rows.size() == run_large(rows, streams).size());
}
