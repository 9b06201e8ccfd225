#include "router/shard_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "router/composite_key.h"
#include "router/hash.h"
#include "router/strategies.h"
#include "values/ascii.h"
#include "values/errors.h"

namespace anabranch::router {
namespace {

using conf::Diagnostic;
using conf::Severity;

std::vector<std::uint32_t> shards_used(const conf::Scheme& scheme) {
  std::vector<std::uint32_t> used = scheme.shards;
  used.insert(used.end(), scheme.bucket_shards.begin(), scheme.bucket_shards.end());
  for (const conf::Range& range : scheme.ranges) used.push_back(range.shard);
  for (const conf::ListEntry& entry : scheme.lists) used.push_back(entry.shard);
  if (scheme.otherwise) used.push_back(*scheme.otherwise);
  if (scheme.nulls) used.push_back(*scheme.nulls);
  return used;
}

std::vector<WeightedShard> weighted(const conf::Scheme& scheme, const conf::Database& database) {
  std::vector<WeightedShard> list;
  for (const std::uint32_t shard : scheme.shards) {
    list.push_back({shard, database.shards[shard].weight});
  }
  return list;
}

std::vector<Node> nodes(const conf::Scheme& scheme, const conf::Database& database) {
  std::vector<Node> list;
  for (const std::uint32_t shard : scheme.shards) {
    list.push_back({database.shards[shard].name, shard, database.shards[shard].weight});
  }
  return list;
}

std::unique_ptr<const Strategy> make_strategy(const conf::Scheme& scheme,
                                              const conf::Database& database) {
  switch (scheme.strategy) {
    case conf::StrategyKind::modulo:
      return make_modulo(weighted(scheme, database));
    case conf::StrategyKind::buckets:
      return make_buckets(scheme.bucket_shards);
    case conf::StrategyKind::jump:
      return make_jump(scheme.shards);
    case conf::StrategyKind::ring:
      return make_ring(nodes(scheme, database), scheme.virtual_nodes);
    case conf::StrategyKind::rendezvous:
      return make_rendezvous(nodes(scheme, database));
    case conf::StrategyKind::multi_probe:
      return make_multi_probe(nodes(scheme, database), scheme.probes);
    case conf::StrategyKind::maglev:
      return make_maglev(nodes(scheme, database), scheme.table_size);
    case conf::StrategyKind::range:
      return make_range(scheme.types.front(), scheme.ranges, scheme.nulls);
    case conf::StrategyKind::list:
      return make_list(scheme.types.front(), scheme.lists, scheme.otherwise);
    case conf::StrategyKind::lookup:
      return nullptr;  // its table says
  }
  return nullptr;
}

/// Where a key's bucket is asked for, not its shard.
std::unique_ptr<const MappedScheme> make_by_bucket(const conf::Scheme& scheme) {
  if (scheme.strategy != conf::StrategyKind::buckets || scheme.buckets > max_shards) return nullptr;
  auto mapped = std::make_unique<MappedScheme>();
  mapped->name = scheme.name;
  mapped->types = scheme.types;
  mapped->hash = scheme.hash;
  mapped->kind = scheme.strategy;
  mapped->collation = scheme.collation;
  mapped->shards = ShardSet::first(scheme.buckets);
  std::vector<std::uint32_t> itself(scheme.buckets);
  std::iota(itself.begin(), itself.end(), 0U);
  mapped->strategy = make_buckets(std::move(itself));
  return mapped;
}

MappedScheme make_scheme(const conf::Scheme& scheme, const conf::Database& database) {
  MappedScheme mapped;
  mapped.bucket_shards = scheme.bucket_shards;
  mapped.by_bucket = make_by_bucket(scheme);
  mapped.name = scheme.name;
  mapped.types = scheme.types;
  mapped.hash = scheme.hash;
  mapped.kind = scheme.strategy;
  mapped.collation = scheme.collation;
  mapped.epoch = scheme.epoch;
  for (const std::uint32_t shard : shards_used(scheme)) mapped.shards.add(shard);
  mapped.strategy = make_strategy(scheme, database);
  if (scheme.strategy == conf::StrategyKind::lookup) {
    mapped.lookup = LookupTable{scheme.lookup_table, scheme.nulls, scheme.max_age, scheme.lookup_where};
    mapped.shards = ShardSet::first(database.shards.size());
  }
  return mapped;
}

/// The parsed expression of a table; says what is wrong with it.
std::optional<KeyExpression> make_expression(const conf::Database& database,
                                             const conf::Table& table, const std::string& file,
                                             std::vector<Diagnostic>& diagnostics) {
  const std::string path =
      fmt::format("databases.{}.tables.{}.expression: ", database.name, table.name.name);
  const auto complain = [&](const std::string& message) {
    diagnostics.push_back({Severity::error, file, table.expression_where, path + message});
  };
  auto expression = KeyExpression::parse(table.expression);
  if (!expression) {
    complain(fmt::format("{}, at character {} of `{}`", expression.error().message,
                         expression.error().offset + 1, table.expression));
    return std::nullopt;
  }
  const conf::Scheme& scheme = database.schemes[table.scheme];
  const auto result = expression->result_type();
  if (result && !scheme.types.empty() && *result != scheme.types.front()) {
    complain(fmt::format("gives {}, but the keys of scheme `{}` are {}", conf::to_string(*result),
                         scheme.name, conf::to_string(scheme.types.front())));
  }
  return std::move(*expression);
}

/// A name without a schema.
bool is_plain(const conf::TableName& name) { return name.schema == "public"; }

/// A table without a schema is in the shards' own database, and columns have one name in any case.
void name_as_mysql(const std::string& schema, MappedTable& table) {
  if (is_plain(table.name)) table.name.schema = schema;
  for (std::string& column : table.key) column = values::lower_case(column);
}

MappedTable make_table(const conf::Database& database, const conf::Table& table,
                       const std::string& file, std::vector<Diagnostic>& diagnostics) {
  MappedTable mapped;
  mapped.name = table.name;
  mapped.kind = table.kind;
  mapped.scheme = table.scheme;
  mapped.key = table.key;
  mapped.shard = table.shard;
  mapped.physical = table.physical;
  mapped.where = table.where;
  if (!table.expression.empty()) {
    mapped.expression = make_expression(database, table, file, diagnostics);
  }
  return mapped;
}

/// Every table's name, those of buckets too, is one table's.
void check_bucket_names(const ShardMap& map, const std::string& file, std::vector<Diagnostic>& diagnostics) {
  std::set<conf::TableName> names;
  for (const MappedTable& table : map.tables()) names.insert(table.name);
  for (const MappedTable& table : map.tables()) {
    if (table.physical.empty()) continue;
    const MappedScheme& scheme = map.schemes()[table.scheme];
    for (std::uint32_t bucket = 0; bucket < scheme.bucket_shards.size(); ++bucket) {
      const conf::TableName name = table.of_bucket(bucket);
      if (names.insert(name).second) continue;
      diagnostics.push_back({Severity::error, file, table.where,
                             fmt::format("databases.{}.tables.{}.physical: bucket {} is the table `{}`, which is another "
                                         "table's name already",
                                         map.database(), table.name.name, bucket, name.name)});
      break;
    }
  }
}

/// Keys are looked up on the default shard, before anything is known of shards.
void check_lookup_table(const ShardMap& map, const MappedScheme& scheme, const std::string& file,
                        std::vector<Diagnostic>& diagnostics) {
  const MappedTable* table = map.find_table(scheme.lookup->name.schema, scheme.lookup->name.name);
  if (table == nullptr || (table->kind == conf::TableKind::whole && table->shard == map.default_shard())) return;
  diagnostics.push_back(
      {Severity::error, file, scheme.lookup->where,
       fmt::format("databases.{}.schemes.{}.table: table `{}` is placed by `tables`: expected one that lives on the "
                   "default shard `{}`",
                   map.database(), scheme.name, scheme.lookup->name.name, map.shards()[map.default_shard()].name)});
}

std::optional<Placement> place_by_table(const MappedScheme& scheme, const KeyValue& key, Lookups* lookups) {
  if (key.is_null()) {
    if (!scheme.lookup->nulls) return std::nullopt;
    return Placement{-1, *scheme.lookup->nulls};
  }
  if (lookups == nullptr) {
    throw values::make_error(values::ErrorId::internal, "nobody was given who looks keys up");
  }
  return lookups->place(scheme, key);
}

/// F1 of a key of several columns: of its bytes, unless it is PostgreSQL's.
std::uint64_t hash_composite(const MappedScheme& scheme, const KeyValue& key) {
  if (scheme.hash != conf::Hash::pg_hash) return hash_key(*scheme.hash, KeyType::bytes, key);
  return pg_hash_of_parts(scheme.types, composite_parts(scheme.types, key));
}

}  // namespace

std::shared_ptr<const ShardMap> ShardMap::build(const conf::Database& database,
                                                const std::string& file,
                                                std::vector<Diagnostic>& diagnostics) {
  std::vector<Diagnostic> found;
  auto map = std::make_shared<ShardMap>();
  map->database_ = database.name;
  map->default_shard_ = database.default_shard;
  const bool mysql = database.kind == conf::Kind::mysql;
  if (mysql) map->schema_of_mysql_ = database.shards[database.default_shard].primary.backend.database;
  for (const conf::Shard& shard : database.shards)
    map->shards_.push_back({shard.name, shard.weight});
  for (const conf::Scheme& scheme : database.schemes) {
    MappedScheme& mapped = map->schemes_.emplace_back(make_scheme(scheme, database));
    mapped.index = static_cast<std::uint32_t>(map->schemes_.size() - 1);
    map->has_lookups_ |= mapped.lookup.has_value();
    if (mysql && mapped.lookup && is_plain(mapped.lookup->name)) mapped.lookup->name.schema = map->schema_of_mysql_;
  }
  for (const conf::Table& table : database.tables) {
    map->tables_.push_back(make_table(database, table, file, found));
    if (mysql) name_as_mysql(map->schema_of_mysql_, map->tables_.back());
  }
  std::ranges::sort(map->tables_, {}, [](const MappedTable& table) {
    return std::pair(std::string_view(table.name.name), std::string_view(table.name.schema));
  });
  for (const MappedScheme& scheme : map->schemes_) {
    if (scheme.lookup) check_lookup_table(*map, scheme, file, found);
  }
  check_bucket_names(*map, file, found);
  const bool sound = !conf::has_errors(found);
  diagnostics.insert(diagnostics.end(), found.begin(), found.end());
  if (!sound) return nullptr;
  return map;
}

std::optional<std::uint32_t> ShardMap::find_shard(std::string_view name) const {
  const auto found = std::ranges::find(shards_, name, &MappedShard::name);
  if (found == shards_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - shards_.begin());
}

const MappedTable* ShardMap::find_table(std::string_view schema, std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      tables_, std::pair(name, schema), [](const auto& l, const auto& r) { return l < r; },
      [](const MappedTable& table) {
        return std::pair(std::string_view(table.name.name), std::string_view(table.name.schema));
      });
  const bool there =
      found != tables_.end() && found->name.name == name && found->name.schema == schema;
  return there ? &*found : nullptr;
}

