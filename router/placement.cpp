#include "router/placement.h"

#include "router/strategies.h"

namespace anabranch::router {

std::optional<ShardSet> Strategy::between(const KeyRange&) const {
  return std::nullopt;
}

bool in_range(KeyType type, const KeyValue& key, const KeyRange& range) {
  if (range.lower) {
    const int order = conf::compare(type, key, *range.lower);
    if (order < 0 || (order == 0 && !range.lower_inclusive)) return false;
  }
  if (range.upper) {
    const int order = conf::compare(type, key, *range.upper);
    if (order > 0 || (order == 0 && !range.upper_inclusive)) return false;
  }
  return true;
}

}  // namespace anabranch::router
