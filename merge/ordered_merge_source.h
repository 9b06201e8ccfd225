#pragma once

#include <deque>

#include "merge/memory_budget.h"
#include "merge/operator.h"
#include "merge/sort_keys.h"
#include "merge/source.h"

namespace anabranch::merge {

/// Merges sorted sources: a tournament tree of losers (Knuth, TAOCP 3, 5.4.1) over normalised keys.
/// Rows that compare equal come by source, then in their own order; row bytes are copied untouched.
class OrderedMergeSource final : public Source {
 public:
  OrderedMergeSource(const std::vector<SortKey>& keys, const Shape& shape, std::size_t sources,
                     MemoryBudget& budget);

  void consume(std::size_t source, Batch batch) override;
  void finish(std::size_t source) override;
  Merger::Status next(Batch& out) override;

 private:
  struct Key {
    KeyPrefix prefix;
    std::uint32_t begin;
    std::uint32_t length;
  };
  /// One source: its batches, and the keys of the block of rows that is being merged.
  struct Stream {
    std::deque<Batch> batches;
    std::size_t block_begin = 0;  ///< of the block, in the first batch
    std::size_t row = 0;          ///< in the block
    std::vector<Key> keys;
    std::string key_bytes;
    bool finished = false;
  };
  /// What the tree compares: the current row of a source.
  struct Head {
    KeyPrefix prefix;
    std::string_view key;
    bool ended = false;
  };

  bool load(std::size_t source);
  void load_block(Stream& stream);
  bool is_before(std::size_t left, std::size_t right) const;
  void build_tree();
  void replay(std::size_t source);
  bool start(Merger::Status& status);

  SortKeys sort_keys_;
  RowBlock block_;
  Charge held_;
  std::vector<Stream> streams_;
  std::vector<Head> heads_;
  std::vector<std::size_t> losers_;  ///< [0]: the winner
  bool started_ = false;
  bool winner_exhausted_ = false;  ///< the winner's next row is not there yet
};

}  // namespace anabranch::merge
