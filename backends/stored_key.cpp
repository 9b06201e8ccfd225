#include "backends/stored_key.h"

#include "router/composite_key.h"
#include "router/key_value.h"
#include "values/mysql_type.h"

namespace anabranch::backends {

namespace {

/// A DATETIME(6) shows a fraction that constants are read without.
std::string_view without_zero_fraction(values::Oid type, std::string_view text) {
  const bool moment = values::is_mysql_type(type) && values::mysql_code(type) == values::MysqlCode::datetime;
  const std::size_t point = moment ? text.find('.') : std::string_view::npos;
  if (point == std::string_view::npos || text.find_first_not_of('0', point + 1) != std::string_view::npos) return text;
  return text.substr(0, point);
}

/// A stored value is what it compares as equal to.
std::optional<router::KeyValue> part_of(router::KeyType type, const StoredColumn& column,
                                        std::optional<std::string_view> text) {
  if (!text) return router::KeyValue::null();
  const router::KeyConstant constant{column.type, values::Format::text, without_zero_fraction(column.type, *text), true};
  auto key = router::key_for_comparison({type, column.type, column.modifier}, constant);
  if (key.outcome != router::KeyConversion::Outcome::value) return std::nullopt;
  return std::move(key.key);
}

}  // namespace

const std::vector<std::string>& placing_columns(const router::MappedTable& table) {
  return table.expression ? table.expression->columns() : table.key;
}

std::optional<router::KeyValue> stored_key(const router::MappedTable& table, const router::MappedScheme& scheme,
                                           std::span<const StoredColumn> columns,
                                           std::span<const std::optional<std::string_view>> texts) {
  std::vector<router::KeyType> types;
  std::vector<router::KeyValue> parts;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto type = table.expression ? router::key_type_of(columns[i].type) : std::optional(scheme.types.at(i));
    auto part = type ? part_of(*type, columns[i], texts[i]) : std::nullopt;
    if (!part) return std::nullopt;
    types.push_back(*type);
    parts.push_back(std::move(*part));
  }
  if (table.expression) return table.expression->evaluate(types, parts);
  if (parts.size() > 1) return router::composite_key(types, parts);
  return std::move(parts.front());
}

}  // namespace anabranch::backends
