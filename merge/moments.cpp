#include "merge/moments.h"

#include <cmath>
#include <limits>

#include "values/errors.h"

namespace anabranch::merge {

using values::Decimal;

namespace {

void check_overflow(double result, double left, double right) {
  if (std::isinf(result) && !std::isinf(left) && !std::isinf(right))
    throw values::make_error(values::ErrorId::float_overflow);
}

double add_sums(double left, double right) {
  const double sum = left + right;
  check_overflow(sum, left, right);
  return sum;
}

/// One centred sum of both parts: their own, and what the distance of their means adds. A NaN is the
/// server's, whatever sign the processor's has.
double add_centred(double left, double right, double weight, double gap_x, double gap_y) {
  const double sum = left + right + weight * gap_x * gap_y;
  check_overflow(sum, left, right);
  return std::isnan(sum) ? std::numeric_limits<double>::quiet_NaN() : sum;
}

std::optional<double> spread(AggregateKind kind, const Moments& m) {
  const bool sample = kind == AggregateKind::var_samp || kind == AggregateKind::stddev_samp;
  const bool root = kind == AggregateKind::stddev_pop || kind == AggregateKind::stddev_samp;
  if (m.count < (sample ? 2.0 : 1.0)) return std::nullopt;
  const double variance = m.sxx / (sample ? m.count - 1.0 : m.count);
  return root ? std::sqrt(variance) : variance;
}

std::optional<double> correlation(const Moments& m) {
  if (m.sxx == 0 || m.syy == 0) return std::nullopt;
  return m.sxy / std::sqrt(m.sxx * m.syy);
}

std::optional<double> determination(const Moments& m) {
  if (m.sxx == 0) return std::nullopt;
  if (m.syy == 0) return 1.0;
  return (m.sxy * m.sxy) / (m.sxx * m.syy);
}

std::optional<double> slope(const Moments& m) {
  if (m.sxx == 0) return std::nullopt;
  return m.sxy / m.sxx;
}

std::optional<double> intercept(const Moments& m) {
  if (m.sxx == 0) return std::nullopt;
  return (m.sum_y - m.sum_x * m.sxy / m.sxx) / m.count;
}

}  // namespace

void combine_moments(Moments& into, const Moments& from, bool two_arguments) {
  if (from.count == 0) return;
  if (into.count == 0) {
    into = from;
    return;
  }
  const double count = into.count + from.count;
  const double weight = into.count * from.count / count;
  const double gap_x = into.sum_x / into.count - from.sum_x / from.count;
  const double gap_y = into.sum_y / into.count - from.sum_y / from.count;
  into.sum_x = add_sums(into.sum_x, from.sum_x);
  into.sxx = add_centred(into.sxx, from.sxx, weight, gap_x, gap_x);
  if (two_arguments) {
    into.sum_y = add_sums(into.sum_y, from.sum_y);
    into.syy = add_centred(into.syy, from.syy, weight, gap_y, gap_y);
    into.sxy = add_centred(into.sxy, from.sxy, weight, gap_x, gap_y);
  }
  into.count = count;
}

std::optional<double> statistic(AggregateKind kind, const Moments& m) {
  if (m.count < 1.0) return std::nullopt;
  using enum AggregateKind;
  switch (kind) {
    case var_pop:
    case var_samp:
    case stddev_pop:
    case stddev_samp:
      return spread(kind, m);
    case regr_avgx:
      return m.sum_x / m.count;
    case regr_avgy:
      return m.sum_y / m.count;
    case regr_sxx:
      return m.sxx;
    case regr_syy:
      return m.syy;
    case regr_sxy:
      return m.sxy;
    case covar_pop:
      return m.sxy / m.count;
    case covar_samp:
      return m.count < 2.0 ? std::nullopt : std::optional(m.sxy / (m.count - 1.0));
    case corr:
      return correlation(m);
    case regr_r2:
      return determination(m);
    case regr_slope:
      return slope(m);
    case regr_intercept:
      return intercept(m);
    default:
      return std::nullopt;
  }
}

std::optional<Decimal> statistic(AggregateKind kind, std::int64_t count, const Decimal& sum,
                                 const Decimal& sum_of_squares) {
  const bool sample = kind == AggregateKind::var_samp || kind == AggregateKind::stddev_samp;
  const bool root = kind == AggregateKind::stddev_pop || kind == AggregateKind::stddev_samp;
  if (count < (sample ? 2 : 1)) return std::nullopt;
  if (!sum.is_finite() || !sum_of_squares.is_finite()) return Decimal::nan();
  const Decimal n = Decimal::from_int(count);
  const Decimal numerator = n * sum_of_squares - sum * sum;
  if (numerator.is_zero() || numerator.is_negative()) return Decimal();
  const Decimal denominator = n * (sample ? Decimal::from_int(count - 1) : n);
  const int scale = Decimal::select_div_scale(numerator, denominator);
  const Decimal variance = Decimal::div_to_scale(numerator, denominator, scale);
  return root ? Decimal::sqrt_to_scale(variance, scale) : variance;
}

}  // namespace anabranch::merge
