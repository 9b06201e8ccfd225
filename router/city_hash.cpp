/// CityHash64 of CityHash 1.0.2 (Geoff Pike and Jyrki Alakuijala, Google, 2011, under the MIT
/// licence; NOTICE), which ClickHouse keeps. Version 1.1 and all later ones give other numbers.
#include <bit>
#include <cstring>

#include "router/hash.h"

namespace anabranch::router {
namespace {

constexpr std::uint64_t k0 = 0xc3a5c85c97cb3127ULL;
constexpr std::uint64_t k1 = 0xb492b66fbe98f273ULL;
constexpr std::uint64_t k2 = 0x9ae16a3b2f90404fULL;
constexpr std::uint64_t k3 = 0xc949d7c7509e6557ULL;

struct Pair {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

template <class Word>
Word load(const char* at) {
  Word word{};
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint64_t fetch(const char* at) {
  return load<std::uint64_t>(at);
}

std::uint64_t rotate(std::uint64_t value, int by) {
  return std::rotr(value, by);
}

std::uint64_t shift_mix(std::uint64_t value) {
  return value ^ (value >> 47U);
}

/// Hash128to64.
std::uint64_t mix(std::uint64_t low, std::uint64_t high) {
  constexpr std::uint64_t multiplier = 0x9ddfea08eb382d69ULL;
  const std::uint64_t a = shift_mix((low ^ high) * multiplier);
  return shift_mix((high ^ a) * multiplier) * multiplier;
}

std::uint64_t up_to_16(const char* s, std::size_t size) {
  if (size > 8) {
    const std::uint64_t last = fetch(s + size - 8);
    return mix(fetch(s), rotate(last + size, static_cast<int>(size))) ^ last;
  }
  if (size >= 4) {
    const std::uint64_t first = load<std::uint32_t>(s);
    return mix(size + (first << 3U), load<std::uint32_t>(s + size - 4));
  }
  if (size == 0) return k2;
  const auto byte = [&](std::size_t at) -> std::uint32_t { return load<std::uint8_t>(s + at); };
  const std::uint32_t y = byte(0) + (byte(size / 2) << 8U);
  const std::uint32_t z = static_cast<std::uint32_t>(size) + (byte(size - 1) << 2U);
  return shift_mix(y * k2 ^ z * k3) * k2;
}

std::uint64_t from_17_to_32(const char* s, std::size_t size) {
  const std::uint64_t a = fetch(s) * k1;
  const std::uint64_t b = fetch(s + 8);
  const std::uint64_t c = fetch(s + size - 8) * k2;
  const std::uint64_t d = fetch(s + size - 16) * k0;
  return mix(rotate(a - b, 43) + rotate(c, 30) + d, a + rotate(b ^ k3, 20) - c + size);
}

/// One half of from_33_to_64: 32 bytes, of which the last word is given, and a seed.
Pair half(const char* s, std::uint64_t seed, std::uint64_t last) {
  std::uint64_t a = seed;
  const std::uint64_t b = rotate(a + last, 52);
  std::uint64_t c = rotate(a, 37);
  a += fetch(s + 8);
  c += rotate(a, 7);
  a += fetch(s + 16);
  return {a + last, b + rotate(a, 31) + c};
}

std::uint64_t from_33_to_64(const char* s, std::size_t size) {
  const char* tail = s + size - 32;
  const Pair v = half(s, fetch(s) + (size + fetch(tail + 16)) * k0, fetch(s + 24));
  const Pair w = half(tail, fetch(s + 16) + fetch(tail), fetch(tail + 24));
  const std::uint64_t r = shift_mix((v.first + w.second) * k2 + (w.first + v.second) * k0);
  return shift_mix(r * k0 + v.second) * k2;
}

/// WeakHashLen32WithSeeds: 32 bytes and two seeds.
Pair weak(const char* s, std::uint64_t a, std::uint64_t b) {
  const std::uint64_t z = fetch(s + 24);
  a += fetch(s);
  b = rotate(b + a + z, 21);
  const std::uint64_t c = a;
  a += fetch(s + 8);
  a += fetch(s + 16);
  b += rotate(a, 44);
  return {a + z, b + c};
}

std::uint64_t beyond_64(const char* s, std::size_t size) {
  std::uint64_t x = fetch(s);
  std::uint64_t y = fetch(s + size - 16) ^ k1;
  std::uint64_t z = fetch(s + size - 56) ^ k0;
  Pair v = weak(s + size - 64, size, y);
  Pair w = weak(s + size - 32, size * k1, k0);
  z += shift_mix(v.second) * k1;
  x = rotate(z + x, 39) * k1;
  y = rotate(y, 33) * k1;
  for (const char* end = s + ((size - 1) / 64) * 64; s != end; s += 64) {
    x = rotate(x + y + v.first + fetch(s + 16), 37) * k1;
    y = rotate(y + v.second + fetch(s + 48), 42) * k1;
    x ^= w.second;
    y ^= v.first;
    z = rotate(z ^ w.first, 33);
    v = weak(s, v.second * k1, x + w.first);
    w = weak(s + 32, z + w.second, y);
    std::swap(z, x);
  }
  return mix(mix(v.first, w.first) + shift_mix(y) * k1 + z, mix(v.second, w.second) + x);
}

}  // namespace

std::uint64_t city_hash64(std::string_view bytes) {
  const std::size_t size = bytes.size();
  if (size <= 16) return up_to_16(bytes.data(), size);
  if (size <= 32) return from_17_to_32(bytes.data(), size);
  if (size <= 64) return from_33_to_64(bytes.data(), size);
  return beyond_64(bytes.data(), size);
}

}  // namespace anabranch::router
