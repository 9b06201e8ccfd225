#include <doctest/doctest.h>

#include "router/key_value.h"
#include "values/mysql_type.h"

using namespace anabranch;
using router::KeyConversion;
using values::Format;
using values::MysqlCode;
using values::mysql_type;
using Outcome = KeyConversion::Outcome;

namespace {

router::KeyColumn column(conf::KeyType scheme, values::Oid type, values::MysqlModifier modifier = {}) {
  return {scheme, type, modifier.packed()};
}

KeyConversion compared(const router::KeyColumn& with, values::Oid type, std::string_view bytes,
                       Format format = Format::text) {
  return router::key_for_comparison(with, {type, format, bytes});
}

KeyConversion stored(const router::KeyColumn& in, values::Oid type, std::optional<std::string_view> bytes) {
  return router::key_for_storage(in, {type, Format::text, bytes});
}

const auto bigint = column(conf::KeyType::bigint, mysql_type(MysqlCode::longlong));
const auto tiny_unsigned = column(conf::KeyType::bigint, mysql_type(MysqlCode::tiny, true));
constexpr values::Oid literal = values::oid::int4;
constexpr values::Oid quoted = values::oid::unknown;

}  // namespace

TEST_CASE("an integer, and a string that is plainly one, are keys of an integer column") {
  CHECK(compared(bigint, literal, "42").key.integer == 42);
  CHECK(compared(bigint, literal, "-42").key.integer == -42);
  CHECK(compared(bigint, quoted, "42").key.integer == 42);
  CHECK(compared(bigint, mysql_type(MysqlCode::var_string), "007").key.integer == 7);
  for (const std::string_view text : {"42x", " 42", "42 ", "4e1", "42.0", "+42", "", "-"}) {
    CHECK_MESSAGE(compared(bigint, quoted, text).outcome == Outcome::unknown, text);
  }
}

TEST_CASE("a string past what a double tells apart is no key: the server may compare as doubles") {
  CHECK(compared(bigint, quoted, "9007199254740992").outcome == Outcome::value);
  CHECK(compared(bigint, quoted, "9007199254740993").outcome == Outcome::unknown);
  CHECK(compared(bigint, literal, "9007199254740993").outcome == Outcome::value);
}

TEST_CASE("what the column cannot hold proves nothing") {
  CHECK(compared(tiny_unsigned, literal, "255").key.integer == 255);
  CHECK(compared(tiny_unsigned, literal, "256").outcome == Outcome::unknown);
  CHECK(compared(tiny_unsigned, literal, "-1").outcome == Outcome::unknown);
  CHECK(compared(bigint, literal, "18446744073709551615").outcome == Outcome::unknown);
  CHECK(stored(tiny_unsigned, literal, "256").outcome == Outcome::unknown);
}

TEST_CASE("integers come little-endian, as wide as their type, signed or not") {
  using namespace std::string_view_literals;
  CHECK(compared(bigint, mysql_type(MysqlCode::tiny), "\xff"sv, Format::binary).key.integer == -1);
  CHECK(compared(bigint, mysql_type(MysqlCode::tiny, true), "\xff"sv, Format::binary).key.integer == 255);
  CHECK(compared(bigint, mysql_type(MysqlCode::short_), "\x01\x02"sv, Format::binary).key.integer == 0x201);
  CHECK(compared(bigint, mysql_type(MysqlCode::longlong, true), "\xff\xff\xff\xff\xff\xff\xff\xff"sv, Format::binary)
            .outcome == Outcome::unknown);
  CHECK(compared(bigint, mysql_type(MysqlCode::long_), "\x01\x02"sv, Format::binary).outcome == Outcome::unknown);
}

TEST_CASE("a comparison as another type places nothing") {
  const auto text = column(conf::KeyType::text, mysql_type(MysqlCode::varchar));
  CHECK(compared(text, literal, "42").outcome == Outcome::unknown);
  CHECK(compared(bigint, values::oid::numeric, "42.0").outcome == Outcome::unknown);
  CHECK(compared(bigint, mysql_type(MysqlCode::double_), "42").key.integer == 42);
  CHECK(compared(bigint, mysql_type(MysqlCode::double_), "42.5").outcome == Outcome::unknown);
  CHECK(compared(bigint, mysql_type(MysqlCode::double_), "9007199254740993").outcome == Outcome::unknown);
  CHECK(compared(bigint, mysql_type(MysqlCode::datetime), "42").outcome == Outcome::unknown);
  CHECK(compared(column(conf::KeyType::bigint, mysql_type(MysqlCode::year)), literal, "70").outcome ==
        Outcome::unknown);
}

TEST_CASE("trailing spaces count where the collation does not pad") {
  const auto padded = column(conf::KeyType::text, mysql_type(MysqlCode::varchar), {.padded = true, .length = 3});
  const auto exact = column(conf::KeyType::text, mysql_type(MysqlCode::varchar), {.length = 3});
  CHECK(compared(padded, quoted, "a  ").key.bytes == "a");
  CHECK(compared(exact, quoted, "a  ").key.bytes == "a  ");
  CHECK(compared(padded, quoted, "a\t").key.bytes == "a\t");
  CHECK(compared(padded, quoted, "\xc3\xa9").outcome == Outcome::unknown);
  CHECK(stored(padded, quoted, "abc").outcome == Outcome::value);
  CHECK(stored(padded, quoted, "abcd").outcome == Outcome::unknown);
}

