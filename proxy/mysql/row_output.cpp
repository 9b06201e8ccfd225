#include "proxy/mysql/row_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "proxy/mysql/relay.h"
#include "rewriter/mysql/quote.h"
#include "values/decimal.h"
#include "values/errors.h"
#include "values/mysql_number.h"
#include "values/mysql_type.h"

namespace anabranch::proxy::mysql {

namespace {

using net::mysql::Field;

/// More than this waiting for the client is sent before more is made.
constexpr std::size_t send_ahead_bytes = 8192;

/// Digits behind the point.
std::size_t scale_of(std::string_view text) {
  const std::size_t point = text.find('.');
  return point == std::string_view::npos ? 0 : text.size() - point - 1;
}

constexpr std::uint16_t binary_collation = 63;

/// Types whose values are written alike.
enum class Class : std::uint8_t { integer, decimal, real, date, time, datetime, text };

Class class_of(net::mysql::FieldType type) {
  using net::mysql::FieldType;
  switch (type) {
    case FieldType::tiny_int:
    case FieldType::small_int:
    case FieldType::int_:
    case FieldType::medium_int:
    case FieldType::big_int:
    case FieldType::year:
      return Class::integer;
    case FieldType::decimal:
    case FieldType::new_decimal:
      return Class::decimal;
    case FieldType::float_:
    case FieldType::double_:
      return Class::real;
    case FieldType::date:
      return Class::date;
    case FieldType::time:
      return Class::time;
    case FieldType::timestamp:
    case FieldType::datetime:
      return Class::datetime;
    default:
      return Class::text;
  }
}

bool is_exact(Class at) {
  return at == Class::integer || at == Class::decimal;
}

bool has_few_digits(net::mysql::FieldType type, int decimals) {
  return type == net::mysql::FieldType::float_ || (type == net::mysql::FieldType::double_ && decimals < values::kAnyDecimals);
}

}  // namespace

RowOutput::RowOutput(State& state, const rewriter::Plan& plan, bool binary)
    : state_(state),
      plan_(plan),
      binary_(binary),
      fields_(plan.finish ? plan.result->size() + plan.exact.size() : plan.recipe->outputs.size()) {}

void RowOutput::describe(std::span<const std::string> partial) {
  if (!definitions_.empty()) return;
  for (const rewriter::ResultColumn& column : *plan_.result) definitions_.push_back(column.definition);
  for (std::size_t i = 0; i < partial.size(); ++i) {
    const int output = plan_.recipe->inputs[i].output;
    if (output < 0) continue;
    std::string& told = definitions_[static_cast<std::size_t>(output)];
    if (read(partial[i]).name == read(told).name) told = partial[i];
  }
  for (std::size_t i = 0; i < definitions_.size(); ++i) columns_.push_back(column_of(i));
  for (std::size_t i = 0; i < plan_.exact.size(); ++i) {
    columns_[static_cast<std::size_t>(plan_.exact[i])].exact = definitions_.size() + i;
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const bool computed_here = column.form == Form::real && !is_passed_on(static_cast<int>(i));
    if (!binary_ || column.exact || computed_here) continue;
    if (!has_few_digits(column.type, column.decimals)) continue;
    throw values::make_error(values::ErrorId::unsupported_clause,
                             "a FLOAT, or a DOUBLE of fixed decimals, in the binary protocol",
                             "its text does not have all its digits", "Select it as CAST(x AS DOUBLE).");
  }
}

/// As a shard's text.
bool RowOutput::is_passed_on(int output) const {
  return std::ranges::any_of(plan_.recipe->inputs, [&](const auto& input) { return input.output == output; });
}

void RowOutput::check_computed(std::span<const std::string> definitions) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto computed = read(definitions[i]);
    // What is only shown comes as bytes.
    const bool shown = class_of(computed.type) == Class::text && computed.collation == binary_collation;
    if (shown || computed.type == net::mysql::FieldType::null) continue;
    const bool same_digits = computed.decimals == columns_[i].decimals;
    const Class told = class_of(columns_[i].type);
    const Class got = class_of(computed.type);
    if (got == told || (same_digits && is_exact(got) && is_exact(told))) continue;
    throw values::make_error(values::ErrorId::description_changed, "a shard answers with columns of other types");
  }
}

net::mysql::ColumnDefinition41 RowOutput::read(const std::string& definition) const {
  const auto column = net::mysql::ColumnDefinition41::decode(definition, state_.capabilities);
  if (!column) throw values::make_error(values::ErrorId::shard_protocol, "a shard", column.error().message);
  return *column;
}

