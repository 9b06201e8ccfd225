#include "backends/catalog_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "backends/catalog_check.h"
#include "backends/catalog_reader.h"
#include "backends/every_shard.h"
#include "backends/mysql_catalog_reader.h"
#include "backends/oid_maps.h"
#include "net/loop.h"
#include "values/errors.h"

namespace anabranch::backends {

namespace {

using values::Oid;
using ShardResult = std::expected<ShardCatalog, std::string>;
using Name = std::pair<std::string, std::string>;

/// The server's own database, and those that the map names tables of.
ShardResult read_mysql_shard(const Server& server, const CatalogRequest& request) {
  std::set<std::string> databases = {server.target};
  if (request.map) {
    for (const router::MappedTable& table : request.map->tables()) databases.insert(table.name.schema);
  }
  auto connection = MysqlControlConnection::open(server);
  if (!connection) return std::unexpected(connection.error());
  return read_mysql_catalog(*connection, databases);
}

ShardResult read_shard(const Server& server, CatalogScope scope) {
  auto connection = ControlConnection::open(server);
  if (!connection) return std::unexpected(connection.error());
  return read_catalog(*connection, std::move(scope));
}

std::vector<ShardResult> read_shards(const conf::Database& database,
                                     const CatalogRequest& request) {
  std::vector<ShardResult> results(database.shards.size());
  on_every_shard(results.size(), [&](std::size_t shard) {
    const auto index = static_cast<std::uint32_t>(shard);
    const Server server = control_server(database, index, request.identity, request.requested);
    results[shard] = database.kind == conf::Kind::mysql
                         ? read_mysql_shard(server, request)
                         : read_shard(server, scope_on(request, shard, index == database.default_shard));
  });
  return results;
}

/// Turns what the shards said into the one catalog.
class Assembly {
 public:
  Assembly(const conf::Database& database, const CatalogRequest& request,
           std::vector<ShardResult>& shards, LoadedCatalog& loaded)
      : database_(database),
        request_(request),
        shards_(shards),
        loaded_(loaded),
        main_(*shards[database.default_shard]) {}

  void run() {
    auto catalog = std::make_shared<router::Catalog>();
    catalog->version = request_.version;
    catalog->server_version = main_.server_version;
    catalog->server_encoding = main_.server_encoding;
    if (database_.kind == conf::Kind::mysql) {
      compare_names();
    } else {
      map_identity();
      compare_databases();
      finish_columns();
      compare_types();
      add_types(*catalog);
    }
    catalog->database_collation = collation_;
    add_relations(*catalog);
    for (router::Function& function : main_.functions) catalog->add(std::move(function));
    for (auto& [name, pure] : main_.user_operators) {
      catalog->add_user_operator(std::move(name), pure);
    }
    for (auto& [name, schema, hidden] : main_.shadowing_operators) {
      catalog->add_shadowing_operator(std::move(name), std::move(schema), hidden);
    }
    for (const auto& [from, to] : main_.user_casts) catalog->add_user_cast(from, to);
    for (std::string& type : main_.opaque_casts) catalog->add_opaque_cast(std::move(type));
    add_collations(*catalog);
    loaded_.catalog = std::move(catalog);
  }

 private:
  const std::string& shard_name(std::size_t shard) const { return database_.shards[shard].name; }

  void say(conf::Severity severity, conf::Position where, std::string message) {
    loaded_.diagnostics.push_back({severity, request_.config->file, where, std::move(message)});
  }

  // MySQL: a statement may name its database, which must be the same one everywhere.
  void compare_names() {
    const auto target = [&](std::size_t shard) -> const std::string& {
      return database_.shards[shard].primary.backend.database;
    };
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      if (target(shard) == target(database_.default_shard)) continue;
      names_differ_ = fmt::format("the database is {} on shard {}, {} on {}: a statement that names it would not "
                                  "find it everywhere",
                                  target(database_.default_shard), shard_name(database_.default_shard),
                                  target(shard), shard_name(shard));
      say(conf::Severity::error, database_.shards[shard].where, names_differ_);
      return;
    }
  }

