#pragma once

#include <cstddef>

#include "merge/batch.h"
#include "merge/merger.h"

namespace anabranch::merge {

/// Where the partials meet: the only operator with several inputs.
class Source {
 public:
  virtual ~Source() = default;
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  virtual void consume(std::size_t source, Batch batch) = 0;
  virtual void finish(std::size_t source) = 0;
  virtual Merger::Status next(Batch& out) = 0;
};

}  // namespace anabranch::merge
