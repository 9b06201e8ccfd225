#include "values/decimal.h"

#include <algorithm>
#include <array>

#include "values/base10000.h"
#include "values/errors.h"
#include "values/key_bytes.h"

namespace anabranch::values {

namespace {

constexpr int kBase = 10000;
constexpr int kDigitsPerBase = 4;
constexpr int kMaxWeight = 32767;    // 131072 digits before the point
constexpr int kMaxScale = 16383;     // digits after it
constexpr int kMinSignificant = 16;  // of quotients and roots
constexpr int kMaxDisplayScale = 1000;
constexpr int kMaxRoundScale = 2000;

int ceil_div4(int value) {
  return value >= 0 ? (value + 3) / 4 : -(-value / 4);
}

int power_of_ten(int exponent) {
  constexpr std::array<int, 4> kPowers = {1, 10, 100, 1000};
  return kPowers[static_cast<size_t>(exponent)];
}

}  // namespace

Decimal Decimal::nan() {
  Decimal value;
  value.kind_ = Kind::nan;
  return value;
}

Decimal Decimal::infinity(bool negative) {
  Decimal value;
  value.kind_ = Kind::infinite;
  value.negative_ = negative;
  return value;
}

Decimal Decimal::from_int128(Int128 value) {
  const bool negative = value < 0;
  auto rest = negative ? -static_cast<Uint128>(value) : static_cast<Uint128>(value);
  std::array<int16_t, 10> reversed;
  size_t count = 0;
  for (; rest != 0; rest /= kBase) reversed[count++] = static_cast<int16_t>(rest % kBase);
  std::vector<int16_t> digits(count);
  std::reverse_copy(reversed.begin(), reversed.begin() + count, digits.begin());
  return make(negative, static_cast<int>(count) - 1, 0, std::move(digits));
}

/// A finite value from digits that may have zeros at their ends.
Decimal Decimal::make(bool negative, int weight, int scale, std::vector<int16_t> digits) {
  Decimal value;
  value.negative_ = negative;
  value.weight_ = weight;
  value.scale_ = scale;
  value.digits_ = std::move(digits);
  value.strip();
  return value;
}

void Decimal::strip() {
  while (!digits_.empty() && digits_.back() == 0) digits_.pop_back();
  const auto first = std::ranges::find_if(digits_, [](int16_t d) { return d != 0; });
  weight_ -= static_cast<int>(first - digits_.begin());
  digits_.erase(digits_.begin(), first);
  if (digits_.empty()) {
    weight_ = 0;
    negative_ = false;
  }
}

void Decimal::check_limits() const {
  if (is_finite() && (weight_ > kMaxWeight || scale_ > kMaxScale))
    throw make_error(ErrorId::numeric_overflow);
}

void Decimal::round_to(int places) {
  scale_ = places;
  const int kept = (weight_ + 1) * kDigitsPerBase + places;  // decimal digits, padding included
  if (digits_.empty() || kept >= static_cast<int>(digits_.size()) * kDigitsPerBase) return;
  if (kept < 0) {
    digits_.clear();
    return strip();
  }
  const int drop = (kDigitsPerBase - kept % kDigitsPerBase) % kDigitsPerBase;
  const auto whole = static_cast<size_t>((kept + 3) / kDigitsPerBase);
  int carry = 0;
  if (drop == 0) {
    carry = digits_[whole] >= kBase / 2 ? 1 : 0;
    digits_.resize(whole);
  } else {
    digits_.resize(whole);
    const int unit = power_of_ten(drop);
    const int dropped = digits_.back() % unit;
    int last = digits_.back() - dropped;
    if (dropped >= unit / 2) last += unit;
    carry = last >= kBase ? 1 : 0;
    digits_.back() = static_cast<int16_t>(last - carry * kBase);
  }
  const size_t above = drop == 0 ? whole : whole - 1;
  for (size_t i = above; carry != 0 && i-- > 0;) {
    const int digit = digits_[i] + 1;
    carry = digit == kBase ? 1 : 0;
    digits_[i] = static_cast<int16_t>(digit - carry * kBase);
  }
  if (carry != 0) {
    digits_.insert(digits_.begin(), int16_t{1});
    ++weight_;
  }
  strip();
}

void Decimal::trunc_to(int places) {
  scale_ = places;
  const int kept = (weight_ + 1) * kDigitsPerBase + places;
  if (digits_.empty() || kept >= static_cast<int>(digits_.size()) * kDigitsPerBase) return;
  if (kept <= 0) {
    digits_.clear();
    return strip();
  }
  digits_.resize(static_cast<size_t>((kept + 3) / kDigitsPerBase));
  if (const int part = kept % kDigitsPerBase; part != 0) {
    int16_t& last = digits_.back();
    last = static_cast<int16_t>(last - last % power_of_ten(kDigitsPerBase - part));
  }
  strip();
}

int Decimal::compare_magnitude(const Decimal& other) const {
  if (digits_.empty() || other.digits_.empty())
    return static_cast<int>(!digits_.empty()) - static_cast<int>(!other.digits_.empty());
  if (weight_ != other.weight_) return weight_ < other.weight_ ? -1 : 1;
  const auto order = digits_ <=> other.digits_;
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

std::strong_ordering operator<=>(const Decimal& left, const Decimal& right) {
  const auto rank = [](const Decimal& value) {
    if (value.is_nan()) return 2;
    if (value.is_infinite()) return value.negative_ ? -1 : 1;
    return 0;
  };
  if (rank(left) != 0 || rank(right) != 0) return rank(left) <=> rank(right);
  if (left.negative_ != right.negative_)
    return left.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  const int order = left.compare_magnitude(right);
  return left.negative_ ? 0 <=> order : order <=> 0;
}

Decimal Decimal::add_magnitudes(const Decimal& left, const Decimal& right) {
  const int top = std::max(left.weight_, right.weight_) + 1;
  const int bottom = std::min(left.weight_ - static_cast<int>(left.digits_.size()),
                              right.weight_ - static_cast<int>(right.digits_.size())) +
                     1;
  std::vector<int16_t> digits(static_cast<size_t>(top - bottom + 1));
  for (const Decimal* part : {&left, &right}) {
    size_t at = static_cast<size_t>(top - part->weight_);
    for (const int16_t digit : part->digits_) digits[at++] += digit;
  }
  for (size_t i = digits.size() - 1; i > 0; --i) {
    if (digits[i] < kBase) continue;
    digits[i] -= kBase;
    ++digits[i - 1];
  }
  return make(left.negative_, top, std::max(left.scale_, right.scale_), std::move(digits));
}

Decimal Decimal::subtract_magnitudes(const Decimal& larger, const Decimal& smaller) {
  const int top = larger.weight_;
  const int bottom = std::min(larger.weight_ - static_cast<int>(larger.digits_.size()),
                              smaller.weight_ - static_cast<int>(smaller.digits_.size())) +
                     1;
  std::vector<int16_t> digits(static_cast<size_t>(top - bottom + 1));
  std::ranges::copy(larger.digits_, digits.begin());
  size_t at = static_cast<size_t>(top - smaller.weight_);
  for (const int16_t digit : smaller.digits_) digits[at++] -= digit;
  for (size_t i = digits.size() - 1; i > 0; --i) {
    if (digits[i] >= 0) continue;
    digits[i] += kBase;
    --digits[i - 1];
  }
  return make(larger.negative_, top, std::max(larger.scale_, smaller.scale_), std::move(digits));
}

Decimal Decimal::add_signed(const Decimal& left, const Decimal& right, bool negate_right) {
  if (left.is_nan() || right.is_nan()) return nan();
  if (left.is_infinite() || right.is_infinite()) {
    const bool right_negative = right.negative_ != negate_right;
    if (left.is_infinite() && right.is_infinite() && left.negative_ != right_negative) return nan();
    return infinity(left.is_infinite() ? left.negative_ : right_negative);
  }
  Decimal sum;
  if (left.digits_.empty() || right.digits_.empty()) {
    sum = left.digits_.empty() ? right : left;
    if (left.digits_.empty() && negate_right && !sum.digits_.empty())
      sum.negative_ = !sum.negative_;
    sum.scale_ = std::max(left.scale_, right.scale_);
  } else if (left.negative_ == (right.negative_ != negate_right)) {
    sum = add_magnitudes(left, right);
  } else if (left.compare_magnitude(right) >= 0) {
    sum = subtract_magnitudes(left, right);
  } else {
    sum = subtract_magnitudes(right, left);
    if (!sum.digits_.empty()) sum.negative_ = !left.negative_;
  }
  sum.check_limits();
  return sum;
}

Decimal operator+(const Decimal& left, const Decimal& right) {
  return Decimal::add_signed(left, right, false);
}

Decimal operator-(const Decimal& left, const Decimal& right) {
  return Decimal::add_signed(left, right, true);
}

/// The exact product; its scale is the sum of the scales.
Decimal Decimal::multiply(const Decimal& left, const Decimal& right) {
  const int scale = left.scale_ + right.scale_;
  if (left.digits_.empty() || right.digits_.empty()) return make(false, 0, scale, {});
  std::vector<int64_t> sums(left.digits_.size() + right.digits_.size());
  for (size_t i = 0; i < left.digits_.size(); ++i) {
    const int64_t digit = left.digits_[i];
    for (size_t j = 0; j < right.digits_.size(); ++j) sums[i + j + 1] += digit * right.digits_[j];
  }
  std::vector<int16_t> digits(sums.size());
  int64_t carry = 0;
  for (size_t i = sums.size(); i-- > 0;) {
    const int64_t part = sums[i] + carry;
    digits[i] = static_cast<int16_t>(part % kBase);
    carry = part / kBase;
  }
  return make(left.negative_ != right.negative_, left.weight_ + right.weight_ + 1, scale,
              std::move(digits));
}

Decimal operator*(const Decimal& left, const Decimal& right) {
  if (left.is_nan() || right.is_nan()) return Decimal::nan();
  if (left.is_infinite() || right.is_infinite()) {
    if (left.is_zero() || right.is_zero()) return Decimal::nan();
    return Decimal::infinity(left.negative_ != right.negative_);
  }
  Decimal product = Decimal::multiply(left, right);
  if (product.scale_ > kMaxScale) product.round_to(kMaxScale);
  product.check_limits();
  return product;
}

int Decimal::select_div_scale(const Decimal& left, const Decimal& right) {
  const int left_first = left.digits_.empty() ? 0 : left.digits_.front();
  const int right_first = right.digits_.empty() ? 0 : right.digits_.front();
  int quotient_weight = left.weight_ - right.weight_;
  if (left_first <= right_first) --quotient_weight;
  const int wanted = kMinSignificant - quotient_weight * kDigitsPerBase;
  return std::min(std::max({wanted, left.scale_, right.scale_, 0}), kMaxDisplayScale);
}

/// left / right to `scale` places, rounded half away from zero, or cut off. Finite, right not zero.
Decimal Decimal::quotient(const Decimal& left, const Decimal& right, int scale, bool rounded) {
  const int fraction_digits = ceil_div4(scale + 1);
  const int left_exponent = left.weight_ - static_cast<int>(left.digits_.size()) + 1;
  const int right_exponent = right.weight_ - static_cast<int>(right.digits_.size()) + 1;
  const int shift = fraction_digits + left_exponent - right_exponent;
  BigDigits dividend = left.digits_;
  BigDigits divisor = right.digits_;
  if (!dividend.empty() && shift > 0) dividend.resize(dividend.size() + static_cast<size_t>(shift));
  if (shift < 0) divisor.resize(divisor.size() + static_cast<size_t>(-shift));
  BigDigits digits = divide_digits(dividend, divisor);
  const int weight = static_cast<int>(digits.size()) - 1 - fraction_digits;
  Decimal result = make(left.negative_ != right.negative_, weight, scale, std::move(digits));
  if (rounded) {
    result.round_to(scale);
  } else {
    result.trunc_to(scale);
  }
  return result;
}

Decimal operator/(const Decimal& left, const Decimal& right) {
  if (left.is_nan() || right.is_nan()) return Decimal::nan();
  if (left.is_infinite()) {
    if (right.is_infinite()) return Decimal::nan();
    if (right.is_zero()) throw make_error(ErrorId::division_by_zero);
    return Decimal::infinity(left.negative_ != right.negative_);
  }
  if (right.is_infinite()) return {};
  return Decimal::div_to_scale(left, right, Decimal::select_div_scale(left, right));
}

Decimal Decimal::div_to_scale(const Decimal& left, const Decimal& right, int scale) {
  if (right.is_zero()) throw make_error(ErrorId::division_by_zero);
  Decimal result = quotient(left, right, scale, true);
  result.check_limits();
  return result;
}

Decimal Decimal::div_truncated(const Decimal& left, const Decimal& right, int scale) {
  if (right.is_zero()) throw make_error(ErrorId::division_by_zero);
  Decimal result = quotient(left, right, scale, false);
  result.check_limits();
  return result;
}

Decimal operator%(const Decimal& left, const Decimal& right) {
  if (left.is_nan() || right.is_nan()) return Decimal::nan();
  if (left.is_infinite()) {
    if (right.is_zero()) throw make_error(ErrorId::division_by_zero);
    return Decimal::nan();
  }
  if (right.is_infinite()) return left;
  if (right.is_zero()) throw make_error(ErrorId::division_by_zero);
  const Decimal whole = Decimal::quotient(left, right, 0, false);
  return left - Decimal::multiply(whole, right);
}

Decimal Decimal::negated() const {
  Decimal value = *this;
  if (!is_nan() && !is_zero()) value.negative_ = !negative_;
  return value;
}

Decimal Decimal::abs() const {
  Decimal value = *this;
  value.negative_ = false;
  return value;
}

Decimal Decimal::sign() const {
  if (is_nan()) return *this;
  if (is_zero()) return {};
  return from_int(negative_ ? -1 : 1);
}

Decimal Decimal::round(int places) const {
  if (!is_finite()) return *this;
  Decimal value = *this;
  value.round_to(std::clamp(places, -kMaxRoundScale, kMaxRoundScale));
  value.scale_ = std::max(value.scale_, 0);
  value.check_limits();
  return value;
}

Decimal Decimal::trunc(int places) const {
  if (!is_finite()) return *this;
  Decimal value = *this;
  value.trunc_to(std::clamp(places, -kMaxRoundScale, kMaxRoundScale));
  value.scale_ = std::max(value.scale_, 0);
  return value;
}

Decimal Decimal::ceil() const {
  if (!is_finite()) return *this;
  Decimal whole = trunc(0);
  return !negative_ && whole != *this ? whole + from_int(1) : whole;
}

Decimal Decimal::floor() const {
  if (!is_finite()) return *this;
  Decimal whole = trunc(0);
  return negative_ && whole != *this ? whole - from_int(1) : whole;
}

Decimal Decimal::sqrt() const {
  if (is_nan()) return *this;
  if (negative_) throw make_error(ErrorId::negative_square_root);
  if (is_infinite()) return *this;
  const int digits_before_point = weight_ * kDigitsPerBase / 2 + 1;
  const int wanted = kMinSignificant - digits_before_point;
  return sqrt_to_scale(*this, std::min(std::max({wanted, scale_, 0}), kMaxDisplayScale));
}

Decimal Decimal::sqrt_to_scale(const Decimal& value, int scale) {
  if (value.negative_) throw make_error(ErrorId::negative_square_root);
  const int fraction_digits = ceil_div4(scale + 1);
  // The integer part of value * 10000^(2 * fraction_digits), whose root has that many fraction
  // digits.
  const int size = value.weight_ + 1 + 2 * fraction_digits;
  BigDigits shifted = value.digits_;
  if (!shifted.empty()) shifted.resize(static_cast<size_t>(std::max(size, 0)));
  BigDigits digits = square_root_digits(shifted);
  const int weight = static_cast<int>(digits.size()) - 1 - fraction_digits;
  Decimal root = make(false, weight, scale, std::move(digits));
  root.round_to(scale);
  return root;
}

int64_t Decimal::to_int64(int64_t minimum, int64_t maximum, std::string_view type) const {
  if (!is_finite()) throw make_error(ErrorId::cannot_convert, is_nan() ? "NaN" : "infinity", type);
  Decimal whole = *this;
  whole.round_to(0);
  if (whole.weight_ > 4) throw make_error(ErrorId::numeric_value_out_of_range, type);
  Int128 value = 0;
  for (int i = 0; i <= whole.weight_; ++i) {
    const auto at = static_cast<size_t>(i);
    value = value * kBase + (at < whole.digits_.size() ? whole.digits_[at] : 0);
  }
  if (whole.digits_.empty()) value = 0;
  if (whole.negative_) value = -value;
  if (value < minimum || value > maximum)
    throw make_error(ErrorId::numeric_value_out_of_range, type);
  return static_cast<int64_t>(value);
}

/// A class byte (-Infinity, negative, zero, positive, Infinity, NaN), then for numbers the weight
/// and the digits, each plus one, up to a zero; inverted for negative numbers.
void Decimal::append_key(std::string& out) const {
  if (!is_finite() || digits_.empty()) {
    out.push_back(is_nan() ? 6 : is_infinite() ? (negative_ ? 1 : 5) : 3);
    return;
  }
  out.push_back(negative_ ? 2 : 4);
  const size_t at = out.size();
  append_signed_key(out, static_cast<int32_t>(weight_));
  for (const int16_t digit : digits_) append_be(out, static_cast<uint16_t>(digit + 1));
  append_be(out, uint16_t{0});
  if (!negative_) return;
  for (size_t i = at; i < out.size(); ++i) out[i] = static_cast<char>(~out[i]);
}

}  // namespace anabranch::values
