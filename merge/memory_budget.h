#pragma once

#include <cstddef>
#include <utility>

namespace anabranch::merge {

/// Bytes one query may hold. Not shared between queries; one thread. Charging beyond the limit
/// throws SqlError 53200 that names limits.query_memory.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t limit) : limit_(limit) {}
  void charge(std::size_t bytes);
  void release(std::size_t bytes) { used_ -= bytes; }
  std::size_t limit() const { return limit_; }
  std::size_t used() const { return used_; }
  std::size_t peak() const { return peak_; }

 private:
  std::size_t limit_;
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
};

/// What one structure has charged; given back when the structure dies.
class Charge {
 public:
  explicit Charge(MemoryBudget& budget) : budget_(&budget) {}
  Charge(Charge&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&&) = delete;
  ~Charge() { budget_->release(bytes_); }

  void grow(std::size_t bytes) {
    budget_->charge(bytes);
    bytes_ += bytes;
  }
  void shrink(std::size_t bytes) {
    budget_->release(bytes);
    bytes_ -= bytes;
  }
  /// The structure now holds `bytes` in all.
  void set(std::size_t bytes) {
    if (bytes > bytes_)
      grow(bytes - bytes_);
    else
      shrink(bytes_ - bytes);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  MemoryBudget* budget_;
  std::size_t bytes_ = 0;
};

}  // namespace anabranch::merge
