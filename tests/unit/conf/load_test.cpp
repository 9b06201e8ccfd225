#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "conf/reference.h"
#include "conf/support.h"
#include "helpers.h"

using namespace anabranch::conf;
using testing::load;
using testing::shop;

namespace {

std::shared_ptr<const Config> loaded(const std::string& text) {
  const Loaded result = load(text);
  for (const Diagnostic& diagnostic : result.diagnostics) MESSAGE(diagnostic.text());
  REQUIRE(result.config != nullptr);
  return result.config;
}

std::vector<std::string> not_supported(const std::string& text) {
  std::vector<std::string> list;
  for (const Diagnostic& one : unsupported(*loaded(text))) list.push_back(one.text());
  return list;
}

}  // namespace

TEST_CASE("defaults") {
  const auto config = loaded(
      "listen: {postgres: '[::1]:6432'}\nusers: [{name: a, password: b}]\n"
      "databases: {d: {shards: {only: {primary: 'db:5433'}}}}\n");
  CHECK(config->listen.postgres.front() == Address{"::1", 6432});
  CHECK(config->listen.postgres.front().text() == "[::1]:6432");
  CHECK(config->threads >= 1);
  const Database& database = config->databases.front();
  CHECK(database.backend.database == "d");
  CHECK(!database.backend.user);
  CHECK(database.shards.front().primary.address == Address{"db", 5433});
  CHECK(database.shards.front().primary.backend == database.backend);
  CHECK(database.pool == Pool{});
  CHECK(database.default_shard == 0);
  CHECK(config->limits == Limits{});
  CHECK(config->log == Log{});
  CHECK(config->tls.mode == ListenTls::disable);
}

TEST_CASE("servers override the backend's settings") {
  const auto config = loaded(
      "listen: {postgres: 127.0.0.1:1}\nusers: [{name: a, password: b}]\n"
      "databases:\n  d:\n"
      "    shards:\n"
      "      s1: {primary: {host: h, user: other, password: 'file:present', connect_timeout: "
      "250ms}}\n"
      "      s2: {primary: 'h2:2'}\n"
      "    default_shard: s2\n"
      "    backend: {user: app, password: 'env:APP_PASSWORD', connect_attempts: 5}\n");
  const Database& database = config->databases.front();
  const Backend& first = database.shards[0].primary.backend;
  CHECK(first.user == "other");
  CHECK(first.password.text == "from a file");
  CHECK(first.connect_timeout == Milliseconds(250));
  CHECK(first.connect_attempts == 5);
  CHECK(database.shards[0].primary.address.port == 5432);
  CHECK(database.shards[1].primary.backend.password.text == "secret");
  CHECK(database.default_shard == 1);
  CHECK(database.workspace.shard == 1);
}

TEST_CASE("passwords are told apart") {
  const std::string key(43, 'A');
  const std::string scram = "SCRAM-SHA-256$4096:c2FsdA==$" + key + "=:" + key + "=";
  const auto config = loaded(
      "listen: {postgres: 127.0.0.1:1}\n"
      "users:\n"
      "  - {name: a, password: plain}\n"
      "  - {name: b, password: '" +
      scram +
      "'}\n"
      "  - {name: c, password: md50123456789abcdef0123456789abcdef}\n"
      "  - {name: d, password: '*0123456789ABCDEF0123456789ABCDEF01234567'}\n"
      "  - {name: e, password: 'env:APP_PASSWORD', databases: [d], admin: true}\n"
      "databases: {d: {backend: {user: x}, shards: {only: {primary: 'db:5433'}}}}\n");
  CHECK(config->find_user("a")->password.kind == PasswordKind::plain);
  CHECK(config->find_user("b")->password.kind == PasswordKind::scram_sha_256);
  CHECK(config->find_user("c")->password.kind == PasswordKind::md5);
  CHECK(config->find_user("d")->password.kind == PasswordKind::mysql_native);
  CHECK(config->find_user("e")->password == Password{PasswordKind::plain, "secret"});
  CHECK(config->find_user("e")->may_use("d"));
  CHECK(!config->find_user("e")->may_use("other"));
  CHECK(config->find_user("a")->may_use("other"));
  CHECK(config->find_user("nobody") == nullptr);
}

