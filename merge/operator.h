#pragma once

#include <cstddef>

#include "merge/batch.h"

namespace anabranch::merge {

/// One step of a recipe at work. Rows go in by batches and come out by batches; nothing here waits.
class Operator {
 public:
  virtual ~Operator() = default;
  Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  /// Takes a batch, which has at least one row. Only called after next() has said false.
  virtual void consume(Batch batch) = 0;
  /// No more batches will come.
  virtual void finish() = 0;
  /// Puts rows into the empty `out` and says true; false: nothing before the next consume(), and
  /// nothing ever after finish().
  virtual bool next(Batch& out) = 0;
  /// Nothing that could still come in would change the answer.
  virtual bool satisfied() const { return false; }
};

/// How much an operator that builds rows puts into one batch.
inline constexpr std::size_t kBatchRows = 1024;
inline constexpr std::size_t kBatchBytes = 256 * 1024;

inline bool is_full(const Batch& batch) {
  return batch.size() >= kBatchRows || batch.byte_size() >= kBatchBytes;
}

/// An operator that turns one batch into one batch, keeping nothing.
class StreamingOperator : public Operator {
 public:
  void consume(Batch batch) final {
    pending_.clear();
    transform(batch, pending_);
  }
  void finish() final {}
  bool next(Batch& out) final {
    if (pending_.empty()) return false;
    out.swap(pending_);
    pending_.clear();
    return true;
  }

 protected:
  virtual void transform(Batch& in, Batch& out) = 0;

 private:
  Batch pending_;
};

}  // namespace anabranch::merge