  // Order by a collation that is another one elsewhere cannot be merged.
  void compare_databases() {
    collation_ = main_.database_collation;
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      if (!shards_[shard]) continue;
      const ShardCatalog& other = *shards_[shard];
      if (other.server_encoding != main_.server_encoding) {
        say(conf::Severity::error, database_.shards[shard].where,
            fmt::format("the encoding of shard {} is {}, that of {} is {}", shard_name(shard),
                        other.server_encoding, shard_name(database_.default_shard),
                        main_.server_encoding));
      }
      if (other.database_collation.describe() == main_.database_collation.describe()) continue;
      const std::string reason =
          fmt::format("the databases' collations differ: {} on shard {}, {} on {}",
                      main_.database_collation.describe(), shard_name(database_.default_shard),
                      other.database_collation.describe(), shard_name(shard));
      say(conf::Severity::warning, database_.shards[shard].where, reason);
      collation_ = values::Collation::unproved(reason);
    }
  }

  void finish_columns() {
    for (ShardResult& shard : shards_) {
      if (!shard) continue;
      std::unordered_map<Oid, std::shared_ptr<const values::EnumType>> enums;
      for (const auto& [oid, type] : shard->types) {
        if (type.kind == 'e') {
          enums[oid] =
              std::make_shared<values::EnumType>(values::EnumType{oid, type.name, type.labels});
        }
      }
      for (auto& [name, of] : shard->relations) finish_relation(*shard, enums, of);
      if (&*shard == &main_) main_enums_ = std::move(enums);
    }
  }

  void finish_relation(const ShardCatalog& shard, const auto& enums, ShardRelation& of) {
    for (std::size_t i = 0; i < of.relation.columns.size(); ++i) {
      router::Column& column = of.relation.columns[i];
      resolve_type(shard, enums, column.type);
      if (const auto found = shard.collations.find(of.collation_oids[i]);
          found != shard.collations.end()) {
        column.collation_name = found->second.first;
        column.collation = is_default(found->second.first) ? collation_ : found->second.second;
      }
      if (!column.default_sql.empty()) {
        column.default_volatility = default_volatility(column.default_sql, main_.functions);
      }
      if (column.identity) column.default_volatility = router::Volatility::volatile_;
    }
  }

  static bool is_default(std::string_view name) { return name == "pg_catalog.\"default\""; }

  // A domain travels as its base type.
  static void resolve_type(const ShardCatalog& shard, const auto& enums,
                           values::ColumnType& column) {
    auto type = shard.types.find(column.oid);
    for (int depth = 0; depth < 32 && type != shard.types.end() && type->second.kind == 'd';
         ++depth) {
      column.oid = type->second.base;
      if (column.typmod < 0) column.typmod = type->second.typmod;
      type = shard.types.find(column.oid);
    }
    if (type == shard.types.end()) return;
    const Oid labelled = type->second.element != 0 ? type->second.element : column.oid;
    if (const auto found = enums.find(labelled); found != enums.end()) {
      column.enumeration = found->second;
    }
  }

  const ShardType* find_type(std::size_t shard, const std::string& name) const {
    const auto& types = shards_[shard]->types;
    const auto found = std::ranges::find_if(types, [&](const auto& at) { return at.second.name == name; });
    return found == types.end() ? nullptr : &found->second;
  }

