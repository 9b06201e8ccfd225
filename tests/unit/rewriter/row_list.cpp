#include <doctest/doctest.h>

#include "rewriter/mysql/parse.h"
#include "rewriter/shape.h"

using namespace anabranch::rewriter;

namespace {

Shape folded(std::string_view text) {
  Shape out;
  shape(text, true, LexLimits{}, out, Rows::folded);
  return out;
}

Shape folded_mysql(std::string_view text) {
  static const mysql::Mode mode;
  Shape out;
  mysql::shape(text, mode, LexLimits{}, out, Rows::folded);
  return out;
}

std::vector<std::string> rows(const Shape& shape) {
  std::vector<std::string> found;
  for (std::size_t i = 0; shape.rows() != nullptr && i < shape.rows()->count(); ++i) found.emplace_back(shape.row_text(i));
  return found;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("rows of plain values are taken out of a shape") {
  CHECK(rows(folded("insert into t values (1, 'a'), (-2, null)")) == Texts{"1, 'a'", "-2, null"});
  CHECK(rows(folded("INSERT INTO t (a, b)\nVALUES\n(1.5 ,E'\\n'),\n( TRUE,B'1' ) ON CONFLICT DO NOTHING")) ==
        Texts{"1.5 ,E'\\n'", "TRUE,B'1'"});
  CHECK(rows(folded_mysql("replace t value (0x41, \"b),(\"), ('a' 'b', 1e5)")) == Texts{"0x41, \"b),(\"", "'a' 'b', 1e5"});
  const Shape of_one = folded("insert into t values (1, 'a')");
  CHECK(of_one.rows() == nullptr);
  CHECK(of_one.literals().size() == 2);
}

TEST_CASE("a shape does not tell how many rows there are, but what kinds of values") {
  const Shape two = folded("insert into t values (1, 'a'), (2, 'b') returning 1");
  CHECK(two.text() == folded("insert into t values (7, 'a'), (7, 'a'),  (9, '') returning 1").text());
  CHECK(two.equal_to() == folded("insert into t values (3, 'a'), (1, 'a') returning 3").equal_to());
  CHECK(two.text() != folded("insert into t values (1, 'a'), (2, null) returning 1").text());
  CHECK(two.text() != folded("insert into t values (1, 'a', 1), (2, 'b', 1) returning 1").text());
  CHECK(two.text() != folded("insert into t values (1, 'a') returning 1").text());
  CHECK(two.text() != folded("insert into t values (1, 'a'), (1.5, 'b') returning 1").text());
}

TEST_CASE("rows that are not plain stay as they are written") {
  for (const std::string_view list :
       {"(1), (now())", "(1), (2 + 3)", "(1), (default)", "(1), (1, 2)", "(1, 2), (1)", "(), ()", "(1), ($1)", "(1), (- 2)",
        "(1), (-'2')", "(1), (/* x */ 2)", "(1), (2::int)", "(1), ((2))", "(1), (2", "(1), (row(2))", "(a), (b)"}) {
    CAPTURE(list);
    const Shape shape = folded("insert into t values " + std::string(list));
    CHECK(shape.rows() == nullptr);
  }
  CHECK(folded("select * from (values (1), (2)) v").rows() == nullptr);
  CHECK(folded("insert into t select * from (values (1), (2)) v").rows() == nullptr);
  CHECK(folded("insert into \"values\" (1), (2)").rows() == nullptr);
  CHECK(folded("explain insert into t values (1), (2)").rows() == nullptr);
  CHECK(folded_mysql("insert into t values (1), (2) /*! , (now()) */").rows()->count() == 2);
  CHECK(folded_mysql("insert into t values (1), (/*! 2), ( */ 3)").rows() == nullptr);
  CHECK(folded_mysql("insert into t values (1), (n'2')").rows() == nullptr);
}

TEST_CASE("the first row stands for all") {
  const Shape shape = folded("insert into t values (1, 'a'), (2, 'b') on conflict (a) do update set b = 'c'");
  std::string text;
  const Shape first = shape.of_first_row(text);
  CHECK(text == "insert into t values (1, 'a') on conflict (a) do update set b = 'c'");
  REQUIRE(first.literals().size() == 3);
  CHECK(first.spelling(0) == "1");
  CHECK(first.spelling(2) == "'c'");
  CHECK(shape.spelling(2) == "'c'");
  CHECK(first.rows() == nullptr);
}

TEST_CASE("rows count among a statement's tokens") {
  Shape out;
  const std::string_view text = "insert into t values (1), (2), (3), (4), (5)";
  CHECK_THROWS(shape(text, true, {.tokens = 12}, out, Rows::folded));
  CHECK_NOTHROW(shape(text, true, {.tokens = 24}, out, Rows::folded));
}
