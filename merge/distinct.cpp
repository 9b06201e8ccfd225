#include "merge/distinct.h"

#include <algorithm>

#include "merge/sort_keys.h"

namespace anabranch::merge {

namespace {

bool is_compared(const Distinct& step, const SortKey& key) {
  return std::ranges::find(step.columns, key.column) != step.columns.end();
}

/// How many of the leading columns of the order are compared.
std::size_t compared_keys(const Distinct& step, const std::vector<SortKey>& order) {
  const auto first_other = std::ranges::find_if(order, [&](const SortKey& key) { return !is_compared(step, key); });
  return static_cast<std::size_t>(first_other - order.begin());
}

}  // namespace

DistinctOperator::DistinctOperator(const Distinct& step, const std::vector<SortKey>& order, const Shape& shape,
                                   MemoryBudget& budget, Spill* spill)
    : block_(shape.size()), seen_(budget, compared_keys(step, order) == order.size() ? spill : nullptr) {
  const auto part = [&](int column) {
    const auto index = static_cast<std::size_t>(column);
    return Part{index, equality_encoder(shape.at(index))};
  };
  for (const int column : step.columns) parts_.push_back(part(column));
  for (std::size_t i = 0; i < compared_keys(step, order); ++i) order_.push_back(part(order[i].column));
}

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
    if (taken_ < in_.size() || !finished_) {
      if (!rereading_) return false;
      continue;
    }
    if (!seen_.has_put_off()) return false;
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
  if (order_.empty()) return false;
  next_run_.clear();
  for (const Part& part : order_) part.encoder.append(block_.field(row, part.column).value(), next_run_);
  return next_run_ != run_;
}

void DistinctOperator::insert(const Batch& rows, std::size_t index, std::size_t row, Batch& out) {
  key_.clear();
  for (const Part& part : parts_) part.encoder.append(block_.field(row, part.column).value(), key_);
  if (seen_.insert(key_, [&] { return rows.message(index); }) == SpillingSet::Verdict::first)
    out.append_row(rows, index);
}

}  // namespace anabranch::merge
