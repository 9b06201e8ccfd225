#pragma once

#include <expected>
#include <set>
#include <string>

#include "backends/catalog_reader.h"
#include "backends/mysql_control_connection.h"

namespace anabranch::backends {

/// What a MySQL or MariaDB server says of these databases, from information_schema: relations with their
/// columns (of types of values/mysql_type.h; no OIDs), unique keys, foreign keys, triggers and views' queries.
/// Names of columns are in lower case. Fails for a server whose table names have one name in any case
/// (lower_case_table_names), as the map's have one spelling.
std::expected<ShardCatalog, std::string> read_mysql_catalog(MysqlControlConnection& connection,
                                                            const std::set<std::string>& databases);

/// The columns of one table, in its order; none: it is not there.
std::expected<std::vector<router::Column>, std::string> read_mysql_columns(MysqlControlConnection& connection,
                                                                           const std::string& database,
                                                                           const std::string& table);

/// A default as MariaDB shows it: a constant, an expression of the session's time, or anything else.
router::Volatility mysql_default_volatility(std::string_view expression);

}  // namespace anabranch::backends
