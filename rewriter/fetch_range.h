#pragma once

#include <cstdint>

namespace anabranch::rewriter {

/// Which rows FETCH gives, as counted from where the cursor stands.
struct FetchRange {
  enum class To { forward, backward, absolute, relative } to = To::forward;
  std::int64_t count = 1;  ///< INT64_MAX: all
  bool move = false;       ///< MOVE: no rows are wanted
  bool operator==(const FetchRange&) const = default;
};

}  // namespace anabranch::rewriter
