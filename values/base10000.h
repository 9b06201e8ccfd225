#pragma once

#include <cstdint>
#include <vector>

namespace anabranch::values {

/// Unsigned integers in base 10000, most significant digit first, without leading zeros (zero is
/// empty). What Decimal divides and takes roots with.
using BigDigits = std::vector<int16_t>;

/// floor(dividend / divisor); the divisor is not zero.
BigDigits divide_digits(const BigDigits& dividend, const BigDigits& divisor);

/// floor(sqrt(value)).
BigDigits square_root_digits(const BigDigits& value);

}  // namespace anabranch::values
