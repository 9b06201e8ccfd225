#include "merge/limit.h"

#include <algorithm>

#include "values/errors.h"

namespace anabranch::merge {

std::optional<std::int64_t> row_count(const Binding& binding, int slot) {
  if (slot < 0) return std::nullopt;
  const values::Datum& datum = binding.slots.at(static_cast<std::size_t>(slot));
  if (datum.is_null()) return std::nullopt;
  if (const auto* number = std::get_if<std::int64_t>(&datum.value)) return *number;
  throw values::make_error(values::ErrorId::internal, "a row count that is not an integer");
}

LimitOperator::LimitOperator(const Limit& step, const Shape& shape, const Binding& binding)
    : tie_keys_(step.tie_keys, shape), block_(shape.size()), ties_(step.with_ties) {
  if (const auto offset = row_count(binding, step.offset_slot)) {
    if (*offset < 0) throw values::SqlError("2201X", "OFFSET must not be negative");
    skip_ = static_cast<std::uint64_t>(*offset);
  }
  if (const auto count = row_count(binding, step.count_slot)) {
    if (*count < 0) throw values::SqlError("2201W", "LIMIT must not be negative");
    left_ = static_cast<std::uint64_t>(*count);
  }
  if (left_ == 0) ties_ = false;
}

void LimitOperator::consume(Batch batch) {
  const std::size_t skipped = std::min<std::uint64_t>(skip_, batch.size());
  skip_ -= skipped;
  const std::size_t end = skipped + std::min<std::uint64_t>(left_, batch.size() - skipped);
  left_ -= end - skipped;
  if (end - skipped == batch.size() && !(ties_ && left_ == 0)) {
    pending_.swap(batch);
    return;
  }
  for (std::size_t i = skipped; i < end; ++i) pending_.append_row(batch, i);
  if (!ties_ || left_ > 0) return;
  if (end > skipped) {
    block_.load(batch, end - 1, 1);
    last_key_.clear();
    tie_keys_.append(block_, 0, last_key_);
  }
  std::string key;
  for (std::size_t i = end; i < batch.size() && !ties_over_; ++i) {
    block_.load(batch, i, 1);
    key.clear();
    tie_keys_.append(block_, 0, key);
    ties_over_ = key != last_key_;
    if (!ties_over_) pending_.append_row(batch, i);
  }
}

bool LimitOperator::next(Batch& out) {
  if (pending_.empty()) return false;
  out.swap(pending_);
  pending_.clear();
  return true;
}

}  // namespace anabranch::merge