  // Types of one name that are not the same everywhere, and what is made of them.
  void compare_types() {
    for (const auto& [oid, type] : main_.types) {
      const std::string mine = describe_type(type);
      if (mine.empty()) continue;
      for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
        if (!shards_[shard] || shard == database_.default_shard) continue;
        compare_type(type, mine, shard);
      }
    }
    for (const auto& [oid, type] : main_.types) {
      if (const std::string* reason = find_difference(oid)) differing_.emplace(type.name, *reason);
    }
  }

  void compare_type(const ShardType& type, const std::string& mine, std::size_t shard) {
    const std::string& here = shard_name(database_.default_shard);
    const ShardType* other = find_type(shard, type.name);
    if (!other) {
      say(conf::Severity::warning, database_.shards[shard].where,
          fmt::format("type {} of shard {} does not exist on shard {}", type.name, here, shard_name(shard)));
      return;
    }
    const std::string theirs = describe_type(*other);
    if (mine == theirs) return;
    const values::SqlError error =
        make_error(values::ErrorId::catalog_mismatch, "type " + type.name, here, shard_name(shard),
                   fmt::format("{}; {}", mine, theirs));
    say(conf::Severity::error, database_.shards[shard].where, error.message);
    differing_.emplace(type.name, error.message);
  }

  // Of the type, or of one that it is made of.
  const std::string* find_difference(Oid oid, int depth = 0) const {
    const auto type = main_.types.find(oid);
    if (type == main_.types.end() || depth > 32) return nullptr;
    if (const auto found = differing_.find(type->second.name); found != differing_.end()) return &found->second;
    for (const Oid part : {type->second.element, type->second.base}) {
      if (const std::string* found = part == 0 ? nullptr : find_difference(part, depth + 1)) return found;
    }
    const auto columns = main_.attributes.find(oid);
    if (columns == main_.attributes.end()) return nullptr;
    for (const Oid column : columns->second) {
      if (const std::string* found = find_difference(column, depth + 1)) return found;
    }
    return nullptr;
  }

  // A table of several shards, or of another than the default one, has no column of such a type.
  void check_column_types(const ShardRelation& source, std::size_t home, const router::ShardSet& shards,
                          router::Relation& relation) const {
    const bool elsewhere = shards.size() > 1 || !shards.contains(database_.default_shard);
    if (!elsewhere || !relation.refusal.empty()) return;
    for (const Oid oid : source.type_oids) {
      const auto type = shards_[home]->types.find(oid);
      if (type == shards_[home]->types.end()) continue;
      const auto found = differing_.find(type->second.name);
      if (found == differing_.end()) continue;
      relation.refusal = found->second;
      return;
    }
  }

  // What has parts of other types may have a date among them.
  bool is_timeless(const ShardType& type) const {
    if (type.element != 0) {
      const auto element = main_.types.find(type.element);
      return element != main_.types.end() && is_timeless(element->second);
    }
    return type.kind == 'e' || (type.kind == 'b' && !type.moment);
  }

  void add_types(router::Catalog& catalog) {
    for (const auto& [oid, type] : main_.types) {
      catalog.add_user_type(oid, type.name);
      if (is_timeless(type)) catalog.add_timeless_type(oid);
      const auto differs = differing_.find(type.name);
      if (differs != differing_.end()) catalog.add_differing_type(oid, type.own_name, differs->second);
    }
    for (const auto& [oid, type] : main_enums_) catalog.add_enum(type);
  }

  void add_relations(router::Catalog& catalog) {
    std::set<Name> mapped;
    std::map<Name, std::string> buckets;
    if (request_.map) {
      check_lookups();
      for (const router::MappedTable& table : request_.map->tables()) {
        const Name name{table.name.schema, table.name.name};
        mapped.insert(name);
        add_mapped(catalog, table, name);
        if (table.physical.empty()) continue;
        for (std::uint32_t bucket = 0; bucket < request_.map->schemes()[table.scheme].bucket_shards.size(); ++bucket) {
          const conf::TableName own = table.of_bucket(bucket);
          buckets.emplace(Name{own.schema, own.name}, table.name.name);
        }
      }
    }
    for (auto& [name, of] : main_.relations) {
      if (mapped.contains(name)) continue;
      of.relation.everywhere = is_everywhere(name, of.relation.kind);
      refuse_part(of.relation);
      if (const auto bucket = buckets.find(name); bucket != buckets.end()) {
        of.relation.refusal = fmt::format("\"{}\" is a bucket of \"{}\": name that table", name.second, bucket->second);
      }
    }
    for (auto& [name, of] : main_.relations) {
      if (!mapped.contains(name)) catalog.add(std::move(of.relation));
    }
  }

  // A shard that cannot be asked is taken to be like the others.
  bool is_everywhere(const Name& name, router::RelationKind kind) const {
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      if (!shards_[shard]) continue;
      const ShardRelation* found = find_on(shard, name);
      if (found == nullptr || found->relation.kind != kind) return false;
    }
    return true;
  }

  bool same_columns_everywhere(const Name& name, const router::Relation& relation) const {
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      const ShardRelation* found = find_on(shard, name);
      if (shards_[shard] && (found == nullptr || describe_columns(found->relation) != describe_columns(relation))) {
        return false;
      }
    }
    return true;
  }

  // Its rows are spread as its table's are, but the map does not say so. A partition is then placed as its
  // table is; what else there may be has columns of its own.
  void refuse_part(router::Relation& relation) const {
    using enum router::RelationKind;
    if (relation.kind != table && relation.kind != partitioned && relation.kind != foreign) return;
    const router::Relation* at = &relation;
    const router::MappedTable* of = nullptr;
    bool partition = relation.kind != foreign;
    while (of == nullptr && !at->parent.empty()) {
      of = request_.map ? request_.map->find_table(at->parent_schema, at->parent) : nullptr;
      const auto parent = main_.relations.find({at->parent_schema, at->parent});
      if (parent == main_.relations.end()) break;
      at = &parent->second.relation;
      partition &= at->kind == partitioned;
    }
    if (of == nullptr || of->kind == conf::TableKind::whole) return;
    const Name name{relation.schema, relation.name};
    if (partition && relation.everywhere && same_columns_everywhere(name, relation)) return;
    relation.refusal =
        fmt::format("\"{}\" is a part of \"{}\", whose rows are on every shard, but not the same part on each: name that table",
                    relation.name, of->name.name);
  }

  // What COLLATE names must be the same everywhere.
  void add_collations(router::Catalog& catalog) {
    std::vector<std::set<router::NamedCollation>> others;
    for (const ShardResult& shard : shards_) {
      if (!shard || &*shard == &main_) continue;
      others.emplace_back(shard->named_collations.begin(), shard->named_collations.end());
    }
    for (router::NamedCollation& collation : main_.named_collations) {
      collation.differs = std::ranges::any_of(
          others, [&](const auto& other) { return !other.contains(collation); });
      catalog.add(std::move(collation));
    }
  }

  const ShardRelation* find_on(std::size_t shard, const Name& name) const {
    if (!shards_[shard]) return nullptr;
    const auto found = shards_[shard]->relations.find(name);
    return found == shards_[shard]->relations.end() ? nullptr : &found->second;
  }

  // The default shard's definition where it has one; the map may keep the table elsewhere.
  const ShardRelation* definition(const router::MappedTable& table, std::size_t& shard) const {
    const router::ShardSet shards = request_.map->shards_of(table);
    shard = database_.default_shard;
    if (shards.contains(shard)) {
      if (const ShardRelation* found = find_any(shard, table)) return found;
    }
    for (const std::uint32_t other : shards) {
      shard = other;
      if (const ShardRelation* found = find_any(other, table)) return found;
    }
    return nullptr;
  }

  /// What the table is called on the shard: by its own name, or by those of the buckets there.
  std::vector<Name> names_on(const router::MappedTable& table, std::size_t shard) const {
    if (table.physical.empty()) return {{table.name.schema, table.name.name}};
    std::vector<Name> names;
    for (const std::uint32_t bucket : request_.map->buckets_on(table, shard)) {
      const conf::TableName name = table.of_bucket(bucket);
      names.emplace_back(name.schema, name.name);
    }
    return names;
  }

  const ShardRelation* find_any(std::size_t shard, const router::MappedTable& table) const {
    for (const Name& name : names_on(table, shard)) {
      if (const ShardRelation* found = find_on(shard, name)) return found;
    }
    return nullptr;
  }

  /// A bucket's definition is the table's, under its name.
  void name_as_table(const router::MappedTable& table, const Name& name, router::Relation& relation) {
    relation.schema = name.first;
    relation.name = name.second;
    relation.oid = 0;
    relation.parent.clear();
    relation.parent_schema.clear();
    const auto refuse = [&](std::string why) {
      say(conf::Severity::error, table.where, fmt::format("table {}.{}: {}", name.first, name.second, why));
      if (relation.refusal.empty()) relation.refusal = std::move(why);
    };
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      if (find_on(shard, name) == nullptr) continue;
      refuse(fmt::format("\"{}\" has a table for each bucket, but shard {} has one of that name, too", name.second, shard_name(shard)));
      break;
    }
    if (!request_.map->shards_of(table).contains(database_.default_shard)) {
      refuse(fmt::format("the default shard {} has none of the buckets of \"{}\", by which it would describe statements",
                         shard_name(database_.default_shard), name.second));
    }
  }

  void add_mapped(router::Catalog& catalog, const router::MappedTable& table, const Name& name) {
    std::size_t home = 0;
    const ShardRelation* source = definition(table, home);
    if (!source) {
      say(conf::Severity::warning, table.where,
          fmt::format("table {}.{} does not exist", name.first, name.second));
      return;
    }
    router::Relation relation = source->relation;
    if (!table.physical.empty()) name_as_table(table, name, relation);
    // OIDs are the default shard's; what it does not have has none.
    if (table.physical.empty() && home != database_.default_shard) {
      const ShardRelation* shown = find_on(database_.default_shard, name);
      relation.oid = shown == nullptr ? 0 : shown->relation.oid;
    }
    check_table(*request_.map, table, *source, relation, request_.config->file,
                loaded_.diagnostics);
    for (const std::uint32_t shard : request_.map->shards_of(table)) {
      if (shard == home && table.physical.empty()) continue;
      for (const Name& there : names_on(table, shard)) compare(table, there, *source, home, shard, relation);
    }
    check_column_types(*source, home, request_.map->shards_of(table), relation);
    if (relation.refusal.empty()) relation.refusal = names_differ_;
    if (relation.refusal.empty() && table.kind == conf::TableKind::sharded) {
      relation.refusal = lookup_problems_.at(table.scheme);
    }
    catalog.add(std::move(relation));
  }

  void check_lookups() {
    for (const router::MappedScheme& scheme : request_.map->schemes()) {
      std::string& problem = lookup_problems_.emplace_back();
      if (!scheme.lookup) continue;
      const Name name(scheme.lookup->name.schema, scheme.lookup->name.name);
      const ShardRelation* source = find_on(database_.default_shard, name);
      problem = find_lookup_problem(scheme, source == nullptr ? nullptr : &source->relation, shard_name(database_.default_shard));
      if (!problem.empty()) say(conf::Severity::error, scheme.lookup->where, problem);
    }
  }

  void compare(const router::MappedTable& table, const Name& name, const ShardRelation& source,
               std::size_t home, std::size_t shard, router::Relation& relation) {
    if (!shards_[shard]) return;  // not known; what needs it gets 08006
    const ShardRelation* other = find_on(shard, name);
    const std::string mine = describe_columns(source.relation);
    const std::string theirs =
        other ? describe_columns(other->relation) : "it does not exist there";
    if (mine == theirs) return;
    const values::SqlError error = make_error(
        values::ErrorId::catalog_mismatch, fmt::format("table {}.{}", name.first, name.second),
        shard_name(home), shard_name(shard), fmt::format("{}; {}", mine, theirs));
    if (relation.refusal.empty()) relation.refusal = error.message;
    say(conf::Severity::error, table.where, error.message);
  }

  void map_identity() {
    std::vector<std::string> names;
    for (const conf::Shard& shard : database_.shards) names.push_back(shard.name);
    loaded_.identity = map_oids(shards_, database_.default_shard, names);
  }

  const conf::Database& database_;
  const CatalogRequest& request_;
  std::vector<ShardResult>& shards_;
  LoadedCatalog& loaded_;
  ShardCatalog& main_;
  values::Collation collation_;
  std::string names_differ_;
  std::vector<std::string> lookup_problems_;  ///< of each scheme; empty: none
  std::map<std::string, std::string, std::less<>> differing_;  // types by name, and how they differ
  std::unordered_map<Oid, std::shared_ptr<const values::EnumType>> main_enums_;
};

