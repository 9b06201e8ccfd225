#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "merge/memory_budget.h"
#include "proxy/copy_lines.h"

namespace anabranch::proxy::mysql {

/// Which of the client's rows each shard's rows are: servers say of rows by number what is wrong with them ("… at row
/// 7", "Row 7 …").
class RowNumbers {
 public:
  /// `limit`: of the memory for this, and for what else is charged to budget().
  explicit RowNumbers(std::size_t limit) : budget_(limit) {}
  merge::MemoryBudget& budget() { return budget_; }

  /// The shard's next row, of so many bytes, is this one of the client's.
  void add(std::uint32_t shard, std::uint64_t row, std::size_t bytes);
  /// The message with the client's number. Where it is no longer known the message says whose number it names.
  std::string renumbered(std::string message, std::uint32_t shard) const;

 private:
  merge::MemoryBudget budget_;
  std::map<std::uint32_t, CopyLines> of_;
};

/// The number of the row that a server's message names; 0: it names none.
std::uint64_t row_of_message(std::string_view message);

}  // namespace anabranch::proxy::mysql
