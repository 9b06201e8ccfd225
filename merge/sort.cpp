#include "merge/sort.h"

#include <algorithm>
#include <limits>

#include "merge/limit.h"

namespace anabranch::merge {

namespace {

constexpr std::size_t kMostRuns = 32;
constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

std::uint64_t bound_of(const Binding& binding, int slot) {
  const auto bound = row_count(binding, slot);
  return bound && *bound >= 0 ? static_cast<std::uint64_t>(*bound) : kUnbounded;
}

}  // namespace

SortOperator::SortOperator(const Sort& step, const Shape& shape, const Binding& binding,
                           MemoryBudget& budget, Spill* spill)
    : step_(&step),
      shape_(shape),
      sort_keys_(step.keys, shape),
      block_(shape.size()),
      bound_(bound_of(binding, step.bound_slot)),
      budget_(&budget),
      spill_(spill != nullptr && spill->is_allowed() ? spill : nullptr),
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
  const std::size_t bytes = batch.byte_size();
  add_keys(batch);
  batch_bytes_ += bytes + batch.size() * sizeof(std::uint32_t);
  batches_.push_back(std::move(batch));
  charge_.set(held());
  if (has_many_to_cut(bytes)) {
    cut();
    drop_cut_rows();
    charge_.set(held());
  }
  if (spill_ != nullptr && is_tight(bytes)) {
    spill_->begin();
    phase_ = Phase::announcing;
  }
}

/// Twice the rows needed: that the rest is looked at again costs no more than it brings.
bool SortOperator::has_many_to_cut(std::size_t next_bytes) const {
  if (bound_ >= kUnbounded / 4 || entries_.size() < 2 * bound_) return false;
  return entries_.size() >= 2 * bound_ + 4 * kBatchRows || is_tight(next_bytes);
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
    return step_->with_ties && compare_keys(entry.prefix, key(entry), last->prefix, key(*last)) == 0;
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

std::size_t SortOperator::held() const {
  return batch_bytes_ + keys_.capacity() + entries_.capacity() * sizeof(Entry);
}

/// Vectors that are full will double, and another batch may come. A run is worth being written when
/// it is no small part of what memory there is.
bool SortOperator::is_tight(std::size_t next_bytes) const {
  const std::size_t growth = keys_.capacity() + entries_.capacity() * sizeof(Entry) + next_bytes;
  return held() >= budget_->limit() / 8 && budget_->used() + growth > budget_->limit() / 8 * 7;
}

void SortOperator::finish() {
  finished_ = true;
  if (!runs_.empty()) {
    phase_ = entries_.empty() ? after_run() : Phase::announcing;
    return;
  }
  sort_entries();
  phase_ = Phase::emitting;
}

void SortOperator::sort_entries() {
  cut();
  std::sort(entries_.begin(), entries_.end(),
            [this](const Entry& l, const Entry& r) { return is_before(l, r); });
}

void SortOperator::forget() {
  std::vector<Entry>().swap(entries_);
  std::string().swap(keys_);
  std::vector<Batch>().swap(batches_);
  batch_bytes_ = emitted_ = 0;
  charge_.set(0);
}

void SortOperator::begin_run() {
  sort_entries();
  runs_.emplace_back(*spill_, *budget_);
}

/// A part of it; false: all is written.
bool SortOperator::write_run() {
  std::size_t bytes = 0;
  for (; emitted_ < entries_.size() && bytes < kBatchBytes; ++emitted_) {
    const Entry& entry = entries_[emitted_];
    const std::string_view message = batches_[entry.batch].message(entry.row);
    runs_.back().append(message);
    bytes += message.size();
  }
  if (emitted_ < entries_.size()) return true;
  runs_.back().flush();
  forget();
  return false;
}

SortOperator::Phase SortOperator::after_run() {
  if (runs_.size() < kMostRuns && !finished_) return Phase::gathering;
  begin_merge();
  return finished_ ? Phase::merging : Phase::joining;
}

void SortOperator::begin_merge() {
  merged_.swap(runs_);
  merge_.emplace(step_->keys, shape_, merged_.size(), *budget_);
}

/// A part of it; false: all is merged.
bool SortOperator::merge_runs(Batch& out) {
  for (;;) {
    const Merger::Status status = merge_->next(out);
    if (status.kind == Merger::Status::Kind::rows) return true;
    if (status.kind == Merger::Status::Kind::end) break;
    Batch rows;
    if (merged_[status.source].read(rows))
      merge_->consume(status.source, std::move(rows));
    else
      merge_->finish(status.source);
  }
  merge_.reset();
  merged_.clear();
  return false;
}

/// Bounded work a call, but for the sorting of what memory holds: what takes longer says true with nothing.
bool SortOperator::next(Batch& out) {
  switch (phase_) {
    case Phase::gathering:
      return false;
    case Phase::announcing:
      phase_ = Phase::writing;
      return true;
    case Phase::writing:
      if (emitted_ == 0) begin_run();
      if (!write_run()) phase_ = after_run();
      return true;
    case Phase::joining: {
      if (runs_.empty()) runs_.emplace_back(*spill_, *budget_);
      Batch rows;
      if (merge_runs(rows)) {
        for (std::size_t i = 0; i < rows.size(); ++i) runs_.back().append(rows.message(i));
      } else {
        runs_.back().flush();
        phase_ = Phase::gathering;
      }
      return true;
    }
    case Phase::emitting:
      for (; emitted_ < entries_.size() && !is_full(out); ++emitted_)
        out.append_row(batches_[entries_[emitted_].batch], entries_[emitted_].row);
      return !out.empty();
    case Phase::merging:
      return merge_ && merge_runs(out);
  }
  return false;
}

}  // namespace anabranch::merge
