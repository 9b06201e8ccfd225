#include "values/decimal.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>
#include <limits>
#include <map>

#include "recorded.h"
#include "values/datum.h"
#include "values/errors.h"

namespace anabranch::values {
namespace {

using test::Fields;
using test::hex;
using test::recorded;

/// What psql would show: the answer, or "!SQLSTATE message".
std::string answer(const std::function<std::string()>& compute) {
  try {
    return compute();
  } catch (const SqlError& error) {
    return "!" + error.sqlstate + " " + error.message;
  }
}

std::string print_float8(double value) {
  std::string text;
  append_float8(text, value, 1);
  return text;
}

std::string binary(const Decimal& value) {
  std::string bytes;
  value.append_binary(bytes);
  return bytes;
}

using Unary = std::string (*)(const Decimal&);

const std::map<std::string, Unary>& unary() {
  static const std::map<std::string, Unary> operations = {
      {"sqrt", [](const Decimal& a) { return a.sqrt().to_string(); }},
      {"ceil", [](const Decimal& a) { return a.ceil().to_string(); }},
      {"floor", [](const Decimal& a) { return a.floor().to_string(); }},
      {"abs", [](const Decimal& a) { return a.abs().to_string(); }},
      {"sign", [](const Decimal& a) { return a.sign().to_string(); }},
      {"numeric_uminus", [](const Decimal& a) { return a.negated().to_string(); }},
      {"int8", [](const Decimal& a) { return std::to_string(a.to_int64()); }},
      {"int4",
       [](const Decimal& a) {
         return std::to_string(a.to_int64(INT32_MIN, INT32_MAX, "integer"));
       }},
      {"int2",
       [](const Decimal& a) {
         return std::to_string(a.to_int64(INT16_MIN, INT16_MAX, "smallint"));
       }},
      {"float8", [](const Decimal& a) { return print_float8(a.to_float8()); }},
      {"numeric_send", [](const Decimal& a) { return "\\x" + hex(binary(a)); }},
  };
  return operations;
}

std::string compute(const Fields& row) {
  const std::string& op = row[0];
  if (op == "in") return Decimal::parse(row[1]).to_string();
  if (op == "from_float8")
    return Decimal::from_float8(std::strtod(row[1].c_str(), nullptr)).to_string();
  if (op == "from_float4")
    return Decimal::from_float4(std::strtof(row[1].c_str(), nullptr)).to_string();
  const Decimal a = Decimal::parse(row[1]);
  if (const auto found = unary().find(op); found != unary().end()) return found->second(a);
  if (op == "round") return a.round(std::stoi(row[2])).to_string();
  if (op == "trunc") return a.trunc(std::stoi(row[2])).to_string();
  const Decimal b = Decimal::parse(row[2]);
  switch (op[0]) {
    case '+':
      return (a + b).to_string();
    case '-':
      return (a - b).to_string();
    case '*':
      return (a * b).to_string();
    case '/':
      return (a / b).to_string();
    default:
      return (a % b).to_string();
  }
}

TEST_CASE("decimal: every recorded operation gives the server's value, scale and error") {
  const auto rows = recorded("numeric.tsv");
  REQUIRE(rows.size() > 4000);
  for (const Fields& row : rows) {
    INFO(row[0], " ", row[1], " ", row[2]);
    CHECK(answer([&] { return compute(row); }) == row[3]);
  }
}

TEST_CASE("decimal: binary and text read back the same value") {
  for (const Fields& row : recorded("numeric.tsv")) {
    if (row[0] == "in" || row[0].starts_with("from")) continue;
    const Decimal value = Decimal::parse(row[1]);
    const Decimal again = Decimal::from_binary(binary(value));
    CHECK(again.to_string() == row[1]);
    CHECK(again == value);
  }
}

TEST_CASE("decimal: order follows the sign of differences") {
  const auto rows = recorded("numeric.tsv");
  for (const Fields& row : rows) {
    if (row[0] != "-" || row[3] == "NaN" || row[3].find("Inf") != std::string::npos) continue;
    const Decimal a = Decimal::parse(row[1]);
    const Decimal b = Decimal::parse(row[2]);
    const Decimal difference = Decimal::parse(row[3]);
    CHECK((a < b) == difference.is_negative());
    CHECK((a == b) == difference.is_zero());
    std::string a_key;
    std::string b_key;
    a.append_key(a_key);
    b.append_key(b_key);
    CHECK((a_key < b_key) == (a < b));
    CHECK((a_key == b_key) == (a == b));
  }
  CHECK(Decimal::nan() == Decimal::nan());
  CHECK(Decimal::nan() > Decimal::infinity());
  CHECK(Decimal::infinity(true) < Decimal::parse("-1e1000"));
}

TEST_CASE("decimal: 128-bit integers") {
  const Int128 big = static_cast<Int128>(std::numeric_limits<int64_t>::max()) * 1000000007;
  CHECK(Decimal::from_int128(big).to_string() == "9223372101418380064983430649");
  CHECK(Decimal::from_int128(-big).to_string() == "-9223372101418380064983430649");
  CHECK(Decimal::from_int128(static_cast<Int128>(Uint128{1} << 127)).to_string() ==
        "-170141183460469231731687303715884105728");
  CHECK(Decimal::from_int(std::numeric_limits<int64_t>::min()).to_string() ==
        "-9223372036854775808");
  CHECK(Decimal::from_int(0).to_string() == "0");
}

TEST_CASE("decimal: the limits of the format") {
  const std::string most(131072, '9');
  CHECK(Decimal::parse(most).to_string() == most);
  CHECK_THROWS_WITH_AS(Decimal::parse(most) + Decimal::from_int(1),
                       "value overflows numeric format", SqlError);
  CHECK_THROWS_AS(Decimal::parse(most) * Decimal::from_int(10), SqlError);
  const Decimal tiny = Decimal::parse("1e-16383");
  CHECK((tiny * tiny).to_string() == tiny.trunc(0).to_string() + "." + std::string(16383, '0'));
}

TEST_CASE("decimal: malformed binary values are refused") {
  const auto refused = [](std::string_view bytes) {
    CHECK_THROWS_AS(Decimal::from_binary(bytes), SqlError);
  };
  const std::string good = binary(Decimal::parse("-123456.789"));
  for (size_t length = 0; length < good.size(); ++length) refused({good.data(), length});
  refused(good + "x");
  refused({"\x00\x01\x00\x00\x12\x34\x00\x00\x00\x01", 10});  // sign
  refused({"\x00\x01\x00\x00\x00\x00\x40\x00\x00\x01", 10});  // scale
  refused({"\x00\x01\x00\x00\x00\x00\x00\x00\x27\x10", 10});  // digit 10000
  refused({"\xFF\xFF\x00\x00\x00\x00\x00\x00\x00\x01", 10});  // count
}

TEST_CASE("decimal: scales given by the caller") {
  const Decimal two = Decimal::from_int(2);
  CHECK(Decimal::div_to_scale(two, Decimal::from_int(3), 5).to_string() == "0.66667");
  CHECK(Decimal::div_to_scale(two, Decimal::from_int(3), 0).to_string() == "1");
  CHECK(Decimal::sqrt_to_scale(two, 30).to_string() == "1.414213562373095048801688724210");
  CHECK(Decimal::sqrt_to_scale(Decimal::parse("0.0000000004"), 3).to_string() == "0.000");
  CHECK_THROWS_AS(Decimal::div_to_scale(two, {}, 3), SqlError);
}

}  // namespace
}  // namespace anabranch::values
