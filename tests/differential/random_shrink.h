#pragma once

#include <functional>

#include "random_query.h"

namespace anabranch::differential {

/// Looks for a shorter query of which the same holds, by leaving choices out and by making them smaller. Asks at
/// most a few hundred times.
RandomQuery shrink(QueryGenerator& generator, const Choices& choices, const RandomQuery& query,
                   const std::function<bool(const RandomQuery&)>& holds);

}  // namespace anabranch::differential
