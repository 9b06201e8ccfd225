#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "backends/catalog_loader.h"
#include "backends/mysql_catalog_reader.h"
#include "values/mysql_type.h"

/// Against MariaDB servers, where ANABRANCH_TEST_MYSQL lists at least two (`host:port,host:port`) that root may
/// enter without a password.
using namespace anabranch::backends;
namespace conf = anabranch::conf;
namespace router = anabranch::router;
namespace values = anabranch::values;

namespace {

conf::Database database() {
  conf::Database made;
  made.name = "live_catalog";
  made.kind = conf::Kind::mysql;
  std::istringstream list(std::getenv("ANABRANCH_TEST_MYSQL"));
  for (std::string item; std::getline(list, item, ',');) {
    conf::Shard shard;
    shard.name = "s" + std::to_string(made.shards.size() + 1);
    const std::size_t colon = item.rfind(':');
    shard.primary.address = {item.substr(0, colon), static_cast<std::uint16_t>(std::stoi(item.substr(colon + 1)))};
    shard.primary.backend.database = "live_catalog";
    shard.primary.backend.user = "root";
    shard.primary.backend.tls = conf::BackendTls::disable;
    made.shards.push_back(shard);
  }
  made.shards.resize(2);
  for (const conf::KeyType type : {conf::KeyType::bigint, conf::KeyType::text}) {
    conf::Scheme scheme;
    scheme.name = type == conf::KeyType::bigint ? "by_user" : "by_text";
    scheme.types = {type};
    scheme.hash = conf::Hash::xxh64;
    scheme.shards = {0, 1};
    made.schemes.push_back(scheme);
  }
  const auto add = [&](const char* name, conf::TableKind kind, std::uint32_t scheme, std::vector<std::string> key) {
    conf::Table table;
    table.name = {"public", name};
    table.kind = kind;
    table.scheme = scheme;
    table.key = std::move(key);
    table.shard = 1;
    made.tables.push_back(table);
  };
  add("users", conf::TableKind::sharded, 0, {"ID"});
  add("differs", conf::TableKind::sharded, 0, {"id"});
  add("in_any_case", conf::TableKind::sharded, 1, {"name"});
  add("in_bytes", conf::TableKind::sharded, 1, {"name"});
  add("of_years", conf::TableKind::sharded, 0, {"y"});
  add("countries", conf::TableKind::reference, 0, {});
  add("on_second", conf::TableKind::whole, 0, {});
  return made;
}

constexpr const char* everywhere[] = {
    "DROP DATABASE IF EXISTS live_catalog",
    "CREATE DATABASE live_catalog",
    "USE live_catalog",
    R"(CREATE TABLE users (Id bigint unsigned NOT NULL PRIMARY KEY,
         name varchar(40) COLLATE utf8mb4_bin DEFAULT 'it''s', made timestamp DEFAULT current_timestamp(),
         twice bigint AS (id * 2) STORED, n int DEFAULT 5, UNIQUE KEY by_name (name), UNIQUE KEY by_part (name(3))))",
    "CREATE TABLE in_any_case (name varchar(10) COLLATE utf8mb4_general_ci)",
    "CREATE TABLE in_bytes (name char(10) COLLATE utf8mb4_nopad_bin)",
    "CREATE TABLE of_years (y year)",
    "CREATE TABLE countries (code char(2) PRIMARY KEY)",
    R"(CREATE TABLE on_default (id int AUTO_INCREMENT PRIMARY KEY, of bigint unsigned,
         CONSTRAINT to_users FOREIGN KEY (of) REFERENCES users (id)))",
    "CREATE TRIGGER t BEFORE INSERT ON countries FOR EACH ROW SET new.code = upper(new.code)",
    "CREATE VIEW named AS SELECT id, name FROM users",
};

void execute(const conf::Database& database, std::uint32_t shard, const std::string& sql) {
  Server server = resolve_server(database, shard, {}, "");
  server.target = "mysql";
  auto connection = MysqlControlConnection::open(server);
  REQUIRE_MESSAGE(connection, connection.error());
  for (const char* statement : everywhere) {
    const auto done = connection->run(statement);
    REQUIRE_MESSAGE(done, done.error());
  }
  const auto done = connection->run(sql);
  REQUIRE_MESSAGE(done, done.error());
}

