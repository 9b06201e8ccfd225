#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backends/control_connection.h"
#include "router/catalog.h"

namespace anabranch::backends {

/// A type of a user schema, as one shard has it.
struct ShardType {
  values::Oid oid = 0;
  std::string name;                 // as format_type() prints it: schema-qualified
  char kind = 'b';                  // typtype
  values::Oid base = 0;             // of domains; of ranges and multiranges: of their bounds
  std::int32_t typmod = -1;         // of domains
  values::Oid element = 0;          // of arrays
  bool moment = false;              // typcategory: a date or time
  std::vector<std::string> labels;  // of enums, in sort order
  std::string definition;           // of domains, composites and ranges; empty: of others
  std::string own_name;             // pg_type.typname
};

struct ForeignKey {
  std::string name;
  std::pair<std::string, std::string> to;  // schema and table
  std::vector<int> columns;                // attnums
  std::vector<int> to_columns;
};

/// A relation and what only the checks of the map want to know of it.
struct ShardRelation {
  router::Relation relation;  // columns' enumeration, collation and default volatility are not set
  std::vector<values::Oid> type_oids;  // of the columns, domains not resolved
  std::vector<values::Oid> collation_oids;
  std::vector<std::pair<std::string, std::vector<int>>> exclusions;  // name, indexes into columns
  std::vector<ForeignKey> foreign_keys;
};

/// Objects that a database has by the hundred from its beginning.
struct CatalogObjects {
  std::string server_version;
  std::map<std::pair<std::string, std::string>, ShardRelation> relations;
  std::unordered_map<values::Oid, std::pair<std::string, values::Collation>> collations;
  std::unordered_map<values::Oid, ShardType> types;
  std::vector<router::Function> functions;                  // where `whole`
  std::vector<router::NamedCollation> named_collations;     // all that fit the encoding
};

/// What one shard says of its database; OIDs are its own.
struct ShardCatalog : CatalogObjects {
  /// Those that initdb has made, copied into this: they stay as they are as long as the server's version
  /// does, and are most of the work of reading a catalog.
  std::shared_ptr<const CatalogObjects> system;
  std::string server_encoding;
  values::Collation database_collation;
  std::vector<std::pair<std::string, bool>> user_operators;  // where `whole`; immutable or not
  struct Shadow {
    std::string name;
    std::string schema;
    bool hidden = false;
  };
  std::vector<Shadow> shadowing_operators;                   // where `whole`
  std::vector<std::pair<values::Oid, values::Oid>> user_casts;  // where `whole`
  std::vector<std::string> opaque_casts;                     // where `whole`
  /// Types of the columns of row types and composites, by the type.
  std::unordered_map<values::Oid, std::vector<values::Oid>> attributes;
};

/// How much of a catalog is read.
struct CatalogScope {
  /// The system's own relations, and all functions and operators (the default shard).
  bool whole = false;
  /// Null: what initdb has made is read, too.
  std::shared_ptr<const CatalogObjects> system;
};

/// Reads a shard's catalog in one snapshot and one round trip; in another one where `scope.system` is of
/// another version of the server.
std::expected<ShardCatalog, std::string> read_catalog(ControlConnection& connection, CatalogScope scope);

/// The same in two parts, for who runs the statements himself: all of them in one string, and what
/// is made of their results, one a statement. `within`: inside the transaction that the connection is
/// in, which they leave as it was; otherwise they are a transaction of their own.
enum class CatalogFrame { own_transaction, within };
std::string catalog_sql(int server_version, const CatalogScope& scope, CatalogFrame frame);
std::expected<ShardCatalog, std::string> catalog_of(const std::vector<ControlResult>& results,
                                                    int server_version, const CatalogScope& scope);

/// How stable a default is, proved by its text (pg_get_expr) and the functions known: whatever is
/// not recognised is volatile.
router::Volatility default_volatility(std::string_view expression,
                                      const std::vector<router::Function>& functions);

}  // namespace anabranch::backends
