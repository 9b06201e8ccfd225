#include <chrono>
#include <map>

#include "helpers.h"
#include "router/lookup_cache.h"
#include "router/prune.h"

using namespace anabranch;
using namespace anabranch::router;
using namespace std::chrono_literals;
using testing::map_of;

namespace {

/// A table that is known whole.
class Table final : public Lookups {
 public:
  explicit Table(std::map<std::string, std::uint32_t> rows) : rows_(std::move(rows)) {}
  std::optional<Placement> place(const MappedScheme&, const KeyValue& key) override {
    ++asked;
    const auto row = rows_.find(key.bytes);
    if (row == rows_.end()) return std::nullopt;
    return Placement{-1, row->second};
  }
  int asked = 0;

 private:
  std::map<std::string, std::uint32_t> rows_;
};

KeyValue text(const char* bytes) { return KeyValue::of(std::string(bytes)); }

const LookupCache::Clock::time_point start{1h};

}  // namespace

TEST_CASE("a lookup scheme places keys where its table says, and NULL where the map does") {
  const auto map = map_of(
      "    schemes:\n"
      "      t: {type: text, strategy: lookup, table: app.placement, nulls: s3, max_age: 0}\n"
      "      u: {type: text, strategy: lookup, table: placement}\n"
      "      m: {type: bigint, hash: xxh64, strategy: modulo}\n");
  CHECK(map->has_lookups());
  const MappedScheme& scheme = map->schemes()[0];
  REQUIRE(scheme.lookup.has_value());
  CHECK(scheme.lookup->name == conf::TableName{"app", "placement"});
  CHECK(scheme.lookup->max_age.count() == 0);
  CHECK(map->schemes()[1].lookup->max_age == 10s);
  CHECK_FALSE(map->schemes()[2].lookup.has_value());
  Table table({{"ada", 0}, {"bea", 1}});
  CHECK(ShardMap::place(scheme, text("bea"), &table) == Placement{-1, 1});
  CHECK_FALSE(ShardMap::place(scheme, text("zoe"), &table));
  CHECK(table.asked == 2);
  CHECK(ShardMap::place(scheme, KeyValue::null(), &table) == Placement{-1, 2});
  CHECK_FALSE(ShardMap::place(map->schemes()[1], KeyValue::null(), &table));
  CHECK(table.asked == 2);
  CHECK_THROWS(ShardMap::place(scheme, text("ada")));
}

TEST_CASE("predicates over a lookup scheme ask its table for keys, and for nothing else") {
  const auto map = map_of("    schemes: {t: {type: text, strategy: lookup, table: placement, nulls: s3}}\n");
  const MappedScheme& scheme = map->schemes()[0];
  Table table({{"ada", 0}, {"bea", 1}});
  const auto shards = [&](const KeyPredicate& predicate) { return prune(scheme, predicate, &table); };
  CHECK(shards(KeyPredicate::equals(text("bea"))) == ShardSet::of(1));
  CHECK(shards(KeyPredicate::equals(text("zoe"))).empty());
  CHECK(shards(KeyPredicate::in({text("ada"), text("zoe"), KeyValue::null()})) == ShardSet::of(0));
  CHECK(shards(KeyPredicate::is_null()) == ShardSet::of(2));
  CHECK(shards(KeyPredicate::all_of({KeyPredicate::equals(text("ada")), KeyPredicate::equals(text("bea"))})).empty());
  const int asked = table.asked;
  KeyRange range;
  range.lower = text("a");
  range.upper = text("b");
  CHECK(shards(KeyPredicate::between(range, true)) == map->all_shards());
  CHECK(shards(KeyPredicate::anything()) == map->all_shards());
  CHECK(shards(KeyPredicate::nothing()).empty());
  CHECK(table.asked == asked);
  // Nobody knows the table.
  CHECK(prune(scheme, KeyPredicate::equals(text("ada"))) == map->all_shards());
  CHECK(route(*map, scheme, KeyPredicate::equals(text("bea")), &table).explanation == "scheme t: key = bea -> s2");
  CHECK(route(*map, scheme, KeyPredicate::equals(text("zoe")), &table).explanation == "scheme t: key = zoe -> no shard");
}

