#include "backends/oid_maps.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace anabranch::backends {

namespace {

using values::BinaryShape;
using values::Oid;
using values::OidMap;
using Kind = BinaryShape::Kind;

/// What the binary forms of the default shard's types say by OIDs.
class Shapes {
 public:
  explicit Shapes(const ShardCatalog& shard) : shard_(shard) {}

  values::BinaryShapes all() const {
    values::BinaryShapes shapes;
    for (const auto& [oid, type] : shard_.types) {
      const BinaryShape shape = of(oid, 0);
      if (shape.kind != Kind::plain) shapes.add(oid, shape);
    }
    return shapes;
  }

 private:
  static constexpr int deepest = 32;

  bool names_oids(Oid type, int depth) const { return of(type, depth).kind != Kind::plain; }
  /// Written into an array or a row, a type of its own is named there.
  bool named(Oid type, int depth) const {
    return type >= values::first_unfixed_oid || names_oids(type, depth);
  }

  BinaryShape of(Oid oid, int depth) const {
    const auto found = shard_.types.find(oid);
    if (found == shard_.types.end()) return values::BinaryShapes::built_in(oid);
    const ShardType& type = found->second;
    // Too deep to look at: what is inside will tell.
    const bool too_deep = depth > deepest;
    if (type.element != 0) return {named(type.element, depth + 1) ? Kind::array : Kind::plain, 0};
    switch (type.kind) {
      case 'd': return too_deep ? BinaryShape{} : of(type.base, depth + 1);
      case 'r':
      case 'm':
        if (!too_deep && !names_oids(type.base, depth + 1)) return {};
        return {type.kind == 'r' ? Kind::range : Kind::multirange, type.base};
      case 'c': break;
      default: return {};
    }
    const auto columns = shard_.attributes.find(oid);
    if (columns == shard_.attributes.end()) return {};
    const bool any = too_deep || std::ranges::any_of(columns->second, [&](Oid column) {
                       return named(column, depth + 1);
                     });
    return {any ? Kind::row : Kind::plain, 0};
  }

  const ShardCatalog& shard_;
};

using TypeNames = std::unordered_map<std::string_view, Oid>;

TypeNames names_of(const ShardCatalog& shard) {
  TypeNames names;
  for (const auto& [oid, type] : shard.types) names.emplace(type.name, oid);
  return names;
}

void map_types(const ShardCatalog& from, const TypeNames& to, OidMap& map) {
  for (const auto& [oid, type] : from.types) {
    const auto same = to.find(type.name);
    map.types.emplace(oid, same == to.end() ? 0 : same->second);
    if (same == to.end()) map.missing.emplace(oid, type.name);
  }
}

/// Columns are found again by name: their numbers count those that were dropped.
OidMap::Relation counterpart(const router::Relation& from, const router::Relation& to) {
  OidMap::Relation relation{to.oid, {}};
  for (const router::Column& column : from.columns) {
    const std::optional<int> index = to.find_column(column.name);
    const std::int16_t number = index ? to.columns[static_cast<std::size_t>(*index)].number : std::int16_t{0};
    if (number != column.number) relation.attributes.emplace_back(column.number, number);
  }
  return relation;
}

void map_relations(const ShardCatalog& from, const ShardCatalog& to, OidMap& map) {
  for (const auto& [name, of] : from.relations) {
    if (of.relation.oid < values::first_user_oid) continue;
    const auto same = to.relations.find(name);
    map.relations.emplace(of.relation.oid, same == to.relations.end()
                                               ? OidMap::Relation{}
                                               : counterpart(of.relation, same->second.relation));
  }
}

void map_from_to(const ShardCatalog& from, const ShardCatalog& to, OidMap& map) {
  map_types(from, names_of(to), map);
  map_relations(from, to, map);
}

}  // namespace

std::shared_ptr<const values::TypeIdentity> map_oids(
    const std::vector<std::expected<ShardCatalog, std::string>>& shards, std::size_t default_shard,
    const std::vector<std::string>& names) {
  const ShardCatalog& main = *shards[default_shard];
  auto identity = std::make_shared<values::TypeIdentity>();
  identity->shapes = Shapes(main).all();
  identity->shards.resize(shards.size());
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    if (shard == default_shard) continue;
    values::ShardOids& oids = identity->shards[shard];
    oids.to_default.from = oids.to_shard.to = names[shard];
    oids.to_default.to = oids.to_shard.from = names[default_shard];
    if (!shards[shard]) continue;
    map_from_to(*shards[shard], main, oids.to_default);
    map_from_to(main, *shards[shard], oids.to_shard);
  }
  return identity;
}

}  // namespace anabranch::backends
