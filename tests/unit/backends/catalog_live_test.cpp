#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "backends/catalog_loader.h"
#include "backends/control_connection.h"
#include "backends/health.h"
#include "live.h"

using namespace anabranch::backends;
namespace conf = anabranch::conf;
namespace router = anabranch::router;

namespace {

void execute(const conf::Database& database, std::uint32_t shard, const std::string& sql) {
  auto connection = ControlConnection::open(resolve_server(database, shard, {}, ""));
  REQUIRE(connection);
  const auto done = connection->run(sql);
  REQUIRE_MESSAGE(done, done.error());
}

conf::Database mapped_database() {
  conf::Database database = live::database();
  database.shards.resize(2);
  conf::Scheme scheme;
  scheme.name = "by_user";
  scheme.types = {conf::KeyType::bigint};
  scheme.hash = conf::Hash::int_hash64;
  scheme.strategy = conf::StrategyKind::buckets;
  scheme.buckets = 4;
  scheme.bucket_shards = {0, 1, 0, 1};
  database.schemes.push_back(scheme);
  const auto add = [&](const char* name, conf::TableKind kind, std::vector<std::string> key) {
    conf::Table table;
    table.name = {"live_catalog", name};
    table.kind = kind;
    table.key = std::move(key);
    table.shard = 1;
    table.where = {static_cast<int>(database.tables.size()) + 100, 7};
    database.tables.push_back(table);
  };
  add("users", conf::TableKind::sharded, {"id"});
  add("differs", conf::TableKind::sharded, {"id"});
  add("no_key", conf::TableKind::sharded, {"missing"});
  add("wrong_type", conf::TableKind::sharded, {"id"});
  add("countries", conf::TableKind::reference, {});
  add("on_second", conf::TableKind::whole, {});
  add("in_tones", conf::TableKind::sharded, {"id"});
  add("in_chords", conf::TableKind::sharded, {"id"});
  for (const char* name : {"papers", "torn", "uneven", "shadowed"}) {
    add(name, conf::TableKind::sharded, {"id"});
    database.tables.back().physical = std::string(name) + "_{:02}";
  }
  return database;
}

constexpr const char* schema = R"(
  drop schema if exists live_catalog cascade; create schema live_catalog;
  set search_path to live_catalog;
  create type mood as enum ('sad', 'ok'); alter type mood add value 'glad' before 'ok';
  create domain positive as numeric(10,2) check (value > 0);
  create table users (id bigint generated always as identity, email text unique, feeling mood,
    moods mood[], price positive, german text collate "de-x-icu", made timestamptz default now(),
    plain text collate "C" default 'x', doubled int generated always as (1 + 1) stored,
    primary key (id));
  create table countries (code char(2) primary key);
  create table no_key (id int); create table wrong_type (id text);
  create view grown as select id from users where id > 5;
  create function twice(int) returns int language sql immutable as 'select $1 * 2';
  create operator === (leftarg = int, rightarg = int, function = int4eq);
  create table guarded (id int); alter table guarded enable row level security;
  create function noop() returns trigger language plpgsql as 'begin return new; end';
  create trigger t before insert on guarded for each row execute function noop();
  create rule r as on delete to guarded do instead nothing;
)";

struct Loading {
  conf::Database database = mapped_database();
  LoadedCatalog loaded;

  void load() {
    auto config = std::make_shared<conf::Config>();
    config->file = "map.yaml";
    config->databases.push_back(database);
    std::vector<conf::Diagnostic> diagnostics;
    CatalogRequest request;
    request.config = config;
    request.database = "shop";
    request.requested = "shop";
    request.map = router::ShardMap::build(database, config->file, diagnostics);
    REQUIRE(request.map);
    request.version = 7;
    const auto begin = std::chrono::steady_clock::now();
    loaded = load_catalog(request);
    const auto took = std::chrono::steady_clock::now() - begin;
    MESSAGE("loaded in ", std::chrono::duration_cast<std::chrono::milliseconds>(took).count(),
            " ms");
  }
  const router::Relation& relation(const char* name) {
    const auto* found = loaded.catalog->find_relation({"live_catalog"}, name);
    REQUIRE(found);
    return *found;
  }
  const router::Column& column(const char* table, const char* name) {
    const router::Relation& in = relation(table);
    return in.columns[static_cast<std::size_t>(in.find_column(name).value())];
  }
  bool says(conf::Severity severity, int line, std::string_view part) {
    return std::ranges::any_of(loaded.diagnostics, [&](const conf::Diagnostic& diagnostic) {
      return diagnostic.severity == severity && diagnostic.where.line == line &&
             diagnostic.message.find(part) != std::string::npos;
    });
  }
};

}  // namespace

