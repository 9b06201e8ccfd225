#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace anabranch::values {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

/// PostgreSQL's numeric, exactly: base-10000 digits, a weight (the power of 10000 of the first), a
/// display scale, NaN and the infinities. Results have the server's value *and* scale (rules of
/// src/backend/utils/adt/numeric.c, versions 14 to 17). Over 131072 digits before or 16383 after
/// the point: numeric_overflow.
class Decimal {
 public:
  Decimal() = default;  ///< 0
  static Decimal nan();
  static Decimal infinity(bool negative = false);
  static Decimal from_int(int64_t value) { return from_int128(value); }
  static Decimal from_int128(Int128 value);
  static Decimal from_float8(double value);  ///< as the cast: 15 significant digits
  static Decimal from_float4(float value);   ///< as the cast: 6 significant digits

  /// Everything numeric_in() of PostgreSQL 15 accepts; otherwise invalid_text.
  static Decimal parse(std::string_view text);
  /// numeric_send()'s bytes; otherwise invalid_binary.
  static Decimal from_binary(std::string_view bytes);

  void append_text(std::string& out) const;
  void append_binary(std::string& out) const;
  std::string to_string() const;

  bool is_nan() const { return kind_ == Kind::nan; }
  bool is_infinite() const { return kind_ == Kind::infinite; }
  bool is_finite() const { return kind_ == Kind::finite; }
  bool is_zero() const { return is_finite() && digits_.empty(); }
  bool is_negative() const { return negative_; }
  int scale() const { return scale_; }

  /// The server's order: NaN equals NaN and is above everything.
  friend std::strong_ordering operator<=>(const Decimal& left, const Decimal& right);
  friend bool operator==(const Decimal& left, const Decimal& right) {
    return (left <=> right) == 0;
  }

  friend Decimal operator+(const Decimal& left, const Decimal& right);
  friend Decimal operator-(const Decimal& left, const Decimal& right);
  friend Decimal operator*(const Decimal& left, const Decimal& right);
  friend Decimal operator/(const Decimal& left, const Decimal& right);  ///< division_by_zero
  friend Decimal operator%(const Decimal& left, const Decimal& right);  ///< sign of the dividend

  Decimal negated() const;
  Decimal abs() const;
  Decimal sign() const;
  /// Half away from zero; negative: before the point. Servers disagree beyond ±2000 places.
  Decimal round(int places) const;
  Decimal trunc(int places) const;
  Decimal ceil() const;
  Decimal floor() const;
  Decimal sqrt() const;  ///< negative_square_root

  /// Quotient and root with a given scale, as the statistics aggregates compute them (and a
  /// quotient whose further digits are cut off, as MariaDB has it).
  /// Finite operands only.
  static Decimal div_to_scale(const Decimal& left, const Decimal& right, int scale);
  static Decimal div_truncated(const Decimal& left, const Decimal& right, int scale);
  static Decimal sqrt_to_scale(const Decimal& value, int scale);
  /// The scale that `/` gives its result.
  static int select_div_scale(const Decimal& left, const Decimal& right);

  /// Rounded half away from zero; numeric_value_out_of_range naming `type`, or cannot_convert.
  int64_t to_int64(int64_t minimum, int64_t maximum, std::string_view type) const;
  int64_t to_int64() const { return to_int64(INT64_MIN, INT64_MAX, "bigint"); }
  double to_float8() const;  ///< numeric_value_out_of_range if it does not fit

  /// Appends bytes whose memcmp order is operator<=>, self-delimiting (for KeyEncoder).
  void append_key(std::string& out) const;

 private:
  enum class Kind : uint8_t { finite, infinite, nan };

  static Decimal make(bool negative, int weight, int scale, std::vector<int16_t> digits);
  void strip();
  void check_limits() const;
  void round_to(int places);
  void trunc_to(int places);
  int compare_magnitude(const Decimal& other) const;
  static Decimal add_magnitudes(const Decimal& left, const Decimal& right);
  static Decimal subtract_magnitudes(const Decimal& larger, const Decimal& smaller);
  static Decimal add_signed(const Decimal& left, const Decimal& right, bool negate_right);
  static Decimal multiply(const Decimal& left, const Decimal& right);
  static Decimal quotient(const Decimal& left, const Decimal& right, int scale, bool rounded);

  Kind kind_ = Kind::finite;
  bool negative_ = false;  // never for zero
  int scale_ = 0;
  int weight_ = 0;
  std::vector<int16_t> digits_;  // without zeros at either end
};

}  // namespace anabranch::values
