#include "merge/distinct.h"

#include <algorithm>

namespace anabranch::merge {

namespace {

/// The leading columns of the order, as far as they are compared.
std::vector<int> compared_order(const Distinct& step, const std::vector<SortKey>& order) {
  std::vector<int> columns;
  for (const SortKey& key : order) {
    if (std::ranges::find(step.columns, key.column) == step.columns.end()) break;
    columns.push_back(key.column);
  }
  return columns;
}

}  // namespace

DistinctOperator::DistinctOperator(const Distinct& step, const std::vector<SortKey>& order, const Shape& shape,
                                   MemoryBudget& budget, Spill* spill)
    : keys_(step.columns, shape),
      run_keys_(compared_order(step, order), shape),
      block_(shape.size()),
      seen_(budget, compared_order(step, order).size() == order.size() ? spill : nullptr) {}

void DistinctOperator::consume(Batch batch) {
  in_ = std::move(batch);
  taken_ = 0;
}

bool DistinctOperator::next(Batch& out) {
  for (;;) {
    if (rereading_) {
      Batch rows;
      rereading_ = seen_.take_put_off(rows);
      for_each_block(rows, block_, [&](std::size_t first) {
        for (std::size_t i = 0; i < block_.size(); ++i) insert(rows, first + i, i, out);
      });
      if (rereading_) return true;
    }
    if (taken_ < in_.size()) take_rows(out);
    if (!out.empty()) return true;
    if (rereading_) continue;
    if (!finished_ || !seen_.has_put_off()) return false;
    rereading_ = true;
  }
}

/// To the end of what has come, or of a run of which rows were put off.
void DistinctOperator::take_rows(Batch& out) {
  while (taken_ < in_.size()) {
    block_.load(in_, taken_, std::min(RowBlock::kRows, in_.size() - taken_));
    const std::size_t first = taken_;
    for (std::size_t i = 0; i < block_.size(); ++i, ++taken_) {
      if (begins_run(i)) {
        if (seen_.has_put_off()) {
          rereading_ = true;
          return;
        }
        seen_.forget_many();
        run_.swap(next_run_);
      }
      insert(in_, first + i, i, out);
    }
  }
}

/// Rows equal to earlier ones are of the same run. Without an order all rows are one run.
bool DistinctOperator::begins_run(std::size_t row) {
  if (run_keys_.empty()) return false;
  next_run_.clear();
  run_keys_.append(block_, row, next_run_);
  return next_run_ != run_;
}

void DistinctOperator::insert(const Batch& rows, std::size_t index, std::size_t row, Batch& out) {
  key_.clear();
  keys_.append(block_, row, key_);
  if (seen_.insert(key_, [&] { return rows.message(index); }) == SpillingSet::Verdict::first)
    out.append_row(rows, index);
}

}  // namespace anabranch::merge
