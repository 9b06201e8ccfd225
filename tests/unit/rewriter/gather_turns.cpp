#include "rewriter/gather_turns.h"

#include <doctest/doctest.h>

/// The order of a gather's pieces, and what each turn asks.
namespace anabranch::rewriter {
namespace {

/// part (filtered), lineitem, orders; lineitem by part's keys, orders by lineitem's, part by lineitem's.
Gather gather() {
  Gather made;
  made.pieces.resize(3);
  made.pieces[0].filtered = true;
  made.restrictions = {{2, "o.key", 1, "c2", "bigint"}, {1, "l.part", 0, "c1", "integer"}, {0, "p.key", 1, "c3", "integer"}};
  return made;
}

BoundPlan bound() {
  BoundPlan made;
  made.pieces = {{0, 0, "SELECT p WHERE x"}, {0, 1, "SELECT l"}, {1, 0, "SELECT p WHERE x"}, {1, 1, "SELECT l"}, {1, 2, "SELECT o"}};
  return made;
}

}  // namespace

TEST_CASE("turns: keys of few rows leave out rows of many, and these of more") {
  CHECK_EQ(turns_of(gather(), {{100, 8, 50}, {60'000, 8, 9'000}, {9e6, 8, 1e5}}), std::vector<int>{0, 1, 2});
}

TEST_CASE("turns: everything comes at once where that is little, or no smaller than the keys") {
  CHECK_EQ(turns_of(gather(), {{100, 8, 50}, {3'000, 8, 900}, {4'000, 8, 900}}), std::vector<int>{0, 0, 0});
  CHECK_EQ(turns_of(gather(), {{90'000, 8, 50}, {200'000, 8, 9'000}, {200'000, 8, 9'000}}), std::vector<int>{0, 0, 0});
}

TEST_CASE("turns: a few rows that are dear to find are worth it") {
  CHECK_EQ(turns_of(gather(), {{100, 8, 50}, {3'000, 8, 90'000}, {10, 8, 5}}), std::vector<int>{0, 1, 0});
}

TEST_CASE("turns: more keys than a statement should hold restrict nothing") {
  const double many = 2.0 * static_cast<double>(most_keys);
  CHECK_EQ(turns_of(gather(), {{many, 8, 50}, {9e8, 8, 9e8}, {9e9, 8, 9e9}}), std::vector<int>{0, 0, 0});
}

TEST_CASE("turns: rows without a condition are all rows, and their keys leave out nothing") {
  Gather unfiltered = gather();
  unfiltered.pieces[0].filtered = false;
  CHECK_EQ(turns_of(unfiltered, {{100, 8, 50}, {60'000, 8, 9'000}, {9e6, 8, 1e5}}), std::vector<int>{0, 0, 0});
}

TEST_CASE("turns: pieces that restrict each other both come") {
  Gather both = gather();
  both.pieces[1].filtered = true;
  const std::vector<int> turns = turns_of(both, {{100, 8, 50'000}, {100, 8, 50'000}, {1, 8, 1}});
  CHECK_EQ(turns, std::vector<int>{0, 0, 0});
}

TEST_CASE("queries of a turn: its pieces alone, with the keys that are known") {
  const std::vector<int> turns = {0, 1, 1};
  const auto first = queries_of_turn(gather(), bound(), turns, 0, {});
  REQUIRE_EQ(first.size(), 2);
  CHECK_EQ(first[0].sql, "SELECT p WHERE x");
  CHECK_EQ(first[1].shard, 1);
  const auto second = queries_of_turn(gather(), bound(), turns, 1, {{1, "{1,2}"}});
  REQUIRE_EQ(second.size(), 2);
  CHECK_EQ(second[0].sql, "SELECT l WHERE l.part = ANY ('{1,2}'::integer[])");
  CHECK_EQ(second[1].sql, "SELECT l WHERE l.part = ANY ('{1,2}'::integer[]) UNION ALL SELECT o");
}

TEST_CASE("queries of a turn: keys stand as they are, whatever they hold") {
  Gather text = gather();
  text.restrictions = {{0, "p.name", 1, "c1", "text"}, {0, "p.other", 1, "c2", "text"}};
  const auto queries = queries_of_turn(text, bound(), {0, 1, 1}, 0, {{0, R"({"it's","a\\b"})"}, {1, "{}"}});
  CHECK_EQ(queries[0].sql, R"(SELECT p WHERE x AND p.name = ANY (E'{"it''s","a\\\\b"}'::text[]) AND p.other = ANY ('{}'::text[]))");
}

}  // namespace anabranch::rewriter
