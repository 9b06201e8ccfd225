#pragma once

#include <cstdint>

#include "runner.h"

namespace anabranch::differential {

/// Compares generated queries on the single server and every endpoint for so many seconds. Prints
/// the seed, each difference with its query and the shortest like it that was found, and the shares of plan kinds, refusals and non-empty
/// answers. Returns the number of differences.
int run_random(const Options& options, int seconds, uint64_t seed);

}  // namespace anabranch::differential
