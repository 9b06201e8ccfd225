#pragma once

#include "merge/memory_budget.h"
#include "proxy/mysql/row_output.h"

namespace anabranch::proxy::mysql {

/// The rows of a cursor over several shards, from its opening until they have been fetched. A server keeps those of
/// its cursors likewise.
class CursorRows {
 public:
  CursorRows(State& state, CachedPlanPtr plan);

  RowOutput& output() { return output_; }
  /// Throws 53200 beyond limits.query_memory.
  void keep(const merge::Batch& rows);
  /// Tells the client of the columns, and that the cursor is open.
  void open(std::uint16_t warnings);
  /// COM_STMT_FETCH. False: that was all, and the cursor is closed. Throws SessionLost.
  net::Task<bool> fetch(std::uint32_t count);

 private:
  State& state_;
  CachedPlanPtr plan_;
  merge::MemoryBudget budget_;
  merge::Charge charge_;
  RowOutput output_;
  merge::Batch rows_;
  std::size_t next_ = 0;
};

}  // namespace anabranch::proxy::mysql
