#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "values/collation.h"
#include "values/type.h"

namespace anabranch::values {

/// What a key is made of, and how it is to sort.
struct KeySpec {
  ColumnType type = {};
  Format format = Format::text;  ///< of the wire values that will be given
  Collation collation =
      {};  ///< for grouping under a deterministic collation: C. jsonb: the database's
  bool descending = false;
  bool nulls_first = false;
};

/// The canonical key of one column: self-delimiting bytes that are identical exactly for values
/// which the type's default btree operator class calls equal (NULL equals NULL), and whose memcmp
/// order is the server's ORDER BY. Keys of several columns are simply appended to one another.
///
/// Layout: a marker (1 NULL first, 2 value, 3 NULL last), then the value's bytes, inverted if
/// descending. Immutable; one encoder may be used by many threads.
class KeyEncoder {
 public:
  /// An encoder, or the reason why this type (or this format of it) has none: then fetch the column
  /// in binary, or leave the comparison to a database. Ordering under an unproved collation is
  /// refused here too.
  static std::expected<KeyEncoder, std::string> make(const KeySpec& spec);

  /// Appends the key of a wire value (nullopt: NULL). Throws SqlError (invalid_text,
  /// invalid_binary, invalid_encoding) on a malformed value; `out` is then to be discarded.
  void append(std::optional<std::string_view> wire_value, std::string& out) const {
    if (!wire_value) {
      out.push_back(null_marker_);
      return;
    }
    if (fast_ == Fast::bytes && wire_value->find('\0') == std::string_view::npos) {
      append_plain_bytes(*wire_value, out);
    } else if (fast_ == Fast::word && wire_value->size() == word_size_) {
      append_word(*wire_value, out);
    } else {
      append_value(*wire_value, out);
    }
  }

  /// A plain encoding of one value, for the general path and for array elements.
  class Plan;

 private:
  /// Shapes that skip the general path: bytes as they are, and big-endian integers.
  enum class Fast : uint8_t { none, bytes, word };

  KeyEncoder() = default;
  void choose_fast_path(const KeySpec& spec);
  void append_value(std::string_view value, std::string& out) const;

  static void append_plain_bytes(std::string_view value, std::string& out) {
    // libstdc++ 12 hands the callback the new capacity for a size when it grows.
    const size_t at = out.size();
    const size_t size = at + value.size() + 3;
    out.resize_and_overwrite(size, [&](char* bytes, size_t) {
      bytes[at] = kValueMarker;
      if (!value.empty()) std::memcpy(bytes + at + 1, value.data(), value.size());
      bytes[size - 2] = 0;
      bytes[size - 1] = 1;
      return size;
    });
  }

  void append_word(std::string_view value, std::string& out) const {
    switch (word_size_) {
      case 2:
        return append_fixed<uint16_t>(value.data(), out);
      case 4:
        return append_fixed<uint32_t>(value.data(), out);
      default:
        return append_fixed<uint64_t>(value.data(), out);
    }
  }

  /// `value` holds a big-endian integer, whose sign is in the first byte.
  template <typename Word>
  void append_fixed(const char* value, std::string& out) const {
    static_assert(std::endian::native == std::endian::little);
    Word word;
    std::memcpy(&word, value, sizeof(word));
    word ^= sign_flip_;
    const size_t at = out.size();
    const size_t size = at + sizeof(word) + 1;
    out.resize_and_overwrite(size, [&](char* bytes, size_t) {
      bytes[at] = kValueMarker;
      std::memcpy(bytes + at + 1, &word, sizeof(word));
      return size;
    });
  }

  static constexpr char kValueMarker = 2;

  std::shared_ptr<const Plan> plan_;
  char null_marker_ = 3;
  Fast fast_ = Fast::none;
  uint8_t word_size_ = 0;
  uint8_t sign_flip_ = 0;
  bool descending_ = false;
};

}  // namespace anabranch::values
