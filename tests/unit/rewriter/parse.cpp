#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "support_tree.h"
#include "values/sql_error.h"

using namespace anabranch::rewriter;
using namespace anabranch::rewriter::testing;

namespace {

SyntaxError error_of(std::string_view text) {
  Shape made;
  shape(text, true, {}, made);
  const ParseResult result = parse(text, made);
  const auto* error = std::get_if<SyntaxError>(&result);
  REQUIRE(error);
  return *error;
}

void* call_function(void* function) {
  (*static_cast<std::function<void()>*>(function))();
  return nullptr;
}

void run_on_stack(std::size_t bytes, std::function<void()> function) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, bytes);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, &attributes, call_function, &function) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

std::string chain(std::string first, std::string_view more, int count) {
  for (int i = 0; i < count; ++i) first += more;
  return first;
}

/// Parse, clone, compare, print: everything that recurses.
bool survives(const std::string& text) {
  Shape made;
  try {
    shape(text, true, {}, made);
    const ParseResult result = parse(text, made);
    if (const auto* trees = std::get_if<0>(&result)) {
      const auto copy = tree::clone(*trees->at(0));
      return tree::equal(*copy, *trees->at(0)) && !to_text(*copy, made).empty();
    }
    return true;
  } catch (const anabranch::values::SqlError& error) {
    return error.sqlstate == "54001" || error.sqlstate == "54000";
  }
}

const tree::Expr& first_target(const tree::Statement& statement) {
  return *statement.as<tree::Select>()->targets.at(0).expr;
}

}  // namespace

TEST_CASE("syntax errors have the server's words and a position in characters") {
  const SyntaxError error = error_of("select é from where");
  CHECK(error.sqlstate == "42601");
  CHECK(error.message == "syntax error at or near \"where\"");
  CHECK(error.position == 15);
  CHECK(error_of("select 'a").message == "unterminated quoted string at or near \"'a\"");
  CHECK(error_of("selec").position == 1);
}

TEST_CASE("literals know their tokens, signs stand apart") {
  Shape made;
  const auto trees = parse_all("select - 5, -(7), 'x', 5, b'01'", made);
  const auto& targets = trees[0]->as<tree::Select>()->targets;
  const auto five = tree::signed_literal(*targets[0].expr);
  REQUIRE(five);
  CHECK(five->negative);
  CHECK(five->literal->token() == 0);
  CHECK(tree::signed_literal(*targets[1].expr)->literal->token() == 1);
  tree::PinSet pins;
  CHECK(targets[2].expr->as<tree::Literal>()->value(pins) == "x");
  CHECK(pins.ascending() == std::vector<int>{2});
  CHECK(targets[3].expr->as<tree::Literal>()->same_as() == 0);
  CHECK(targets[4].expr->as<tree::Literal>()->kind() == tree::Literal::Kind::bit_string);
  CHECK(trees[0]->baked.empty());
}

TEST_CASE("literals that no hole stands for are baked") {
  Shape made;
  auto trees = parse_all("select a::numeric(10, 2), 3 from t tablesample system (4)", made);
  CHECK(trees[0]->baked == std::vector<int>{0, 1, 3});
  trees = parse_all("select U&'d!0061' uescape '!', 1", made);
  CHECK(trees[0]->baked == std::vector<int>{0, 1});
  CHECK(to_text(*trees[0], made) == "SELECT 'da', 1");
  trees = parse_all("explain select 1", made);
  CHECK(trees[0]->baked == std::vector<int>{0});
}

TEST_CASE("equality by identity needs no values") {
  Shape made;
  const auto trees = parse_all("select a + 1, a + 1, a + 2, a + e'1', a + '1'", made);
  const auto& targets = trees[0]->as<tree::Select>()->targets;
  CHECK(tree::equal(*targets[0].expr, *targets[1].expr));
  CHECK_FALSE(tree::equal(*targets[0].expr, *targets[2].expr));
  CHECK_FALSE(tree::equal(*targets[3].expr, *targets[4].expr));
  CHECK(tree::equal(*targets[3].expr, *targets[4].expr, tree::LiteralMatch::value));
}

