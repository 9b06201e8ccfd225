#pragma once

#include <string>
#include <vector>

#include "backends/catalog_reader.h"
#include "conf/config.h"
#include "conf/diagnostic.h"
#include "router/shard_map.h"

namespace anabranch::backends {

/// Holds the map against the catalog: keys that are no columns, types that the scheme cannot take,
/// nondeterministic collations (errors: the relation is refused), and what a map cannot keep
/// (warnings): unique, exclusion and foreign-key constraints without the key, nullable and
/// generated keys. `relation` is the finished one.
void check_table(const router::ShardMap& map, const router::MappedTable& table,
                 const ShardRelation& source, router::Relation& relation, const std::string& file,
                 std::vector<conf::Diagnostic>& diagnostics);

/// Why the table of a lookup scheme, which is null where there is none, cannot say where keys lie; empty: it can.
std::string find_lookup_problem(const router::MappedScheme& scheme, const router::Relation* table,
                                std::string_view shard);

/// What a type is made of, for people: labels, columns, constraints; empty: nothing that is compared.
std::string describe_type(const ShardType& type);

/// How the definitions of one table differ (columns' names, order, types, collations, enum labels),
/// for people; empty: they do not.
std::string describe_columns(const router::Relation& relation);

}  // namespace anabranch::backends
