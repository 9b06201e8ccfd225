#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "values/type.h"

/// OIDs of types and relations are given by each server for itself. Clients know those of the default
/// shard; here is what they are elsewhere, and how they are replaced inside of binary values. Pure.
namespace anabranch::values {

/// OIDs below are the same on every server of one version: they stand in its sources.
inline constexpr Oid first_unfixed_oid = 12000;
/// OIDs from here on belong to what users have made, not initdb.
inline constexpr Oid first_user_oid = 16384;

/// What a type's binary form says by OIDs (array_send, record_send and their like).
struct BinaryShape {
  enum class Kind : uint8_t {
    plain,       ///< nothing
    array,       ///< names its elements' type
    row,         ///< names its columns' types
    range,       ///< its bounds are of type `part`, which names some
    multirange,  ///< the same
    type,        ///< regtype: it is one
    relation,    ///< regclass
    object,      ///< regproc, regoper …: the OID of what is not mapped
  };
  Kind kind = Kind::plain;
  Oid part = 0;  ///< of ranges; the default shard's OID
};

/// The shapes of all types, by the default shard's OIDs.
class BinaryShapes {
 public:
  void add(Oid type, BinaryShape shape) { own_.insert_or_assign(type, shape); }
  BinaryShape find(Oid type) const;
  /// None but built-in types name OIDs.
  bool empty() const { return own_.empty(); }
  /// Of the types that every server has.
  static BinaryShape built_in(Oid type);

 private:
  std::unordered_map<Oid, BinaryShape> own_;
};

/// One server's OIDs to another's, of one database.
struct OidMap {
  std::string from;  ///< shards' names, for messages
  std::string to;
  std::unordered_map<Oid, Oid> types;  ///< 0: there is none of that name
  struct Relation {
    Oid oid = 0;
    /// Columns with another attribute number there; 0: with none.
    std::vector<std::pair<int16_t, int16_t>> attributes;
  };
  std::unordered_map<Oid, Relation> relations;
  std::unordered_map<Oid, std::string> missing;  ///< names of the types that are not there

  /// Throws type_missing or oid_unmapped (0A000), or oid_unknown (40001) where the catalog that was
  /// read has nothing of that OID.
  Oid type(Oid oid) const;
  Oid relation(Oid oid) const;
};

/// Replaces the OIDs in one binary value by what they are on the other server, in place: the length
/// stays. `type`: the value's own, by the default shard's OID. `to_default`: the direction of `map`.
/// Throws as OidMap does, and invalid_binary where the lengths inside are not right.
void translate_oids(std::span<char> value, Oid type, const BinaryShapes& shapes, const OidMap& map,
                    bool to_default);

/// A shard that is not the default one.
struct ShardOids {
  OidMap to_default;
  OidMap to_shard;
};

/// A database's types on all its shards.
struct TypeIdentity {
  BinaryShapes shapes;
  std::vector<ShardOids> shards;  ///< that of the default one is empty
};

}  // namespace anabranch::values
