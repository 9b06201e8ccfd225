#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rewriter/tree.h"
#include "values/mysql_quote.h"
#include "values/type.h"

namespace anabranch::rewriter::mysql {

inline std::string quote_identifier(std::string_view name) { return values::quote_mysql_identifier(name); }
std::string quote_name(const tree::Name& name);
/// The same value under every sql_mode: backslashes go as hexadecimal digits of utf8mb4.
std::string quote_literal(std::string_view value);
/// Appends x'…'.
void append_hexadecimal(std::string& out, std::string_view bytes);
/// Digits as a double: without an exponent they would be a decimal.
std::string real_literal(std::string_view digits);
/// A parameter's value (values/mysql_type.h; integers as text or as the binary protocol has them) as a literal
/// of its type.
std::string literal_of(values::Oid type, values::Format format, std::optional<std::string_view> bytes);

}  // namespace anabranch::rewriter::mysql
