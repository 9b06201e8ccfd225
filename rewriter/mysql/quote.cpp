#include "rewriter/mysql/quote.h"

namespace anabranch::rewriter::mysql {

std::string quote_identifier(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += c;
    out += c;
  }
  return out + "`";
}

std::string quote_name(const tree::Name& name) {
  std::string out;
  for (const std::string& part : name) out += (out.empty() ? "" : ".") + quote_identifier(part);
  return out;
}

std::string quote_literal(std::string_view value) {
  if (value.find('\\') == std::string_view::npos) {
    std::string out = "'";
    for (const char c : value) {
      if (c == '\'') out += c;
      out += c;
    }
    return out + "'";
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "_utf8mb4 x'";
  for (const char c : value) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out + "'";
}

}  // namespace anabranch::rewriter::mysql