TEST_CASE("the table of a lookup scheme lives on the default shard") {
  for (const char* entry : {"{reference: true}", "{shard: s2}", "{scheme: m, key: key}"}) {
    CAPTURE(entry);
    const std::string yaml = std::string("listen: {postgres: 127.0.0.1:6432}\nusers: [{name: app, password: secret}]\n"
                                         "databases:\n  shop:\n    backend: {user: app}\n    shards: {s1: {primary: 10.0.0.1:1},"
                                         " s2: {primary: 10.0.0.2:1}}\n    default_shard: s1\n    schemes:\n"
                                         "      m: {type: bigint, hash: xxh64, strategy: modulo}\n"
                                         "      t: {type: text, strategy: lookup, table: placement}\n"
                                         "    tables: {placement: ") + entry + "}\n";
    const conf::Loaded loaded = conf::load_text(yaml, "test.yaml");
    REQUIRE(loaded.config != nullptr);
    std::vector<conf::Diagnostic> diagnostics;
    CHECK(ShardMap::build(loaded.config->databases.front(), "test.yaml", diagnostics) == nullptr);
    REQUIRE(diagnostics.size() == 1);
    CHECK(diagnostics.front().text() ==
          "test.yaml:10:48: error: databases.shop.schemes.t.table: table `placement` is placed by `tables`: expected one "
          "that lives on the default shard `s1`");
  }
  CHECK(map_of("    schemes: {t: {type: text, strategy: lookup, table: placement}}\n"
               "    tables: {placement: {shard: s1}}\n") != nullptr);
}

TEST_CASE("a cache of rows forgets by time, by generation and by map") {
  LookupCache cache;
  const LookupCache::Scope scope{7, 1, 0};
  CHECK_FALSE(cache.find(scope, text("ada"), start));
  cache.put(scope, text("ada"), 2, start + 10s);
  cache.put(scope, KeyValue::of(std::int64_t{42}), 1, start + 10s);
  CHECK(cache.find(scope, text("ada"), start) == 2);
  CHECK(cache.find(scope, KeyValue::of(std::int64_t{42}), start) == 1);
  CHECK_FALSE(cache.find(scope, text("adb"), start));
  CHECK(cache.find(scope, text("ada"), start + 9s) == 2);
  CHECK_FALSE(cache.find(scope, text("ada"), start + 10s));
  CHECK_FALSE(cache.find({7, 2, 0}, text("ada"), start));
  CHECK_FALSE(cache.find({8, 1, 0}, text("ada"), start));
  CHECK_FALSE(cache.find({7, 1, 1}, text("ada"), start));
  cache.put({7, 2, 0}, text("ada"), 0, start + 20s);
  CHECK(cache.find({7, 2, 0}, text("ada"), start + 15s) == 0);
  CHECK_FALSE(cache.find(scope, text("ada"), start + 15s));
  // A row that is read again takes the place of what it was.
  cache.put({7, 2, 0}, text("ada"), 1, start + 30s);
  CHECK(cache.find({7, 2, 0}, text("ada"), start + 25s) == 1);
}

TEST_CASE("a cache of rows is bounded, and never says what it was not told") {
  LookupCache cache;
  const LookupCache::Scope scope{1, 1, 0};
  constexpr std::int64_t keys = 3 * LookupCache::capacity;
  for (std::int64_t key = 0; key < keys; ++key) {
    cache.put(scope, KeyValue::of(key), static_cast<std::uint32_t>(key % 5), start + 1h);
  }
  std::size_t known = 0;
  std::size_t wrong = 0;
  for (std::int64_t key = 0; key < keys; ++key) {
    const auto shard = cache.find(scope, KeyValue::of(key), start);
    known += shard.has_value() ? 1 : 0;
    wrong += shard && *shard != static_cast<std::uint32_t>(key % 5) ? 1 : 0;
  }
  CHECK(known <= LookupCache::capacity);
  CHECK(known > LookupCache::capacity / 2);
  CHECK(wrong == 0);
  for (const std::size_t length : {std::size_t{0}, std::size_t{38}, LookupCache::longest_key, LookupCache::longest_key + 1}) {
    CAPTURE(length);
    const KeyValue key = KeyValue::of(std::string(length, 'x'));
    cache.put(scope, key, 1, start + 1h);
    CHECK(cache.find(scope, key, start).has_value() == (length <= LookupCache::longest_key));
    CHECK_FALSE(cache.find(scope, KeyValue::of(std::string(length, 'y') + "y"), start));
  }
  // Maps come and go.
  for (std::uint64_t owner = 2; owner < 200; ++owner) {
    cache.put({owner, 1, 0}, text("ada"), static_cast<std::uint32_t>(owner), start + 1h);
    CHECK(cache.find({owner, 1, 0}, text("ada"), start) == owner);
    CHECK_FALSE(cache.find({owner + 1, 1, 0}, text("ada"), start));
  }
}
