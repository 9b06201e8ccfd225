#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

#include "router/composite_key.h"
#include "router/hash.h"

namespace anabranch::router {
namespace {

constexpr std::uint64_t partition_seed = 8816678312871386365ULL;    // HASH_PARTITION_SEED
constexpr std::uint64_t combine_constant = 0x49a0f4dd15e5a8e3ULL;   // hash_combine64
constexpr std::uint32_t initial_constant = 0x9e3779b9U + 3923095U;  // hashfn.c
constexpr std::int64_t days_1970_to_2000 = 10'957;
constexpr std::int64_t microseconds_1970_to_2000 = days_1970_to_2000 * 86'400 * 1'000'000;

/// The three words of lookup3 (Bob Jenkins, 2006), with the rotations of common/hashfn.c.
struct Lookup3 {
  std::uint32_t a;
  std::uint32_t b;
  std::uint32_t c;

  Lookup3(std::uint32_t length, std::uint64_t seed) : a(initial_constant + length), b(a), c(a) {
    if (seed == 0) return;
    a += static_cast<std::uint32_t>(seed >> 32U);
    b += static_cast<std::uint32_t>(seed);
    mix();
  }

  static void stir(std::uint32_t& x, std::uint32_t& by, std::uint32_t add, int rotation) {
    x -= by;
    x ^= std::rotl(by, rotation);
    by += add;
  }

  void mix() {
    stir(a, c, b, 4);
    stir(b, a, c, 6);
    stir(c, b, a, 8);
    stir(a, c, b, 16);
    stir(b, a, c, 19);
    stir(c, b, a, 4);
  }

  static void settle(std::uint32_t& x, std::uint32_t by, int rotation) {
    x ^= by;
    x -= std::rotl(by, rotation);
  }

  std::uint64_t finish() {
    settle(c, b, 14);
    settle(a, c, 11);
    settle(b, a, 25);
    settle(c, b, 16);
    settle(a, c, 4);
    settle(b, a, 14);
    settle(c, b, 24);
    return (static_cast<std::uint64_t>(b) << 32U) | c;
  }
};

std::uint32_t word_at(const char* at) {
  std::uint32_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

/// hashint8extended: equal to hashint4extended and hashint2extended for values of those types.
std::uint64_t hash_integer(std::int64_t value) {
  const auto low = static_cast<std::uint32_t>(value);
  const auto high = static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) >> 32U);
  return pg_hash_uint32(low ^ (value >= 0 ? high : ~high), partition_seed);
}

/// Digits to the base of 10000 as numeric keeps them, without zeros at either end, and the power of
/// 10000 of the first.
struct NumericDigits {
  std::vector<std::int16_t> digits;
  int weight = 0;
};

NumericDigits numeric_digits(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string whole(text.substr(0, point));
  std::string fraction(point < text.size() ? text.substr(point + 1) : std::string_view());
  whole.insert(0, (4 - whole.size() % 4) % 4, '0');
  fraction.append((4 - fraction.size() % 4) % 4, '0');
  NumericDigits result;
  result.weight = static_cast<int>(whole.size() / 4) - 1;
  const std::string all = whole + fraction;
  for (std::size_t i = 0; i < all.size(); i += 4) {
    int digit = 0;
    for (std::size_t j = i; j < i + 4; ++j) digit = digit * 10 + (all[j] - '0');
    if (result.digits.empty() && digit == 0) {
      --result.weight;
    } else {
      result.digits.push_back(static_cast<std::int16_t>(digit));
    }
  }
  while (!result.digits.empty() && result.digits.back() == 0) result.digits.pop_back();
  return result;
}

/// hash_numeric_extended: the sign is left out, and special values give the seed itself.
std::uint64_t hash_numeric(std::string_view text) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return partition_seed;
  const NumericDigits number = numeric_digits(text);
  if (number.digits.empty()) return partition_seed - 1;
  const std::string_view bytes(reinterpret_cast<const char*>(number.digits.data()),
                               number.digits.size() * sizeof(std::int16_t));
  return pg_hash_bytes(bytes, partition_seed) ^
         static_cast<std::uint64_t>(static_cast<std::int64_t>(number.weight));
}

std::int64_t since_2000(std::int64_t value, std::int64_t shift, std::int64_t least,
                        std::int64_t greatest) {
  return value == least || value == greatest ? value : value - shift;
}

std::uint64_t hash_type(KeyType type, const KeyValue& key) {
  switch (type) {
    case KeyType::bigint:
      return hash_integer(key.integer);
    case KeyType::date:
      return hash_integer(since_2000(key.integer, days_1970_to_2000,
                                     std::numeric_limits<std::int32_t>::min(),
                                     std::numeric_limits<std::int32_t>::max()));
    case KeyType::timestamp:
      return hash_integer(since_2000(key.integer, microseconds_1970_to_2000,
                                     std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max()));
    case KeyType::numeric:
      return hash_numeric(key.bytes);
    case KeyType::text:
    case KeyType::uuid:
    case KeyType::bytes:
      return pg_hash_bytes(key.bytes, partition_seed);
  }
  return 0;
}

}  // namespace

std::uint64_t pg_hash_uint32(std::uint32_t value, std::uint64_t seed) {
  Lookup3 state(sizeof(value), seed);
  state.a += value;
  return state.finish();
}

std::uint64_t pg_hash_bytes(std::string_view bytes, std::uint64_t seed) {
  Lookup3 state(static_cast<std::uint32_t>(bytes.size()), seed);
  while (bytes.size() >= 12) {
    state.a += word_at(bytes.data());
    state.b += word_at(bytes.data() + 4);
    state.c += word_at(bytes.data() + 8);
    state.mix();
    bytes.remove_prefix(12);
  }
  // The rest: the lowest byte of the last word is left to the length.
  std::array<char, 13> rest{};
  const std::size_t first = std::min<std::size_t>(bytes.size(), 8);
  if (first > 0) std::memcpy(rest.data(), bytes.data(), first);
  if (bytes.size() > 8) std::memcpy(rest.data() + 9, bytes.data() + 8, bytes.size() - 8);
  state.a += word_at(rest.data());
  state.b += word_at(rest.data() + 4);
  state.c += word_at(rest.data() + 8);
  return state.finish();
}

std::uint64_t pg_hash(KeyType type, const KeyValue& key) {
  if (key.is_null()) return 0;
  return hash_type(type, key) +
         combine_constant;  // hash_combine64(0, …): the shifts of 0 add nothing
}

std::uint64_t pg_hash_of_parts(std::span<const KeyType> types, std::span<const KeyValue> parts) {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].is_null()) continue;
    hash ^= hash_type(types[i], parts[i]) + combine_constant + (hash << 54U) + (hash >> 7U);
  }
  return hash;
}

}  // namespace anabranch::router