TEST_CASE("a NULL or 0 for which the server stores something else is refused") {
  const auto nullable = column(conf::KeyType::bigint, mysql_type(MysqlCode::long_));
  const auto not_null = column(conf::KeyType::bigint, mysql_type(MysqlCode::long_), {.not_null = true});
  const auto counted =
      column(conf::KeyType::bigint, mysql_type(MysqlCode::long_), {.not_null = true, .counted = true});
  CHECK(stored(nullable, literal, std::nullopt).key.is_null());
  CHECK(stored(not_null, literal, std::nullopt).outcome == Outcome::unknown);
  CHECK(stored(not_null, literal, "0").key.integer == 0);
  CHECK(stored(counted, literal, "0").outcome == Outcome::unknown);
  CHECK(stored(counted, quoted, "0").outcome == Outcome::unknown);
  CHECK(stored(counted, literal, "1").key.integer == 1);
}

TEST_CASE("a date is one where every server reads it alike") {
  const auto date = column(conf::KeyType::date, mysql_type(MysqlCode::date));
  CHECK(compared(date, quoted, "1970-01-02").key.integer == 1);
  CHECK(compared(date, mysql_type(MysqlCode::date), "2024-02-29").key.integer == 19782);
  for (const std::string_view text : {"2024-02-30", "2024-2-3", "24-02-03", "2024-02-03 00:00:00", "20240203", "0000-00-00",
                                      "2024-00-10", " 2024-02-03", "2024-02-03 ", "2024/02/03", ""}) {
    CHECK_MESSAGE(compared(date, quoted, text).outcome == Outcome::unknown, text);
    CHECK_MESSAGE(stored(date, quoted, text).outcome == Outcome::unknown, text);
  }
  CHECK(compared(date, literal, "20240203").outcome == Outcome::unknown);
}

TEST_CASE("a moment has a date, and perhaps a time without a fraction") {
  const auto moment = column(conf::KeyType::timestamp, mysql_type(MysqlCode::datetime));
  CHECK(compared(moment, quoted, "1970-01-01").key.integer == 0);
  CHECK(compared(moment, quoted, "1970-01-01 00:00:01").key.integer == 1'000'000);
  CHECK(stored(moment, mysql_type(MysqlCode::datetime), "1969-12-31 23:59:59").key.integer == -1'000'000);
  for (const std::string_view text : {"2024-02-03 24:00:00", "2024-02-03 10:60:00", "2024-02-03T10:00:00", "2024-02-03 10:00",
                                      "2024-02-03 10:00:00.5", "2024-02-03 10:00:00Z", "2024-02-03 1:00:00"}) {
    CHECK_MESSAGE(compared(moment, quoted, text).outcome == Outcome::unknown, text);
  }
  CHECK_FALSE(router::key_type_of(mysql_type(MysqlCode::timestamp)).has_value());
}

TEST_CASE("types have their own numbers") {
  CHECK(values::find_mysql_type("int", true, "") == mysql_type(MysqlCode::long_, true));
  CHECK(values::find_mysql_type("varbinary", false, "") == mysql_type(MysqlCode::varchar, true));
  CHECK(values::find_mysql_type("uuid", false, "") == 0);
  CHECK(values::find_type(mysql_type(MysqlCode::longlong)) == nullptr);
  CHECK(values::pads_spaces("utf8mb4_bin"));
  CHECK_FALSE(values::pads_spaces("utf8mb4_nopad_bin"));
  CHECK_FALSE(values::pads_spaces("utf8mb4_0900_bin"));
  CHECK(values::mysql_collation("utf8mb4_bin").deterministic());
  CHECK_FALSE(values::mysql_collation("utf8mb4_general_ci").deterministic());
  CHECK_FALSE(values::mysql_collation("swe7_bin").deterministic());
}

TEST_CASE("a number whose fraction is nothing is the integer") {
  CHECK(stored(bigint, values::oid::numeric, "1000.00").key.integer == 1000);
  CHECK(stored(bigint, mysql_type(MysqlCode::newdecimal), "-7.").key.integer == -7);
  CHECK(stored(bigint, values::oid::numeric, "1000.5").outcome == Outcome::unknown);
  CHECK(stored(bigint, quoted, "1000.0").outcome == Outcome::unknown);
}

TEST_CASE("text in UTF-8 is a key of a column that keeps all characters") {
  const values::Oid varchar = mysql_type(MysqlCode::varchar);
  const auto wide = column(conf::KeyType::text, varchar, {.padded = true, .utf8 = true, .length = 3});
  const auto latin = column(conf::KeyType::text, varchar, {.length = 3});
  const auto outcome = [&](const router::KeyColumn& in, std::string_view text, bool utf8) {
    return router::key_for_storage(in, {quoted, Format::text, text, utf8}).outcome;
  };
  CHECK(outcome(wide, "日本語", true) == Outcome::value);
  CHECK(outcome(wide, "日本語", false) == Outcome::unknown);
  CHECK(outcome(wide, "日本語x", true) == Outcome::unknown);
  CHECK(outcome(latin, "é", true) == Outcome::unknown);
  for (const std::string_view broken : {"\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "a\x80"}) {
    CHECK_MESSAGE(outcome(wide, broken, true) == Outcome::unknown, broken);
  }
}
