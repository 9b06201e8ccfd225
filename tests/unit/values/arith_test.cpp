#include "values/arith.h"

#include <doctest/doctest.h>

#include <bit>
#include <map>

#include "recorded.h"
#include "values/codec.h"
#include "values/errors.h"

namespace anabranch::values {
namespace {

using test::Fields;
using test::hex;
using test::recorded;
using test::unhex;

Oid type_of(const std::string& name) {
  const TypeInfo* type = find_type_by_name(name);
  REQUIRE(type != nullptr);
  return type->oid;
}

std::string print(const Datum& value) {
  if (value.is_null()) return "NULL";
  std::string text;
  encode(value, Format::text, {}, text);
  if (value.type == oid::boolean) return text == "t" ? "true" : "false";
  return text;
}

Datum calculate(const std::string& op, const Datum& left, const Datum& right) {
  const std::map<std::string, ArithOp> ops = {{"+", ArithOp::add},
                                              {"-", ArithOp::subtract},
                                              {"*", ArithOp::multiply},
                                              {"/", ArithOp::divide},
                                              {"%", ArithOp::modulo}};
  if (op == "<") return Datum::boolean(compare(left, right) < 0);
  if (op == "=") return Datum::boolean(compare(left, right) == 0);
  if (op == "cast") return cast(left, right.type);
  return arith(ops.at(op), left, right);
}

std::string answer(const std::string& op, const Datum& left, const Datum& right) {
  try {
    return print(calculate(op, left, right));
  } catch (const SqlError& error) {
    return "!" + error.sqlstate + " " + error.message;
  }
}

TEST_CASE("arith: every recorded operation gives the server's value, type and error") {
  const auto rows = recorded("arith.tsv");
  REQUIRE(rows.size() > 2000);
  for (const Fields& row : rows) {
    INFO(row[0], " ", row[1], " ", row[2], " ", row[3], " ", row[4]);
    const Datum left = decode(type_of(row[1]), Format::text, row[2]);
    const Oid right_type = type_of(row[3]);
    const Datum right =
        row[0] == "cast" ? Datum::null(right_type) : decode(right_type, Format::text, row[4]);
    CHECK(answer(row[0], left, right) == row[6]);
    if (row[0] == "cast" || row[0] == "<" || row[0] == "=") continue;
    const ArithOp op = row[0] == "+"   ? ArithOp::add
                       : row[0] == "-" ? ArithOp::subtract
                       : row[0] == "*" ? ArithOp::multiply
                       : row[0] == "/" ? ArithOp::divide
                                       : ArithOp::modulo;
    CHECK(arith_result(op, left.type, right.type) == type_of(row[5]));
  }
}

TEST_CASE("arith: floats print as the server prints them") {
  for (const Fields& row : recorded("float.tsv")) {
    const auto slash = row[0].find('/');
    const PrintSettings settings{
        slash == std::string::npos ? 1 : std::stoi(row[0].substr(slash + 1)), true};
    const Oid type = type_of(row[0].substr(0, slash));
    const Datum value = decode(type, Format::binary, unhex(row[1]));
    INFO(row[0], " ", row[1]);
    std::string text;
    encode(value, Format::text, settings, text);
    CHECK(text == row[2]);
    if (settings.extra_float_digits < 1) continue;
    std::string binary;
    encode(decode(type, Format::text, row[2]), Format::binary, settings, binary);
    if (text != "NaN") CHECK(hex(binary) == row[1]);
  }
}

TEST_CASE("arith: intervals add, divide and print as on the server") {
  for (const Fields& row : recorded("interval.tsv")) {
    INFO(row[0], " ", row[1], " ", row[2]);
    const Datum left = decode(oid::interval, Format::binary, unhex(row[1]));
    const bool number = row[0] == "*" || row[0] == "/";
    const Datum right = number ? decode(oid::float8, Format::text, row[2])
                               : decode(oid::interval, Format::binary, unhex(row[2]));
    CHECK(answer(row[0], left, right) == row[4]);
    if (row[3].starts_with("!")) continue;
    std::string binary;
    encode(calculate(row[0], left, right), Format::binary, {}, binary);
    CHECK(hex(binary) == row[3]);
  }
}

TEST_CASE("arith: interval fields overflow with 22008") {
  const Datum most = Datum::interval({INT64_MAX, 0, 0});
  const Datum one = Datum::interval({1, 0, 0});
  CHECK(answer("+", most, one) == "!22008 interval out of range");
  CHECK(answer("-", Datum::interval({0, INT32_MIN, 0}), Datum::interval({0, 1, 0})) ==
        "!22008 interval out of range");
  CHECK(answer("/", one, Datum::int8(0)) == "!22012 division by zero");
  const Datum special = Datum::interval({INT64_MAX, INT32_MAX, INT32_MAX});
  CHECK(answer("-", special, one) == "!22008 interval out of range");
  CHECK(compare(Datum::interval({0, 0, 1}), Datum::interval({0, 30, 0})) == 0);
  CHECK(compare(Datum::interval({0, 0, -1}), Datum::interval({0, -29, 0})) < 0);
}

TEST_CASE("arith: money adds, and overflows") {
  const Datum a{oid::money, int64_t{150}};
  CHECK(std::get<int64_t>(add(a, a).value) == 300);
  CHECK(answer("+", a, Datum{oid::money, INT64_MAX}) == "!22003 money out of range");
  CHECK_FALSE(can_encode(oid::money, Format::text, {}));
  CHECK(can_encode(oid::money, Format::binary, {}));
}

TEST_CASE("arith: NULL is strict and keeps the result's type") {
  const Datum sum = add(Datum::null(oid::int4), Datum::int8(1));
  CHECK(sum.is_null());
  CHECK(sum.type == oid::int8);
  CHECK(divide(Datum::int4(1), Datum::null(oid::int4)).is_null());
  CHECK(cast(Datum::null(oid::int4), oid::numeric).type == oid::numeric);
  CHECK_FALSE(arith_result(ArithOp::add, oid::text, oid::int4).has_value());
  CHECK_THROWS_AS(add(Datum::text("a"), Datum::int4(1)), SqlError);
}

TEST_CASE("arith: unary") {
  CHECK(print(negate(Datum::int4(5))) == "-5");
  CHECK_THROWS_WITH_AS(negate(Datum::int2(-32768)), "smallint out of range", SqlError);
  CHECK_THROWS_WITH_AS(absolute(Datum::int8(INT64_MIN)), "bigint out of range", SqlError);
  CHECK(print(absolute(Datum::float8(-0.5))) == "0.5");
  CHECK(print(absolute(Datum::numeric(Decimal::parse("-1.50")))) == "1.50");
  CHECK(print(negate(Datum::interval({-1, 1, -13}))) == "1 year 1 mon -1 days +00:00:00.000001");
}

TEST_CASE("arith: three-valued logic") {
  const Truth yes = true;
  const Truth no = false;
  const Truth unknown;
  CHECK(logical_and(yes, unknown) == unknown);
  CHECK(logical_and(unknown, no) == no);
  CHECK(logical_or(unknown, yes) == yes);
  CHECK(logical_or(no, unknown) == unknown);
  CHECK(logical_not(unknown) == unknown);
  CHECK(logical_not(no) == yes);
  CHECK(datum_of(unknown).is_null());
  CHECK(truth_of(datum_of(yes)) == yes);
}

TEST_CASE("arith: text kinds compare by bytes, bpchar without trailing blanks") {
  CHECK(compare(Datum::text("a"), Datum::text("a ")) < 0);
  CHECK(compare(Datum::text("a  ", oid::bpchar), Datum::text("a", oid::bpchar)) == 0);
  CHECK(compare(Datum::text("a  ", oid::bpchar), Datum::text("a")) == 0);
  CHECK(compare(Datum::text("\xff"), Datum::text("a")) > 0);
}

TEST_CASE("datum: values pass through both formats") {
  for (const Format format : {Format::text, Format::binary}) {
    for (const Datum& value :
         {Datum::boolean(true), Datum::boolean(false), Datum::int2(-7), Datum::int4(1 << 30),
          Datum::int8(INT64_MIN), Datum::float4(0.1F), Datum::float8(-1e300), Datum::text("x"),
          Datum::numeric(Decimal::parse("-12.500")), Datum{oid::oid, int64_t{4294967295}}}) {
      std::string bytes;
      encode(value, format, {}, bytes);
      CHECK(print(decode(value.type, format, bytes)) == print(value));
    }
  }
  const Datum raw = decode(oid::date, Format::text, "2024-02-29");
  std::string out;
  encode(raw, Format::text, {}, out);
  CHECK(out == "2024-02-29");
  CHECK_THROWS_AS(encode(raw, Format::binary, {}, out), SqlError);
}

TEST_CASE("datum: malformed values are refused") {
  for (const Oid type : {oid::boolean, oid::int2, oid::int4, oid::int8, oid::oid, oid::float4,
                         oid::float8, oid::numeric}) {
    for (const std::string_view text : {"", "x", "1x", " 1 x", "--1", "1e"})
      CHECK_THROWS_AS(decode(type, Format::text, text), SqlError);
    for (const size_t length : {0, 3, 5, 7, 9, 17}) {
      if (type == oid::numeric && length == 9) continue;
      CHECK_THROWS_AS(decode(type, Format::binary, std::string(length, '\x7f')), SqlError);
    }
  }
  CHECK_THROWS_AS(decode(oid::int2, Format::text, "32768"), SqlError);
  CHECK_THROWS_AS(decode(oid::interval, Format::binary, std::string(15, '\0')), SqlError);
  CHECK_THROWS_AS(decode(oid::interval, Format::binary, std::string(17, '\0')), SqlError);
  CHECK_THROWS_AS(decode(oid::float8, Format::text, "1e999"), SqlError);
}

}  // namespace
}  // namespace anabranch::values
