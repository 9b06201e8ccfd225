#include "merge/evaluate.h"

#include <doctest/doctest.h>

#include "merge_test.h"
#include "values/arith.h"

using namespace anabranch;
using namespace anabranch::merge;
using namespace anabranch::merge::test;
namespace oid = anabranch::values::oid;
using Op = Expression::Op;
using values::Datum;
using values::Decimal;

namespace {

Expression constant(Datum value) {
  return {.op = Op::constant, .type = type(value.type), .value = std::move(value)};
}
Expression numeric(std::string_view text) {
  return constant(Datum::numeric(Decimal::parse(text)));
}
Expression int4(std::int64_t value) {
  return constant(Datum::int4(value));
}
Expression boolean(std::optional<bool> value) {
  return constant(value ? Datum::boolean(*value) : Datum::null(oid::boolean));
}
Expression make(Op op, values::Oid result, std::vector<Expression> args) {
  return {.op = op, .type = type(result), .args = std::move(args)};
}

/// The value as text; "NULL" for NULL.
std::string value_of(const Expression& expression) {
  REQUIRE(can_evaluate(expression));
  Batch batch;
  RowWriter(batch, 0).finish();
  RowBlock block(0);
  block.load(batch, 0, 1);
  const std::vector<Datum> slots;
  const Datum value = Evaluator(expression, {}, slots).evaluate(block, 0);
  if (value.is_null()) return "NULL";
  CHECK(value.type == expression.type.oid);
  std::string text;
  values::encode(value, values::Format::text, {}, text);
  return text;
}

std::string failure_of(const Expression& expression) {
  return sqlstate_of([&] { value_of(expression); });
}

}  // namespace

// Every expected value below is PostgreSQL 15's.

TEST_CASE("arithmetic") {
  CHECK(value_of(make(Op::divide, oid::int4, {int4(7), int4(2)})) == "3");
  CHECK(value_of(make(Op::divide, oid::int4, {int4(-7), int4(2)})) == "-3");
  CHECK(value_of(make(Op::modulo, oid::int4, {int4(-7), int4(3)})) == "-1");
  CHECK(value_of(make(Op::divide, oid::numeric, {numeric("7.0"), numeric("2")})) ==
        "3.5000000000000000");
  CHECK(value_of(make(Op::divide, oid::numeric, {numeric("1"), numeric("3")})) ==
        "0.33333333333333333333");
  CHECK(value_of(make(Op::modulo, oid::numeric, {numeric("2.5"), numeric("1")})) == "0.5");
  CHECK(value_of(make(Op::add, oid::int4, {int4(1), constant(Datum::null(oid::int4))})) == "NULL");
  CHECK(failure_of(make(Op::divide, oid::int4, {int4(1), int4(0)})) == "22012");
  CHECK(failure_of(make(Op::divide, oid::int4, {int4(-2147483648), int4(-1)})) == "22003");
  CHECK(failure_of(make(Op::add, oid::int4, {int4(2147483647), int4(1)})) == "22003");
}

TEST_CASE("rounding") {
  const auto rounded = [](Op op, std::string_view text) {
    return value_of(make(op, oid::numeric, {numeric(text)}));
  };
  CHECK(rounded(Op::round, "2.5") == "3");
  CHECK(rounded(Op::round, "-2.5") == "-3");
  CHECK(rounded(Op::ceil, "-0.5") == "0");
  CHECK(rounded(Op::floor, "-0.5") == "-1");
  CHECK(rounded(Op::sign, "-3.2") == "-1");
  CHECK(value_of(make(Op::round, oid::numeric, {numeric("1234.567"), int4(-2)})) == "1200");
  CHECK(value_of(make(Op::round, oid::numeric, {numeric("2.345"), int4(2)})) == "2.35");
  CHECK(value_of(make(Op::trunc, oid::numeric, {numeric("-2.345"), int4(2)})) == "-2.34");
  CHECK(value_of(make(Op::round, oid::float8, {constant(Datum::float8(2.5))})) == "2");
  CHECK(value_of(make(Op::ceil, oid::float8, {constant(Datum::float8(-0.5))})) == "-0");
}

