#include <doctest/doctest.h>

#include <algorithm>

#include "merge_test.h"

using namespace anabranch;
using namespace anabranch::merge;
using namespace anabranch::merge::test;
namespace oid = anabranch::values::oid;

namespace {

Recipe recipe_over(std::vector<InputColumn> inputs) {
  Recipe recipe;
  recipe.inputs = std::move(inputs);
  for (std::size_t i = 0; i < recipe.inputs.size(); ++i)
    recipe.outputs.push_back({static_cast<int>(i), recipe.inputs[i].type});
  return recipe;
}

SortKey key(int column, bool descending = false, bool nulls_first = false) {
  return {.column = column, .descending = descending, .nulls_first = nulls_first, .collation = {}};
}

/// GROUP BY the first columns, with the sum of counts in the last.
Recipe grouped(std::vector<InputColumn> keys) {
  Recipe recipe = recipe_over(keys);
  recipe.inputs.push_back(binary_column(oid::int8));
  const int last = static_cast<int>(keys.size());
  HashAggregate step;
  for (int i = 0; i < last; ++i) step.groups.push_back({i, i});
  step.aggregates.push_back(
      {.kind = AggregateKind::count, .inputs = {last}, .type = type(oid::int8)});
  recipe.steps.emplace_back(step);
  recipe.outputs.push_back({last, type(oid::int8)});
  return recipe;
}

TextRows sorted(TextRows rows) {
  std::ranges::sort(rows);
  return rows;
}

}  // namespace

TEST_CASE("concat gives every row of every stream, whatever the order of arrival") {
  const Recipe recipe = recipe_over({text_column(oid::int4)});
  for (unsigned seed = 0; seed < 20; ++seed)
    CHECK(sorted(run(recipe, {{{"1"}, {"2"}, {null}}, {}, {{"3"}}}, {}, seed)) ==
          TextRows{{null}, {"1"}, {"2"}, {"3"}});
}

TEST_CASE("concat of no streams and of empty streams is empty") {
  const Recipe recipe = recipe_over({text_column(oid::int4)});
  CHECK(run(recipe, {}).empty());
  CHECK(run(recipe, {{}, {}}).empty());
}

TEST_CASE("passes_through only when nothing is left to do") {
  Recipe recipe = recipe_over({{.type = type(oid::int4), .output = 0}});
  CHECK(recipe.passes_through());
  recipe.source = OrderedMerge{{key(0)}};
  CHECK_FALSE(recipe.passes_through());
  recipe.source = Concat{};
  recipe.inputs[0].output = -1;
  CHECK_FALSE(recipe.passes_through());
}

TEST_CASE("ordered merge orders by the type, with NULLs where they belong") {
  Recipe recipe = recipe_over({binary_column(oid::int4), text_column(oid::text)});
  recipe.source = OrderedMerge{{key(0)}};
  const std::vector<TextRows> streams = {
      {{"-5", "a"}, {"2", "b"}, {null, "c"}}, {{"-5", "d"}, {"10", "e"}}, {}};
  CHECK(run(recipe, streams) ==
        TextRows{{"-5", "a"}, {"-5", "d"}, {"2", "b"}, {"10", "e"}, {null, "c"}});
  recipe.source = OrderedMerge{{key(0, true, true)}};
  CHECK(run(recipe, {{{null, "c"}, {"2", "b"}, {"-5", "a"}}, {{"10", "e"}, {"-5", "d"}}}) ==
        TextRows{{null, "c"}, {"10", "e"}, {"2", "b"}, {"-5", "a"}, {"-5", "d"}});
}

TEST_CASE("ordered merge of many streams of long keys with hidden columns") {
  Recipe recipe = recipe_over({text_column(oid::text), binary_column(oid::int4)});
  recipe.source = OrderedMerge{{key(0), key(1, true, true)}};
  recipe.outputs = {{1, type(oid::int4)}};
  std::mt19937 random(3);
  std::vector<TextRows> streams(7);
  std::vector<std::pair<std::string, int>> all;
  for (int i = 0; i < 3000; ++i) {
    all.emplace_back("a common beginning of the key " + std::to_string(random() % 40), i);
  }
  std::ranges::sort(all, [](const auto& l, const auto& r) {
    return l.first != r.first ? l.first < r.first : l.second > r.second;
  });
  TextRows expected;
  for (const auto& [text, number] : all) {
    streams[random() % streams.size()].push_back({text, std::to_string(number)});
    expected.push_back({std::to_string(number)});
  }
  for (unsigned seed = 0; seed < 3; ++seed) CHECK(run(recipe, streams, {}, seed) == expected);
}

