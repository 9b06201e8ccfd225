#include "net/trace_text.h"

#include <fmt/format.h>

#include <iterator>

namespace anabranch::net {

void put(std::string& line, std::string_view text) {
  line += " \"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c >= ' ' && c <= '~') {
      line += c;
    } else {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  line += '"';
}

void put(std::string& line, const std::optional<std::string_view>& field) {
  if (field) {
    put(line, *field);
  } else {
    line += " NULL";
  }
}

}  // namespace anabranch::net
