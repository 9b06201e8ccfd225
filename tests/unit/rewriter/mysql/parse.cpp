#include "support_mysql.h"

using namespace anabranch::rewriter;
using namespace anabranch::rewriter::mysql::testing;
using anabranch::rewriter::mysql::Mode;

namespace {

template <class Detail>
Detail detail(std::string_view text) {
  Shape made;
  auto statements = parse_all(text, made);
  REQUIRE(statements.size() == 1);
  auto* node = statements[0]->as<tree::Utility>();
  REQUIRE(node);
  auto* found = std::get_if<Detail>(&node->detail);
  REQUIRE(found);
  return std::move(*found);
}

/// "CreateStmt CREATE TABLE: a, b.c"
std::string summary(std::string_view text) {
  Shape made;
  const auto statements = parse_all(text, made);
  REQUIRE(statements.size() == 1);
  const auto* node = statements[0]->as<tree::Utility>();
  if (!node) return "no utility";
  std::string out = node->kind + " " + node->tag + ":";
  for (const auto& relation : node->relations)
    out += " " + (relation.schema.empty() ? "" : relation.schema + ".") + relation.name;
  return out;
}

}  // namespace

TEST_CASE("MySQL statements print as they were read") {
  static constexpr std::pair<const char*, const char*> cases[] = {
      {"select a, b as x from t where a=1 limit 5, 10",
       "SELECT `a`, `b` AS `x` FROM `t` WHERE `a` = 1 LIMIT 10 OFFSET 5"},
      {"select a+1, 'x', count( * ) from t",
       "SELECT `a` + 1 AS `a+1`, 'x' AS `x`, count(*) AS `count( * )` FROM `t`"},
      {"select 'a' 'b', null, true, -5, +5, ?",
       "SELECT 'a' 'b' AS `ab`, NULL AS `NULL`, TRUE AS `TRUE`, -5 AS `-5`, +5 AS `5`, ? AS `?`"},
      {"select * from a join b join c on b.x = c.x",
       "SELECT * FROM `a` CROSS JOIN `b` JOIN `c` ON `b`.`x` = `c`.`x`"},
      {"select * from a join b join c on b.x = c.x on a.x = b.x",
       "SELECT * FROM `a` JOIN (`b` JOIN `c` ON `b`.`x` = `c`.`x`) ON `a`.`x` = `b`.`x`"},
      {"select * from (a, b) left join c using (x)",
       "SELECT * FROM `a` CROSS JOIN `b` LEFT JOIN `c` USING (`x`)"},
      {"select * from a limit ?, ?", "SELECT * FROM `a` LIMIT ?, ?"},
      {"select * from a limit ? offset ?", "SELECT * FROM `a` LIMIT ? OFFSET ?"},
      {"select a from t group by a, b with rollup",
       "SELECT `a` FROM `t` GROUP BY `a`, `b` WITH ROLLUP"},
      {"select @a := b, @@session.sql_mode as m, @@Version as v",
       "SELECT @a := `b` AS `@a := b`, @@session.`sql_mode` AS `m`, @@`version` AS `v`"},
      {"select cast(a as dec (10, 2)) as x, convert(a using LATIN1) as y",
       "SELECT CAST(`a` AS DECIMAL(10,2)) AS `x`, CONVERT(`a` USING latin1) AS `y`"},
      {"select a from t where not a = 1 and b in (1, 2) or c is null",
       "SELECT `a` FROM `t` WHERE ((NOT (`a` = 1)) AND `b` IN (1, 2)) OR `c` IS NULL"},
      {"select a from t where c like 'x' escape '|'",
       "SELECT `a` FROM `t` WHERE `c` LIKE 'x' ESCAPE '|'"},
      {"select d - interval 1 day_hour as x", "SELECT `d` - INTERVAL 1 day_hour AS `x`"},
      {"insert ignore t set a = 1, b = default",
       "INSERT IGNORE INTO `t` (`a`, `b`) VALUES (1, DEFAULT)"},
      {"replace into s.t (a) values (1), (2)", "REPLACE INTO `s`.`t` (`a`) VALUES (1), (2)"},
      {"insert into t (a) values (1) on duplicate key update a = values(a) + 1",
       "INSERT INTO `t` (`a`) VALUES (1) ON DUPLICATE KEY UPDATE `a` = values(`a`) + 1"},
      {"insert into t (a) select 1 from (b join c) on duplicate key update a = 1",
       "INSERT INTO `t` (`a`) (SELECT 1 FROM `b` CROSS JOIN `c`) ON DUPLICATE KEY UPDATE `a` = 1"},
      {"update low_priority t, u set t.a = u.a where t.id = u.id",
       "UPDATE LOW_PRIORITY `t`, `u` SET `t`.`a` = `u`.`a` WHERE `t`.`id` = `u`.`id`"},
      {"update t set a = 1 order by b desc limit 3",
       "UPDATE `t` SET `a` = 1 ORDER BY `b` DESC LIMIT 3"},
      {"delete from t, u.* using t join u using (id)",
       "DELETE `t`, `u` FROM `t` JOIN `u` USING (`id`)"},
      {"delete from t where a = 1 returning b + 1",
       "DELETE FROM `t` WHERE `a` = 1 RETURNING `b` + 1 AS `b + 1`"},
      {"select a from t use index (i, primary) ignore key for order by (k)",
       "SELECT `a` FROM `t` use index (i, primary) ignore key for order by (k)"},
      {"select group_concat(distinct a order by b separator ';') as x from t",
       "SELECT group_concat(DISTINCT `a` ORDER BY `b` SEPARATOR ';') AS `x` FROM `t`"},
      {"select trim(leading 'x' from a) as x, position('a' in b) as y, char(1 using utf8) as z",
       "SELECT TRIM(LEADING 'x' FROM `a`) AS `x`, POSITION('a' IN `b`) AS `y`, "
       "CHAR(1 USING utf8) AS `z`"},
      {"select N'a' as x, _latin1 'b' as y, date '2020-01-01' as z",
       "SELECT N'a' AS `x`, _latin1 'b' AS `y`, DATE '2020-01-01' AS `z`"},
      {"select /*+ NO_ICP(t) */ distinct high_priority a from t",
       "SELECT /*+ NO_ICP(t) */ HIGH_PRIORITY DISTINCT `a` FROM `t`"},
      {"(select a from t order by a limit 1) union all (select 2) order by 1",
       "(SELECT `a` FROM `t` ORDER BY `a` LIMIT 1) UNION ALL SELECT 2 ORDER BY 1"},
      {"select s.f(a) as x, `s`.`g h`(1) as y", "SELECT `s`.`f`(`a`) AS `x`, `s`.`g h`(1) AS `y`"},
      {"select 1 where /*!50000 a = */ 2", "SELECT 1 AS `1` FROM DUAL WHERE `a` = 2"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(round_trip(text) == expected);
  }
}

TEST_CASE("sql_mode decides what quotes and backslashes mean") {
  CHECK(round_trip("select \"a\" as x", Mode{.ansi_quotes = true}) == "SELECT `a` AS `x`");
  CHECK(round_trip("select \"a\" as x") == "SELECT \"a\" AS `x`");
  CHECK(round_trip("select 'a\\' as x", Mode{.no_backslash_escapes = true}) ==
        "SELECT 'a\\' AS `x`");
  CHECK(round_trip("select count (*) as x", Mode{.ignore_space = true}) ==
        "SELECT count(*) AS `x`");
  CHECK(round_trip("select \"a\"\"b\".c as x from t as \"a\"\"b\"", Mode{.ansi_quotes = true}) ==
        "SELECT `a\"b`.`c` AS `x` FROM `t` AS `a\"b`");
}

TEST_CASE("the planner's own nodes print for MySQL") {
  using namespace tree;
  const Shape none;
  const auto text = [&](const ExprPtr& expr) { return to_text(*expr, none, Dialect::mysql); };
  CHECK(text(make::string("it's")) == "'it''s'");
  CHECK(text(make::string("a\\b")) == "_utf8mb4 x'615c62'");
  CHECK(text(make::count_star()) == "count(*)");
  CHECK(text(make::cast(make::integer(-5), "SIGNED")) == "CAST(-5 AS SIGNED)");
  CHECK(text(make::expr(DistinctFrom{make::column({"a"}), make::null(), false})) ==
        "NOT (`a` <=> NULL)");
  CHECK(text(make::column({"t", "a`b"})) == "`t`.`a``b`");
}

TEST_CASE("MySQL's utilities name the relations they may touch") {
  static constexpr std::pair<const char*, const char*> cases[] = {
      {"truncate s.t", "TruncateStmt TRUNCATE TABLE: s.t"},
      {"drop table if exists a, s.b", "DropStmt DROP TABLE: a s.b"},
      {"drop index i on t", "DropStmt DROP INDEX: t"},
      {"create table n like t", "CreateStmt CREATE TABLE: n t"},
      {"create table n (a int references u (id))", "CreateStmt CREATE TABLE: n u"},
      {"create table n as select a from t", "CreateTableAsStmt CREATE TABLE: n a t"},
      {"create view v as select x.a from s.t x", "ViewStmt CREATE VIEW: v x x.a s s.t"},
      {"alter table t add foreign key (a) references u (id)",
       "AlterTableStmt ALTER TABLE: t a u id"},
      {"rename table a to b, c to d", "RenameStmt RENAME TABLE: a b c d"},
      {"lock tables a read, s.b as x write", "LockStmt LOCK TABLES: a s.b"},
      {"load data local infile 'f' into table s.t", "LoadStmt LOAD DATA: s.t"},
      {"describe t", "DescribeStmt DESCRIBE: t"},
      {"create procedure p() begin select 1; delete from t; end",
       "CreateFunctionStmt CREATE PROCEDURE: p begin t end"},
      {"select a from t procedure analyse()", "VerbatimStmt SELECT: a t analyse"},
      {"set @x = (select max(a) from t)", "VariableSetStmt SET: max a t"},
      {"kill 5", "KillStmt KILL:"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(summary(text) == expected);
  }
}

TEST_CASE("details of MySQL's utilities") {
  using tree::SetVariables;
  const auto set = detail<SetVariables>("set @a = 1, global x = default, names utf8 collate b");
  REQUIRE(set.items.size() == 3);
  CHECK(set.items[0].kind == SetVariables::Item::Kind::user_variable);
  CHECK(set.items[1].kind == SetVariables::Item::Kind::global);
  CHECK(!set.items[1].value);
  CHECK(set.items[2].kind == SetVariables::Item::Kind::names);
  CHECK(set.items[2].collation == "b");
  CHECK(detail<SetVariables>("set session transaction read only").items[0].name == "READ ONLY");

  const auto begin = detail<tree::Transaction>("start transaction read only");
  CHECK(begin.kind == tree::Transaction::Kind::start);
  CHECK(begin.options == "READ ONLY");
  CHECK(detail<tree::Transaction>("rollback to s").name == "s");
  CHECK(detail<tree::Transaction>("commit and chain").chain);
  CHECK(detail<tree::Use>("use `a b`").database == "a b");
  CHECK(detail<tree::Show>("show full columns from t").name == "full columns");
  CHECK(detail<tree::Show>("show create table t").name == "create table");

  const auto load = detail<tree::Load>(
      "load data local infile 'f' ignore into table t fields terminated by ';' (a, @b) set c = 1");
  CHECK(load.local);
  CHECK(load.ignore);
  CHECK(load.file == "f");
  CHECK(load.fields == std::vector<std::string>{"a", "@b"});
  CHECK(load.options.at(0).name == "fields_terminated");
  CHECK(load.options.at(0).value == ";");
  CHECK(load.set.size() == 1);

  const auto table = detail<tree::CreateTable>(
      "create temporary table if not exists n (id int auto_increment primary key, "
      "a varchar(20) not null default 'x', unique key k (a(5), id), "
      "foreign key (a) references s.u (b))");
  CHECK(table.if_not_exists);
  CHECK(table.persistence == tree::CreateTable::Persistence::temporary);
  REQUIRE(table.columns.size() == 2);
  CHECK(table.columns[0].identity);
  CHECK(table.columns[0].primary_key);
  CHECK(table.columns[1].type.text == "VARCHAR(20)");
  CHECK(table.columns[1].default_text == "'x'");
  REQUIRE(table.constraints.size() == 2);
  CHECK(table.constraints[0].kind == "UNIQUE");
  // A part of a column is none.
  CHECK(table.constraints[0].columns == std::vector<std::string>{"", "id"});
  CHECK(table.constraints[1].references->schema == "s");

  const auto lock = detail<tree::LockTable>("lock tables a as x read local, s.b write nowait");
  REQUIRE(lock.parts.size() == 2);
  CHECK(lock.parts[0].text == "a as x read local");
  CHECK(lock.parts[1].schema == "s");
  CHECK(lock.parts[1].text == "s.b write");
  CHECK(lock.wait == "nowait");

  const auto under = detail<tree::SetStatement>(
      "set statement max_statement_time = 1.5, optimizer_switch = default for select 1 from t");
  REQUIRE(under.items.size() == 2);
  CHECK(under.items[0].name == "max_statement_time");
  CHECK(under.items[1].value == nullptr);
  CHECK(under.prefix == "set statement max_statement_time = 1.5, optimizer_switch = default for ");
  CHECK(under.statement->as<tree::Select>() != nullptr);

  const auto alter = detail<tree::AlterTable>("alter table t add a int, drop column b, engine=x");
  CHECK(alter.actions == std::vector<std::string>{"AT_AddColumn", "AT_DropColumn", "AT_Other"});
  CHECK(alter.names == std::vector<std::string>{"a", "b", ""});
}

TEST_CASE("several MySQL statements in one text") {
  Shape made;
  const auto statements = parse_all(";select 1 as a;; update t set a = ? where b = ?;", made);
  REQUIRE(statements.size() == 2);
  CHECK(to_text(*statements[1], made, Dialect::mysql) == "UPDATE `t` SET `a` = ? WHERE `b` = ?");
  CHECK(parse_all("", made).empty());
  CHECK(
      parse_all("create trigger x before insert on t for each row begin a; b; end", made).size() ==
      1);
}
