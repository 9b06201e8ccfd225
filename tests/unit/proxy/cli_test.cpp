#include <doctest/doctest.h>

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "proxy/cli_check.h"
#include "proxy/cli_plan_growth.h"
#include "proxy/cli_route.h"

using namespace anabranch::proxy;

namespace {

const std::string shop = std::string(ANABRANCH_SOURCE_DIR) + "/conf/examples/shop.yaml";

struct Said {
  int status;
  std::string out;
  std::string err;
};

Said run_route(const std::string& table, std::vector<std::string> keys,
               const std::string& database = "shop") {
  std::ostringstream out;
  std::ostringstream err;
  const int status = route({shop, database, table, std::move(keys)}, out, err);
  return {status, out.str(), err.str()};
}

Said run_check(const std::string& path) {
  std::ostringstream out;
  std::ostringstream err;
  const int status = check({path}, out, err);
  return {status, out.str(), err.str()};
}

}  // namespace

TEST_CASE("check says ok") {
  const Said said = run_check(shop);
  CHECK(said.status == exit_fine);
  CHECK(said.out == "ok\n");
  CHECK(said.err.empty());
}

TEST_CASE("check refuses a broken file with its diagnostics") {
  const Said said =
      run_check(std::string(ANABRANCH_SOURCE_DIR) + "/tests/unit/conf/broken/unknown_scheme.yaml");
  CHECK(said.status == exit_refused);
  CHECK(said.out.empty());
  CHECK(said.err.find("unknown_scheme.yaml:16:19: error: ") != std::string::npos);
  CHECK(run_check("/nonexistent").status == exit_refused);
}

TEST_CASE("route prints key, bucket and shard") {
  const Said users = run_route("users", {"1", "42", "\\N", "-5"});
  CHECK(users.status == exit_fine);
  // intHash64(1) = 10577349846663553072, modulo 1024 is 48; NULL has F1 = 0.
  CHECK(users.out.starts_with("1\t48\ts1\n42\t"));
  CHECK(users.out.find("\\N\t0\ts1\n") != std::string::npos);
  CHECK(run_route("public.orders", {"1"}).out == "1\t48\ts1\n");
  CHECK(run_route("events", {"202512", "202601"}).out == "202512\t-\ts1\n202601\t-\ts2\n");
  CHECK(run_route("shops", {"US", "BR"}).out == "US\t-\ts2\nBR\t-\ts1\n");
  CHECK(run_route("audit_log", {"x"}).out == "x\t-\ts2\n");
  CHECK(run_route("not_listed", {"x"}).out == "x\t-\ts1\n");
}

TEST_CASE("route takes a table's name as the configuration has it") {
  const std::string path = std::filesystem::temp_directory_path() / fmt::format("anabranch-route-{}.yaml", getpid());
  std::ofstream(path) << R"(
listen: {mysql: 127.0.0.1:3306}
users: [{name: app, password: secret}]
databases:
  shop:
    kind: mysql
    shards: {s1: {primary: "127.0.0.1:3307"}, s2: {primary: "127.0.0.1:3308"}}
    default_shard: s1
    schemes: {by_id: {type: bigint, hash: none, strategy: modulo}}
    tables: {orders: {scheme: by_id, key: id}}
)";
  for (const char* table : {"orders", "shop.orders"}) {
    std::ostringstream out;
    std::ostringstream err;
    CHECK_EQ(route({path, "shop", table, {"2", "3"}}, out, err), exit_fine);
    CHECK_EQ(out.str(), "2\t-\ts1\n3\t-\ts2\n");
  }
  std::remove(path.c_str());
}

TEST_CASE("route refuses what has no place") {
  const Said wrong = run_route("users", {"1", "abc"});
  CHECK(wrong.status == exit_refused);
  CHECK(wrong.out == "1\t48\ts1\n");
  CHECK(wrong.err == "error: key `abc` is no bigint\n");
  CHECK(run_route("events", {"\\N"}).err.find("has no place in scheme `by_month`") !=
        std::string::npos);
  CHECK(run_route("countries", {"DE"}).err.find("reference table") != std::string::npos);
  CHECK(run_route("users", {"1"}, "nothing").err.find("no database `nothing`") !=
        std::string::npos);
  CHECK(run_route("a.b.c", {"1"}).status == exit_refused);
}

