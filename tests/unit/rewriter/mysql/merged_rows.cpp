#include <doctest/doctest.h>

#include <array>

#include "rewriter/mysql/merged_rows.h"

using namespace anabranch::rewriter;
using Form = Finish::Column::Form;
using Value = std::optional<std::string_view>;

namespace {

std::string row_of(Finish::Column column, Value value) {
  Finish finish;
  finish.columns.push_back(std::move(column));
  std::string out;
  mysql::append_merged_row(out, finish, std::array{value});
  return out;
}

}  // namespace

TEST_CASE("a merged value becomes a literal of its own type") {
  CHECK(row_of({Form::number}, "-12.50") == "-12.50");
  CHECK(row_of({Form::number}, std::nullopt) == "NULL");
  CHECK(row_of({Form::unsigned_number}, "7") == "CAST(7 AS UNSIGNED)");
  CHECK(row_of({Form::unsigned_number}, "-1") == "CAST(18446744073709551615 AS UNSIGNED)");
  CHECK(row_of({Form::unsigned_number}, std::nullopt) == "CAST(NULL AS UNSIGNED)");
  CHECK(row_of({Form::real}, "1.5") == "1.5e0");
  CHECK(row_of({Form::real}, "1.5e+20") == "1.5e+20");
  CHECK(row_of({Form::single}, "1.100000023841858") == "CAST(1.100000023841858e0 AS FLOAT)");
  CHECK(row_of({Form::text}, "a'\\") == "_utf8mb4 x'61275c'");
  CHECK(row_of({Form::text, "utf8mb4"}, "") == "_utf8mb4 x''");
  CHECK(row_of({Form::text, "latin1"}, "\xc3\xa9") == "CONVERT(_utf8mb4 x'c3a9' USING latin1)");
  CHECK(row_of({Form::bytes}, std::string_view("\0\xff", 2)) == "x'00ff'");
  CHECK(row_of({Form::date}, "2024-02-29") == "DATE'2024-02-29'");
  CHECK(row_of({Form::time}, "-10:00:01.5") == "TIME'-10:00:01.5'");
  CHECK(row_of({Form::datetime}, "2024-02-29 10:00:00") == "TIMESTAMP'2024-02-29 10:00:00'");
}

TEST_CASE("what is no number or time becomes no part of a statement") {
  CHECK_THROWS(row_of({Form::number}, "1 OR 1"));
  CHECK_THROWS(row_of({Form::unsigned_number}, ""));
  CHECK_THROWS(row_of({Form::real}, "Infinity"));
  CHECK_THROWS(row_of({Form::date}, "2024-01-01' OR '1"));
}

TEST_CASE("merged rows stand in one pair of parentheses, and none is one that is not counted") {
  Finish finish;
  finish.columns = {{Form::number}, {Form::text}};
  std::string out;
  mysql::append_merged_row(out, finish, std::array<Value, 2>{"1", "a"});
  mysql::append_merged_row(out, finish, std::array<Value, 2>{"2", std::nullopt});
  CHECK(out == "1, _utf8mb4 x'61'), (2, NULL");
  CHECK(mysql::no_merged_rows(finish) == "NULL, NULL");
}
