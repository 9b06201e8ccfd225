#pragma once

#include "rewriter/after_merge.h"
#include "rewriter/merging.h"

/// Internal to rewriter/mysql.
namespace anabranch::rewriter::mysql {

/// Type modifier of a merged number that is unsigned: what it may become by arithmetic has other bounds. Of decimals
/// the modifier is their scale.
inline constexpr std::int32_t kUnsigned = -2;

/// A shard describes the columns once for all statements of the plan: they are named by the text, and typed by the
/// values in it, save those of conditions. Refuses parameters there, whose types come with each execution.
void settle_columns(Planning& planning, const tree::Select& select);
/// The same where the server that names and types them sees the whole statement: user variables may stand anywhere.
void settle_names(Planning& planning, const tree::Select& select);

/// rewriter::after_merge() by MySQL's rules: division gives NULL by zero and as many digits as the session wants,
/// and truth is a number.
merge::Expression after_merge(Planning& planning, const tree::Expr& expr, const Leaf& leaf, Wanted wanted);

/// Merging::transport: of types that a literal can have. MariaDB's only, whose VALUES stands beside a SELECT.
std::optional<Transport> transport(const Planning& planning, const ResultColumn& column, const tree::Expr& expr);

/// Merging::averages_are_exact.
bool averages_are_exact(const tree::Expr& expr);

/// The value may have more digits than its text shows: a quotient of decimals is calculated with in full, and told
/// rounded. Through subqueries and views.
bool hides_digits(const Planning& planning, const tree::Expr& expr);

}  // namespace anabranch::rewriter::mysql
