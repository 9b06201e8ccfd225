#include <doctest/doctest.h>

#include "rewriter/mysql/parse.h"
#include "rewriter/planner.h"

using namespace anabranch;
using namespace anabranch::rewriter;
using Target = SessionPlan::Setting::Target;

namespace {

conf::Database two_shards() {
  conf::Database database;
  database.name = "shop";
  database.kind = conf::Kind::mysql;
  database.shards.resize(2);
  database.shards[0].name = "s1";
  database.shards[1].name = "s2";
  conf::Scheme scheme;
  scheme.name = "by_user";
  scheme.types = {conf::KeyType::bigint};
  scheme.hash = conf::Hash::none;
  scheme.shards = {0, 1};
  database.schemes.push_back(scheme);
  return database;
}

/// The plan of one command over two shards.
std::shared_ptr<const Plan> planned(const std::string& text) {
  static const conf::Database database = two_shards();
  std::vector<conf::Diagnostic> diagnostics;
  const auto map = router::ShardMap::build(database, "map", diagnostics);
  const router::Catalog catalog;
  PlanningContext context;
  context.dialect = Dialect::mysql;
  context.search_path = {"shop"};
  Shape shape;
  mysql::shape(text, context.mysql, LexLimits{}, shape);
  PlanRequest request;
  request.text = text;
  request.shape = &shape;
  request.catalog = &catalog;
  request.map = map.get();
  request.context = &context;
  request.database = &database;
  return std::get<std::shared_ptr<const Plan>>(plan(request));
}

SessionPlan session(const std::string& text) {
  const auto made = planned(text);
  REQUIRE_MESSAGE(made->session, text);
  return *made->session;
}

}  // namespace

TEST_CASE("SET says what it sets, and what is the same wherever it is set") {
  const auto set = session("SET @A = 1, sql_mode = 'ANSI_QUOTES', @@session.Autocommit = OFF, @b := @A + 1, time_zone = DEFAULT");
  CHECK(set.action == SessionAction::set);
  REQUIRE(set.settings.size() == 5);
  CHECK(set.settings[0].target == Target::user_variable);
  CHECK(set.settings[0].name == "A");
  CHECK(set.settings[0].value == "1");
  CHECK(set.settings[0].constant);
  CHECK(set.settings[1].target == Target::session);
  CHECK(set.settings[1].name == "sql_mode");
  CHECK(set.settings[1].value == "'ANSI_QUOTES'");
  CHECK(set.settings[2].name == "autocommit");
  CHECK(set.settings[2].value == "OFF");
  CHECK(set.settings[2].constant);
  CHECK(set.settings[3].value == "@A + 1");
  CHECK_FALSE(set.settings[3].constant);
  CHECK(set.settings[4].value.empty());
  CHECK(set.settings[4].constant);
}

TEST_CASE("SET NAMES and the characteristics of transactions are settings of their own") {
  const auto names = session("SET NAMES utf8mb4 COLLATE utf8mb4_bin").settings.at(0);
  CHECK(names.target == Target::names);
  CHECK(names.value == "'utf8mb4'");
  CHECK(names.collation == "utf8mb4_bin");
  const auto next = session("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").settings.at(0);
  CHECK(next.target == Target::transaction);
  CHECK(next.value == "ISOLATION LEVEL READ COMMITTED");
  CHECK(session("SET SESSION TRANSACTION READ ONLY").settings.at(0).target == Target::session_transaction);
}

TEST_CASE("transactions, databases and prepared statements are the session's") {
  CHECK(session("START TRANSACTION READ ONLY").options == "READ ONLY");
  CHECK(session("COMMIT AND CHAIN").chain);
  CHECK(session("ROLLBACK RELEASE").release);
  CHECK(session("ROLLBACK TO a").name == "a");
  CHECK(session("USE other").name == "other");
  CHECK(session("SHOW WARNINGS").action == SessionAction::warnings);
  const auto prepared = session("PREPARE s FROM 'SELECT ?'");
  CHECK(prepared.action == SessionAction::prepare);
  CHECK(prepared.name == "s");
  CHECK(prepared.source.text == "SELECT ?");
  CHECK(session("EXECUTE s USING @a, @b").arguments.at(1).text == "@b");
  const auto immediate = session("EXECUTE IMMEDIATE @q USING 5");
  CHECK(immediate.action == SessionAction::execute_immediate);
  CHECK(immediate.source.text == "@q");
  CHECK(immediate.arguments.at(0).text == "5");
}

TEST_CASE("what a session knows of its last INSERT is asked for") {
  CHECK(planned("SET @a = LAST_INSERT_ID()")->asks_sequences);
  CHECK(planned("SELECT LAST_INSERT_ID()")->asks_sequences);
  CHECK_FALSE(planned("SELECT 1")->asks_sequences);
  CHECK(planned("SELECT LAST_INSERT_ID(5)")->sets_last_insert);
}

TEST_CASE("what a statement asks of the one before is known to one session, or to the proxy") {
  using Previous = Plan::Previous;
  using Asks = Plan::AsksCounts;
  CHECK(planned("SELECT FOUND_ROWS(), ROW_COUNT() AS n")->previous == Previous::counts);
  CHECK(planned("SELECT FOUND_ROWS(), ROW_COUNT() AS n")->asks_counts == Asks::as_rows);
  CHECK(planned("SELECT IF(ROW_COUNT() > 0, 'a', 'b'), 1")->asks_counts == Asks::as_rows);
  // It would be carried out twice.
  CHECK(planned("SELECT @a := FOUND_ROWS()")->asks_counts == Asks::no);
  CHECK(planned("SET @n = ROW_COUNT(), @m = 1 + FOUND_ROWS ( )")->asks_counts == Asks::in_place);
  CHECK(planned("SELECT ROW_COUNT() INTO @n")->asks_counts == Asks::in_place);
  CHECK(planned("SELECT SQL_CALC_FOUND_ROWS 1")->asks_counts == Asks::no);
  CHECK(planned("CREATE TABLE t AS SELECT FOUND_ROWS() AS n")->kind == PlanKind::refuse);
  CHECK(planned("CREATE VIEW v AS SELECT ROW_COUNT() AS n")->asks_counts == Asks::no);
  CHECK(planned("SELECT @@warning_count")->previous == Previous::diagnostics);
  CHECK(planned("GET DIAGNOSTICS CONDITION 1 @n = MYSQL_ERRNO")->previous == Previous::diagnostics);
  CHECK(planned("SELECT 1")->previous == Previous::none);
}

TEST_CASE("a session's sql_mode is part of the plan cache's key") {
  PlanningContext plain;
  plain.dialect = Dialect::mysql;
  PlanningContext quoted = plain;
  quoted.mysql.ansi_quotes = true;
  PlanningContext elsewhere = plain;
  elsewhere.search_path = {"other"};
  CHECK(planning_key(plain) != planning_key(quoted));
  CHECK(planning_key(plain) != planning_key(elsewhere));
  CHECK(planning_key(plain) != planning_key(PlanningContext{}));
}
