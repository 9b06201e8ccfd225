#pragma once

#include <optional>

#include "merge/recipe.h"
#include "values/decimal.h"

/// Statistics from sums, as PostgreSQL's float.c and numeric.c have them since version 12.
namespace anabranch::merge {

/// Count, sums, and sums of squares and products about the means; Y is an aggregate's first
/// argument. Σx and Sxx alone serve the aggregates of one argument.
struct Moments {
  double count;
  double sum_x;
  double sum_y;
  double sxx;
  double syy;
  double sxy;
};

/// Adds partial sums (Chan, Golub, LeVeque 1979; float8_combine and float8_regr_combine). Throws
/// 22003 where finite sums overflow.
void combine_moments(Moments& into, const Moments& from, bool two_arguments);

/// nullopt is NULL.
std::optional<double> statistic(AggregateKind kind, const Moments& moments);

/// Variance or standard deviation from exact sums; numeric_stddev_internal().
std::optional<values::Decimal> statistic(AggregateKind kind, std::int64_t count,
                                         const values::Decimal& sum,
                                         const values::Decimal& sum_of_squares);

}  // namespace anabranch::merge
