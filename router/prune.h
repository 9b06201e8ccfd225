#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "router/placement.h"
#include "router/shard_map.h"
#include "router/shard_set.h"

namespace anabranch::router {

/// What a condition says about a table's key. Built by the rewriter, which promises that each
/// leaf's operator is the key type's own and each constant was converted exactly
/// (router/key_value.h): a constant outside the type is `nothing`, one whose conversion cannot be
/// proved is `anything`.
struct KeyPredicate {
  enum class Kind : std::uint8_t {
    anything,  // says nothing of the key
    nothing,   // never true
    in,        // the key is one of `values`; a NULL among them matches nothing
    is_null,
    range,   // the key is in `range`
    all_of,  // AND
    any_of,  // OR
  };

  Kind kind = Kind::anything;
  std::vector<KeyValue> values;
  KeyRange range;
  bool byte_order =
      false;  // range of a text key: the column's collation orders by bytes (C, POSIX)
  std::vector<KeyPredicate> parts;

  static KeyPredicate anything() { return {}; }
  static KeyPredicate nothing();
  static KeyPredicate equals(KeyValue value);
  static KeyPredicate in(std::vector<KeyValue> values);
  static KeyPredicate is_null();
  static KeyPredicate between(KeyRange range, bool byte_order = false);
  static KeyPredicate all_of(std::vector<KeyPredicate> parts);
  static KeyPredicate any_of(std::vector<KeyPredicate> parts);
};

/// Where a question goes, and why: the answer and its explanation are one object.
struct Route {
  ShardSet
      shards;  // empty: no row can match; then ask any one shard, for the answer's shape and errors
  std::string explanation;  // `scheme by_user: key = 42 -> bucket 7 -> s1`
};

/// The largest interval of integer keys that is enumerated where the strategy keeps no order.
inline constexpr std::uint64_t max_enumerated_keys = 1024;

/// The shards that rows of the scheme satisfying the predicate may live on; never too few.
/// Without `lookups` those of a scheme with a table are all.
ShardSet prune(const MappedScheme& scheme, const KeyPredicate& predicate, Lookups* lookups = nullptr);
Route route(const ShardMap& map, const MappedScheme& scheme, const KeyPredicate& predicate,
            Lookups* lookups = nullptr);

}  // namespace anabranch::router
