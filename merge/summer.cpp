#include "merge/summer.h"

#include <limits>

#include "merge/read_number.h"
#include "values/arith.h"

namespace anabranch::merge {

using values::Datum;
using values::Decimal;
using values::Int128;
using values::Oid;
using values::Uint128;
namespace oid = values::oid;

void IntegerSummer::add(State& state, const Field& field, const Column& column) const {
  const std::int64_t value = read_integer(field, column);
  const bool carry =
      __builtin_add_overflow(state.low, static_cast<std::uint64_t>(value), &state.low);
  state.high += (value < 0 ? -1 : 0) + (carry ? 1 : 0);
  state.any = 1;
}

Datum IntegerSummer::result(const State& state, Oid type) const {
  if (state.any == 0) return Datum::null(type);
  const Int128 sum = (static_cast<Int128>(state.high) << 64) | state.low;
  return values::cast(Datum::numeric(Decimal::from_int128(sum)), type);
}

void FloatSummer::add(State& state, const Field& field, const Column& column) const {
  const double value = read_float8(field, column);
  const double sum = state.sum + value;
  if (std::isinf(sum) && !std::isinf(state.sum) && !std::isinf(value))
    throw values::make_error(values::ErrorId::float_overflow);
  if (std::isfinite(sum))
    state.lost += std::abs(state.sum) >= std::abs(value) ? (state.sum - sum) + value
                                                         : (value - sum) + state.sum;
  // -0 + -0 must stay -0, which a first sum of 0 would lose.
  state.sum = state.any == 0 ? value : sum;
  state.any = 1;
}

Datum FloatSummer::result(const State& state, Oid type) const {
  if (state.any == 0) return Datum::null(type);
  const double sum =
      std::isfinite(state.sum) && state.lost != 0 ? state.sum + state.lost : state.sum;
  return type == oid::float4 ? values::cast(Datum::float8(sum), type) : Datum::float8(sum);
}

namespace {

constexpr int kFractionGroups = 4;  // of four decimal digits each
constexpr int kLargestWeight = 4;   // 10^20 and below, times 10^16, leaves two digits to grow
constexpr Int128 kSmallLimit =
    static_cast<Int128>(1'000'000'000'000'000'000LL) * 1'000'000'000'000'000'000LL * 100;

struct SmallNumeric {
  Int128 scaled;
  std::uint16_t scale;
};

/// numeric_send()'s bytes as a scaled integer, if they fit. Malformed ones do not fit either.
std::optional<SmallNumeric> read_small(std::string_view bytes) {
  if (bytes.size() < 8) return std::nullopt;
  const auto digits = values::load_be<std::uint16_t>(bytes.data());
  const auto weight = values::load_be<std::int16_t>(bytes.data() + 2);
  const auto sign = values::load_be<std::uint16_t>(bytes.data() + 4);
  const auto scale = values::load_be<std::uint16_t>(bytes.data() + 6);
  if (bytes.size() != 8 + 2U * digits || (sign != 0 && sign != 0x4000) || scale > 0x3fff)
    return std::nullopt;
  if (weight > kLargestWeight || weight - digits + 1 < -kFractionGroups) return std::nullopt;
  Int128 scaled = 0;
  for (std::uint16_t i = 0; i < digits; ++i) {
    const auto digit = values::load_be<std::uint16_t>(bytes.data() + 8 + 2U * i);
    if (digit > 9999) return std::nullopt;
    scaled = scaled * 10000 + digit;
  }
  for (int i = weight - digits + 1; i > -kFractionGroups; --i) scaled *= 10000;
  return SmallNumeric{sign == 0 ? scaled : -scaled, scale};
}

Int128 scaled_sum(const NumericSummer::State& state) {
  return (static_cast<Int128>(state.high) << 64) | state.low;
}

Decimal from_scaled(Int128 scaled, int scale) {
  static const Decimal kUnit = Decimal::parse("0.0000000000000001");
  return (Decimal::from_int128(scaled) * kUnit).round(scale);
}

}  // namespace

void NumericSummer::add(State& state, const Field& field, const Column& column) {
  state.any = 1;
  std::optional<SmallNumeric> small;
  if (is_integer_type(column.type.oid))
    small = {static_cast<Int128>(read_integer(field, column)) * 10'000'000'000'000'000LL, 0};
  else if (column.format == values::Format::binary)
    small = read_small(field.bytes());
  if (!small) {
    add_large(state,
              std::get<Decimal>(values::decode(oid::numeric, column.format, field.bytes()).value));
    return;
  }
  state.scale = std::max(state.scale, small->scale);
  const Int128 sum = scaled_sum(state) + small->scaled;
  state.low = static_cast<std::uint64_t>(sum);
  state.high = static_cast<std::int64_t>(sum >> 64);
  if (sum < kSmallLimit && sum > -kSmallLimit) return;
  state.low = 0;
  state.high = 0;
  add_large(state, from_scaled(sum, state.scale));
}

void NumericSummer::add_large(State& state, const Decimal& value) {
  if (state.large == 0) {
    charge_.grow(sizeof(Decimal) + 64);
    large_.push_back(value);
    state.large = static_cast<std::uint32_t>(large_.size());
    return;
  }
  Decimal& sum = large_[state.large - 1];
  sum = sum + value;
}

Decimal NumericSummer::total(const State& state) const {
  const Decimal small = from_scaled(scaled_sum(state), state.scale);
  return state.large == 0 ? small : large_[state.large - 1] + small;
}

Datum NumericSummer::result(const State& state, Oid type) const {
  if (state.any == 0) return Datum::null(type);
  return values::cast(Datum::numeric(total(state)), type);
}

void DatumSummer::add(State& state, const Field& field, const Column& column) {
  Datum value = values::decode(column.type.oid, column.format, field.bytes());
  if (state.index == 0) {
    charge_.grow(sizeof(Datum));
    sums_.push_back(std::move(value));
    state.index = sums_.size();
    return;
  }
  Datum& sum = sums_[state.index - 1];
  sum = values::add(sum, value);
}

Datum DatumSummer::result(const State& state, Oid type) const {
  return state.index == 0 ? Datum::null(type) : sums_[state.index - 1];
}

}  // namespace anabranch::merge
