#include "rewriter/mysql/quote.h"

#include <algorithm>
#include <cstring>

#include "values/mysql_type.h"

namespace anabranch::rewriter::mysql {

std::string quote_name(const tree::Name& name) {
  std::string out;
  for (const std::string& part : name) out += (out.empty() ? "" : ".") + quote_identifier(part);
  return out;
}

namespace {

std::string hexadecimal(std::string_view value) {
  std::string out;
  append_hexadecimal(out, value);
  return out;
}

/// Little-endian, in 1, 2, 4 or 8 bytes.
std::string decimal_integer(values::Oid type, std::string_view bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), std::min<std::size_t>(bytes.size(), sizeof value));
  if (values::has_mysql_flag(type) || bytes.empty() || bytes.size() > 8) return std::to_string(value);
  const auto unused = static_cast<int>(64 - 8 * bytes.size());
  return std::to_string(static_cast<std::int64_t>(value << unused) >> unused);
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("+-.0123456789eE") == std::string_view::npos &&
         text.find_first_of("0123456789") != std::string_view::npos;
}

}  // namespace

void append_hexadecimal(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "x'";
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  out += '\'';
}

std::string real_literal(std::string_view digits) {
  std::string out(digits);
  if (digits.find_first_of("eE") == std::string_view::npos) out += "e0";
  return out;
}

std::string literal_of(values::Oid type, values::Format format, std::optional<std::string_view> bytes) {
  using enum values::MysqlCode;
  if (!bytes) return "NULL";
  if (!values::is_mysql_type(type)) return quote_literal(*bytes);
  if (values::is_mysql_integer(type) && format == values::Format::binary) return decimal_integer(type, *bytes);
  const values::MysqlCode code = values::mysql_code(type);
  const bool floating = code == float_ || code == double_;
  if ((values::is_mysql_integer(type) || floating || code == decimal || code == newdecimal) && is_number(*bytes)) {
    return floating ? real_literal(*bytes) : std::string(*bytes);
  }
  const bool is_blob = code >= tiny_blob && code <= blob;
  const bool binary = is_blob || (values::is_mysql_string(type) && values::has_mysql_flag(type));
  return binary ? hexadecimal(*bytes) : quote_literal(*bytes);
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
  return "_utf8mb4 " + hexadecimal(value);
}

}  // namespace anabranch::rewriter::mysql