TEST_CASE("strings are read under the session's setting") {
  Shape made;
  auto trees = parse_all(R"(select 'a\'b')", made, false);
  CHECK(first_target(*trees[0]).as<tree::Literal>()->unpinned_value() == "a'b");
  trees = parse_all(R"(select 'a\nb')", made, true);
  CHECK(first_target(*trees[0]).as<tree::Literal>()->unpinned_value() == "a\\nb");
}

TEST_CASE("verbatim text shows what is inside") {
  Shape made;
  const auto trees = parse_all("select xmlelement(name x, a, (select 1), f(b))", made);
  const auto* verbatim = first_target(*trees[0]).as<tree::Verbatim>();
  REQUIRE(verbatim);
  CHECK(verbatim->node == "XmlExpr");
  REQUIRE(verbatim->children.size() == 3);
  CHECK(verbatim->children[0]->as<tree::ColumnRef>());
  CHECK(verbatim->children[1]->as<tree::ScalarSubquery>());
  CHECK(verbatim->children[2]->as<tree::FunctionCall>());
  CHECK(trees[0]->baked == std::vector<int>{0});
}

TEST_CASE("walking and rewriting") {
  Shape made;
  const auto trees = parse_all(
      "select sum(a) filter (where b > 1) over (order by c), (select d) from t join u on e = f",
      made);
  auto& select = *trees[0]->as<tree::Select>();
  std::string seen;
  const auto& constant = select;
  tree::for_each_expr(constant, [&](const tree::Expr& expr) {
    tree::walk(expr, [&](const tree::Expr& inner) {
      if (const auto* column = inner.as<tree::ColumnRef>()) seen += column->parts[0];
      return true;
    });
  });
  std::ranges::sort(seen);
  CHECK(seen == "abcef");
  tree::for_each_expr(select, [&](tree::ExprPtr& slot) {
    tree::transform(slot, [](tree::ExprPtr& inner) {
      if (inner->as<tree::ColumnRef>()) inner = tree::make::param(1);
    });
  });
  CHECK(to_text(*trees[0], made) ==
        "SELECT sum($1) FILTER (WHERE $1 > 1) OVER (ORDER BY $1), (SELECT d) FROM t JOIN u ON $1 = "
        "$1");
}

