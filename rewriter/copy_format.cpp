#include "rewriter/copy_format.h"

#include <algorithm>

#include "rewriter/lexer.h"
#include "rewriter/print.h"

namespace anabranch::rewriter {
namespace {

/// HEADER: a boolean as the server reads one, or MATCH.
bool is_on(const tree::Option& option) {
  if (!option.has_value) return true;
  return std::ranges::any_of(std::initializer_list<std::string_view>{"true", "on", "1", "match"},
                             [&](std::string_view word) { return same_word(option.value, word); });
}

CopyFormat::Format format_of(const tree::Copy& copy) {
  CopyFormat::Format format = CopyFormat::Format::text;
  for (const tree::Option& option : copy.options) {
    if (option.name != "format") continue;
    format = option.value == "csv"      ? CopyFormat::Format::csv
             : option.value == "binary" ? CopyFormat::Format::binary
                                        : CopyFormat::Format::text;
  }
  return format;
}

void read_option(const tree::Option& option, CopyFormat& format) {
  const auto letter = [&](char& into) {
    if (option.value.size() == 1) into = option.value.front();
  };
  if (option.name == "delimiter") letter(format.delimiter);
  if (option.name == "null") format.null_text = option.value;
  if (option.name == "header") format.header = is_on(option);
  if (option.name == "quote") letter(format.quote);
  if (option.name == "encoding") format.encoding = option.value;
}

}  // namespace

CopyFormat copy_format(const tree::Copy& copy) {
  CopyFormat format;
  format.format = format_of(copy);
  if (format.format == CopyFormat::Format::csv) {
    format.delimiter = ',';
    format.null_text.clear();
  }
  for (const tree::Option& option : copy.options) read_option(option, format);
  // Without an option of its own, the escape is the quote.
  format.escape = format.quote;
  for (const tree::Option& option : copy.options) {
    if (option.name == "escape" && option.value.size() == 1) format.escape = option.value.front();
  }
  return format;
}

bool lists(const tree::Option& option, std::string_view column) {
  if (option.items.empty()) return option.value == "*";
  return std::ranges::find(option.items, column) != option.items.end();
}

namespace {

/// Numbers stay numbers: HEADER '1' is not HEADER 1.
std::string printed_value(const std::string& value) {
  const bool number = !value.empty() && value.size() < 10 && value.find_first_not_of("0123456789") == std::string::npos;
  return number || value == "*" ? value : quote_literal(value);
}

}  // namespace

std::string printed_options(const std::vector<tree::Option>& options) {
  std::string out;
  for (const tree::Option& option : options) {
    out += out.empty() ? " (" : ", ";
    out += quote_identifier(option.name);
    if (!option.items.empty()) {
      std::string list;
      for (const std::string& item : option.items) list += (list.empty() ? "" : ", ") + quote_identifier(item);
      out += " (" + list + ")";
    } else if (option.has_value) {
      out += " " + printed_value(option.value);
    }
  }
  return out.empty() ? out : out + ")";
}

}  // namespace anabranch::rewriter