TEST_CASE("groups: NULL is not 'NULL', ('a','bc') is not ('ab','c'), 1.0 is 1.00, -0 is 0") {
  const InputColumn text = text_column(oid::text);
  CHECK(sorted(run(grouped({text}), {{{null, "1"}, {"NULL", "2"}}, {{null, "4"}, {"", "8"}}})) ==
        TextRows{{null, "5"}, {"", "8"}, {"NULL", "2"}});
  CHECK(sorted(run(grouped({text, text}),
                   {{{"a", "bc", "1"}, {"ab", "c", "2"}}, {{"a", "bc", "4"}}})) ==
        TextRows{{"a", "bc", "5"}, {"ab", "c", "2"}});
  for (const InputColumn& numeric : {text_column(oid::numeric), binary_column(oid::numeric)})
    for (const auto& row :
         run(grouped({numeric}), {{{"1.0", "1"}, {"NaN", "1"}}, {{"1.00", "2"}, {"NaN", "3"}}}))
      CHECK(row[1] == (row[0] == "NaN" ? "4" : "3"));
  CHECK(run(grouped({binary_column(oid::float8)}), {{{"0", "1"}}, {{"-0", "2"}}}).size() == 1);
  CHECK(sorted(run(grouped({binary_column(oid::int8)}),
                   {{{"0", "1"}, {null, "2"}}, {{null, "4"}, {"0", "8"}}})) ==
        TextRows{{null, "6"}, {"0", "9"}});
}

TEST_CASE("groups grow by the hundred thousand, in the order in which they were first seen") {
  for (const InputColumn& column : {binary_column(oid::int8), text_column(oid::int8)}) {
    const Recipe recipe = grouped({column});
    MemoryBudget budget(64 << 20);
    Merger merger(recipe, text_binding(recipe), 1, budget);
    for (int pass = 0; pass < 2; ++pass)
      for (int from = 0; from < 100'000; from += 1000) {
        TextRows rows;
        for (int i = from; i < from + 1000; ++i) rows.push_back({std::to_string(i * 7919), "1"});
        merger.consume(0, batch_of(rows, recipe.inputs));
        Batch out;
        REQUIRE(merger.next(out).kind == Merger::Status::Kind::need);
      }
    merger.finish(0);
    TextRows answer;
    Batch out;
    while (merger.next(out).kind == Merger::Status::Kind::rows) append_rows(out, answer);
    REQUIRE(answer.size() == 100'000);
    for (int i = 0; i < 100'000; i += 997)
      CHECK(answer[static_cast<std::size_t>(i)] == TextRow{std::to_string(i * 7919), "2"});
  }
}

TEST_CASE("a key may be compared through a twin of what is passed on") {
  Recipe recipe = grouped({text_column(oid::text)});
  recipe.inputs.insert(recipe.inputs.begin() + 1, binary_column(oid::int4));
  auto& step = std::get<HashAggregate>(recipe.steps[0]);
  step.groups = {{.key = 1, .carry = 0}};
  step.aggregates[0].inputs = {2};
  CHECK(sorted(run(recipe, {{{"one", "1", "1"}}, {{"ein", "1", "2"}, {"two", "2", "5"}}})).size() ==
        2);
}

TEST_CASE("without groups there is one row, also of nothing") {
  CHECK(run(grouped({}), {{}, {}}) == TextRows{{"0"}});
  CHECK(run(grouped({binary_column(oid::int4)}), {{}, {}}).empty());
}

TEST_CASE("several DISTINCT aggregates come as groupings") {
  Recipe recipe;
  recipe.inputs = {text_column(oid::text), binary_column(oid::int4), binary_column(oid::int4),
                   text_column(oid::text)};
  HashAggregate step;
  step.groups = {{0, 0}};
  step.discriminator = 1;
  step.aggregates = {
      {.kind = AggregateKind::sum_distinct, .inputs = {2}, .type = type(oid::int8), .grouping = 1},
      {.kind = AggregateKind::count_distinct,
       .inputs = {3},
       .type = type(oid::int8),
       .grouping = 2}};
  recipe.steps.emplace_back(step);
  recipe.outputs = {{0, type(oid::text)}, {1, type(oid::int8)}, {2, type(oid::int8)}};
  CHECK(sorted(run(recipe, {{{"g", "1", "5", null}, {"g", "1", "6", null}, {"g", "2", null, "x"}},
                            {{"g", "1", "5", null},
                             {"g", "2", null, "x"},
                             {"g", "2", null, "y"},
                             {"h", "2", null, null}}})) ==
        TextRows{{"g", "11", "2"}, {"h", null, "0"}});
}

TEST_CASE("sums overflow as the server's do, but not on the way") {
  Recipe recipe = grouped({});
  std::get<HashAggregate>(recipe.steps[0]).aggregates[0].kind = AggregateKind::sum;
  const std::string most = "9223372036854775807";
  CHECK(sqlstate_of([&] { run(recipe, {{{most}}, {{"1"}}}); }) == "22003");
  CHECK(run(recipe, {{{most}, {"1"}}, {{"-2"}}}) == TextRows{{"9223372036854775806"}});
}

TEST_CASE("sort, its bound, and ties") {
  Recipe recipe = recipe_over({binary_column(oid::int4), text_column(oid::text)});
  Sort sort{.keys = {key(0)}};
  recipe.steps.emplace_back(sort);
  CHECK(run(recipe, {{{"3", "a"}, {null, "b"}}, {{"-1", "c"}}}) ==
        TextRows{{"-1", "c"}, {"3", "a"}, {null, "b"}});
  TextRows many;
  for (int i = 0; i < 20'000; ++i) many.push_back({std::to_string((i * 7919) % 20'000 / 3), "x"});
  recipe.steps = {Sort{.keys = {key(0)}, .bound_slot = 0}};
  const auto cut = run(recipe, {many}, {values::Datum::int8(5)});
  CHECK(cut == TextRows{{"0", "x"}, {"0", "x"}, {"0", "x"}, {"1", "x"}, {"1", "x"}});
  recipe.steps = {Sort{.keys = {key(0)}, .bound_slot = 0, .with_ties = true}};
  CHECK(run(recipe, {many}, {values::Datum::int8(5)}).size() == 6);
}

