#include "support_tree.h"

using namespace anabranch::rewriter;
using namespace anabranch::rewriter::testing;
using namespace anabranch::rewriter::tree;

TEST_CASE("identifiers are quoted where they must be") {
  CHECK(quote_identifier("a_1") == "a_1");
  CHECK(quote_identifier("A") == "\"A\"");
  CHECK(quote_identifier("a\"b") == "\"a\"\"b\"");
  CHECK(quote_identifier("select") == "\"select\"");
  CHECK(quote_identifier("char") == "\"char\"");
  CHECK(quote_identifier("left") == "\"left\"");
  CHECK(quote_identifier("name") == "name");
  CHECK(quote_identifier("é") == "\"é\"");
  CHECK(quote_identifier("1a") == "\"1a\"");
  CHECK(quote_identifier("") == "\"\"");
  CHECK(quote_name({"s", "T"}) == "s.\"T\"");
}

TEST_CASE("string literals mean the same under either setting") {
  CHECK(quote_literal("it's") == "'it''s'");
  CHECK(quote_literal("a\\'b") == "E'a\\\\''b'");
}

TEST_CASE("literals of the statement are holes, spelled as they were") {
  CHECK(round_trip("select 007, 1e3, e'a\\n', $$x$$, -0.50") ==
        "SELECT 007, 1e3, e'a\\n', $$x$$, -0.50");
  Shape shape;
  const auto trees = parse_all("select 1 + 2", shape);
  const SqlTemplate sql = print(*trees[0]);
  REQUIRE(sql.pieces.size() == 4);
  CHECK(std::get<SqlTemplate::LiteralHole>(sql.pieces[1]).index == 0);
  CHECK(std::get<std::string>(sql.pieces[2]) == " + ");
  Printer baked(true);
  baked.statement(*trees[0]);
  CHECK(fill(baked.take(), shape) == "SELECT 1 + 2");
}

TEST_CASE("parentheses stand where precedence needs them") {
  CHECK(round_trip("select (a+b)*c, a+b*c, a-(b-c), (a-b)-c") ==
        "SELECT (a + b) * c, a + b * c, a - (b - c), a - b - c");
  CHECK(round_trip("select a from t where (a or b) and not (c and d)") ==
        "SELECT a FROM t WHERE (a OR b) AND NOT (c AND d)");
  CHECK(round_trip("select - - a, -(-5), (-5)::int") == "SELECT -(-a), 5, (-5)::integer");
  CHECK(round_trip("(select 1 union select 2) except (select 3 except select 4)") ==
        "SELECT 1 UNION SELECT 2 EXCEPT (SELECT 3 EXCEPT SELECT 4)");
}

TEST_CASE("nodes made by the planner print") {
  const Shape none;
  std::vector<ExprPtr> args;
  args.push_back(make::op("=", make::column({"t", "a"}), make::integer(-5)));
  args.push_back(nullptr);
  args.push_back(make::op("<", make::cast(make::string("x'y"), "bigint"), make::param(2)));
  CHECK(to_text(*make::all_of(std::move(args)), none) == "t.a = (-5) AND 'x''y'::bigint < $2");
  CHECK(make::all_of({}) == nullptr);
  CHECK(to_text(*make::count_star(), none) == "pg_catalog.count(*)");
  CHECK(to_text(*make::call({"max"}, make::column({"a"})), none) == "max(a)");
  Select select;
  select.targets.push_back(make::target(make::null(), "n"));
  select.from.push_back(make::table("s", "t", "x"));
  auto inner = std::make_unique<Select>();
  inner->targets.push_back(make::target(make::star()));
  select.from.push_back(make::subquery(std::move(inner), "y"));
  select.limit = make::integer(3);
  CHECK(fill(print(select), none) == "SELECT NULL AS n FROM s.t AS x, (SELECT *) AS y LIMIT 3");
}

TEST_CASE("an insert can be printed in parts") {
  Shape shape;
  const auto trees =
      parse_all("insert into t(a, b) values (1, 2) on conflict (a) do update set b = 3", shape);
  const auto& insert = *trees[0]->as<Insert>();
  Printer printer;
  printer.insert_head(insert);
  CHECK(fill(printer.take(), shape) == "INSERT INTO t (a, b) ");
  printer.on_conflict(*insert.on_conflict);
  CHECK(fill(printer.take(), shape) == " ON CONFLICT (a) DO UPDATE SET b = 3");
}
