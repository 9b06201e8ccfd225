#include "proxy/encoding.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace anabranch::proxy {

std::string plain_encoding(std::string_view name) {
  std::string plain;
  for (const char letter : name) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) != 0) plain += static_cast<char>(std::tolower(byte));
  }
  return plain == "unicode" ? "utf8" : plain;
}

// Those that a server may have itself; SJIS, BIG5 and their like are for clients only.
bool has_ascii_inside(std::string_view name) {
  static constexpr std::array<std::string_view, 12> safe = {
      "utf8", "latin", "iso8859", "win125", "windows125", "win866", "windows866", "win874", "windows874",
      "koi8", "euc", "sqlascii"};
  const std::string plain = plain_encoding(name);
  return std::ranges::none_of(safe, [&](std::string_view begin) { return plain.starts_with(begin); });
}

}  // namespace anabranch::proxy