TEST_CASE("distinct by canonical values") {
  Recipe recipe = recipe_over({text_column(oid::numeric)});
  recipe.steps.emplace_back(Distinct{{0}});
  CHECK(run(recipe, {{{"1.0"}, {"2"}, {null}}, {{"1.00"}, {null}}}).size() == 3);
}

TEST_CASE("limit and offset stop early") {
  Recipe recipe = recipe_over({text_column(oid::int4)});
  recipe.steps.emplace_back(Limit{.count_slot = 0, .offset_slot = 1, .tie_keys = {}});
  const auto int8 = [](std::int64_t value) { return values::Datum::int8(value); };
  const auto null8 = values::Datum::null(oid::int8);
  const TextRows rows = {{"1"}, {"2"}, {"3"}, {"4"}};
  CHECK(run(recipe, {rows}, {int8(2), int8(1)}) == TextRows{{"2"}, {"3"}});
  CHECK(run(recipe, {rows}, {null8, int8(3)}) == TextRows{{"4"}});
  CHECK(run(recipe, {rows}, {null8, null8}) == rows);
  CHECK(run(recipe, {rows}, {int8(0), null8}).empty());
  CHECK(run(recipe, {rows}, {int8(2), int8(9)}).empty());
  CHECK(sqlstate_of([&] { run(recipe, {rows}, {int8(-1), null8}); }) == "2201W");
  CHECK(sqlstate_of([&] { run(recipe, {rows}, {null8, int8(-1)}); }) == "2201X");

  MemoryBudget budget(1 << 20);
  Merger merger(recipe, text_binding(recipe, {int8(2), null8}), 2, budget);
  merger.consume(0, batch_of(rows, recipe.inputs));
  Batch out;
  CHECK(merger.next(out).kind == Merger::Status::Kind::rows);
  CHECK(out.size() == 2);
  CHECK(merger.next(out).kind == Merger::Status::Kind::end);
}

TEST_CASE("limit with ties keeps the peers of the last row, across batches") {
  Recipe recipe = recipe_over({binary_column(oid::int4), text_column(oid::text)});
  recipe.source = OrderedMerge{{key(0)}};
  recipe.steps.emplace_back(Limit{.count_slot = 0, .with_ties = true, .tie_keys = {key(0)}});
  const std::vector<TextRows> streams = {{{"1", "a"}, {"2", "b"}, {"2", "c"}, {"3", "d"}},
                                         {{"2", "e"}, {"2", "f"}, {"4", "g"}}};
  for (unsigned seed = 0; seed < 10; ++seed)
    for (const int count : {2, 3, 4, 5})
      CHECK(run(recipe, streams, {values::Datum::int8(count)}, seed).size() == 5);
  CHECK(run(recipe, streams, {values::Datum::int8(1)}).size() == 1);
}

