#include "values/oid_map.h"

#include <doctest/doctest.h>

#include <string>

#include "values/codec.h"
#include "values/sql_error.h"

using namespace anabranch::values;

namespace {

using Kind = BinaryShape::Kind;

// The default shard's types, and what they are on the other: 100 more.
constexpr Oid mood = 20001, moods = 20002, stay = 20003, stays = 20004, stay_range = 20005,
              stay_ranges = 20006, only_here = 20007, lonely = 20008;

BinaryShapes shapes() {
  BinaryShapes known;
  known.add(moods, {Kind::array, 0});
  known.add(stay, {Kind::row, 0});
  known.add(stays, {Kind::array, 0});
  known.add(stay_range, {Kind::range, stay});
  known.add(stay_ranges, {Kind::multirange, stay});
  return known;
}

OidMap to_default() {
  OidMap map{.from = "s2", .to = "s1", .types = {}, .relations = {}, .missing = {}};
  for (const Oid type : {mood, moods, stay, stays, stay_range, stay_ranges}) {
    map.types.emplace(type + 100, type);
  }
  map.types.emplace(lonely, 0);
  map.missing.emplace(lonely, "public.lonely");
  map.relations.emplace(30100, OidMap::Relation{30000, {}});
  map.relations.emplace(30101, OidMap::Relation{});
  return map;
}

OidMap to_shard() {
  OidMap map{.from = "s1", .to = "s2", .types = {}, .relations = {}, .missing = {}};
  for (const auto& [there, here] : to_default().types) {
    if (here != 0) map.types.emplace(here, there);
  }
  map.types.emplace(only_here, 0);
  return map;
}

std::string number(std::uint32_t value) {
  std::string out;
  append_be(out, value);
  return out;
}
std::string field(const std::string& value) {
  return number(static_cast<std::uint32_t>(value.size())) + value;
}
const std::string null = number(0xFFFFFFFFU);

/// One dimension, or none.
std::string array(Oid element, std::uint32_t count, const std::string& fields) {
  std::string out = number(count == 0 ? 0 : 1) + number(1) + number(element);
  if (count > 0) out += number(count) + number(1);
  return out + fields;
}
std::string row(Oid own, const std::string& label, Oid kept = 25) {
  return number(2) + number(own) + field(label) + number(kept) + null;
}

std::string translated(std::string value, Oid type, const OidMap& map, bool home) {
  translate_oids(value, type, shapes(), map, home);
  return value;
}
std::string home(const std::string& value, Oid type) {
  return translated(value, type, to_default(), true);
}

std::string sqlstate_of(const std::string& value, Oid type) {
  try {
    (void)home(value, type);
  } catch (const SqlError& error) {
    return error.sqlstate;
  }
  return "";
}

/// The value in both directions.
void check_both_ways(Oid type, const std::string& here, const std::string& there) {
  CHECK(home(there, type) == here);
  CHECK(translated(here, type, to_shard(), false) == there);
}

}  // namespace

TEST_CASE("OIDs inside of arrays and rows are replaced, in both directions") {
  check_both_ways(moods, array(mood, 2, field("ok") + null), array(mood + 100, 2, field("ok") + null));
  check_both_ways(moods, array(mood, 0, ""), array(mood + 100, 0, ""));
  check_both_ways(stay, row(mood, "ok"), row(mood + 100, "ok"));
  check_both_ways(stays, array(stay, 2, field(row(mood, "ok")) + null),
                  array(stay + 100, 2, field(row(mood + 100, "ok")) + null));
}

TEST_CASE("a row of any type says itself what is in it") {
  const std::string inner = row(mood, "a");
  const std::string there = row(mood + 100, "a");
  check_both_ways(2249, number(2) + number(stay) + field(inner) + number(23) + field(number(5)),
                  number(2) + number(stay + 100) + field(there) + number(23) + field(number(5)));
  check_both_ways(2287, array(2249, 1, field(inner)), array(2249, 1, field(there)));
}

