#include "merge/memory_budget.h"

#include <algorithm>

#include "values/errors.h"

namespace anabranch::merge {

void MemoryBudget::charge(std::size_t bytes) {
  if (bytes > limit_ - std::min(limit_, used_))
    throw values::make_error(values::ErrorId::memory_budget, limit_);
  used_ += bytes;
  peak_ = std::max(peak_, used_);
}

}  // namespace anabranch::merge
