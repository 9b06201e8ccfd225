#include "net/mysql/text_to_binary.h"

#include <doctest/doctest.h>

#include <string>

#include "net/mysql/rows.h"
#include "round_trip.h"

using namespace anabranch::net;
using namespace anabranch::net::mysql;
using namespace anabranch::net::mysql::test;
using namespace std::string_view_literals;

namespace {

struct Fact {
  FieldType type;
  bool is_unsigned;
  std::string_view text;
  std::string_view binary;  // in hex
};

/// The same columns of one table, by a query and by a prepared statement: MariaDB 10.11.
constexpr Fact facts[] = {
    {FieldType::tiny_int, false, "0", "00"},
    {FieldType::tiny_int, false, "-1", "ff"},
    {FieldType::tiny_int, false, "127", "7f"},
    {FieldType::tiny_int, false, "-128", "80"},
    {FieldType::tiny_int, true, "0", "00"},
    {FieldType::tiny_int, true, "200", "c8"},
    {FieldType::tiny_int, true, "255", "ff"},
    {FieldType::tiny_int, true, "007", "07"},
    {FieldType::small_int, false, "-32768", "0080"},
    {FieldType::small_int, false, "32767", "ff7f"},
    {FieldType::small_int, true, "65535", "ffff"},
    {FieldType::medium_int, false, "-8388608", "000080ff"},
    {FieldType::medium_int, false, "8388607", "ffff7f00"},
    {FieldType::medium_int, false, "-1", "ffffffff"},
    {FieldType::medium_int, true, "16777215", "ffffff00"},
    {FieldType::int_, false, "-2147483648", "00000080"},
    {FieldType::int_, false, "2147483647", "ffffff7f"},
    {FieldType::int_, false, "1", "01000000"},
    {FieldType::int_, true, "4294967295", "ffffffff"},
    {FieldType::int_, true, "000042", "2a000000"},
    {FieldType::big_int, false, "-9223372036854775808", "0000000000000080"},
    {FieldType::big_int, false, "9223372036854775807", "ffffffffffffff7f"},
    {FieldType::big_int, true, "18446744073709551615", "ffffffffffffffff"},
    {FieldType::year, true, "1901", "6d07"},
    {FieldType::year, true, "2155", "6b08"},
    {FieldType::year, true, "0000", "0000"},
    {FieldType::year, true, "2024", "e807"},
    {FieldType::year, true, "24", "1800"},
    {FieldType::year, true, "99", "6300"},
    {FieldType::year, true, "00", "0000"},
    {FieldType::double_, false, "1", "000000000000f03f"},
    {FieldType::double_, false, "-0.0000000000000015", "20015b6e8705dbbc"},
    {FieldType::double_, false, "1.7976931348623157e308", "ffffffffffffef7f"},
    {FieldType::double_, false, "5e-324", "0100000000000000"},
    {FieldType::double_, false, "0.1", "9a9999999999b93f"},
    {FieldType::double_, false, "0", "0000000000000000"},
    {FieldType::double_, false, "2.2250738585072014e-308", "0000000000001000"},
    {FieldType::double_, false, "100000000000000000000", "408cb5781daf1544"},
    {FieldType::float_, false, "1.5", "0000c03f"},
    {FieldType::float_, false, "-0.1", "cdccccbd"},
    {FieldType::float_, false, "1.4013e-45", "01000000"},
    {FieldType::new_decimal, false, "1.500", "312e353030"},
    {FieldType::new_decimal, false, "-0.001", "2d302e303031"},
    {FieldType::date, false, "2024-02-29", "e807021d"},
    {FieldType::date, false, "0000-00-00", ""},
    {FieldType::date, false, "9999-12-31", "0f270c1f"},
    {FieldType::date, false, "2024-00-00", "e8070000"},
    {FieldType::date, false, "0001-01-01", "01000101"},
    {FieldType::date, false, "2023-02-31", "e707021f"},
    {FieldType::datetime, false, "2024-01-02 03:04:05", "e8070102030405"},
    {FieldType::datetime, false, "0000-00-00 00:00:00", ""},
    {FieldType::datetime, false, "2024-01-02 00:00:00", "e8070102"},
    {FieldType::datetime, false, "2024-01-02 00:00:01", "e8070102000001"},
    {FieldType::datetime, false, "2024-01-02 03:04:05.678900", "e8070102030405f45b0a00"},
    {FieldType::datetime, false, "2024-01-02 00:00:00.000001", "e807010200000001000000"},
    {FieldType::datetime, false, "2024-01-02 00:00:00.000000", "e8070102"},
    {FieldType::datetime, false, "9999-12-31 23:59:59.999999", "0f270c1f173b3b3f420f00"},
    {FieldType::datetime, false, "2024-01-02 03:04:05.678", "e807010203040570580a00"},
    {FieldType::datetime, false, "2024-01-02 03:04:05.000", "e8070102030405"},
    {FieldType::timestamp, true, "2024-01-02 03:04:05", "e8070102030405"},
    {FieldType::timestamp, true, "0000-00-00 00:00:00", ""},
    {FieldType::timestamp, true, "2024-01-02 03:04:05.9", "e8070102030405a0bb0d00"},
    {FieldType::time, false, "00:00:00", ""},
    {FieldType::time, false, "-00:00:01", "0100000000000001"},
    {FieldType::time, false, "838:59:59", "0022000000163b3b"},
    {FieldType::time, false, "-838:59:59", "0122000000163b3b"},
    {FieldType::time, false, "23:59:59", "0000000000173b3b"},
    {FieldType::time, false, "24:00:00", "0001000000000000"},
    {FieldType::time, false, "100:00:00", "0004000000040000"},
    {FieldType::time, false, "-838:59:59.000001", "0122000000163b3b01000000"},
    {FieldType::time, false, "00:00:00.500000", "000000000000000020a10700"},
    {FieldType::time, false, "-00:00:00.000001", "010000000000000001000000"},
    {FieldType::time, false, "12:00:00.000000", "00000000000c0000"},
    {FieldType::time, false, "01:02:03.45", "0000000000010203d0dd0600"},
    {FieldType::var_string, false, "", ""},
    {FieldType::var_string, false, "ab", "6162"},
    {FieldType::bit, true, "\x00\x01"sv, "0001"},
    {FieldType::bit, true, "\x01\x01", "0101"},
    {FieldType::bit, true, "\x01", "01"},
    {FieldType::string, false, "b", "62"},
    {FieldType::string, false, "a,b", "612c62"},
    {FieldType::blob, false, "\x00\xff"sv, "00ff"},
    {FieldType::blob, false, "{}", "7b7d"},
    // Texts with fewer digits than the value has: what is nearest to the text.
    {FieldType::float_, false, "1.23457", "64069e3f"},
    {FieldType::double_, false, "-0.10", "9a9999999999b9bf"},
    {FieldType::double_, false, "-0.", "0000000000000080"},
    {FieldType::json, false, "{}", "7b7d"},
    {FieldType::time, false, "-00:00:00", ""},
};

/// As it stands in a binary row of one column.
std::string through_a_row(FieldType type, std::string_view value) {
  Buffer out;
  Sequence sequence;
  BinaryRowWriter(out, sequence, 1).add(type, value);
  Field field;
  const std::string payload(out.view().substr(header_bytes));
  REQUIRE(split_binary_row(payload, {&type, 1}, {&field, 1}));
  REQUIRE(field.has_value());
  return std::string(*field);
}

}  // namespace