RowOutput::Column RowOutput::column_of(std::size_t output) const {
  const auto definition = read(definitions_[output]);
  Column column;
  column.type = definition.type;
  column.is_unsigned = (definition.flags & net::mysql::column_flag::is_unsigned) != 0;
  column.decimals = definition.decimals;
  if (plan_.finish) return column;
  const values::Oid merged = plan_.recipe->outputs[output].type.oid;
  const bool is_real = column.type == net::mysql::FieldType::double_;
  const bool is_decimal = column.type == net::mysql::FieldType::new_decimal;
  // What the plan was made for; the name is that of a type of the merge.
  if ((merged == values::oid::float8 && !is_real) || (is_decimal && merged != values::oid::numeric)) {
    throw values::make_error(values::ErrorId::description_changed, "a shard answers with columns of other types");
  }
  if (is_decimal) column.form = Form::decimal;
  if (is_real && !plan_.recipe->passes_through()) column.form = Form::real;
  if (column.is_unsigned && column.type == net::mysql::FieldType::big_int) column.form = Form::bits;
  return column;
}

net::Task<void> RowOutput::take(const merge::Batch& rows) {
  begin();
  for (std::size_t i = 0; i < rows.size(); ++i) write(rows.row(i));
  rows_ += rows.size();
  if (state_.client.queued() > send_ahead_bytes) state_.client.send_now();
  if (state_.client.congested()) co_await send();
}

net::Task<void> RowOutput::send() {
  if (!co_await state_.client.flush()) throw SessionLost{"the client has closed the connection"};
}

void RowOutput::begin() {
  if (std::exchange(begun_, true)) return;
  begin_rows(state_, definitions_);
}

void RowOutput::write(const merge::RowView& row) {
  row.split(fields_);
  net::Buffer& out = state_.out();
  if (binary_) {
    net::mysql::BinaryRowWriter writer(out, state_.sequence, columns_.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Column& column = columns_[i];
      writer.add(column.type, in_binary(column, with_all_digits(i)));
    }
    return;
  }
  net::mysql::PacketWriter writer(out, state_.sequence);
  for (std::size_t i = 0; i < columns_.size(); ++i) writer.field(formed(columns_[i], fields_[i]));
}

/// A merged real has them until it is formed.
Field RowOutput::with_all_digits(std::size_t output) {
  const Column& column = columns_[output];
  if (column.exact) return fields_[*column.exact];
  return column.form == Form::real ? fields_[output] : formed(column, fields_[output]);
}

Field RowOutput::formed(const Column& column, const Field& value) {
  if (!value || column.form == Form::as_it_is) return value;
  text_.clear();
  if (column.form == Form::bits) {
    if (!value->starts_with('-')) return value;
    std::int64_t bits = 0;
    std::from_chars(value->data(), value->data() + value->size(), bits);
    text_ = std::to_string(static_cast<std::uint64_t>(bits));
  } else if (column.form == Form::decimal) {
    if (scale_of(*value) == static_cast<std::size_t>(column.decimals)) return value;
    values::append_mysql_decimal(text_, values::Decimal::parse(*value), column.decimals);
  } else {
    if (column.decimals < values::kAnyDecimals) {
      values::append_mysql_double(text_, values::parse_mysql_double(*value), column.decimals);
    } else {
      values::append_mysql_double(text_, values::parse_mysql_double(*value));
    }
  }
  return text_;
}

std::vector<std::string> RowOutput::literals(const merge::RowView& row) {
  row.split(fields_);
  std::vector<std::string> made;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const Field value = column.exact ? fields_[*column.exact] : formed(column, fields_[i]);
    made.push_back(value ? literal(column, *value) : "NULL");
  }
  return made;
}

std::string RowOutput::literal(const Column& column, std::string_view value) const {
  using Type = net::mysql::FieldType;
  const std::string text(value);
  switch (column.type) {
    case Type::tiny_int:
    case Type::small_int:
    case Type::medium_int:
    case Type::int_:
    case Type::big_int:
    case Type::year: return column.is_unsigned ? fmt::format("CAST({} AS UNSIGNED)", text) : text;
    case Type::new_decimal: return text;
    case Type::float_:
    case Type::double_: return rewriter::mysql::real_literal(text);
    case Type::date: return fmt::format("DATE'{}'", text);
    case Type::time: return fmt::format("TIME'{}'", text);
    case Type::datetime:
    case Type::timestamp: return fmt::format("TIMESTAMP'{}'", text);
    case Type::null: return "NULL";
    default: break;
  }
  throw values::make_error(values::ErrorId::unsupported_clause, "SELECT … INTO of a string",
                           "its collation is not told beside the rows", "Ask for one key, or read the rows.");
}

Field RowOutput::in_binary(const Column& column, const Field& value) {
  if (!value) return value;
  const auto bytes = net::mysql::text_to_binary(column.type, column.is_unsigned, *value, scratch_);
  if (!bytes) throw values::make_error(values::ErrorId::internal, "a value that its column's type does not have");
  return *bytes;
}

void RowOutput::open_cursor(std::uint16_t warnings) {
  write_definitions(state_, definitions_);
  end_rows(state_, warnings, net::mysql::status::cursor_exists);
}

void RowOutput::finish(std::uint16_t warnings) {
  begin();
  end_rows(state_, warnings);
}

}  // namespace anabranch::proxy::mysql
