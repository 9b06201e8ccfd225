#include "merge/sort.h"

#include <algorithm>
#include <limits>

#include "merge/limit.h"

namespace anabranch::merge {

namespace {

constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

std::uint64_t bound_of(const Binding& binding, int slot) {
  const auto bound = row_count(binding, slot);
  return bound && *bound >= 0 ? static_cast<std::uint64_t>(*bound) : kUnbounded;
}

}  // namespace

SortOperator::SortOperator(const Sort& step, const Shape& shape, const Binding& binding,
                           MemoryBudget& budget)
    : sort_keys_(step.keys, shape),
      block_(shape.size()),
      bound_(bound_of(binding, step.bound_slot)),
      with_ties_(step.with_ties),
      charge_(budget) {}

std::string_view SortOperator::key(const Entry& entry) const {
  return std::string_view(keys_).substr(entry.key_begin, entry.key_length);
}

bool SortOperator::is_before(const Entry& left, const Entry& right) const {
  const int order = compare_keys(left.prefix, key(left), right.prefix, key(right));
  if (order != 0) return order < 0;
  return left.batch != right.batch ? left.batch < right.batch : left.row < right.row;
}

void SortOperator::consume(Batch batch) {
  add_keys(batch);
  batch_bytes_ += batch.byte_size() + batch.size() * sizeof(std::uint32_t);
  batches_.push_back(std::move(batch));
  if (bound_ < kUnbounded / 4 && entries_.size() >= 2 * bound_ + 4 * kBatchRows) {
    cut();
    drop_cut_rows();
  }
  recharge();
}

void SortOperator::add_keys(const Batch& batch) {
  for_each_block(batch, block_, [&](std::size_t first) {
    for (std::size_t i = 0; i < block_.size(); ++i) {
      const std::size_t begin = keys_.size();
      sort_keys_.append(block_, i, keys_);
      const std::string_view made = std::string_view(keys_).substr(begin);
      entries_.push_back({key_prefix(made), static_cast<std::uint32_t>(batches_.size()),
                          static_cast<std::uint32_t>(first + i), begin,
                          static_cast<std::uint32_t>(made.size())});
    }
  });
}

/// Drops entries that are beyond the bound whatever else may come.
void SortOperator::cut() {
  if (entries_.size() <= bound_) return;
  if (bound_ == 0) {
    entries_.clear();
    return;
  }
  const auto last = entries_.begin() + static_cast<std::ptrdiff_t>(bound_) - 1;
  std::nth_element(entries_.begin(), last, entries_.end(),
                   [this](const Entry& l, const Entry& r) { return is_before(l, r); });
  const auto is_tied = [&](const Entry& entry) {
    return with_ties_ && compare_keys(entry.prefix, key(entry), last->prefix, key(*last)) == 0;
  };
  entries_.erase(std::partition(last + 1, entries_.end(), is_tied), entries_.end());
}

/// Copies what is left out of its batches and keys. Entries go back into the order in which they
/// came, which decides between equal ones.
void SortOperator::drop_cut_rows() {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& l, const Entry& r) {
    return l.batch != r.batch ? l.batch < r.batch : l.row < r.row;
  });
  Batch kept;
  std::string keys;
  for (Entry& entry : entries_) {
    const std::size_t begin = keys.size();
    keys.append(key(entry));
    kept.append_row(batches_[entry.batch], entry.row);
    entry.key_begin = begin;
    entry.batch = 0;
    entry.row = static_cast<std::uint32_t>(kept.size() - 1);
  }
  keys_.swap(keys);
  batches_.clear();
  batch_bytes_ = kept.byte_size() + kept.size() * sizeof(std::uint32_t);
  batches_.push_back(std::move(kept));
}

void SortOperator::recharge() {
  charge_.set(batch_bytes_ + keys_.capacity() + entries_.capacity() * sizeof(Entry));
}

void SortOperator::finish() {
  cut();
  std::sort(entries_.begin(), entries_.end(),
            [this](const Entry& l, const Entry& r) { return is_before(l, r); });
  finished_ = true;
}

bool SortOperator::next(Batch& out) {
  if (!finished_) return false;
  for (; emitted_ < entries_.size() && !is_full(out); ++emitted_)
    out.append_row(batches_[entries_[emitted_].batch], entries_[emitted_].row);
  return !out.empty();
}

}  // namespace anabranch::merge
