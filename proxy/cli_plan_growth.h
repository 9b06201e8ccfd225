#pragma once

#include <iosfwd>
#include <string>

namespace anabranch::proxy {

struct PlanGrowthOptions {
  std::string before;    // path
  std::string after;     // path
  std::string database;  // empty: every database of both files
};

/// `anabranch plan-growth`: tells for each scheme of both files which share of the key space moves
/// when the first is replaced by the second, from where to where, and how even that leaves it.
/// Buckets are counted, other hashes sampled (and that is said); of ranges and lists the values are
/// named. Refuses only files that are not valid. Connects to nothing.
int plan_growth(const PlanGrowthOptions& options, std::ostream& out, std::ostream& err);

}  // namespace anabranch::proxy
