#include <doctest/doctest.h>

#include "rewriter/calls.h"
#include "rewriter/planner.h"

using namespace anabranch;
using namespace anabranch::rewriter;

namespace {

/// The plan of a database of one server, without schemes and tables.
Plan planned(std::string_view text) {
  conf::Database database;
  database.name = "plain";
  database.shards.emplace_back();
  database.shards.back().name = "only";
  database.default_shard = 0;
  std::vector<conf::Diagnostic> diagnostics;
  const auto map = router::ShardMap::build(database, "test", diagnostics);
  REQUIRE(map != nullptr);
  Shape made;
  shape(text, true, {}, made);
  const PlanningContext context;
  PlanRequest request;
  request.text = text;
  request.shape = &made;
  request.map = map.get();
  request.context = &context;
  request.database = &database;
  return *std::get<std::shared_ptr<const Plan>>(plan(request));
}

Residue residue(std::string_view text) {
  return planned(text).residue;
}

}  // namespace

TEST_CASE("what a statement may leave in its server's session, by its text") {
  for (const char* text :
       {"SELECT count(*), upper(a) FROM t", "INSERT INTO t VALUES (now(), nextval('s'))",
        "UPDATE t SET a = pg_catalog.lower(b)", "DELETE FROM t", "CREATE TABLE t (a int)", "COPY t FROM STDIN",
        "SELECT pg_advisory_xact_lock(1)", "NOTIFY c", "EXPLAIN SELECT lower(a)",
        "DECLARE c CURSOR FOR SELECT 1", "FETCH 1 FROM c", "TRUNCATE t", "SET work_mem = '1MB'", "BEGIN",
        "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", "GRANT SELECT ON t TO public"}) {
    INFO(text);
    CHECK(residue(text) == Residue::none);
  }
  for (const char* text :
       {"SELECT my_function()", "EXPLAIN SELECT my_function()", "SELECT public.lower('a')", "SELECT set_config('a.b', 'c', false)",
        "SELECT * FROM t WHERE a = (SELECT pg_advisory_lock(1)::text)", "LISTEN c", "PREPARE p AS SELECT 1",
        "EXECUTE p", "DO 'begin end'", "CALL p()", "CREATE TEMP TABLE t (a int)", "CREATE TEMP TABLE t AS SELECT 1",
        "SELECT 1 AS a INTO TEMP t", "CREATE TEMP VIEW v AS SELECT 1", "CREATE TABLE pg_temp.t (a int)",
        "CREATE SEQUENCE s", "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "EXPLAIN ANALYZE EXECUTE p", "no SQL at all",
        "INSERT INTO t SELECT query_to_xml('SELECT 1', true, true, '')"}) {
    INFO(text);
    CHECK(residue(text) == Residue::may_begin);
  }
  for (const char* text : {"UNLISTEN *", "CLOSE ALL", "DEALLOCATE p", "DISCARD TEMP", "DROP TABLE t",
                           "SELECT pg_advisory_unlock(1)", "SELECT pg_catalog.pg_advisory_unlock_all()"}) {
    INFO(text);
    CHECK(residue(text) == Residue::may_end);
  }
  for (const char* text : {"LOAD 'auto_explain'", "SELECT setseed(0.5)", "SELECT currval('s'), set_config('a.b', '', true)"}) {
    INFO(text);
    CHECK(residue(text) == Residue::untracked);
  }
}

TEST_CASE("what may run nextval()") {
  for (const char* text : {"SELECT nextval('s')", "INSERT INTO t DEFAULT VALUES", "COPY t FROM STDIN", "SELECT f()",
                           "WITH w AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM w", "UPDATE t SET a = DEFAULT"}) {
    INFO(text);
    CHECK(planned(text).advances_sequences);
  }
  for (const char* text : {"SELECT a FROM t", "SELECT now()", "SHOW work_mem", "LISTEN c"}) {
    INFO(text);
    CHECK_FALSE(planned(text).advances_sequences);
  }
}

TEST_CASE("the settings that set_config() names") {
  const auto named = [](std::string_view text) { return settings_set_by_calls(text, true); };
  const auto both = named("SELECT set_config('App.X', $1, false), pg_catalog.set_config('a.y'::text, 'v', $2)");
  CHECK(both.names == std::vector<std::string>{"app.x", "a.y"});
  CHECK(both.complete);
  CHECK(named("SELECT set_config('a.b', 'c', true), set_config($1, 'c', true)").names.empty());
  CHECK(named("SELECT set_config('a.b', 'c', true), set_config($1, 'c', true)").complete);
  CHECK_FALSE(named("SELECT set_config($1, 'c', false)").complete);
  CHECK_FALSE(named("SELECT set_config('a.' || b, 'c', false) FROM t").complete);
}

TEST_CASE("the functions that a statement calls") {
  const auto called = called_functions("SELECT a.f(1) FROM g(h()) WHERE EXISTS (SELECT count(*))", true);
  std::vector<std::string> names;
  for (const Called& at : called) names.push_back(at.schema + "/" + at.name);
  CHECK(names == std::vector<std::string>{"a/f", "/g", "/h", "/count"});
  CHECK(called_functions("SELECT FROM WHERE", true).empty());
  for (const char* name : {"count", "abs", "timezone", "generate_series", "xpath"}) CHECK(is_plain_builtin(name));
  for (const char* name : {"set_config", "nextval", "pg_advisory_lock", "", "zzz"}) CHECK_FALSE(is_plain_builtin(name));
}
