#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/shard_map.h"
#include "values/type.h"

/// The key of a row as it is stored, for the checks that hold rows against the map.
namespace anabranch::backends {

struct StoredColumn {
  values::Oid type = 0;  ///< domains resolved
  std::int32_t modifier = -1;
};

/// The columns that place a row of a sharded table.
const std::vector<std::string>& placing_columns(const router::MappedTable& table);

/// From the texts of placing_columns(), in UTF-8 and as the proxy reads constants. Nothing: the proxy would place no
/// such row.
std::optional<router::KeyValue> stored_key(const router::MappedTable& table, const router::MappedScheme& scheme,
                                           std::span<const StoredColumn> columns,
                                           std::span<const std::optional<std::string_view>> texts);

}  // namespace anabranch::backends