TEST_CASE("ranges and multiranges are looked into") {
  const std::string here = std::string(1, '\x02') + field(row(mood, "a")) + field(row(mood, "b"));
  const std::string there =
      std::string(1, '\x02') + field(row(mood + 100, "a")) + field(row(mood + 100, "b"));
  check_both_ways(stay_range, here, there);
  check_both_ways(stay_range, "\x01", "\x01");
  check_both_ways(stay_range, std::string(1, '\x08') + field(row(mood, "b")),
                  std::string(1, '\x08') + field(row(mood + 100, "b")));
  check_both_ways(stay_range, std::string(1, '\x18'), std::string(1, '\x18'));
  check_both_ways(stay_ranges, number(2) + field(here) + field("\x01"),
                  number(2) + field(there) + field("\x01"));
}

TEST_CASE("values that are OIDs") {
  check_both_ways(2206, number(mood), number(mood + 100));
  check_both_ways(2206, number(25), number(25));
  check_both_ways(2211, array(2206, 1, field(number(stay))), array(2206, 1, field(number(stay + 100))));
  CHECK(home(number(30100), 2205) == number(30000));
  CHECK(home(number(1259), 2205) == number(1259));
  CHECK(sqlstate_of(number(30101), 2205) == "0A000");
  CHECK(home(number(1598), 24) == number(1598));
  CHECK(sqlstate_of(number(40000), 24) == "0A000");
}

TEST_CASE("what names nothing is left alone, whatever is in it") {
  CHECK(home("\x01", mood) == "\x01");
  CHECK(home("", moods).empty());
  CHECK(home(array(23, 1, "xxxx"), 1007) == array(23, 1, "xxxx"));
}

TEST_CASE("OIDs without a counterpart are errors") {
  CHECK(sqlstate_of(array(lonely, 0, ""), moods) == "0A000");
  CHECK(sqlstate_of(array(54321, 0, ""), moods) == "40001");
  CHECK_THROWS_WITH_AS((void)home(array(lonely, 0, ""), moods),
                       doctest::Contains("public.lonely"), SqlError);
  CHECK_THROWS_AS((void)translated(array(only_here, 0, ""), moods, to_shard(), false), SqlError);
}

TEST_CASE("every cut and every wrong length is an error, and nothing is read beyond the end") {
  const std::string value = array(stay + 100, 2, field(row(mood + 100, "ok")) + field(row(mood + 100, "sad")));
  for (std::size_t length = 1; length < value.size(); ++length) {
    // Between elements an array may end: how many there should be is the server's to check.
    const bool whole = length == 20 || length == 20 + 4 + row(mood, "ok").size();
    CHECK((sqlstate_of(value.substr(0, length), stays) == "22P03") == !whole);
  }
  CHECK(sqlstate_of(value + "x", stays) == "22P03");
  CHECK(sqlstate_of(number(0x7FFFFFFF) + number(0) + number(mood + 100), moods) == "22P03");
  CHECK(sqlstate_of(number(0xFFFFFFFF) + number(0) + number(mood + 100), moods) == "22P03");
  CHECK(sqlstate_of(number(0x7FFFFFFF), 2249) == "22P03");
  CHECK(sqlstate_of(number(0x80000000), 2249) == "22P03");
  CHECK(sqlstate_of(number(1) + number(25) + number(0x7FFFFFFF), 2249) == "22P03");
  CHECK(sqlstate_of(number(1) + number(25) + number(0x80000000), 2249) == "22P03");
  CHECK(sqlstate_of(std::string(1, '\0') + number(5) + "ab", stay_range) == "22P03");
}

TEST_CASE("rows in rows in rows end somewhere") {
  std::string value = number(0);
  for (int i = 0; i < 90; ++i) value = number(1) + number(2249) + field(value);
  CHECK(home(value, 2249) == value);
  for (int i = 0; i < 50; ++i) value = number(1) + number(2249) + field(value);
  CHECK(sqlstate_of(value, 2249) == "22P03");
}
