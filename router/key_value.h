#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "router/placement.h"
#include "values/type.h"

namespace anabranch::router {

/// What becomes of a constant on its way to a scheme's key.
struct KeyConversion {
  enum class Outcome : std::uint8_t {
    value,    // exactly this key
    nothing,  // equal to no value of the column; on the way in: the shard itself will refuse it
    unknown,  // cannot be proved here: ask all shards, or let a database convert it first
  };

  Outcome outcome = Outcome::unknown;
  KeyValue key;

  static KeyConversion of(KeyValue key) { return {Outcome::value, std::move(key)}; }
  static KeyConversion nothing() { return {Outcome::nothing, {}}; }
  static KeyConversion unknown() { return {}; }
};

/// The column a key is stored in.
struct KeyColumn {
  KeyType scheme_type = KeyType::bigint;
  values::Oid type = 0;        // of the column, domains resolved
  std::int32_t modifier = -1;  // atttypmod
};

/// A constant as it was written or sent. `type` is what the statement's analysis says: oid::unknown
/// for a quoted literal without a type, which takes the column's; int4, int8 or numeric for a
/// number. `bytes` must be in the server's encoding.
struct KeyConstant {
  values::Oid type = 0;
  values::Format format = values::Format::text;
  std::optional<std::string_view> bytes;  // nothing: NULL
  bool utf8 = false;  // MySQL: a text in UTF-8, whose every character a column of UTF-8 keeps
};

/// Whether a column of this type may hold keys of the scheme's type at all.
bool holds_keys(KeyType scheme_type, values::Oid column_type);
/// The key type that a column's values are read as, for key expressions; absent: none.
std::optional<KeyType> key_type_of(values::Oid column_type);

/// For `column = constant` under the type's own equality, and for the ends of ranges: `nothing`
/// then means that no value is equal, not that none is less. NULL gives the key NULL.
KeyConversion key_for_comparison(const KeyColumn& column, const KeyConstant& constant);

/// For a value about to be stored in the column (INSERT, COPY): the key that the stored value will
/// have, after the casts of the assignment.
KeyConversion key_for_storage(const KeyColumn& column, const KeyConstant& constant);

}  // namespace anabranch::router
