// Hostile rows into fixed recipes: they may be refused with an SqlError, and nothing else.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "merge/merger.h"
#include "values/sql_error.h"

namespace {

using namespace anabranch;
namespace oid = values::oid;

values::ColumnType type(values::Oid oid) {
  return {.oid = oid, .typmod = -1, .enumeration = nullptr};
}

merge::InputColumn column(values::Oid oid, values::Format format) {
  return {.type = type(oid), .output = -1, .format = format};
}

/// (text, numeric, int8, float8): grouped, filtered, sorted and printed, or merged in order.
merge::Recipe grouping() {
  merge::Recipe recipe;
  recipe.inputs = {
      column(oid::text, values::Format::text), column(oid::numeric, values::Format::binary),
      column(oid::int8, values::Format::binary), column(oid::float8, values::Format::binary)};
  merge::HashAggregate step;
  step.groups = {{0, 0}, {1, 1}};
  using enum merge::AggregateKind;
  step.aggregates = {{.kind = avg, .inputs = {1, 2}, .type = type(oid::numeric)},
                     {.kind = max, .inputs = {0}, .type = type(oid::text)},
                     {.kind = var_samp, .inputs = {2, 3, 3}, .type = type(oid::float8)},
                     {.kind = sum_distinct, .inputs = {2}, .type = type(oid::numeric)},
                     {.kind = stddev_pop, .inputs = {2, 1, 1}, .type = type(oid::numeric)}};
  recipe.steps = {step, merge::Sort{.keys = {{.column = 2}, {.column = 0, .descending = true}}},
                  merge::Distinct{{3}}};
  for (int i = 0; i < 7; ++i)
    recipe.outputs.push_back({i, i == 0 || i == 3 ? type(oid::text)
                                 : i == 4         ? type(oid::float8)
                                                  : type(oid::numeric)});
  return recipe;
}

merge::Recipe merging() {
  merge::Recipe recipe = grouping();
  recipe.source =
      merge::OrderedMerge{{{.column = 1}, {.column = 3, .descending = true}, {.column = 0}}};
  recipe.steps.clear();
  recipe.outputs = {{3, type(oid::float8)}, {1, type(oid::numeric)}, {2, type(oid::int8)}};
  return recipe;
}

/// Payloads, each behind its length of two bytes, to two sources in turn.
void run(const merge::Recipe& recipe, std::string_view data) {
  merge::MemoryBudget budget(1 << 20);
  merge::Binding binding;
  binding.output_formats.assign(recipe.outputs.size(), values::Format::text);
  merge::Merger merger(recipe, binding, 2, budget);
  for (std::size_t source = 0; data.size() >= 2; source = 1 - source) {
    const std::size_t length =
        static_cast<std::uint8_t>(data[0]) * 256U + static_cast<std::uint8_t>(data[1]);
    data.remove_prefix(2);
    merge::Batch batch;
    batch.append_payload(data.substr(0, length));
    data.remove_prefix(std::min(length, data.size()));
    merger.consume(source, std::move(batch));
  }
  merger.finish(0);
  merger.finish(1);
  merge::Batch out;
  while (merger.next(out).kind == merge::Merger::Status::Kind::rows) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const merge::Recipe recipes[] = {grouping(), merging()};
  for (const merge::Recipe& recipe : recipes) {
    try {
      run(recipe, {reinterpret_cast<const char*>(data), size});
    } catch (const values::SqlError&) {
    }
  }
  return 0;
}