const MappedTable* ShardMap::find_table(const conf::TableName& name) const {
  const bool completed = !schema_of_mysql_.empty() && is_plain(name);
  return find_table(completed ? schema_of_mysql_ : name.schema, name.name);
}

ShardSet ShardMap::shards_of(const MappedTable& table) const {
  switch (table.kind) {
    case conf::TableKind::sharded:
      return schemes_[table.scheme].shards;
    case conf::TableKind::reference:
      return all_shards();
    case conf::TableKind::whole:
      return ShardSet::of(table.shard);
  }
  return all_shards();
}

conf::TableName MappedTable::of_bucket(std::uint32_t bucket) const {
  const std::size_t open = physical.find('{');
  const std::size_t close = physical.find('}');
  const std::string number = fmt::format(fmt::runtime(physical.substr(open, close - open + 1)), bucket);
  return {name.schema, physical.substr(0, open) + number + physical.substr(close + 1)};
}

ShardSet ShardMap::buckets_on(const MappedTable& table, std::size_t shard) const {
  const std::vector<std::uint32_t>& shards = schemes_[table.scheme].bucket_shards;
  ShardSet buckets;
  for (std::size_t bucket = 0; bucket < shards.size(); ++bucket) {
    if (shards[bucket] == shard) buckets.add(bucket);
  }
  return buckets;
}

std::optional<Placement> ShardMap::place(const MappedScheme& scheme, const KeyValue& key, Lookups* lookups) {
  if (scheme.lookup) return place_by_table(scheme, key, lookups);
  if (!scheme.strategy->hashes()) return scheme.strategy->place(0, key);
  if (scheme.types.size() > 1) return scheme.strategy->place(hash_composite(scheme, key), key);
  const KeyType type = scheme.types.empty() ? KeyType::bigint : scheme.types.front();
  return scheme.strategy->place(hash_key(*scheme.hash, type, key), key);
}

std::vector<Diagnostic> check(const conf::Config& config) {
  std::vector<Diagnostic> diagnostics;
  for (const conf::Database& database : config.databases) {
    ShardMap::build(database, config.file, diagnostics);
  }
  conf::sort_by_place(diagnostics);
  return diagnostics;
}

}  // namespace anabranch::router
