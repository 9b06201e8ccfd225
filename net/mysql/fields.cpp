#include "net/mysql/fields.h"

namespace anabranch::net::mysql {

std::uint64_t FieldReader::integer(std::size_t count) {
  std::uint64_t value = 0;
  const std::string_view taken = bytes(count);
  for (std::size_t i = taken.size(); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(taken[i - 1]);
  }
  return value;
}

std::uint64_t FieldReader::lenenc() {
  const std::uint8_t first = int1();
  if (first < 0xfb) return first;
  switch (first) {
    case 0xfc:
      return integer(2);
    case 0xfd:
      return integer(3);
    case 0xfe:
      return integer(8);
    default:
      fail();
      return 0;
  }
}

std::string_view FieldReader::lenenc_string() {
  return bytes(lenenc());
}

Field FieldReader::field() {
  if (first_byte(rest_) == 0xfb) {
    rest_.remove_prefix(1);
    return std::nullopt;
  }
  return lenenc_string();
}

std::string_view FieldReader::last_string() {
  return rest_.find('\0') == std::string_view::npos ? rest() : string();
}

}  // namespace anabranch::net::mysql