TEST_CASE("utilities name their relations and details") {
  Shape made;
  auto trees = parse_all("copy s.t (a) from stdin with (format csv, header, delimiter ';')", made);
  const auto* utility = trees[0]->as<tree::Utility>();
  CHECK(utility->tag == "COPY");
  REQUIRE(utility->relations.size() == 1);
  CHECK(utility->relations[0].schema == "s");
  const auto* copy = utility->as<tree::Copy>();
  REQUIRE(copy);
  CHECK(copy->from);
  CHECK(copy->columns == std::vector<std::string>{"a"});
  REQUIRE(copy->options.size() == 3);
  CHECK(copy->options[0].value == "csv");
  CHECK_FALSE(copy->options[1].has_value);
  CHECK(copy->options[2].value == ";");

  trees = parse_all("begin isolation level repeatable read, read only", made);
  CHECK(trees[0]->as<tree::Utility>()->as<tree::Transaction>()->options ==
        "ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  trees = parse_all("set local search_path to a, 'B c'", made);
  const auto* set = trees[0]->as<tree::Utility>()->as<tree::SetVariable>();
  CHECK(set->local);
  CHECK(set->value == "'a', 'B c'");
  CHECK(set->items == std::vector<std::string>{"a", "B c"});
  trees = parse_all("drop table if exists a, s.b cascade", made);
  CHECK(trees[0]->as<tree::Utility>()->tag == "DROP TABLE");
  CHECK(trees[0]->as<tree::Utility>()->relations.size() == 2);
  trees = parse_all("create table t (a int primary key, b text default 'x', unique (b))", made);
  const auto* create = trees[0]->as<tree::Utility>()->as<tree::CreateTable>();
  REQUIRE(create);
  CHECK(create->columns.at(0).primary_key);
  CHECK(create->columns.at(1).default_text == "'x'");
  CHECK(create->constraints.at(0).kind == "UNIQUE");
  trees =
      parse_all("merge into t using (select * from u) x on true when matched then delete", made);
  CHECK(trees[0]->as<tree::Utility>()->tag == "MERGE");
  CHECK(trees[0]->as<tree::Utility>()->relations.size() == 2);
  trees = parse_all("explain (analyze off, verbose) select 1", made);
  const auto* explain = trees[0]->as<tree::Utility>()->as<tree::Explain>();
  CHECK_FALSE(explain->analyze);
  CHECK(explain->verbose);
}

TEST_CASE("deep statements fail with 54001 or pass, on large and on small stacks") {
  const std::vector<std::string> texts = {
      chain("select 1", "+1", 5000),
      chain("select 1", "+1", 1490),
      chain("select 1", " || 'a'", 1490),
      chain("select ", "- ", 1490) + "1",
      chain("select ", "not ", 1490) + "a",
      chain("select a", "::int", 1490),
      chain("select 1", " union select 1", 1490),
      chain("select * from t", " natural join t", 1490),
      chain("select a", " is null", 1490),
      chain("select a", " collate \"C\"", 1490),
      chain("select a", " at time zone b", 1490),
      chain(chain("select ", "(", 199) + "1", ")", 199),
      chain(chain("select ", "(select ", 199) + "1", ")", 199),
      chain(chain("select ", "f(", 199) + "1", ")", 199),
      chain(chain("select ", "case when a then ", 199) + "1", " end", 199),
      chain("select ", "(", 100'000),
      chain(chain("select ", "(", 100'000) + "1", ")", 100'000),
      chain("select ", "'", 100'001),
  };
  for (std::size_t stack : {std::size_t{64} << 20, std::size_t{8} << 20})
    for (const std::string& text : texts) {
      const std::string start = text.substr(0, 40);
      CAPTURE(start);
      bool survived = false;
      run_on_stack(stack, [&] { survived = survives(text); });
      CHECK(survived);
    }
}

// Some builds of libpg_query put a pipe in the place of standard error while they parse.
TEST_CASE("parsing on two threads leaves standard error alone") {
  struct stat before{};
  REQUIRE(fstat(2, &before) == 0);
  std::atomic<bool> done = false, moved = false;
  std::thread watcher([&] {
    while (!done) {
      struct stat now{};
      if (fstat(2, &now) != 0 || now.st_ino != before.st_ino || now.st_dev != before.st_dev)
        moved = true;
    }
  });
  std::atomic<int> good = 0;
  const auto work = [&](int number) {
    for (int i = 0; i < 300; ++i) {
      const std::string text = "select " + std::to_string(number) + ", a from t where b = 'x'";
      Shape made;
      shape(text, true, {}, made);
      const ParseResult result = parse(text, made);
      if (const auto* trees = std::get_if<0>(&result))
        good += to_text(*trees->at(0), made) ==
                "SELECT " + std::to_string(number) + ", a FROM t WHERE b = 'x'";
      const ParseResult broken = parse("select from where", made);
      good += std::holds_alternative<SyntaxError>(broken);
    }
  };
  std::thread first(work, 1), second(work, 2);
  first.join();
  second.join();
  done = true;
  watcher.join();
  CHECK_FALSE(moved);
  CHECK(good == 1200);
}

TEST_CASE("what cannot be printed as it was is refused") {
  const auto failure = [](std::string_view text) -> std::string {
    Shape made;
    shape(text, true, {}, made);
    try {
      parse(text, made);
    } catch (const anabranch::values::SqlError& error) {
      return error.sqlstate;
    }
    return {};
  };
  CHECK(failure("select $0") == "42P02");
  CHECK(failure("select $99999999999999999999") == "42P02");
  CHECK(failure("select operator(-) 5") == "0A000");
  CHECK(failure("insert into t values (1) on conflict (a desc) do nothing") == "42P10");
}