const conf::Database* find_entry(const CatalogRequest& request) {
  const auto& databases = request.config->databases;
  const auto found = std::ranges::find(databases, request.database, &conf::Database::name);
  return found == databases.end() ? nullptr : &*found;
}

}  // namespace

CatalogScope scope_on(const CatalogRequest& request, std::size_t shard, bool is_default) {
  return {is_default, shard < request.systems.size() ? request.systems[shard] : nullptr};
}

LoadedCatalog assemble_catalog(const CatalogRequest& request, ShardCatalogs shards) {
  LoadedCatalog loaded;
  const conf::Database* database = find_entry(request);
  if (!database) return loaded;
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    loaded.systems.push_back(shards[shard] ? shards[shard]->system : nullptr);
    if (shards[shard]) continue;
    loaded.failures.push_back(
        {static_cast<std::uint32_t>(shard), database->shards[shard].name, shards[shard].error()});
  }
  if (shards[database->default_shard]) Assembly(*database, request, shards, loaded).run();
  return loaded;
}

LoadedCatalog load_catalog(const CatalogRequest& request) {
  const conf::Database* database = find_entry(request);
  if (!database) return {};
  return assemble_catalog(request, read_shards(*database, request));
}

net::Task<LoadedCatalog> load_catalog_on_worker(CatalogRequest request, net::CancelToken token) {
  auto work = [kept = std::move(request)] { return load_catalog(kept); };
  co_return co_await net::run_on_worker(std::move(work), token);
}

}  // namespace anabranch::backends
