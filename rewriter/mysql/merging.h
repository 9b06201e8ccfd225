#pragma once

#include "rewriter/after_merge.h"

/// Internal to rewriter/mysql.
namespace anabranch::rewriter::mysql {

/// Type modifier of a merged number that is a BIGINT UNSIGNED: what it may become by arithmetic has other bounds.
inline constexpr std::int32_t kUnsigned = 1;

/// A shard describes the columns once for all statements of the plan: they are named by the text, and typed by the
/// values in it, save those of conditions. Refuses parameters there, whose types come with each execution.
void settle_columns(Planning& planning, const tree::Select& select);

/// rewriter::after_merge() by MySQL's rules: division gives NULL by zero and as many digits as the session wants,
/// and truth is a number.
merge::Expression after_merge(Planning& planning, const tree::Expr& expr, const Leaf& leaf, bool condition);

}  // namespace anabranch::rewriter::mysql
