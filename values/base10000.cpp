#include "values/base10000.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace anabranch::values {

namespace {

constexpr int kBase = 10000;

void strip_leading(BigDigits& digits) {
  const auto first = std::ranges::find_if(digits, [](int16_t d) { return d != 0; });
  digits.erase(digits.begin(), first);
}

BigDigits divide_by_digit(const BigDigits& dividend, int divisor) {
  BigDigits quotient(dividend.size());
  int remainder = 0;
  for (size_t i = 0; i < dividend.size(); ++i) {
    const int part = remainder * kBase + dividend[i];
    quotient[i] = static_cast<int16_t>(part / divisor);
    remainder = part % divisor;
  }
  strip_leading(quotient);
  return quotient;
}

std::vector<int32_t> scaled(const BigDigits& digits, int factor) {
  std::vector<int32_t> out(digits.size() + 1);
  int carry = 0;
  for (size_t i = digits.size(); i-- > 0;) {
    const int part = digits[i] * factor + carry;
    out[i + 1] = part % kBase;
    carry = part / kBase;
  }
  out[0] = carry;
  return out;
}

/// Takes guess * divisor off the remainder's digits from `at`; answers whether that was too much.
bool subtract_multiple(std::vector<int32_t>& remainder, size_t at,
                       const std::vector<int32_t>& divisor, int64_t guess) {
  int64_t carry = 0;
  for (size_t j = divisor.size(); j-- > 1;) {
    const int64_t part = remainder[at + j] - guess * divisor[j] + carry;
    carry = part >= 0 ? 0 : -((-part + kBase - 1) / kBase);
    remainder[at + j] = static_cast<int32_t>(part - carry * kBase);
  }
  const int64_t top = remainder[at] + carry;
  remainder[at] = static_cast<int32_t>(top);
  return top < 0;
}

void add_back(std::vector<int32_t>& remainder, size_t at, const std::vector<int32_t>& divisor) {
  int carry = 0;
  for (size_t j = divisor.size(); j-- > 1;) {
    const int part = remainder[at + j] + divisor[j] + carry;
    carry = part >= kBase ? 1 : 0;
    remainder[at + j] = part - carry * kBase;
  }
  remainder[at] += carry;
}

bool is_zero(const BigDigits& digits) {
  return digits.empty();
}

int compare_digits(const BigDigits& left, const BigDigits& right) {
  if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
  const auto order = left <=> right;
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

/// floor((left + right) / 2)
BigDigits mean(const BigDigits& left, const BigDigits& right) {
  const size_t size = std::max(left.size(), right.size()) + 1;
  BigDigits sum(size);
  int carry = 0;
  for (size_t i = 0; i < size; ++i) {
    const int part = (i < left.size() ? left[left.size() - 1 - i] : 0) +
                     (i < right.size() ? right[right.size() - 1 - i] : 0) + carry;
    sum[size - 1 - i] = static_cast<int16_t>(part % kBase);
    carry = part / kBase;
  }
  return divide_by_digit(sum, 2);
}

/// An upper bound of the root, right to about eight digits.
BigDigits root_from_above(const BigDigits& value) {
  const size_t top = std::min<size_t>(value.size(), value.size() % 2 == 0 ? 6 : 5);
  double leading = 0;
  for (size_t i = 0; i < top; ++i) leading = leading * kBase + value[i];
  auto root = static_cast<int64_t>(std::sqrt(leading)) + 2;
  BigDigits digits;
  for (; root > 0; root /= kBase) digits.push_back(static_cast<int16_t>(root % kBase));
  std::ranges::reverse(digits);
  digits.resize(digits.size() + (value.size() - top) / 2);
  return digits;
}

}  // namespace

/// Long division as Knuth describes it (The Art of Computer Programming 2, 4.3.1, algorithm D).
BigDigits divide_digits(const BigDigits& dividend, const BigDigits& divisor) {
  if (compare_digits(dividend, divisor) < 0) return {};
  if (divisor.size() == 1) return divide_by_digit(dividend, divisor[0]);
  const int factor = kBase / (divisor[0] + 1);
  std::vector<int32_t> remainder = scaled(dividend, factor);
  const std::vector<int32_t> by = scaled(divisor, factor);  // by[0] is 0
  const size_t n = divisor.size();
  BigDigits quotient(dividend.size() - n + 1);
  for (size_t at = 0; at < quotient.size(); ++at) {
    const int64_t top = int64_t{remainder[at]} * kBase + remainder[at + 1];
    int64_t guess = std::min<int64_t>(top / by[1], kBase - 1);
    while (guess * by[2] > (top - guess * by[1]) * kBase + remainder[at + 2]) --guess;
    if (guess != 0 && subtract_multiple(remainder, at, by, guess)) {
      add_back(remainder, at, by);
      --guess;
    }
    quotient[at] = static_cast<int16_t>(guess);
  }
  strip_leading(quotient);
  return quotient;
}

/// Newton's iteration from above, which falls until it reaches the floor of the root.
BigDigits square_root_digits(const BigDigits& value) {
  if (is_zero(value)) return {};
  BigDigits root = root_from_above(value);
  for (;;) {
    BigDigits next = mean(root, divide_digits(value, root));
    if (compare_digits(next, root) >= 0) return root;
    root = std::move(next);
  }
}

}  // namespace anabranch::values