TEST_CASE("the budget fails the statement, and is given back") {
  MemoryBudget budget(200 * 1024);
  const Recipe recipe = grouped({binary_column(oid::int8)});
  TextRows rows;
  for (int i = 0; i < 20'000; ++i) rows.push_back({std::to_string(i), "1"});
  CHECK(sqlstate_of([&] { run(recipe, text_binding(recipe), {rows}, budget); }) == "53200");
  CHECK(budget.used() == 0);
  CHECK(budget.peak() <= 200 * 1024);
  try {
    budget.charge(1 << 20);
  } catch (const values::SqlError& error) {
    CHECK(error.message.find("limits.query_memory") != std::string::npos);
  }
}

TEST_CASE("malformed rows are a protocol error") {
  const Recipe recipe = grouped({binary_column(oid::int8)});
  using namespace std::string_literals;
  const std::string good = "\0\2\0\0\0\10\0\0\0\0\0\0\0\1\0\0\0\10\0\0\0\0\0\0\0\1"s;
  const auto feed = [&](const std::string& payload) {
    return sqlstate_of([&] {
      MemoryBudget budget(1 << 20);
      Merger merger(recipe, text_binding(recipe), 1, budget);
      Batch batch;
      batch.append_payload(payload);
      merger.consume(0, std::move(batch));
      Batch out;
      merger.next(out);
    });
  };
  CHECK(feed(good).empty());
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK(feed(good.substr(0, size)) == "08P01");
  CHECK(feed(good + "x") == "08P01");
  CHECK(feed("\0\1\0\0\0\10\0\0\0\0\0\0\0\1"s) == "08P01");
  CHECK(feed("\0\2\x80\0\0\0\xff\xff\xff\xff"s) == "08P01");
  CHECK(feed("\0\2\0\0\0\4\0\0\0\1\xff\xff\xff\xff"s) == "22P03");
  Batch batch;
  CHECK(sqlstate_of([&] { batch.append_message("D\0\0\0\7\0"s); }) == "08P01");
  CHECK(sqlstate_of([&] { batch.append_message("Z\0\0\0\5I"s); }) == "08P01");
  CHECK(sqlstate_of([&] {
          std::vector<std::optional<std::string_view>> fields;
          RowView("\x7f\xff\0\0\0\0"s).split(fields);
        }) == "08P01");
}

TEST_CASE("filter and compute work over groups; formats are the client's") {
  Recipe recipe = grouped({text_column(oid::text)});
  Expression sum{.op = Expression::Op::column, .type = type(oid::int8), .index = 1};
  Expression two{.op = Expression::Op::slot, .type = type(oid::int8), .index = 0};
  Expression more{.op = Expression::Op::greater, .type = type(oid::boolean), .args = {sum, two}};
  Expression product{.op = Expression::Op::multiply, .type = type(oid::int8), .args = {sum, two}};
  recipe.steps.emplace_back(Filter{more});
  recipe.steps.emplace_back(Compute{{product}});
  recipe.outputs = {{2, type(oid::int8)}, {0, type(oid::text)}};
  CHECK(run(recipe, {{{"a", "1"}, {"b", "2"}}, {{"a", "3"}}}, {values::Datum::int8(2)}) ==
        TextRows{{"8", "a"}});
  CHECK(recipe.describe(2) ==
        std::vector<std::string>{"concatenate 2 streams", "aggregate by c1: count(c2)",
                                 "filter (c2 > $1)", "compute (c2 * $1)", "output c3, c1"});
}

TEST_CASE("describe says each step") {
  Recipe recipe = recipe_over({binary_column(oid::int4), binary_column(oid::int4)});
  recipe.source = OrderedMerge{{key(1, true, true)}};
  recipe.steps = {Distinct{{0, 1}}, Sort{.keys = {key(0, true)}, .bound_slot = 2},
                  Limit{.count_slot = 0, .offset_slot = 1, .tie_keys = {}}};
  CHECK(recipe.describe(4) ==
        std::vector<std::string>{"merge 4 streams by c2 DESC NULLS FIRST", "distinct by c1, c2",
                                 "sort by c1 DESC NULLS LAST, first $3", "limit $1 offset $2"});
}
