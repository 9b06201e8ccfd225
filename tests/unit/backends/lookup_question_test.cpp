#include "backends/lookup_question.h"

#include <doctest/doctest.h>

#include "conf/load.h"
#include "values/sql_error.h"

using namespace anabranch;
using conf::Kind;
using router::KeyValue;

namespace {

std::shared_ptr<const router::ShardMap> map_of(const std::string& type) {
  const conf::Loaded loaded = conf::load_text(
      "listen: {postgres: 127.0.0.1:6432}\nusers: [{name: app, password: secret}]\n"
      "databases:\n  shop:\n    backend: {user: app}\n"
      "    shards: {s1: {primary: 10.0.0.1:1}, s2: {primary: 10.0.0.2:1}}\n    default_shard: s1\n"
      "    schemes: {t: {type: " + type + ", strategy: lookup, table: app.placement}}\n",
      "test.yaml");
  REQUIRE(loaded.config != nullptr);
  std::vector<conf::Diagnostic> diagnostics;
  return router::ShardMap::build(loaded.config->databases.front(), "test.yaml", diagnostics);
}

std::string asked(Kind kind, const std::string& type, const KeyValue& key) {
  const auto map = map_of(type);
  const std::string sql = backends::lookup_question(kind, map->schemes().front(), {&key, 1});
  return sql.substr(sql.find(" WHERE ") + 7);
}

using Rows = std::vector<std::vector<std::optional<std::string>>>;

std::string complaint(const Rows& rows) {
  const auto map = map_of("text");
  const std::vector<KeyValue> keys{KeyValue::of(std::string("ada")), KeyValue::of(std::string("bea"))};
  try {
    (void)backends::read_lookup_answer(*map, map->schemes().front(), keys, rows);
  } catch (const values::SqlError& error) {
    return error.sqlstate + " " + error.message;
  }
  return "";
}

}  // namespace

TEST_CASE("a question for keys means the same under every setting") {
  const auto map = map_of("text");
  const std::vector<KeyValue> keys{KeyValue::of(std::string("ada")), KeyValue::of(std::string("\\'\xc3\xa9"))};
  CHECK(backends::lookup_question(Kind::postgres, map->schemes().front(), keys) ==
        "SELECT 0, \"shard\" FROM \"app\".\"placement\" WHERE \"key\" OPERATOR(pg_catalog.=) "
        "pg_catalog.convert_from(pg_catalog.decode('616461', 'hex'), pg_catalog.getdatabaseencoding()) UNION ALL "
        "SELECT 1, \"shard\" FROM \"app\".\"placement\" WHERE \"key\" OPERATOR(pg_catalog.=) "
        "pg_catalog.convert_from(pg_catalog.decode('5c27c3a9', 'hex'), pg_catalog.getdatabaseencoding())");
  CHECK(backends::lookup_question(Kind::mysql, map->schemes().front(), keys) ==
        "SELECT 0, `shard` FROM `app`.`placement` WHERE `key` = _utf8mb4 X'616461' UNION ALL "
        "SELECT 1, `shard` FROM `app`.`placement` WHERE `key` = _utf8mb4 X'5c27c3a9'");
}

TEST_CASE("keys of each type are asked for by constants of their own") {
  const std::string postgres = "\"key\" OPERATOR(pg_catalog.=) ";
  CHECK(asked(Kind::postgres, "bigint", KeyValue::of(std::int64_t{-5})) == postgres + "'-5'::pg_catalog.int8");
  CHECK(asked(Kind::postgres, "date", KeyValue::of(std::int64_t{-719600})) ==
        postgres + "('1970-01-01'::pg_catalog.date OPERATOR(pg_catalog.+) '-719600'::pg_catalog.int4)");
  CHECK(asked(Kind::postgres, "date", KeyValue::of(std::int64_t{2147483647})) == postgres + "'infinity'::pg_catalog.date");
  CHECK(asked(Kind::postgres, "numeric", KeyValue::of(std::string("1.5"))) == postgres + "'1.5'::pg_catalog.numeric");
  CHECK(asked(Kind::postgres, "bytes", KeyValue::of(std::string("\0\xff", 2))) == postgres + "pg_catalog.decode('00ff', 'hex')");
  CHECK(asked(Kind::postgres, "uuid", *conf::parse_key(conf::KeyType::uuid, "6f9619ff-8b86-d011-b42d-00cf4fc964ff")) ==
        postgres + "'6f9619ff-8b86-d011-b42d-00cf4fc964ff'::pg_catalog.uuid");
  CHECK(asked(Kind::mysql, "bigint", KeyValue::of(std::int64_t{-5})) == "`key` = -5");
  CHECK(asked(Kind::mysql, "date", KeyValue::of(std::int64_t{19782})) == "`key` = DATE'2024-02-29'");
  CHECK(asked(Kind::mysql, "numeric", KeyValue::of(std::string("1.5"))) == "`key` = 1.5");
  CHECK(asked(Kind::mysql, "bytes", KeyValue::of(std::string("\0\xff", 2))) == "`key` = X'00ff'");
}

TEST_CASE("rows name shards of the map, one for each key") {
  const auto map = map_of("text");
  const std::vector<KeyValue> keys{KeyValue::of(std::string("ada")), KeyValue::of(std::string("bea"))};
  const auto shards = backends::read_lookup_answer(*map, map->schemes().front(), keys, Rows{{"1", "s2"}});
  REQUIRE(shards.size() == 2);
  CHECK_FALSE(shards[0]);
  CHECK(shards[1] == 1);
  CHECK(complaint({{"0", "s1"}, {"1", "s1"}}) == "");
  CHECK(complaint({{"1", "s9"}}) ==
        "55000 table \"placement\" does not say where key bea of scheme \"t\" lives: there is no shard \"s9\"");
  CHECK(complaint({{"0", std::nullopt}}) ==
        "55000 table \"placement\" does not say where key ada of scheme \"t\" lives: its shard is NULL");
  CHECK(complaint({{"0", "s1"}, {"0", "s1"}}) ==
        "55000 table \"placement\" does not say where key ada of scheme \"t\" lives: it has several rows");
  CHECK(complaint({{"2", "s1"}}).starts_with("08P01"));
  CHECK(complaint({{std::nullopt, "s1"}}).starts_with("08P01"));
}
