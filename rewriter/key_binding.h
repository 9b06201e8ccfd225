#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rewriter/planner.h"
#include "router/key_value.h"

/// From ValueRefs to keys, and from keys to shards: what bind() does with a KeyCondition.
namespace anabranch::rewriter {

/// The bytes behind a ValueRef. `storage` keeps what had to be made.
struct ValueBytes {
  std::optional<std::string_view> bytes;
  values::Format format = values::Format::text;
  values::Oid declared = 0;  ///< of a parameter, as the client sent it
};
ValueBytes value_bytes(const ValueRef& value, const BindRequest& request, std::string& storage);
/// A string literal's value as the statement's server reads it.
std::string string_value(std::string_view spelling, const BindRequest& request);

/// What `storage` is true for: INSERT and COPY; else a comparison.
router::KeyConversion convert(const KeyOperand& operand, const BindRequest& request,
                              conf::KeyType key_type, bool storage);

/// The key of a row from the values of its key columns (or the columns of the key expression).
router::KeyConversion key_from(const router::ShardMap& map, int table,
                               const std::vector<KeyOperand>& operands, const BindRequest& request,
                               bool storage);

/// Every element of the array that is not NULL, for `column = ANY (array)`; absent: they cannot be read here.
std::optional<std::vector<conf::KeyValue>> keys_of_array(const KeyOperand& operand, const BindRequest& request,
                                                         conf::KeyType key_type);

/// The shard that a row of the table is stored on. Throws 23502 and 23514 where none takes its key,
/// 0A000 where the key cannot be read exactly.
std::uint32_t shard_of_stored(int table, const std::vector<KeyOperand>& key,
                              const BindRequest& request);
/// The same with the bucket, where the scheme has such.
router::Placement place_of_stored(int table, const std::vector<KeyOperand>& key, const BindRequest& request);

/// The map has no place for the key, which is shown so.
values::SqlError no_shard_error(const router::MappedTable& table, const router::MappedScheme& scheme,
                                const std::string& key);

/// Refuses a row whose number every shard would count for itself: SplitRow::counted.
void check_counted(const std::vector<KeyOperand>& counted, const BindRequest& request);

/// The common case: one key column, one value that has a place. Nothing: ask shards_of().
std::optional<std::uint32_t> shard_of_key(const KeyCondition& condition, const BindRequest& request);

/// Never too few shards; may be none.
router::ShardSet shards_of(const KeyCondition& condition, const BindRequest& request);

/// The same of the buckets of a scheme that has MappedScheme::by_bucket, whatever shards they are on.
router::ShardSet buckets_of(std::uint32_t scheme, const KeyCondition& condition, const BindRequest& request);

/// Adds the condition's keys in words: "by_user: 42 → bucket 7 → s1".
void explain_condition(const KeyCondition& condition, const BindRequest& request, std::string& out);

}  // namespace anabranch::rewriter