TEST_CASE("live: the catalog of two shards" * doctest::skip(!live::available())) {
  Loading l;
  const std::string tones =
      "create type chord as (root tone, third tone); create table in_tones (id int, tone tone);"
      "create table in_chords (id int, played chord[]);";
  execute(l.database, 0,
          std::string(schema) + "create type tone as enum ('low', 'high');" + tones +
              "create type place as (street text, town text); create type only_first as enum ('x');"
              "create domain small as int check (value < 5); create table differs (id int, a int);"
              "create table papers_00 (id bigint primary key, title text); create table papers_02 (like papers_00);"
              "create table torn_00 (id int); create table uneven_00 (id int, a int); create table uneven_02 (a int, id int);"
              "create table shadowed_00 (id int); create table shadowed_02 (id int)");
  execute(l.database, 1,
          "create type pg_temp.shift as enum ('a');" + std::string(schema) +
              "create type tone as enum ('high', 'low');" + tones +
              "create type place as (street text); create domain small as int check (value < 7);"
              "create table differs (id int, a text); create table on_second (x int);"
              "create table papers_01 (id bigint primary key, title text); create table papers_03 (like papers_01);"
              "create table torn_01 (id int); create table torn_03 (id int);"
              "create table uneven_01 (id int, a int); create table uneven_03 (id int, a int);"
              "create table shadowed_01 (id int); create table shadowed_03 (id int); create table shadowed (id int)");
  l.load();
  REQUIRE(l.loaded.catalog);
  CHECK(l.loaded.failures.empty());
  CHECK(l.loaded.catalog->version == 7);
  CHECK(l.loaded.catalog->server_encoding == "UTF8");
  CHECK(l.loaded.catalog->database_collation.can_order());

  SUBCASE("columns") {
    CHECK(l.column("users", "id").identity);
    CHECK(l.column("users", "id").not_null);
    CHECK(l.column("users", "feeling").type.enumeration->labels ==
          std::vector<std::string>{"sad", "glad", "ok"});
    CHECK(l.column("users", "moods").type.enumeration);
    CHECK(l.column("users", "price").type.oid == anabranch::values::oid::numeric);
    CHECK(l.column("users", "price").type.typmod == ((10 << 16) | 2) + 4);
    CHECK(l.column("users", "price").type_name == "live_catalog.positive");
    CHECK(l.column("users", "german").collation.describe().starts_with("icu:de"));
    CHECK(l.column("users", "german").collation_name == "pg_catalog.\"de-x-icu\"");
    CHECK(l.column("users", "plain").collation.is_bytes());
    CHECK(l.column("users", "plain").default_volatility == router::Volatility::immutable);
    CHECK(l.column("users", "made").default_volatility == router::Volatility::stable);
    CHECK(l.column("users", "doubled").generated);
    CHECK(l.relation("users").unique_keys.size() == 2);
  }
  SUBCASE("views, functions, operators, flags") {
    CHECK(l.relation("grown").view_sql.find("live_catalog.users") != std::string::npos);
    CHECK(l.relation("guarded").row_security);
    CHECK(l.relation("guarded").triggers);
    CHECK(l.relation("guarded").rules);
    const auto twice = l.loaded.catalog->find_functions({"live_catalog"}, "twice");
    REQUIRE(twice.size() == 1);
    CHECK(twice[0]->volatility == router::Volatility::immutable);
    CHECK_FALSE(twice[0]->builtin);
    const auto now = l.loaded.catalog->find_functions({}, "now");
    REQUIRE(now.size() == 1);
    CHECK(now[0]->volatility == router::Volatility::stable);
    CHECK(l.loaded.catalog->find_functions({}, "regr_slope").at(0)->kind == 'a');
    CHECK(l.loaded.catalog->is_user_operator("==="));
    CHECK(l.loaded.catalog->may_be_shadowed({"live_catalog"}, "===", false));
    CHECK(l.loaded.catalog->may_be_shadowed({"live_catalog", "pg_catalog"}, "===", true));
    CHECK_FALSE(l.loaded.catalog->may_be_shadowed({"live_catalog"}, "===", true));
    CHECK_FALSE(l.loaded.catalog->may_be_shadowed({"public"}, "===", false));
    CHECK(l.loaded.catalog->find_relation({"live_catalog", "public"}, "pg_class"));
  }
  SUBCASE("the map against it") {
    CHECK(l.relation("users").refusal.empty());
    CHECK(l.says(conf::Severity::warning, 100, "generated by each shard"));
    CHECK(l.says(conf::Severity::warning, 100, "users_email_key"));
    CHECK(l.relation("differs").refusal.find("(id integer, a integer); (id integer, a text)") !=
          std::string::npos);
    CHECK(l.says(conf::Severity::error, 101, "differs between shards s1 and s2"));
    CHECK(l.says(conf::Severity::error, 102, "\"missing\" does not exist"));
    CHECK(l.says(conf::Severity::error, 103, "of type text, which scheme by_user"));
    CHECK(l.relation("on_second").oid == 0);
    CHECK(l.relation("countries").refusal.empty());
  }
  SUBCASE("tables that have one for each bucket") {
    CHECK(l.relation("papers").refusal.empty());
    CHECK(l.relation("papers").oid == 0);
    CHECK(l.column("papers", "title").name == "title");
    CHECK(l.relation("papers").unique_keys.size() == 1);
    CHECK(l.relation("papers_00").refusal == "\"papers_00\" is a bucket of \"papers\": name that table");
    CHECK(l.relation("torn").refusal.find("table live_catalog.torn_02") != std::string::npos);
    CHECK(l.relation("torn").refusal.find("it does not exist there") != std::string::npos);
    CHECK(l.relation("uneven").refusal.find("(id integer, a integer); (a integer, id integer)") != std::string::npos);
    CHECK(l.relation("shadowed").refusal.find("but shard s2 has one of that name, too") != std::string::npos);
    CHECK(l.says(conf::Severity::error, 108 + 3, "has one of that name, too"));
  }
  SUBCASE("OIDs of the other shard") {
    using Kind = anabranch::values::BinaryShape::Kind;
    const auto& identity = *l.loaded.identity;
    REQUIRE(identity.shards.size() == 2);
    const auto mood = l.column("users", "feeling").type.oid;
    const auto moods = l.column("users", "moods").type.oid;
    const auto there = identity.shards[1].to_shard.type(mood);
    CHECK(there != mood);
    CHECK(identity.shards[1].to_default.type(there) == mood);
    CHECK(identity.shards[1].to_default.types.size() > 4);
    CHECK(identity.shapes.find(moods).kind == Kind::array);
    CHECK(identity.shapes.find(mood).kind == Kind::plain);
    const auto users = l.relation("users").oid;
    CHECK(identity.shards[1].to_default.relation(identity.shards[1].to_shard.relation(users)) == users);
  }
  SUBCASE("types that are not the same everywhere") {
    const auto tone = l.column("in_tones", "tone").type.oid;
    REQUIRE(l.loaded.catalog->type_difference(tone));
    CHECK(l.loaded.catalog->type_difference(tone)->find(
              "enum ('low', 'high'); enum ('high', 'low')") != std::string::npos);
    CHECK(l.loaded.catalog->type_difference("chord") != nullptr);
    CHECK(l.loaded.catalog->type_difference("place")->find(
              "(street text, town text); (street text)") != std::string::npos);
    CHECK(l.loaded.catalog->type_difference("small")->find("CHECK ((VALUE < 5))") != std::string::npos);
    CHECK(l.loaded.catalog->type_difference("mood") == nullptr);
    CHECK(l.relation("in_tones").refusal.find("tone") != std::string::npos);
    CHECK(l.relation("in_chords").refusal.find("enum ('low', 'high')") != std::string::npos);
    CHECK(std::ranges::any_of(l.loaded.diagnostics, [](const conf::Diagnostic& diagnostic) {
      return diagnostic.message.find("type live_catalog.only_first of shard s1 does not exist") !=
             std::string::npos;
    }));
  }
}

TEST_CASE("live: a shard that is down is named, the catalog comes all the same" *
          doctest::skip(!live::available())) {
  Loading l;
  execute(l.database, 0, schema);
  l.database.shards[1].primary.address.port = 1;
  l.load();
  REQUIRE(l.loaded.catalog);
  REQUIRE(l.loaded.failures.size() == 1);
  CHECK(l.loaded.failures[0].shard_name == "s2");
  CHECK(l.relation("users").refusal.empty());

  l.database.default_shard = 1;
  l.load();
  CHECK_FALSE(l.loaded.catalog);
}

TEST_CASE("live: health" * doctest::skip(!live::available())) {
  auto config = std::make_shared<conf::Config>();
  config->databases.push_back(mapped_database());
  config->databases[0].shards[1].primary.address.port = 1;
  HealthMonitor monitor(config, std::chrono::milliseconds(10));
  std::vector<ShardHealth> shards;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    shards = monitor.shards();
  } while (!shards[0].known || !shards[1].known);
  CHECK(shards[0].up);
  CHECK_FALSE(shards[1].up);
  CHECK(shards[1].reason == "no answer");
  CHECK_FALSE(monitor.all_up());
}
