#pragma once

#include <span>
#include <string>
#include <vector>

#include "merge/batch.h"
#include "merge/memory_budget.h"
#include "net/mysql/rows.h"
#include "rewriter/plan.h"

namespace anabranch::proxy::mysql {

/// Rows on their way to a shard, which computes the answer of them: a statement's text, within limits.query_memory
/// and what a server reads at once.
class SentRows {
 public:
  SentRows(const rewriter::Plan& plan, merge::MemoryBudget& budget);
  void add(const merge::Batch& rows);
  /// The whole statement. `parts`: of BoundPlan::finish.
  std::string statement(std::span<const std::string> parts);

 private:
  const rewriter::Plan& plan_;
  merge::Charge charge_;
  std::vector<net::mysql::Field> fields_;
  std::string text_;
  std::uint64_t count_ = 0;
};

}  // namespace anabranch::proxy::mysql
