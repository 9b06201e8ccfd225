#include "router/composite_key.h"

#include <array>
#include <cassert>
#include <cstring>
#include <string_view>

#include "router/hash.h"

namespace anabranch::router {
namespace {

constexpr std::uint32_t length_of_null = 0xFFFF'FFFF;

bool is_integer(KeyType type) {
  return type == KeyType::bigint || type == KeyType::date || type == KeyType::timestamp;
}

void append(std::string& into, std::uint32_t length) {
  std::array<char, sizeof length> bytes{};
  std::memcpy(bytes.data(), &length, sizeof length);
  into.append(bytes.data(), bytes.size());
}

/// An integer of 8 bytes, or the days of a date in 4.
KeyValue integer_of(std::string_view bytes) {
  if (bytes.size() == sizeof(std::int32_t)) {
    std::int32_t days = 0;
    std::memcpy(&days, bytes.data(), sizeof days);
    return KeyValue::of(std::int64_t{days});
  }
  std::int64_t integer = 0;
  std::memcpy(&integer, bytes.data(), sizeof integer);
  return KeyValue::of(integer);
}

}  // namespace

KeyValue composite_key(std::span<const KeyType> types, std::span<const KeyValue> parts) {
  assert(types.size() == parts.size());
  std::string bytes;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].is_null()) {
      append(bytes, length_of_null);
      continue;
    }
    const std::string part = key_bytes(types[i], parts[i]);
    append(bytes, static_cast<std::uint32_t>(part.size()));
    bytes += part;
  }
  return KeyValue::of(std::move(bytes));
}

std::vector<KeyValue> composite_parts(std::span<const KeyType> types, const KeyValue& key) {
  std::vector<KeyValue> parts;
  std::string_view rest = key.bytes;
  for (const KeyType type : types) {
    std::uint32_t length = 0;
    assert(rest.size() >= sizeof length);
    std::memcpy(&length, rest.data(), sizeof length);
    rest.remove_prefix(sizeof length);
    if (length == length_of_null) {
      parts.push_back(KeyValue::null());
      continue;
    }
    assert(rest.size() >= length);
    const std::string_view bytes = rest.substr(0, length);
    rest.remove_prefix(length);
    parts.push_back(is_integer(type) ? integer_of(bytes) : KeyValue::of(std::string(bytes)));
  }
  return parts;
}

}  // namespace anabranch::router
