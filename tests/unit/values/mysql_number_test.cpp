#include "values/mysql_number.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdlib>
#include <functional>

#include "recorded.h"
#include "values/errors.h"

namespace anabranch::values {
namespace {

using test::Fields;
using test::recorded;

/// `answer` is the field that the server printed.
void check_recorded(const std::string& kind, size_t least, const std::function<std::string(const Fields&)>& print,
                    size_t answer) {
  size_t count = 0;
  for (const Fields& row : recorded("mysql.tsv")) {
    if (row[0] != kind) continue;
    INFO(fmt::format("{}", fmt::join(row, " | ")));
    CHECK(print(row) == row[answer]);
    ++count;
  }
  CHECK(count >= least);
}

double number(const std::string& text) {
  return std::strtod(text.c_str(), nullptr);
}
int whole(const std::string& text) {
  return std::stoi(text);
}
Decimal decimal(const std::string& text) {
  return Decimal::parse(text);
}

TEST_CASE("mysql numbers: a DOUBLE has its shortest digits, and an exponent where the server writes one") {
  check_recorded(
      "double", 60,
      [](const Fields& row) {
        std::string text;
        append_mysql_double(text, number(row[1]));
        return text;
      },
      2);
}

TEST_CASE("mysql numbers: a FLOAT has six digits") {
  check_recorded(
      "float", 60,
      [](const Fields& row) {
        std::string text;
        append_mysql_float(text, std::strtof(row[1].c_str(), nullptr));
        return text;
      },
      2);
}

TEST_CASE("mysql numbers: fixed decimals are rounded, or filled up with zeros") {
  check_recorded(
      "fixed", 140,
      [](const Fields& row) {
        std::string text;
        append_mysql_double(text, number(row[1]) / number(row[2]), whole(row[3]));
        return text;
      },
      4);
}

TEST_CASE("mysql numbers: what the server cannot have is no number") {
  std::string text;
  CHECK_THROWS_AS(append_mysql_double(text, HUGE_VAL), SqlError);
  CHECK_THROWS_AS(append_mysql_double(text, -HUGE_VAL, 2), SqlError);
  CHECK_THROWS_AS(append_mysql_float(text, std::nanf("")), SqlError);
  CHECK_THROWS_AS(mysql_quotient(Decimal::nan(), decimal("3"), 4), SqlError);
}

TEST_CASE("mysql numbers: quotients") {
  check_recorded(
      "quotient", 130,
      [](const Fields& row) {
        std::string text;
        append_mysql_quotient(text, decimal(row[1]), decimal(row[2]), whole(row[3]), whole(row[4]));
        return text;
      },
      5);
}

TEST_CASE("mysql numbers: an average is the sum by the count, with the digits of their quotient") {
  check_recorded(
      "average", 190,
      [](const Fields& row) {
        std::string text;
        append_mysql_quotient(text, decimal(row[1]), decimal(row[2]), whole(row[3]), whole(row[4]));
        return text;
      },
      5);
  check_recorded(
      "average", 190,
      [](const Fields& row) {
        std::string text;
        append_mysql_decimal(text, mysql_quotient(decimal(row[1]), decimal(row[2]), whole(row[3])), 38);
        return text;
      },
      6);
}

TEST_CASE("mysql numbers: digits of a quotient come in nines, and are cut off") {
  CHECK(mysql_quotient(decimal("2"), decimal("3"), 4).to_string() == "0.666666666");
  CHECK(mysql_quotient(decimal("2"), decimal("3"), 10).to_string() == "0.666666666666666666");
  CHECK(mysql_quotient(decimal("2"), decimal("3"), 0).to_string() == "0");
  CHECK(mysql_quotient(decimal("0.000"), decimal("3"), 4).to_string() == "0");
  // Eight words are left for the fraction, where twelve were wanted.
  CHECK(mysql_quotient(decimal("0.00000000000000000000000000000000000001"), decimal("3"), 60).scale() == 81);
  CHECK_THROWS_AS(mysql_quotient(decimal(std::string(65, '9')), decimal("0.0000000000000000001"), 4), SqlError);
}

TEST_CASE("mysql numbers: a DECIMAL is rounded half away from zero to its decimals") {
  check_recorded(
      "rounded", 60,
      [](const Fields& row) {
        std::string text;
        append_mysql_decimal(text, decimal(row[1]), whole(row[2]));
        return text;
      },
      3);
}

}  // namespace
}  // namespace anabranch::values
