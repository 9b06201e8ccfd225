#include "values/codec.h"

#include <doctest/doctest.h>

#include <random>

namespace anabranch::values {
namespace {

TEST_CASE("codec: the reader never leaves its value") {
  const std::string bytes("\x01\x02\x03\x04\x05", 5);
  BinaryReader in(bytes, "thing");
  CHECK(in.read<uint16_t>() == 0x0102);
  CHECK(in.bytes(2) == "\x03\x04");
  CHECK_THROWS_WITH_AS(in.read<int32_t>(), "incorrect binary data format for type thing", SqlError);
  CHECK_THROWS_AS(in.expect_end(), SqlError);
  CHECK_THROWS_AS(in.bytes(SIZE_MAX), SqlError);
  CHECK(in.read<uint8_t>() == 5);
  CHECK_NOTHROW(in.expect_end());
}

TEST_CASE("codec: integers") {
  CHECK(parse_int8("-9223372036854775808") == INT64_MIN);
  CHECK(parse_int8("+5") == 5);
  CHECK(parse_int8("007") == 7);
  for (const char* text :
       {"", "+", "-", "+-5", "9223372036854775808", "1.0", " 1", "1 ", "1e3", "0x1", "1_0"})
    CHECK_FALSE(parse_int8(text).has_value());
}

TEST_CASE("codec: booleans") {
  for (const char* text : {"t", "TRUE", "yes", "On", "1"}) CHECK(parse_bool(text) == true);
  for (const char* text : {"f", "false", "NO", "off", "0"}) CHECK(parse_bool(text) == false);
  for (const char* text : {"", "o", "2", " t"}) CHECK_FALSE(parse_bool(text).has_value());
}

TEST_CASE("codec: uuid") {
  const auto value = parse_uuid("A0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  REQUIRE(value.has_value());
  CHECK(parse_uuid("a0eebc999c0b4ef8bb6d6bb9bd380a11") == value);
  std::string text;
  append_uuid(text, *value);
  CHECK(text == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  for (const char* bad :
       {"", "a0eebc999c0b4ef8bb6d6bb9bd380a1", "g0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1-", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
        "a0eebc999-c0b-4ef8-bb6d-6bb9bd380a11"})
    CHECK_FALSE(parse_uuid(bad).has_value());
}

TEST_CASE("codec: dates") {
  CHECK(parse_date("2000-01-01") == 0);
  CHECK(parse_date("1970-01-01") == -10957);
  CHECK(parse_date("2024-02-29") == 8825);
  CHECK(parse_date("0001-01-01") == -730119);
  for (const char* bad :
       {"2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-1-1", "0000-01-01",
        "20240101", "2024-01-01 ", "2024-01-01 BC", "01/02/2024", "today", "infinity", ""})
    CHECK_FALSE(parse_date(bad).has_value());
  std::string text;
  append_date(text, -730120);
  CHECK(text == "0001-12-31 BC");
}

TEST_CASE("codec: dates read back what they print") {
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    const int32_t days = static_cast<int32_t>(random() % 3652059) - 730119;
    std::string text;
    append_date(text, days);
    CHECK(parse_date(text) == days);
    const int64_t stamp = int64_t{days} * kMicrosecondsPerDay +
                          static_cast<int64_t>(random()) * 20 % kMicrosecondsPerDay;
    text.clear();
    append_timestamp(text, stamp);
    CHECK(parse_timestamp(text) == stamp);
    CHECK(parse_timestamptz(text + "+00") == stamp);
  }
}

TEST_CASE("codec: timestamps") {
  CHECK(parse_timestamp("2000-01-01 00:00:01.5") == 1500000);
  CHECK(parse_timestamp("2000-01-01T01:00") == 3600000000);
  CHECK(parse_timestamp("2000-01-02") == kMicrosecondsPerDay);
  CHECK(parse_timestamptz("2000-01-01 01:00:00+01") == 0);
  CHECK(parse_timestamptz("2000-01-01 00:00:00-05:30") == 19800000000);
  CHECK(parse_timestamptz("2000-01-01 00:00:00Z") == 0);
  for (const char* bad :
       {"2000-01-01 25:00", "2000-01-01 00:60", "2000-01-01 00:00:60",
        "2000-01-01 00:00:00.1234567", "2000-01-01 00:00:00.", "2000-01-01 24:00:01",
        "2000-01-01 00:00+01", "2000-01-01 1:00", "2000-01-01x", "now"})
    CHECK_FALSE(parse_timestamp(bad).has_value());
  CHECK_FALSE(parse_timestamptz("2000-01-01 00:00:00").has_value());
  CHECK_FALSE(parse_timestamptz("2000-01-01 00:00:00 Europe/Berlin").has_value());
  CHECK_FALSE(parse_timestamptz("2000-01-01 00:00:00+16").has_value());
}

TEST_CASE("codec: times") {
  CHECK(parse_time("24:00:00") == kMicrosecondsPerDay);
  CHECK_FALSE(parse_time("24:00:01").has_value());
  const auto zoned = parse_timetz("12:00:00.25+05:30");
  REQUIRE(zoned.has_value());
  CHECK(zoned->zone == -19800);
  CHECK(zoned->microseconds == 43200250000);
  CHECK_FALSE(parse_timetz("12:00:00").has_value());
}

}  // namespace
}  // namespace anabranch::values
