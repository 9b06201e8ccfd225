#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy/mysql/load_rows.h"
#include "router/key_value.h"
#include "router/shard_map.h"

namespace anabranch::proxy::mysql {

/// Where a row of a LOAD DATA is stored. Pure.
class LoadPlacement {
 public:
  /// `utf8`: the file is in UTF-8. All must outlive this.
  LoadPlacement(const rewriter::LoadSplit& load, const router::ShardMap& map, router::Lookups& lookups, bool utf8);

  /// Numbers of the fields that must be read, ascending.
  const std::vector<int>& wanted() const { return wanted_; }
  /// Checks what each shard would count for itself. Throws SqlError, as the next.
  void check(const std::vector<LoadRows::Field>& fields, std::uint64_t row) const;
  /// The shard of the row whose `wanted` fields these are. Throws SqlError 0A000 where its key cannot be read exactly,
  /// 23502 and 23514 where no shard takes it.
  std::uint32_t shard_of(const std::vector<LoadRows::Field>& fields, std::uint64_t row);

 private:
  router::KeyConversion convert(const rewriter::LoadSplit::Field& column, router::KeyType type,
                                const LoadRows::Field& field) const;
  const LoadRows::Field& read(const std::vector<LoadRows::Field>& fields, const rewriter::LoadSplit::Field& column) const;
  std::uint32_t place(const router::KeyValue& key, std::uint64_t row) const;

  const rewriter::LoadSplit& load_;
  const router::MappedTable& table_;
  router::Lookups& lookups_;
  const router::MappedScheme* scheme_;  ///< null: a reference table
  const bool utf8_;
  std::vector<int> wanted_;
  std::vector<router::KeyType> types_;  ///< of the key's columns
  std::vector<router::KeyValue> parts_;
};

}  // namespace anabranch::proxy::mysql
