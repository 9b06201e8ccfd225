#pragma once

#include <list>

#include "merge/memory_budget.h"
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
  struct Row {
    KeyPrefix prefix;
    std::string_view message;
    std::uint32_t key_begin;
    std::uint32_t key_length;
  };
  /// One source: its batches, and the block of rows that is being merged.
  struct Stream {
    std::list<Batch> batches;
    std::size_t next_block = 0;  ///< where in the first batch the next block begins
    std::vector<Row> block;
    std::size_t row = 0;  ///< the current one, in the block
    std::string keys;     ///< of the block
    bool finished = false;
  };
  /// A player: the current row of a source. A source that has ended loses to all others.
  struct Player {
    KeyPrefix prefix;
    std::size_t source = 0;
  };

  bool load(std::size_t source);
  void load_block(Stream& stream);
  void retire_batch(Stream& stream);
  Player player(std::size_t source) const;
  bool is_before(const Player& left, const Player& right) const {
    if (left.prefix.high != right.prefix.high) return left.prefix.high < right.prefix.high;
    if (left.prefix.low != right.prefix.low) return left.prefix.low < right.prefix.low;
    return is_before_in_tie(left.source, right.source);
  }
  bool is_before_in_tie(std::size_t left, std::size_t right) const;
  std::string_view current_key(std::size_t source) const;
  void build_tree();
  void replay(std::size_t source);
  bool start(Merger::Status& status);
  void choose_rows();

  SortKeys sort_keys_;
  RowBlock block_;
  Charge held_;
  std::vector<Stream> streams_;
  std::vector<Player> tree_;  ///< losers of the matches; [0]: the winner
  std::vector<std::string_view> chosen_;
  std::list<Batch> retired_;  ///< merged whole, but chosen rows still point into them
  bool started_ = false;
  bool winner_is_dry_ = false;  ///< the winner's next row has not come yet
};

}  // namespace anabranch::merge