TEST_CASE("plan-growth tells what a new configuration moves") {
  const auto file = [](const std::string& name, const std::string& shards, const std::string& assignment) {
    const std::string path =
        std::filesystem::temp_directory_path() / fmt::format("anabranch-growth-{}-{}.yaml", name, getpid());
    std::ofstream(path) << "listen: {postgres: 127.0.0.1:6432}\n"
                           "users: [{name: app, password: secret}]\n"
                           "databases:\n"
                           "  shop:\n"
                           "    backend: {user: app}\n"
                           "    shards: {s1: {primary: 'h1:1'}, s2: {primary: 'h2:1'}" << shards << "}\n"
                           "    default_shard: s1\n"
                           "    schemes:\n"
                           "      by_user: {type: bigint, hash: xxh64, strategy: buckets, buckets: 8, assignment: "
                        << assignment << "}\n"
                           "      any: {hash: rand, strategy: modulo}\n";
    return path;
  };
  const std::string before = file("before", "", "{s1: [0-3], s2: [4-7]}");
  const std::string after = file("after", ", s3: {primary: 'h3:1'}", "{s1: [0-3], s2: [4-5], s3: [6-7]}");
  std::ostringstream out;
  std::ostringstream err;
  CHECK(plan_growth({before, after, "shop"}, out, err) == exit_fine);
  CHECK(out.str() ==
        "database shop\n"
        "scheme by_user: 25.00 % (2 buckets) of the keys move, counted over 8 buckets\n"
        "  s2 -> s3: 25.00 % (2 buckets)\n"
        "  then: s1 50.00 %, s2 25.00 %, s3 25.00 %; the fullest holds 1.500 of its part by weight\n"
        "  a reload is refused until the rows have been moved and `epoch` is raised above 1\n"
        "scheme any: is placed at random: rows stay where they are\n");
  CHECK(err.str().empty());
  CHECK(plan_growth({before, after, "other"}, out, err) == exit_refused);
  CHECK(err.str() == "error: no database `other` in both files\n");
  CHECK(plan_growth({before, "/nonexistent", ""}, out, err) == exit_refused);
  std::filesystem::remove(before);
  std::filesystem::remove(after);
}

TEST_CASE("route takes the parts of a key of several columns as a record of CSV") {
  const std::string path = std::filesystem::temp_directory_path() / fmt::format("anabranch-parts-{}.yaml", getpid());
  std::ofstream(path) << "listen: {postgres: 127.0.0.1:6432}\n"
                         "users: [{name: app, password: secret}]\n"
                         "databases:\n"
                         "  shop:\n"
                         "    backend: {user: app}\n"
                         "    shards: {s1: {primary: 'h:1'}, s2: {primary: 'h:2'}}\n"
                         "    default_shard: s1\n"
                         "    schemes: {s: {type: [bigint, text], hash: pg_hash, strategy: buckets, buckets: 1009}}\n"
                         "    tables: {t: {scheme: s, key: [id, name]}}\n";
  std::ostringstream out;
  std::ostringstream err;
  // The buckets are PostgreSQL's partitions (tests/unit/router/vectors/pg_partitions_of_several.tsv).
  CHECK(route({path, "shop", "t", {"1,a", "7,\\N", "1,\"a\"", "1,\"a,\"\"b\""}}, out, err) == exit_fine);
  CHECK(out.str().starts_with("1,a\t328\ts1\n7,\\N\t984\ts1\n1,\"a\"\t328\ts1\n"));
  CHECK(err.str().empty());
  CHECK(route({path, "shop", "t", {"1", "x,a", "1,\"a", "1,a,b"}}, out, err) == exit_refused);
  CHECK(err.str() ==
        "error: key `1` is no CSV record of 2 parts\n"
        "error: part `x` of key `x,a` is no bigint\n"
        "error: key `1,\"a` is no CSV record of 2 parts\n"
        "error: key `1,a,b` is no CSV record of 2 parts\n");
  std::filesystem::remove(path);
}
