#include "conf/diff.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "helpers.h"

using namespace anabranch::conf;
using testing::load;
using testing::shop;

namespace {

Diff between(const std::string& before, const std::string& after) {
  const Loaded old_config = load(before);
  const Loaded new_config = load(after);
  for (const auto* loaded : {&old_config, &new_config}) {
    for (const Diagnostic& diagnostic : loaded->diagnostics) MESSAGE(diagnostic.text());
    REQUIRE(loaded->config != nullptr);
  }
  return diff(*old_config.config, *new_config.config);
}

std::string with_scheme(const std::string& scheme) {
  return shop("    schemes: {s: {" + scheme + "}}\n    tables: {t: {scheme: s, key: id}}\n");
}

bool scheme_refused(const std::string& before, const std::string& after) {
  return !between(with_scheme(before), with_scheme(after)).refusals.empty();
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

bool has(const Diff& diff, const std::string& key, const std::string& what) {
  return std::ranges::any_of(diff.changes,
                             [&](const Change& c) { return c.key == key && c.what == what; });
}

}  // namespace

TEST_CASE("the same file, laid out otherwise, changes nothing") {
  CHECK(between(shop(""), "# a comment\n\n" + shop("    pool: {size: 20}\n")).empty());
}

TEST_CASE("what changed is named") {
  const std::string base = shop("");
  CHECK(has(between(base, shop("    pool: {size: 21}\n")), "databases.shop.pool", "changed"));
  CHECK(has(between(base, shop("log: {level: debug}\n")), "log", "changed"));
  CHECK(has(between(base, shop("limits: {query_memory: 1MiB}\n")), "limits", "changed"));
  const Diff users = between(base, replaced(base, "name: app", "name: bob"));
  CHECK(has(users, "users.app", "removed"));
  CHECK(has(users, "users.bob", "added"));
  const Diff shards = between(base, replaced(base, "10.0.0.2:5432", "10.0.0.9:5432"));
  CHECK(has(shards, "databases.shop.shards.s2", "changed"));
  CHECK(shards.refusals.empty());
  CHECK(has(between(shop("    tables: {t: {shard: s1}}\n"), base), "databases.shop.tables.public.t",
            "removed"));
}

TEST_CASE("listen and threads need a restart") {
  const Diff diff = between(shop("threads: 1\n"), replaced(shop("threads: 2\n"), "6432", "6433"));
  REQUIRE(diff.changes.size() == 2);
  CHECK(diff.changes[0].key == "listen");
  CHECK(!diff.changes[0].reloadable);
  CHECK(diff.changes[1].key == "threads");
  CHECK(!diff.changes[1].reloadable);
}

TEST_CASE("moving keys needs a greater epoch") {
  const std::string base = "type: bigint, hash: xxh64, strategy: buckets, buckets: 4, assignment: ";
  const std::string before = base + "{s1: [0-1], s2: [2-3]}";
  const std::string after = base + "{s1: [0], s2: [1-3]}";
  const Diff refused = between(with_scheme(before), with_scheme(after));
  REQUIRE(refused.refusals.size() == 1);
  CHECK(refused.refusals[0] ==
        "databases.shop.schemes.s: the change would place existing keys elsewhere: move the rows, "
        "then raise `epoch` above 1");
  const Diff raised = between(with_scheme(before), with_scheme(after + ", epoch: 2"));
  CHECK(raised.refusals.empty());
  CHECK(raised.moved == std::vector<Move>{{"shop", "databases.shop.schemes.s"}});
  const Diff lowered = between(with_scheme(before + ", epoch: 3"), with_scheme(before));
  CHECK(lowered.refusals.size() == 1);
  CHECK(!scheme_refused(before, base + "{s2: [3, 2], s1: [1, 0]}"));
}

TEST_CASE("which changes of a scheme move keys") {
  const std::string modulo = "type: bigint, hash: xxh64, strategy: modulo";
  CHECK(scheme_refused(modulo, "type: bigint, hash: intHash64, strategy: modulo"));
  CHECK(scheme_refused(modulo, modulo + ", shards: [s2, s1]"));
  CHECK(!scheme_refused(modulo, modulo + ", shards: [s1, s2]"));
  CHECK(scheme_refused(modulo, "type: bigint, hash: xxh64, strategy: jump"));
  const std::string range = "type: bigint, strategy: range, ranges: ";
  const std::string two = range + "[{below: 10, shard: s1}, {shard: s2}]";
  CHECK(
      !scheme_refused(two, range + "[{below: 5, shard: s1}, {below: 10, shard: s1}, {shard: s2}]"));
  CHECK(scheme_refused(two, range + "[{below: 11, shard: s1}, {shard: s2}]"));
  CHECK(
      scheme_refused(two, range + "[{below: 10, shard: s1}, {below: 20, shard: s2}, {shard: s1}]"));
  CHECK(!scheme_refused(two, two + ", nulls: s1"));
  CHECK(scheme_refused(two + ", nulls: s1", two));
  const std::string list = "type: text, strategy: list, lists: ";
  CHECK(!scheme_refused(list + "{s1: [a]}", list + "{s1: [a], s2: [b]}"));
  CHECK(!scheme_refused(list + "{s1: [a]}", list + "{s1: [a]}, otherwise: s2"));
  CHECK(scheme_refused(list + "{s1: [a]}, otherwise: s1",
                       list + "{s1: [a], s2: [b]}, otherwise: s1"));
  CHECK(scheme_refused(list + "{s1: [a]}", list + "{s2: [a]}"));
  CHECK(scheme_refused(list + "{s1: [a, b]}", list + "{s1: [a]}"));
}

TEST_CASE("weights move the keys of modulo") {
  const std::string before = with_scheme("type: bigint, hash: xxh64, strategy: modulo");
  CHECK(!between(before, replaced(before, "weight: 2", "weight: 3")).refusals.empty());
}

TEST_CASE("tables may not change place under their rows") {
  const std::string schemes =
      "    schemes: {a: {type: bigint, hash: xxh64, strategy: modulo}, "
      "b: {type: bigint, hash: xxh64, strategy: modulo, epoch: 2}, "
      "c: {type: bigint, hash: none, strategy: modulo}, "
      "d: {type: bigint, hash: none, strategy: modulo, epoch: 2}}\n";
  const auto refused = [&](const std::string& before, const std::string& after) {
    return !between(shop(schemes + "    tables: {t: {" + before + "}}\n"),
                    shop(schemes + "    tables: {t: {" + after + "}}\n"))
                .refusals.empty();
  };
  CHECK(refused("scheme: a, key: x", "scheme: a, key: y"));
  CHECK(refused("scheme: a, key: x", "scheme: c, key: x"));
  CHECK(refused("scheme: a, key: x", "reference: true"));
  CHECK(refused("shard: s1", "shard: s2"));
  CHECK(!refused("scheme: a, key: x", "scheme: b, key: x"));
  CHECK(!refused("scheme: a, key: x", "scheme: d, key: x"));
  CHECK(!refused("shard: s1", "shard: s1"));
}

TEST_CASE("a moved default shard is refused") {
  const std::string base = shop("");
  const Diff diff = between(base, replaced(base, "default_shard: s1", "default_shard: s2"));
  REQUIRE(diff.refusals.size() == 1);
  CHECK(diff.refusals[0].starts_with("databases.shop.default_shard: tables that are not listed"));
}

TEST_CASE("strategies by name move keys by the names and weights of shards, not by their order") {
  const auto scheme = [](const std::string& strategy, const std::string& shards) {
    return "type: bigint, hash: xxh64, strategy: " + strategy + ", shards: [" + shards + "]";
  };
  for (const std::string strategy : {"ring", "rendezvous", "multi_probe", "maglev"}) {
    CAPTURE(strategy);
    CHECK(!scheme_refused(scheme(strategy, "s1, s2"), scheme(strategy, "s2, s1")));
    CHECK(scheme_refused(scheme(strategy, "s1, s2"), scheme(strategy, "s1")));
    const std::string before = with_scheme(scheme(strategy, "s1, s2"));
    const std::string after = replaced(before, "weight: 2", "weight: 3");
    CHECK(between(before, after).refusals.empty() == (strategy == "multi_probe"));
  }
}

TEST_CASE("tables and reference tables to look at before the swap") {
  const std::string base = shop("    tables: {t: {shard: s1}, r: {reference: true}}\n");
  const Diff gained = between(shop(""), shop("    tables: {t: {shard: s1}}\n"));
  CHECK(gained.moved == std::vector<Move>{{"shop", "databases.shop.tables.public.t"}});
  const Diff grown = between(
      base, replaced(base, "    default_shard", "      s3: {primary: 'h:1'}\n    default_shard"));
  CHECK(grown.moved == std::vector<Move>{{"shop", "databases.shop.tables.public.r"}});
}
