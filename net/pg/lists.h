#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "net/pg/framing.h"

namespace anabranch::net::pg {

/// A count and big-endian integers, as they stand in a payload (checked when decoded).
template <typename Int>
class IntList {
 public:
  IntList() = default;
  explicit IntList(std::string_view raw) : raw_(raw) {}
  std::size_t size() const { return raw_.size() / sizeof(Int); }
  bool empty() const { return raw_.empty(); }
  Int operator[](std::size_t index) const {
    const char* at = raw_.data() + index * sizeof(Int);
    if constexpr (sizeof(Int) == 2) {
      return static_cast<Int>(load_int16(at));
    } else {
      return static_cast<Int>(load_int32(at));
    }
  }
  /// The integers' bytes without the count.
  std::string_view raw() const { return raw_; }

 private:
  std::string_view raw_;
};
using FormatList = IntList<std::int16_t>;
using OidList = IntList<std::uint32_t>;

/// The format of value `index`: none given means text, one given means it for all.
inline std::int16_t format_of(const FormatList& formats, std::size_t index) {
  if (formats.empty()) return 0;
  if (formats.size() == 1) return formats[0];
  return index < formats.size() ? formats[index] : std::int16_t{0};
}

/// A field's value in its wire form; nothing is NULL.
using Field = std::optional<std::string_view>;

/// Length-prefixed values (a DataRow's, Bind's) as they stand in a payload, checked when decoded.
/// Iterates in order without copying.
class FieldList {
 public:
  FieldList() = default;
  FieldList(std::uint16_t count, std::string_view raw) : count_(count), raw_(raw) {}

  class Iterator {
   public:
    using value_type = Field;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(const char* at, std::uint16_t left) : at_(at), left_(left) {}
    Field operator*() const;
    Iterator& operator++();
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const { return left_ == other.left_; }

   private:
    const char* at_ = nullptr;
    std::uint16_t left_ = 0;
  };
  Iterator begin() const { return Iterator(raw_.data(), count_); }
  Iterator end() const { return Iterator(nullptr, 0); }
  std::size_t size() const { return count_; }
  /// Value `index`, found by walking there.
  Field operator[](std::size_t index) const;
  /// The values' bytes, lengths included, without the count.
  std::string_view raw() const { return raw_; }

 private:
  std::uint16_t count_ = 0;
  std::string_view raw_;
};

/// Lists of one's own to send; list() is a view that lives as long as this is not changed.
class Formats {
 public:
  Formats() = default;
  Formats(std::initializer_list<std::int16_t> formats) {
    for (auto format : formats) add(format);
  }
  void add(std::int16_t format) { store_int16(bytes_.grow(2), format); }
  FormatList list() const { return FormatList(bytes_.view()); }

 private:
  Buffer bytes_;
};
class Oids {
 public:
  Oids() = default;
  Oids(std::initializer_list<std::uint32_t> oids) {
    for (auto oid : oids) add(oid);
  }
  void add(std::uint32_t oid) { store_int32(bytes_.grow(4), static_cast<std::int32_t>(oid)); }
  OidList list() const { return OidList(bytes_.view()); }

 private:
  Buffer bytes_;
};
class Fields {
 public:
  Fields() = default;
  Fields(std::initializer_list<Field> values) {
    for (const auto& value : values) add(value);
  }
  void add(Field value);
  FieldList list() const { return FieldList(count_, bytes_.view()); }

 private:
  std::uint16_t count_ = 0;
  Buffer bytes_;
};

}  // namespace anabranch::net::pg
