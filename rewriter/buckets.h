#pragma once

#include <optional>

#include "rewriter/planning.h"

/// Tables that have one for each bucket (`physical`). Their name stands for a UNION ALL of those that a shard has, which
/// is no table: what needs one is refused. Internal to rewriter/.
namespace anabranch::rewriter {

/// Whether the statement names such a table.
bool has_buckets(const Query& query);

/// Refuses what is not proved to be the same of a UNION ALL as of a table.
void check_buckets(Planning& planning);

/// What a server has described of a bucket's columns is not said of the table's: that one has no OID.
void forget_origins(Planning& planning);

/// Some table of the map is one.
bool has_buckets(const router::ShardMap& map);

/// Refuses a statement that would name the table itself.
void check_no_buckets(const Planning& planning, const router::MappedTable& table);
void check_no_buckets(const Planning& planning, const tree::Utility& utility);

/// TRUNCATE of the tables of all its buckets, on each shard.
std::shared_ptr<Plan> truncate_buckets(Planning& planning, const NamedTable& named, const tree::Truncate& statement);

/// Of a write, shard by shard: what is written bucket by bucket.
void note_written_buckets(Planning& planning);

/// Whether it may turn out that one shard has all rows that the statement reads and writes.
bool may_be_on_one_shard(const Planning& planning, const Placement& placement);

/// What a relay is for other tables: the query as it is, of one shard's buckets, whose answer is taken as rows. Nothing:
/// its rows may be on several shards.
std::optional<Outcome> plan_on_one_shard(Planning& planning, const Placement& placement);

}  // namespace anabranch::rewriter
