#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "conf/diagnostic.h"
#include "router/key_expression.h"
#include "router/lookups.h"
#include "router/placement.h"
#include "router/shard_set.h"

namespace anabranch::router {

struct MappedShard {
  std::string name;
  std::uint32_t weight = 1;
};

/// Of a scheme whose keys' shards stand in a table: the columns `key` and `shard`, on the default shard.
struct LookupTable {
  conf::TableName name;
  std::optional<std::uint32_t> nulls;
  conf::Milliseconds max_age{0};
  conf::Position where;
};

struct MappedScheme {
  std::string name;
  std::uint32_t index = 0;         // in ShardMap::schemes()
  std::vector<KeyType> types;      // empty: hash rand, no key
  std::optional<conf::Hash> hash;  // none: the strategy looks at the value itself
  conf::StrategyKind kind = conf::StrategyKind::modulo;
  std::string collation;
  std::uint64_t epoch = 1;
  ShardSet shards;  // every shard that may hold rows of this scheme
  std::unique_ptr<const Strategy> strategy;  // null: a table says where keys lie
  std::optional<LookupTable> lookup;         // of exactly those without a strategy
  std::vector<std::uint32_t> bucket_shards;  // buckets: the shard of each
  /// Buckets, of at most max_shards: the same scheme with each bucket for a shard.
  std::unique_ptr<const MappedScheme> by_bucket;

  bool random() const { return hash == conf::Hash::rand; }
  KeyType type() const { return types.front(); }
};

struct MappedTable {
  conf::TableName name;
  conf::TableKind kind = conf::TableKind::sharded;
  std::uint32_t scheme = 0;      // sharded
  std::vector<std::string> key;  // sharded: columns; empty with an expression or hash rand
  std::optional<KeyExpression> expression;  // sharded by an expression of columns
  std::uint32_t shard = 0;                  // whole
  /// Sharded: the pattern of the names of its buckets' tables, of which this is no table itself; empty: it is one.
  std::string physical;
  conf::Position where;

  /// The bucket's own table, in the schema of this one.
  conf::TableName of_bucket(std::uint32_t bucket) const;
};

/// The map of one database: shards, schemes and tables. Immutable; shared by all threads.
class ShardMap {
 public:
  /// From a database that conf/load.h accepted. What only the router can know (the syntax of key
  /// expressions, strategies this build lacks) is appended to `diagnostics`; null if any is an
  /// error.
  static std::shared_ptr<const ShardMap> build(const conf::Database& database,
                                               const std::string& file,
                                               std::vector<conf::Diagnostic>& diagnostics);

  const std::string& database() const { return database_; }
  const std::vector<MappedShard>& shards() const { return shards_; }
  const std::vector<MappedScheme>& schemes() const { return schemes_; }
  const std::vector<MappedTable>& tables() const { return tables_; }
  std::uint32_t default_shard() const { return default_shard_; }
  ShardSet all_shards() const { return ShardSet::first(shards_.size()); }
  std::optional<std::uint32_t> find_shard(std::string_view name) const;

  /// The entry of a table; null: it lives on the default shard.
  const MappedTable* find_table(std::string_view schema, std::string_view name) const;
  /// The same, by the name as the configuration and operators write it.
  const MappedTable* find_table(const conf::TableName& name) const;

  /// Every shard that may hold rows of the table (reference: all of them).
  ShardSet shards_of(const MappedTable& table) const;

  /// Of a table that has one for each bucket: those on the shard.
  ShardSet buckets_on(const MappedTable& table, std::size_t shard) const;

  /// F2(F1(key)). Nothing: the map has no place for the key (an unlisted value, a NULL without
  /// `nulls`). A random scheme answers some shard, another each time. `lookups` must be given where
  /// the scheme has a table.
  std::optional<Placement> place(std::uint32_t scheme, const KeyValue& key, Lookups* lookups = nullptr) const {
    return place(schemes_[scheme], key, lookups);
  }
  static std::optional<Placement> place(const MappedScheme& scheme, const KeyValue& key, Lookups* lookups = nullptr);

  /// Some scheme asks a table: places may have to be asked for first.
  bool has_lookups() const { return has_lookups_; }

 private:
  std::string database_;
  std::vector<MappedShard> shards_;
  std::vector<MappedScheme> schemes_;
  std::vector<MappedTable> tables_;  // sorted by name, then schema
  std::uint32_t default_shard_ = 0;
  bool has_lookups_ = false;
  std::string schema_of_mysql_;  // of tables without one; empty: PostgreSQL's rule, the configuration's own
};

/// The whole of what check and serve ask of the router: builds each database's map, keeps none.
std::vector<conf::Diagnostic> check(const conf::Config& config);

}  // namespace anabranch::router
