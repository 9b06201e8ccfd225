#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "merge/recipe.h"
#include "merge/row_block.h"
#include "values/key.h"

namespace anabranch::merge {

/// The first sixteen bytes of a key, as two numbers that compare as the bytes do. No key is the
/// beginning of another, so the zeros after a shorter one decide nothing wrongly.
struct KeyPrefix {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const KeyPrefix&, const KeyPrefix&) = default;
};

inline KeyPrefix key_prefix(std::string_view key) {
  std::uint64_t words[2] = {0, 0};
  if (key.size() >= sizeof(words))
    std::memcpy(words, key.data(), sizeof(words));
  else
    std::memcpy(words, key.data(), key.size());
  return {std::byteswap(words[0]), std::byteswap(words[1])};
}

/// The same of a key behind which at least sixteen more bytes can be read: two loads and a mask.
inline KeyPrefix padded_key_prefix(const char* key, std::size_t size) {
  std::uint64_t words[2];
  std::memcpy(words, key, sizeof(words));
  KeyPrefix prefix{std::byteswap(words[0]), std::byteswap(words[1])};
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  if (size >= 16) return prefix;
  if (size > 8)
    prefix.low &= kAll << (8 * (16 - size));
  else
    prefix.low = 0;
  if (size < 8) prefix.high &= size == 0 ? 0 : kAll << (8 * (8 - size));
  return prefix;
}

/// Compares two keys by prefix, then by the bytes behind it: negative, zero, positive.
inline int compare_keys(const KeyPrefix& left_prefix, std::string_view left,
                        const KeyPrefix& right_prefix, std::string_view right) {
  if (left_prefix.high != right_prefix.high) return left_prefix.high < right_prefix.high ? -1 : 1;
  if (left_prefix.low != right_prefix.low) return left_prefix.low < right_prefix.low ? -1 : 1;
  if (left.size() <= 16 || right.size() <= 16) return 0;
  return left.substr(16).compare(right.substr(16));
}

/// Makes of a row the bytes by which it is ordered, or compared, all keys in one.
class SortKeys {
 public:
  /// Throws SqlError 0A000 where the order of a column is not known here.
  SortKeys(const std::vector<SortKey>& keys, const Shape& shape);
  /// For equality alone. Throws SqlError 0A000 where there is none.
  SortKeys(const std::vector<int>& columns, const Shape& shape);

  bool empty() const { return parts_.empty(); }

  void append(const RowBlock& block, std::size_t row, std::string& out) const {
    for (const Part& part : parts_) part.encoder.append(block.field(row, part.column).value(), out);
  }

 private:
  struct Part {
    std::size_t column;
    values::KeyEncoder encoder;
  };
  std::vector<Part> parts_;
};

/// The encoder of a column for equality alone. Throws SqlError 0A000 where there is none.
values::KeyEncoder equality_encoder(const Column& column);

}  // namespace anabranch::merge
