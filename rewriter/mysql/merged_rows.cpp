#include "rewriter/mysql/merged_rows.h"

#include <charconv>
#include <cstdint>

#include "rewriter/mysql/quote.h"
#include "values/errors.h"

namespace anabranch::rewriter::mysql {
namespace {

using Form = Finish::Column::Form;

constexpr std::string_view of_numbers = "0123456789.eE+-";
constexpr std::string_view of_times = "0123456789:.- ";

/// It becomes a part of a statement as it is.
void check(std::string_view value, std::string_view letters) {
  if (value.empty() || value.find_first_not_of(letters) != std::string_view::npos) {
    throw values::make_error(values::ErrorId::invalid_text, "a number or time", value);
  }
}

void append_real(std::string& out, std::string_view value) {
  check(value, of_numbers);
  out += real_literal(value);
}

/// The merge has bits with a sign.
void append_unsigned(std::string& out, std::string_view value) {
  check(value, of_numbers);
  if (!value.starts_with('-')) {
    out += value;
    return;
  }
  std::int64_t bits = 0;
  std::from_chars(value.data(), value.data() + value.size(), bits);
  out += std::to_string(static_cast<std::uint64_t>(bits));
}

void append_text(std::string& out, const std::string& charset, std::string_view value) {
  const bool converts = !charset.empty() && charset != "utf8mb4";
  if (converts) out += "CONVERT(";
  out += "_utf8mb4 ";
  append_hexadecimal(out, value);
  if (converts) out += " USING " + charset + ")";
}

void append_word(std::string& out, std::string_view word, std::string_view value) {
  check(value, of_times);
  out.append(word).append("'").append(value).append("'");
}

/// The least moment is none: the date of zeros.
void append_timestamp(std::string& out, std::string_view value) {
  check(value, of_numbers);
  if (value.find_first_not_of("0.") == std::string_view::npos) {
    out += "'0000-00-00 00:00:00'";
  } else {
    out.append("FROM_UNIXTIME(").append(value).append(")");
  }
}

}  // namespace

/// NULL, too, has a sign where numbers have one.
void append_literal(std::string& out, const Finish::Column& column, std::optional<std::string_view> value) {
  if (column.form == Form::unsigned_number) {
    out += "CAST(";
    value ? append_unsigned(out, *value) : void(out += "NULL");
    out += " AS UNSIGNED)";
    return;
  }
  if (!value) {
    out += "NULL";
    return;
  }
  switch (column.form) {
    case Form::number:
    case Form::unsigned_number:
    case Form::member:
      check(*value, of_numbers);
      out += *value;
      return;
    case Form::real:
      return append_real(out, *value);
    case Form::single:
      out += "CAST(";
      append_real(out, *value);
      out += " AS FLOAT)";
      return;
    case Form::text:
      return append_text(out, column.charset, *value);
    case Form::bytes:
      return append_hexadecimal(out, *value);
    case Form::date:
      return append_word(out, "DATE", *value);
    case Form::time:
      return append_word(out, "TIME", *value);
    case Form::datetime:
      return append_word(out, "TIMESTAMP", *value);
    case Form::moment:
      return append_word(out, "", *value);
    case Form::timestamp:
      return append_timestamp(out, *value);
  }
}

void append_merged_row(std::string& out, const Finish& finish, std::span<const std::optional<std::string_view>> values) {
  if (!out.empty()) out += "), (";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ", ";
    append_literal(out, finish.columns[i], values[i]);
  }
}

std::string no_merged_rows(const Finish& finish) {
  std::string row;
  for (std::size_t i = 0; i < finish.columns.size(); ++i) {
    if (i > 0) row += ", ";
    append_literal(row, finish.columns[i], std::nullopt);
  }
  return row;
}

}  // namespace anabranch::rewriter::mysql