LoadedCatalog load_as_it_is(const conf::Database& made) {
  CatalogRequest request;
  auto config = std::make_shared<conf::Config>();
  config->databases.push_back(made);
  std::vector<conf::Diagnostic> diagnostics;
  request.map = router::ShardMap::build(config->databases.front(), "map", diagnostics);
  request.config = config;
  request.database = made.name;
  return load_catalog(request);
}

LoadedCatalog load(const conf::Database& made) {
  execute(made, 0, "CREATE TABLE differs (id int)");
  execute(made, 1, "CREATE TABLE differs (id bigint)");
  return load_as_it_is(made);
}

bool available() {
  return std::getenv("ANABRANCH_TEST_MYSQL") != nullptr;
}

}  // namespace

TEST_CASE("defaults are constants, of the session's time, or anything") {
  CHECK(mysql_default_volatility("5") == router::Volatility::immutable);
  CHECK(mysql_default_volatility("'now()'") == router::Volatility::immutable);
  CHECK(mysql_default_volatility("current_timestamp()") == router::Volatility::stable);
  CHECK(mysql_default_volatility("CURRENT_TIMESTAMP") == router::Volatility::stable);
  CHECK(mysql_default_volatility("uuid()") == router::Volatility::volatile_);
  CHECK(mysql_default_volatility("now() + f()") == router::Volatility::volatile_);
}

TEST_CASE("a MySQL catalog is read and compared" * doctest::skip(!available())) {
  const auto loaded = load(database());
  REQUIRE_MESSAGE(loaded.failures.empty(), loaded.failures.front().reason);
  REQUIRE(loaded.catalog != nullptr);
  const auto find = [&](const char* name) { return loaded.catalog->find_relation({"live_catalog"}, name); };

  const router::Relation* users = find("users");
  REQUIRE(users != nullptr);
  CHECK(users->refusal == "");
  REQUIRE(users->columns.size() == 5);
  CHECK(users->columns[0].name == "id");
  CHECK(users->columns[0].type.oid == values::mysql_type(values::MysqlCode::longlong, true));
  CHECK(values::MysqlModifier::of(users->columns[0].type.typmod).not_null);
  CHECK(users->columns[1].collation.deterministic());
  CHECK(values::MysqlModifier::of(users->columns[1].type.typmod).padded);
  CHECK(values::MysqlModifier::of(users->columns[1].type.typmod).length == 40);
  CHECK(users->columns[2].default_volatility == router::Volatility::stable);
  CHECK(users->columns[3].generated);
  CHECK(users->columns[4].default_sql == "5");
  REQUIRE(users->unique_keys.size() == 3);
  const auto key = [&](const char* name) {
    return std::ranges::find(users->unique_keys, name, &router::UniqueKey::name);
  };
  CHECK(key("PRIMARY")->primary);
  CHECK(key("PRIMARY")->columns == std::vector<int>{0});
  CHECK(key("by_name")->columns == std::vector<int>{1});
  CHECK(key("by_part")->columns.empty());

  CHECK(find("differs")->refusal.contains("bigint"));
  CHECK(find("in_any_case")->refusal.contains("utf8mb4_general_ci"));
  CHECK(find("in_bytes")->refusal == "");
  CHECK(find("of_years")->refusal.contains("year"));
  CHECK(find("countries")->triggers);
  CHECK(find("on_default")->columns[0].identity);
  CHECK(find("named")->kind == router::RelationKind::view);
  CHECK(find("named")->everywhere);
  CHECK(find("named")->view_sql.contains("`live_catalog`.`users`"));
}

TEST_CASE("a database under two names is refused" * doctest::skip(!available())) {
  conf::Database made = database();
  const auto before = load(made);
  made.shards[1].primary.backend.database = "mysql";
  const auto loaded = load_as_it_is(made);
  REQUIRE(loaded.catalog != nullptr);
  CHECK(loaded.catalog->find_relation({"live_catalog"}, "users")->refusal.contains("mysql on s2"));
}

TEST_CASE("a server that takes connections is up, whoever asks" * doctest::skip(!available())) {
  conf::Database made = database();
  Server server = resolve_server(made, 0, {}, "");
  CHECK(MysqlControlConnection::find_trouble(server) == "");
  server.user = "nobody";
  server.password = "wrong";
  CHECK(MysqlControlConnection::find_trouble(server) == "");
  server.address.port = 1;
  CHECK(MysqlControlConnection::find_trouble(server) != "");
}
