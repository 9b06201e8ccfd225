#pragma once

#include "rewriter/planning.h"

/// What the planners of writing statements share. Internal to rewriter/.
namespace anabranch::rewriter {

/// An UPDATE that would move a row to another shard is refused. `facts`: of the rows that are updated.
void check_key_unchanged(Planning& planning, const std::vector<tree::Assignment>& set, const Facts& facts);
/// SET column = DEFAULT where the default is not a constant.
void check_assigned_defaults(const Planning& planning, const std::vector<tree::Assignment>& set);
/// MySQL's UPDATE and DELETE of several tables: no key is changed, and no copy is written alone.
void check_joined_write(const Planning& planning);
/// The first of the tables that an UPDATE or DELETE of several writes to, where each shard may write its own rows of
/// all of them; else null.
const router::MappedTable* joined_target(const Planning& planning);
/// Triggers and rules of a table on several shards may read what is elsewhere.
void check_target(const Planning& planning);

/// INSERT into a table on one shard, or with a writing WITH: relayed, or refused.
Outcome plan_insert_whole(Planning& planning, const tree::Insert& insert);
/// The value of a key's column in each of the shape's rows (PlanRequest::rows).
KeyOperand listed_operand(const Planning& planning, std::size_t index, const router::Column& column);
/// The texts of VALUES's rows, whose defaults have been written in.
void print_rows(Planning& planning, const tree::Insert& filled, const router::Relation& relation, InsertSplit& made);
/// INSERT … SELECT into a sharded table.
Outcome plan_insert_select(Planning& planning, const tree::Insert& insert);
/// INSERT whose rows are stored wherever they belong, after they have been read. First whether it can be: INSERT … SELECT;
/// rows of VALUES.
bool can_be_fed(const Planning& planning, const tree::Insert& insert);
bool can_feed_values(const Planning& planning, const tree::Insert& insert);
Outcome plan_fed_insert(Planning& planning, const tree::Insert& insert);
/// UPDATE and DELETE that read rows of other shards than their table's, which each shard is given first. Nothing: that
/// does not help.
std::optional<Outcome> plan_fed_write(Planning& planning);
/// ON CONFLICT of a sharded table sees one shard's rows only.
void check_on_conflict(Planning& planning, const tree::Insert& insert);

/// Whether the source's key columns have types that are placed as the target's are.
bool comparable_types(const Query& query, const Block& source, const KeyTuple& from,
                      const KeyTuple& key);

/// A default that gives every row a value of its own, whoever makes it up.
bool is_fresh_per_row(const router::Column& column);
/// Columns left to their defaults: refused where every shard would count for itself.
void check_defaults(const Planning& planning, const tree::Insert& insert,
                    const router::Relation& relation);
enum class Defaults {
  rows,   ///< now() and its like, the same for all rows
  copies  ///< whatever a server would make up for a row, the same on each copy
};
/// Writes the defaults of columns that the statement leaves out into its VALUES, as evaluations.
void write_defaults(Planning& planning, tree::Insert& insert, const router::Relation& relation,
                    Defaults which);
/// Calls in VALUES whose result would differ on each copy become evaluations.
void fill_copies(Planning& planning, tree::Insert& insert);
/// Why INSERT … SELECT into a reference table would not read the same rows in every place; empty: it does.
std::string difference_of_copies(const Planning& planning);
/// The printed statement for every copy; one copy's count and rows are the answer.
Outcome broadcast_copies(Planning& planning, const tree::Statement& statement);

}  // namespace anabranch::rewriter