TEST_CASE("mysql: a text becomes the bytes that the server sends") {
  BinaryScratch scratch;
  for (const Fact& fact : facts) {
    INFO(static_cast<int>(fact.type), ": ", fact.text);
    const auto value = text_to_binary(fact.type, fact.is_unsigned, fact.text, scratch);
    REQUIRE(value.has_value());
    CHECK(*value == unhex(fact.binary));
    CHECK(through_a_row(fact.type, *value) == *value);
  }
}

TEST_CASE("mysql: a malformed text has no bytes") {
  const Fact malformed[] = {
      {FieldType::tiny_int, false, "128", ""},
      {FieldType::tiny_int, true, "-1", ""},
      {FieldType::tiny_int, true, "256", ""},
      {FieldType::int_, false, "", ""},
      {FieldType::int_, false, "1x", ""},
      {FieldType::int_, false, " 1", ""},
      {FieldType::int_, false, "1.0", ""},
      {FieldType::int_, false, "2147483648", ""},
      {FieldType::big_int, false, "9223372036854775808", ""},
      {FieldType::big_int, true, "18446744073709551616", ""},
      {FieldType::year, true, "65536", ""},
      {FieldType::double_, false, "", ""},
      {FieldType::double_, false, "nan", ""},
      {FieldType::double_, false, "inf", ""},
      {FieldType::double_, false, "1e309", ""},
      {FieldType::double_, false, "1,5", ""},
      {FieldType::float_, false, "1e39", ""},
      {FieldType::date, false, "", ""},
      {FieldType::date, false, "2024-01-2", ""},
      {FieldType::date, false, "2024-13-01", ""},
      {FieldType::date, false, "2024-01-32", ""},
      {FieldType::date, false, "2024-01-02 00:00:00", ""},
      {FieldType::date, false, "24-01-02", ""},
      {FieldType::date, false, "2024/01/02", ""},
      {FieldType::datetime, false, "2024-01-02", ""},
      {FieldType::datetime, false, "2024-01-02T03:04:05", ""},
      {FieldType::datetime, false, "2024-01-02 24:00:00", ""},
      {FieldType::datetime, false, "2024-01-02 03:60:00", ""},
      {FieldType::datetime, false, "2024-01-02 03:04:05.", ""},
      {FieldType::datetime, false, "2024-01-02 03:04:05.1234567", ""},
      {FieldType::timestamp, false, "2024-01-02 03:04:5", ""},
      {FieldType::time, false, "", ""},
      {FieldType::time, false, "-", ""},
      {FieldType::time, false, "839:00:00", ""},
      {FieldType::time, false, "1:02:03", ""},
      {FieldType::time, false, "01:02", ""},
      {FieldType::time, false, "01:02:03.x", ""},
      {FieldType::time, false, "+01:02:03", ""},
      {FieldType::null, false, "", ""},
      {FieldType::datetime2, false, "2024-01-02 03:04:05", ""},
  };
  BinaryScratch scratch;
  for (const Fact& fact : malformed) {
    INFO(static_cast<int>(fact.type), ": ", fact.text);
    CHECK_FALSE(text_to_binary(fact.type, fact.is_unsigned, fact.text, scratch).has_value());
  }
}

TEST_CASE("mysql: strings are not copied") {
  BinaryScratch scratch;
  const std::string text = "12.50";
  CHECK(text_to_binary(FieldType::new_decimal, false, text, scratch)->data() == text.data());
  CHECK(text_to_binary(FieldType::blob, false, text, scratch)->data() == text.data());
}
