#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "merge/memory_budget.h"
#include "merge/operator.h"
#include "merge/ordered_merge_source.h"
#include "merge/recipe.h"
#include "merge/sort_keys.h"
#include "merge/spilled_rows.h"

namespace anabranch::merge {

/// Sorts all rows; with a bound it never holds many more than that. Equal rows keep their order. When
/// memory is short, what has come is sorted and put on disk as a run; runs are merged in the end.
class SortOperator final : public Operator {
 public:
  /// `step` outlives the operator.
  SortOperator(const Sort& step, const Shape& shape, const Binding& binding, MemoryBudget& budget, Spill* spill);

  void consume(Batch batch) override;
  void finish() override;
  bool next(Batch& out) override;

 private:
  struct Entry {
    KeyPrefix prefix;
    std::uint32_t batch;
    std::uint32_t row;
    std::uint64_t key_begin;
    std::uint32_t key_length;
  };
  enum class Phase {
    gathering,
    announcing,  ///< what follows may wait for the disk
    writing,     ///< what has come becomes a run
    joining,     ///< many runs become one
    emitting,
    merging  ///< runs become the answer
  };

  bool is_before(const Entry& left, const Entry& right) const;
  std::string_view key(const Entry& entry) const;
  void add_keys(const Batch& batch);
  void cut();
  void drop_cut_rows();
  std::size_t held() const;
  bool has_many_to_cut(std::size_t next_bytes) const;
  bool is_tight(std::size_t next_bytes) const;
  void sort_entries();
  void forget();
  void begin_run();
  bool write_run();
  void begin_merge();
  bool merge_runs(Batch& out);
  Phase after_run();

  const Sort* step_;
  Shape shape_;
  SortKeys sort_keys_;
  RowBlock block_;
  std::uint64_t bound_;  ///< rows needed, at most
  MemoryBudget* budget_;
  Spill* spill_;
  Phase phase_ = Phase::gathering;
  Charge charge_;
  std::vector<Batch> batches_;
  std::size_t batch_bytes_ = 0;
  std::vector<Entry> entries_;
  std::string keys_;
  std::size_t emitted_ = 0;
  bool finished_ = false;
  std::vector<SpilledRows> runs_;      ///< in the order in which their rows came
  std::vector<SpilledRows> merged_;    ///< those that are being merged
  std::optional<OrderedMergeSource> merge_;
};

}  // namespace anabranch::merge