TEST_CASE("the database \"*\" takes every other name") {
  const auto config = loaded(
      "listen: {postgres: 127.0.0.1:1}\nusers: [{name: a, password: b, databases: [any, d]}]\n"
      "databases:\n  d: {shards: {only: {primary: 'db:1'}}}\n"
      "  '*': {shards: {only: {primary: 'db:2'}}}\n");
  CHECK(config->find_database("d")->name == "d");
  CHECK(config->find_database("other")->passes_names_on());
  CHECK(config->find_database("other")->backend.database.empty());
}

TEST_CASE("durations, sizes and places") {
  const auto config =
      loaded(shop("    pool: {wait_timeout: 250ms, idle_timeout: 0, max_lifetime: 2h}\n"
                  "limits: {query_memory: 64KiB, statement_timeout: 0}\n"));
  CHECK(config->databases[0].pool.wait_timeout == Milliseconds(250));
  CHECK(config->databases[0].pool.idle_timeout == Milliseconds(0));
  CHECK(config->databases[0].pool.max_lifetime == std::chrono::hours(2));
  CHECK(config->limits.query_memory == 65'536);
  CHECK(config->where("databases.shop.pool.wait_timeout").line == 10);
  CHECK(config->where("databases.shop.pool.nothing").line == 10);
  CHECK(config->where("nothing").line == 0);
}

TEST_CASE("words that YAML takes for truths stay texts where texts are expected") {
  const auto config = loaded(shop(
      "    schemes: {s: {type: text, strategy: list, lists: {s1: [NO, on, yes, true, 010]}}}\n"));
  const auto& lists = config->databases[0].schemes[0].lists;
  REQUIRE(lists.size() == 5);
  CHECK(lists[0].value.bytes == "NO");
  CHECK(lists[3].value.bytes == "true");
  CHECK(lists[4].value.bytes == "010");
}

TEST_CASE("functions declare what they read") {
  const auto config =
      loaded(shop("    functions:\n"
                  "      f: {reads: none}\n"
                  "      s.g: {reads: reference}\n"
                  "      h: {reads: {key: customer}}\n"
                  "      i: {reads: 'key: 2'}\n"));
  const auto& functions = config->databases[0].functions;
  REQUIRE(functions.size() == 4);
  CHECK(functions[1].name == TableName{"s", "g"});
  CHECK(functions[1].reads == FunctionReads::reference);
  CHECK(functions[2].key_argument == "customer");
  CHECK(functions[3].key_argument == "2");
}

TEST_CASE("what is not carried out yet is named with its place") {
  const auto list =
      not_supported(shop("    read_from: replica\n"
                         "    transactions: {two_phase: required}\n"
                         "    schemes:\n"
                         "      a: {type: text, hash: xxh64, strategy: modulo, collation: de}\n"
                         "      b: {type: [bigint, text], hash: xxh64, strategy: modulo}\n"
                         "      c: {type: bigint, hash: xxh64, strategy: buckets, buckets: 2}\n"
                         "    tables:\n"
                         "      parts: {scheme: b, key: [id, name]}\n"
                         "      t: {scheme: c, key: id, physical: 't{}', generate: {id: uuid}}\n"
                         "rules: [{match: x, action: reject}]\n"));
  REQUIRE(list.size() == 5);
  CHECK(list[0] == "dir/test.yaml:10:5: warning: databases.shop.read_from: not supported yet");
  CHECK(list[1].find("transactions.two_phase: not") != std::string::npos);
  CHECK(list[2].find("13:54: warning: databases.shop.schemes.a.collation: not") !=
        std::string::npos);
  CHECK(list[3].find("tables.t.generate: not") != std::string::npos);
  CHECK(list[4].find("rules: not") != std::string::npos);
}

TEST_CASE("schemes that place keys badly are warned of") {
  const auto warnings = [](const std::string& scheme) {
    std::vector<std::string> list;
    const std::string text = shop("    schemes:\n      s: {type: bigint, " + scheme + "}\n");
    for (const Diagnostic& one : load(text).diagnostics) list.push_back(one.text());
    return list;
  };
  CHECK(warnings("hash: xxh64, strategy: ring").empty());
  CHECK(warnings("hash: xxh64, strategy: maglev, table_size: 307").empty());
  CHECK(warnings("hash: crc32, strategy: rendezvous").empty());
  CHECK(warnings("hash: none, strategy: ring") ==
        std::vector<std::string>{
            "dir/test.yaml:11:31: warning: databases.shop.schemes.s: numbers as they are lie close "
            "together on a ring of 64-bit numbers, most of them on one shard: expected a hash of 64 "
            "bits, such as xxh64"});
  CHECK(warnings("hash: crc32, strategy: ring").size() == 1);
  CHECK(warnings("hash: xxh64, strategy: maglev, table_size: 7") ==
        std::vector<std::string>{
            "dir/test.yaml:11:68: warning: databases.shop.schemes.s: a table of 7 slots spreads "
            "keys unevenly over 2 shards of total weight 3: expected a prime such as 307"});
}

TEST_CASE("a documented default that is written out is supported") {
  CHECK(not_supported(shop("    kind: postgres\n"
                           "    load_balancing: random\n"
                           "    read_from: primary\n"
                           "    max_replica_lag: 1s\n"
                           "    transactions: {two_phase: auto, snapshots: shard}\n"
                           "    workspace: s1\n"
                           "limits: {spill_directory: /var/tmp, spill: 10GiB}\n"
                           "rules: []\n"))
            .empty());
}

TEST_CASE("every documented default is the model's own") {
  std::string text;
  std::string section;
  for (const SettingDoc& doc : settings()) {
    if (doc.section != "databases.NAME.pool" || doc.fallback.empty()) continue;
    text += (text.empty() ? "" : ", ") + std::string(doc.name) + ": " + std::string(doc.fallback);
  }
  CHECK(loaded(shop("    pool: {" + text + "}\n"))->databases[0].pool == Pool{});
  for (const std::string_view name : {"limits", "log"}) {
    section += std::string(name) + ": {";
    for (const SettingDoc& doc : settings()) {
      if (doc.section == name && !doc.fallback.empty()) {
        section += (section.ends_with('{') ? "" : ", ") + std::string(doc.name) + ": " +
                   std::string(doc.fallback);
      }
    }
    section += "}\n";
  }
  const auto config = loaded(shop(section));
  CHECK(config->limits == Limits{});
  CHECK(config->log == Log{});
}

TEST_CASE("every setting is described") {
  for (const SettingDoc& doc : settings()) {
    CAPTURE(doc.name);
    CHECK(!doc.type.empty());
    CHECK(!doc.doc.empty());
  }
  CHECK(settings().size() > 80);
}

TEST_CASE("hostile files are refused, quickly") {
  const auto refused = [](const std::string& text) { return load(text).config == nullptr; };
  CHECK(refused(std::string(3'000'000, 'a')));
  CHECK(refused(std::string(100'000, '[')));
  CHECK(refused(std::string(100'000, '{')));
  CHECK(refused("a: \xff\xfe"));
  CHECK(refused(std::string("databases: {\0}", 14)));
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK(refused(deep));
  std::string dashes;
  for (int i = 0; i < 20'000; ++i) dashes += "- ";
  CHECK(refused(dashes));
  std::string laughs = "a: &a [x, x]\n";
  for (char c = 'b'; c < 'z'; ++c) {
    laughs += std::string(1, c) + ": &" + c + " [*" + char(c - 1) + ", *" + char(c - 1) + "]\n";
  }
  CHECK(refused(laughs));
  CHECK(load_file("/nonexistent/anabranch.yaml").diagnostics.front().text() ==
        "/nonexistent/anabranch.yaml: error: the file cannot be read");
}
