#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "merge/batch.h"
#include "merge/memory_budget.h"
#include "merge/spill.h"

namespace anabranch::merge {

/// Rows on disk: first all are appended, then all are read, in the same order. In memory is a chunk
/// at most, a small part of the statement's budget.
class SpilledRows {
 public:
  SpilledRows(Spill& spill, MemoryBudget& budget);

  /// A whole DataRow message.
  void append(std::string_view message);
  /// Leaves nothing in memory: after the last row, before read().
  void flush();
  bool empty() const { return extents_.empty() && buffer_.empty(); }
  /// Adds the next chunk of rows to `out`; false: none are left.
  bool read(Batch& out);

 private:
  Spill* spill_;
  std::size_t chunk_;
  Charge charge_;
  std::string buffer_;
  std::deque<Spill::Extent> extents_;
};

}  // namespace anabranch::merge
