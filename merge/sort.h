#pragma once

#include <cstdint>
#include <vector>

#include "merge/memory_budget.h"
#include "merge/operator.h"
#include "merge/recipe.h"
#include "merge/sort_keys.h"

namespace anabranch::merge {

/// Sorts all rows; with a bound it never holds many more than that. Equal rows keep their order.
class SortOperator final : public Operator {
 public:
  SortOperator(const Sort& step, const Shape& shape, const Binding& binding, MemoryBudget& budget);

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

  bool is_before(const Entry& left, const Entry& right) const;
  std::string_view key(const Entry& entry) const;
  void add_keys(const Batch& batch);
  void cut();
  void drop_cut_rows();
  void recharge();

  SortKeys sort_keys_;
  RowBlock block_;
  std::uint64_t bound_;  ///< rows needed, at most
  bool with_ties_;
  Charge charge_;
  std::vector<Batch> batches_;
  std::size_t batch_bytes_ = 0;
  std::vector<Entry> entries_;
  std::string keys_;
  std::size_t emitted_ = 0;
  bool finished_ = false;
};

}  // namespace anabranch::merge