TEST_CASE("casts") {
  const auto cast = [](Datum value, values::Oid to, int typmod = -1) {
    Expression e = make(Op::cast, to, {constant(std::move(value))});
    e.type.typmod = typmod;
    return e;
  };
  const int numeric_5_2 = ((5 << 16) | 2) + 4;
  CHECK(value_of(cast(Datum::float8(2.5), oid::int4)) == "2");
  CHECK(value_of(cast(Datum::float8(3.5), oid::int4)) == "4");
  CHECK(value_of(cast(Datum::numeric(Decimal::parse("2.5")), oid::int4)) == "3");
  CHECK(value_of(cast(Datum::numeric(Decimal::parse("123.456")), oid::numeric, numeric_5_2)) ==
        "123.46");
  CHECK(value_of(cast(Datum::float8(0.1), oid::numeric)) == "0.1");
  CHECK(value_of(cast(Datum::numeric(Decimal::parse("1.10")), oid::text)) == "1.10");
  CHECK(value_of(cast(Datum::boolean(true), oid::text)) == "true");
  CHECK(value_of(cast(Datum::boolean(true), oid::int4)) == "1");
  CHECK(value_of(cast(Datum::int4(0), oid::boolean)) == "f");
  CHECK(failure_of(cast(Datum::numeric(Decimal::parse("1234.5")), oid::numeric, numeric_5_2)) ==
        "22003");
  CHECK(failure_of(cast(Datum::numeric(Decimal::infinity()), oid::numeric, numeric_5_2)) ==
        "22003");
  CHECK(failure_of(cast(Datum::int8(3'000'000'000), oid::int4)) == "22003");
  CHECK_FALSE(can_evaluate(cast(Datum::float8(1), oid::text)));
  CHECK_FALSE(can_evaluate(cast(Datum::text("1"), oid::int4)));
  CHECK_FALSE(can_evaluate(cast(Datum::text("long"), oid::varchar, 6)));
}

TEST_CASE("three-valued logic looks no further than it needs") {
  const auto logic = [](Op op, std::optional<bool> left, std::optional<bool> right) {
    return value_of(make(op, oid::boolean, {boolean(left), boolean(right)}));
  };
  CHECK(logic(Op::logical_and, {}, false) == "f");
  CHECK(logic(Op::logical_or, {}, true) == "t");
  CHECK(logic(Op::logical_and, {}, true) == "NULL");
  CHECK(logic(Op::logical_or, false, {}) == "NULL");
  const Expression fails =
      make(Op::equal, oid::boolean, {make(Op::divide, oid::int4, {int4(1), int4(0)}), int4(1)});
  CHECK(value_of(make(Op::logical_and, oid::boolean, {boolean(false), fails})) == "f");
  CHECK(value_of(make(Op::logical_or, oid::boolean, {boolean(true), fails})) == "t");
  CHECK(failure_of(make(Op::logical_and, oid::boolean, {boolean(true), fails})) == "22012");
  CHECK(value_of(make(Op::is_not_true, oid::boolean, {boolean({})})) == "t");
  CHECK(value_of(make(Op::is_false, oid::boolean, {boolean({})})) == "f");
  CHECK(value_of(make(Op::logical_not, oid::boolean, {boolean({})})) == "NULL");
}

TEST_CASE("CASE and COALESCE leave the branches not taken alone") {
  const Expression fails = make(Op::divide, oid::int4, {int4(1), int4(0)});
  CHECK(value_of(make(Op::case_when, oid::int4,
                      {boolean(false), fails, boolean(true), int4(2), fails})) == "2");
  CHECK(value_of(make(Op::case_when, oid::int4, {boolean({}), fails})) == "NULL");
  CHECK(value_of(make(Op::coalesce, oid::int4,
                      {constant(Datum::null(oid::int4)), int4(2), fails})) == "2");
  CHECK(value_of(make(Op::null_if, oid::int4, {int4(1), int4(1)})) == "NULL");
  CHECK(value_of(make(Op::null_if, oid::int4, {int4(1), constant(Datum::null(oid::int4))})) == "1");
  CHECK(value_of(make(Op::greatest, oid::int4,
                      {int4(1), constant(Datum::null(oid::int4)), int4(3)})) == "3");
  CHECK(value_of(make(Op::least, oid::int4, {int4(2), int4(1)})) == "1");
}

TEST_CASE("comparisons") {
  const Expression nan = constant(Datum::float8(std::numeric_limits<double>::quiet_NaN()));
  CHECK(value_of(make(Op::equal, oid::boolean, {nan, nan})) == "t");
  CHECK(value_of(make(Op::greater, oid::boolean, {numeric("NaN"), numeric("1e10")})) == "t");
  CHECK(value_of(make(Op::equal, oid::boolean, {numeric("1.0"), numeric("1.00")})) == "t");
  const auto bpchar = [](std::string text) {
    return constant(Datum::text(std::move(text), oid::bpchar));
  };
  CHECK(value_of(make(Op::equal, oid::boolean, {bpchar("a "), bpchar("a")})) == "t");
  const auto text = [](std::string value) { return constant(Datum::text(std::move(value))); };
  CHECK(value_of(make(Op::equal, oid::boolean, {text("a "), text("a")})) == "f");
  CHECK(value_of(make(Op::concat_text, oid::text, {text("a"), text("b")})) == "ab");
  CHECK(value_of(make(Op::is_distinct, oid::boolean,
                      {int4(1), constant(Datum::null(oid::int4))})) == "t");
  CHECK(value_of(make(Op::is_null, oid::boolean, {constant(Datum::null(oid::int4))})) == "t");

  Expression less = make(Op::less, oid::boolean, {text("a"), text("B")});
  CHECK(value_of(less) == "f");
  less.collation = values::Collation::icu("en", values::icu_collator_version("en"));
  CHECK(value_of(less) == "t");
  less.collation = values::Collation::unproved("libc");
  CHECK_FALSE(can_evaluate(less));
  Expression equal = make(Op::equal, oid::boolean, {text("a"), text("B")});
  equal.collation = values::Collation::unproved("libc");
  CHECK(can_evaluate(equal));
  equal.collation = values::Collation::unproved("nondeterministic", false);
  CHECK_FALSE(can_evaluate(equal));
}

TEST_CASE("what is not exact, or nested too deep, is refused") {
  Expression date{.op = Op::column, .type = type(oid::date), .index = 0};
  CHECK_FALSE(can_evaluate(make(Op::equal, oid::boolean, {date, date})));
  CHECK(can_evaluate(make(Op::is_null, oid::boolean, {date})));
  CHECK_FALSE(can_evaluate(make(Op::add, oid::text, {int4(1), int4(2)})));
  Expression deep = int4(1);
  for (int i = 0; i < 1000; ++i) deep = make(Op::negate, oid::int4, {deep});
  CHECK_FALSE(can_evaluate(deep));
  const std::vector<Datum> slots;
  CHECK(sqlstate_of([&] { Evaluator(date, {}, slots); }) == "XX000");
}

TEST_CASE("expressions print as SQL") {
  Expression c1{.op = Op::column, .type = type(oid::numeric), .index = 0};
  Expression slot{.op = Op::slot, .type = type(oid::int4), .index = 1};
  CHECK(describe(make(Op::round, oid::numeric,
                      {make(Op::divide, oid::numeric, {c1, numeric("2.0")}), slot})) ==
        "round((c1 / 2.0), $2)");
  CHECK(describe(make(Op::case_when, oid::text,
                      {make(Op::is_null, oid::boolean, {c1}), constant(Datum::text("it's"))})) ==
        "CASE WHEN (c1 IS NULL) THEN 'it''s' END");
}
