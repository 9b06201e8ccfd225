#include "merge/spilling_set.h"

namespace anabranch::merge {

bool SpillingSet::take_put_off(Batch& out) {
  while (!passes_.read(out)) {
    keys_.reset();
    const bool more = passes_.begin_next();
    keys_.emplace(*budget_);
    is_full_ = false;
    if (!more) return false;
  }
  return true;
}

void SpillingSet::forget_many() {
  if (keys_->size() < kManyKeys) return;
  keys_.reset();
  keys_.emplace(*budget_);
}

}  // namespace anabranch::merge
