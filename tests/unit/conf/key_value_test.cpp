#include "conf/key_value.h"

#include <doctest/doctest.h>

using namespace anabranch::conf;

namespace {

std::string decimal(std::string_view text) {
  const auto shortest = shortest_decimal(text);
  return shortest ? *shortest : "none";
}

std::string round_trip(KeyType type, std::string_view text) {
  const auto key = parse_key(type, text);
  return key ? to_text(type, *key) : "none";
}

}  // namespace

TEST_CASE("the shortest text of a decimal") {
  CHECK(decimal("1.50") == "1.5");
  CHECK(decimal("-0") == "0");
  CHECK(decimal("-0.000") == "0");
  CHECK(decimal("+007.") == "7");
  CHECK(decimal(".5") == "0.5");
  CHECK(decimal("1e3") == "1000");
  CHECK(decimal("12.34e-3") == "0.01234");
  CHECK(decimal("12.34E1") == "123.4");
  CHECK(decimal("100") == "100");
  CHECK(decimal("NaN") == "NaN");
  for (const char* text : {"", ".", "-", "1.2.3", "1e", "e5", "1e99999999", "0x10", "1 2"}) {
    CHECK(decimal(text) == "none");
  }
}

TEST_CASE("decimals are ordered by value") {
  const char* ascending[] = {"-Infinity", "-100", "-20.5", "-20", "-0.5",  "0",        "0.05",
                             "0.5",       "9",    "9.9",   "10",  "100.1", "Infinity", "NaN"};
  for (std::size_t i = 0; i + 1 < std::size(ascending); ++i) {
    CAPTURE(ascending[i]);
    const KeyValue left = KeyValue::of(ascending[i]);
    const KeyValue right = KeyValue::of(ascending[i + 1]);
    CHECK(compare(KeyType::numeric, left, right) < 0);
    CHECK(compare(KeyType::numeric, right, left) > 0);
    CHECK(compare(KeyType::numeric, left, left) == 0);
  }
}

TEST_CASE("dates of every day of four centuries come back") {
  for (std::int64_t day = -150'000; day < 150'000; ++day) {
    const CivilDate date = civil_from_days(day);
    if (days_from_civil(date.year, date.month, date.day) != day) FAIL(day);
  }
  CHECK(days_from_civil(1970, 1, 1) == 0);
  CHECK(days_from_civil(2000, 3, 1) == 11'017);
}

TEST_CASE("plain spellings") {
  CHECK(round_trip(KeyType::date, "2024-02-29") == "2024-02-29");
  CHECK(round_trip(KeyType::date, "2023-02-29") == "none");
  CHECK(round_trip(KeyType::date, "0001-01-01") == "0001-01-01");
  CHECK(round_trip(KeyType::date, "24-02-29") == "none");
  CHECK(round_trip(KeyType::timestamp, "1969-12-31 23:59:59.999999") ==
        "1969-12-31 23:59:59.999999");
  CHECK(round_trip(KeyType::timestamp, "2024-02-29T12:00") == "2024-02-29 12:00:00");
  CHECK(round_trip(KeyType::timestamp, "2024-02-29") == "2024-02-29 00:00:00");
  CHECK(round_trip(KeyType::timestamp, "2024-02-29 24:00:00") == "none");
  CHECK(round_trip(KeyType::timestamp, "2024-02-29 12:00:00.1234567") == "none");
  CHECK(round_trip(KeyType::timestamp, "infinity") == "infinity");
  CHECK(round_trip(KeyType::bigint, "-9223372036854775808") == "-9223372036854775808");
  CHECK(parse_key(KeyType::bigint, "9223372036854775808").error() == KeyError::out_of_range);
  CHECK(parse_key(KeyType::bigint, "-9223372036854775809").error() == KeyError::out_of_range);
  CHECK(parse_key(KeyType::bigint, "18446744073709551617").error() == KeyError::out_of_range);
  CHECK(parse_key(KeyType::bigint, "92233720368547758070000000000000000000001").error() == KeyError::out_of_range);
  CHECK(parse_key(KeyType::bigint, "99999999999999999999x").error() == KeyError::malformed);
  CHECK(parse_key(KeyType::bigint, "+-1").error() == KeyError::malformed);
  CHECK(parse_key(KeyType::bigint, "-").error() == KeyError::malformed);
  CHECK(parse_key(KeyType::bigint, " +0012\v").value().integer == 12);
  CHECK(parse_key(KeyType::bigint, "1.0").error() == KeyError::malformed);
  CHECK(round_trip(KeyType::bytes, "\\xDEad") == "\\xdead");
  CHECK(round_trip(KeyType::bytes, "\\xDEa") == "none");
  CHECK(to_text(KeyType::timestamp, *parse_instant("2024-01-01 00:30:00+01")) ==
        "2023-12-31 23:30:00");
  CHECK(!parse_instant("2024-01-01 00:30:00"));
}
