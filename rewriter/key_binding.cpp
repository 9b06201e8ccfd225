#include "rewriter/key_binding.h"

#include <fmt/format.h>

#include <algorithm>

#include "rewriter/key_parts.h"
#include "rewriter/mysql/lexer.h"
#include "router/composite_key.h"
#include "values/errors.h"

namespace anabranch::rewriter {
namespace {

using Kind = KeyCondition::Kind;
using router::KeyConversion;
using router::KeyPredicate;
using Outcome = KeyConversion::Outcome;

const router::MappedTable& table_of(const router::ShardMap& map, int table) {
  return map.tables()[static_cast<std::size_t>(table)];
}

router::ShardSet all_of_table(const KeyCondition& condition, const router::ShardMap& map) {
  return condition.table < 0 ? map.all_shards() : map.shards_of(table_of(map, condition.table));
}

KeyConversion expression_key(const router::KeyExpression& expression,
                             const std::vector<KeyOperand>& operands, const BindRequest& request,
                             bool storage) {
  std::vector<conf::KeyType> types;
  std::vector<conf::KeyValue> keys;
  for (const KeyOperand& operand : operands) {
    const auto type = router::key_type_of(operand.column_type);
    if (!type) return KeyConversion::unknown();
    KeyConversion part = convert(operand, request, *type, storage);
    if (part.outcome != Outcome::value) return part;
    types.push_back(*type);
    keys.push_back(std::move(part.key));
  }
  auto key = expression.evaluate(types, keys);
  return key ? KeyConversion::of(std::move(*key)) : KeyConversion::unknown();
}

/// A leaf as the router reads it. `anything` wherever the value proves nothing.
KeyPredicate leaf(const KeyCondition& condition, const BindRequest& request) {
  const router::MappedTable& table = table_of(*request.map, condition.table);
  const bool range = condition.kind != Kind::equals;
  if (range && table.expression && table.expression->monotone() == 0) {
    return KeyPredicate::anything();
  }
  KeyConversion key = key_from(*request.map, condition.table, condition.operands, request, false);
  if (key.outcome == Outcome::unknown) return KeyPredicate::anything();
  if (key.outcome == Outcome::nothing) {
    return range ? KeyPredicate::anything() : KeyPredicate::nothing();
  }
  if (!range) {
    if (key.key.is_null()) return KeyPredicate::nothing();
    return KeyPredicate::equals(std::move(key.key));
  }
  const bool descending = table.expression && table.expression->monotone() < 0;
  const bool is_lower =
      (condition.kind == Kind::greater || condition.kind == Kind::greater_equal) != descending;
  const bool inclusive = table.expression.has_value() || condition.kind == Kind::greater_equal ||
                         condition.kind == Kind::less_equal;
  router::KeyRange bounds;
  (is_lower ? bounds.lower : bounds.upper) = std::move(key.key);
  (is_lower ? bounds.lower_inclusive : bounds.upper_inclusive) = inclusive;
  return KeyPredicate::between(std::move(bounds), condition.byte_order && !table.expression);
}

/// `= ANY (array)`: every element as a value of its own.
KeyPredicate any_element(const KeyCondition& condition, const BindRequest& request) {
  const router::MappedTable& table = table_of(*request.map, condition.table);
  if (table.expression) return KeyPredicate::anything();
  auto keys = keys_of_array(condition.operands.front(), request, request.map->schemes()[table.scheme].type());
  return keys ? KeyPredicate::in(std::move(*keys)) : KeyPredicate::anything();
}

bool is_special(const KeyCondition& condition) {
  return condition.kind == Kind::shard_number || condition.kind == Kind::shard_name ||
         condition.kind == Kind::stored;
}

std::optional<KeyPredicate> plain_predicate(const KeyCondition& condition, int table,
                                            const BindRequest& request) {
  if (is_special(condition)) return std::nullopt;
  if (condition.kind == Kind::nothing) return KeyPredicate::nothing();
  if (condition.kind == Kind::all_of || condition.kind == Kind::any_of) {
    std::vector<KeyPredicate> parts;
    for (const KeyCondition& part : condition.parts) {
      auto inner = plain_predicate(part, table, request);
      if (!inner) return std::nullopt;
      parts.push_back(std::move(*inner));
    }
    return condition.kind == Kind::all_of ? KeyPredicate::all_of(std::move(parts))
                                          : KeyPredicate::any_of(std::move(parts));
  }
  if (condition.table != table) return std::nullopt;
  if (condition.kind == Kind::anything) return KeyPredicate::anything();
  if (condition.kind == Kind::is_null) return KeyPredicate::is_null();
  if (condition.kind == Kind::any_element) return any_element(condition, request);
  return leaf(condition, request);
}

/// A condition on one table's key alone, as the router's own.
std::optional<KeyPredicate> predicate(const KeyCondition& condition, int table, const BindRequest& request) {
  const router::MappedTable& mapped = table_of(*request.map, table);
  const bool composite = request.map->schemes()[mapped.scheme].types.size() > 1;
  return composite ? composite_predicate(condition, table, request) : plain_predicate(condition, table, request);
}

int table_of(const KeyCondition& condition) {
  if (condition.table >= 0) return condition.table;
  for (const KeyCondition& part : condition.parts) {
    if (const int table = table_of(part); table >= 0) return table;
  }
  return -1;
}

router::ShardSet shard_column(const KeyCondition& condition, const BindRequest& request) {
  const KeyOperand& operand = condition.operands.front();
  std::string storage;
  const ValueBytes value = value_bytes(operand.value, request, storage);
  if (!value.bytes) return {};
  if (condition.kind == Kind::shard_name) {
    if (value.format != values::Format::text && operand.column_type != values::oid::text) {
      return all_of_table(condition, *request.map);
    }
    const auto shard = request.map->find_shard(*value.bytes);
    return shard ? router::ShardSet::of(*shard) : router::ShardSet{};
  }
  const auto key = convert(operand, request, conf::KeyType::bigint, false);
  if (key.outcome == Outcome::unknown) return all_of_table(condition, *request.map);
  if (key.outcome == Outcome::nothing || key.key.is_null()) return {};
  const std::int64_t number = key.key.integer;
  const auto shards = static_cast<std::int64_t>(request.map->shards().size());
  if (number < 1 || number > shards) return {};
  return router::ShardSet::of(static_cast<std::size_t>(number - 1));
}

}  // namespace

std::optional<std::vector<conf::KeyValue>> keys_of_array(const KeyOperand& operand, const BindRequest& request,
                                                         conf::KeyType key_type) {
  std::string storage;
  const ValueBytes value = value_bytes(operand.value, request, storage);
  std::vector<conf::KeyValue> keys;
  if (!value.bytes) return keys;
  const values::TypeInfo* column = values::find_type(operand.column_type);
  if (column == nullptr || value.format != values::Format::text) return std::nullopt;
  values::Oid element = operand.column_type;
  if (operand.value_type != 0) {
    const values::TypeInfo* array = values::find_type(operand.value_type);
    if (array == nullptr || array->element_oid == 0) return std::nullopt;
    element = array->element_oid;
  }
  // Plain one-dimensional arrays of unquoted elements; all else asks every shard.
  std::string_view text = *value.bytes;
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  if (text.find_first_of("{}\"\\ ") != std::string_view::npos) return std::nullopt;
  const router::KeyColumn key_column{key_type, operand.column_type, operand.column_modifier};
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (item.size() == 4 && (item == "NULL" || item == "null" || item == "Null")) continue;
    auto key = router::key_for_comparison(key_column, {element, values::Format::text, item});
    if (key.outcome == Outcome::unknown) return std::nullopt;
    if (key.outcome == Outcome::value) keys.push_back(std::move(key.key));
  }
  return keys;
}

std::optional<std::uint32_t> shard_of_key(const KeyCondition& condition, const BindRequest& request) {
  if (condition.kind != Kind::equals || condition.operands.size() != 1) return std::nullopt;
  const router::MappedTable& table = table_of(*request.map, condition.table);
  if (table.expression) return std::nullopt;
  const router::MappedScheme& scheme = request.map->schemes()[table.scheme];
  if (scheme.types.size() != 1) return std::nullopt;
  const KeyConversion key = convert(condition.operands.front(), request, scheme.type(), false);
  if (key.outcome != Outcome::value || key.key.is_null()) return std::nullopt;
  const auto place = router::ShardMap::place(scheme, key.key, request.lookups);
  return place ? std::optional(place->shard) : std::nullopt;
}

std::string string_value(std::string_view spelling, const BindRequest& request) {
  return request.mysql == nullptr ? literal_value(spelling, request.standard_conforming_strings)
                                  : mysql::literal_value(spelling, *request.mysql);
}

namespace {

ValueBytes row_value(const RowList::Value& value, const BindRequest& request, std::string& storage) {
  const std::string_view spelling = request.shape->source().substr(value.offset, value.length);
  switch (value.kind) {
    case RowList::Kind::integer:
      return {spelling, values::Format::text, values::oid::int4};
    case RowList::Kind::bigint:
      return {spelling, values::Format::text, values::oid::int8};
    case RowList::Kind::numeric:
      return {spelling, values::Format::text, values::oid::numeric};
    case RowList::Kind::string:
      storage = string_value(spelling, request);
      return {storage, values::Format::text, 0};
    case RowList::Kind::null:
    case RowList::Kind::bit_string:
    case RowList::Kind::boolean:
      break;
  }
  return {};
}

}  // namespace

ValueBytes value_bytes(const ValueRef& value, const BindRequest& request, std::string& storage) {
  switch (value.from) {
    case ValueRef::From::constant:
      return {value.text, values::Format::text, 0};
    case ValueRef::From::literal: {
      const LiteralToken& token = request.shape->literals()[static_cast<std::size_t>(value.index)];
      const std::string_view spelling = request.shape->spelling(value.index);
      if (token.kind != LiteralToken::Kind::string) return {spelling, values::Format::text, 0};
      storage = string_value(spelling, request);
      return {storage, values::Format::text, 0};
    }
    case ValueRef::From::parameter: {
      const auto index = static_cast<std::size_t>(value.index);
      if (index >= request.parameters.size()) {
        throw values::SqlError("08P01", "a parameter of the statement was not given a value");
      }
      const BoundValue& given = request.parameters[index];
      return {given.bytes, given.format, given.type};
    }
    case ValueRef::From::evaluated: {
      const auto index = static_cast<std::size_t>(value.index);
      if (index >= request.evaluations.size()) {
        throw values::make_error(values::ErrorId::internal, "an evaluation is missing");
      }
      const BoundValue& given = request.evaluations[index];
      return {given.bytes, given.format, given.type};
    }
    case ValueRef::From::row:
      return row_value(request.shape->rows()->at(request.row, value.index), request, storage);
    case ValueRef::From::is_null:
    case ValueRef::From::absent:
      return {};
  }
  return {};
}

router::KeyConversion convert(const KeyOperand& operand, const BindRequest& request,
                              conf::KeyType key_type, bool storage) {
  std::string made;
  const ValueBytes value = value_bytes(operand.value, request, made);
  values::Oid type = operand.value_type;
  if (type == 0 && value.declared != 0) type = value.declared;
  if (type == 0) {
    // A quoted literal, or a parameter without a type, takes the column's.
    type = value.format == values::Format::text ? values::oid::unknown : operand.column_type;
  }
  const router::KeyColumn column{key_type, operand.column_type, operand.column_modifier};
  const bool utf8 = request.mysql != nullptr && request.mysql->utf8;
  const router::KeyConstant constant{type, value.format, value.bytes, utf8};
  return storage ? router::key_for_storage(column, constant)
                 : router::key_for_comparison(column, constant);
}

namespace {

KeyConversion composite_from(const router::MappedScheme& scheme, const std::vector<KeyOperand>& operands,
                             const BindRequest& request, bool storage) {
  std::vector<conf::KeyValue> parts;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    KeyConversion part = convert(operands[i], request, scheme.types[i], storage);
    if (part.outcome != Outcome::value) return part;
    parts.push_back(std::move(part.key));
  }
  return KeyConversion::of(router::composite_key(scheme.types, parts));
}

}  // namespace

router::KeyConversion key_from(const router::ShardMap& map, int table,
                               const std::vector<KeyOperand>& operands, const BindRequest& request,
                               bool storage) {
  const router::MappedTable& mapped = table_of(map, table);
  const router::MappedScheme& scheme = map.schemes()[mapped.scheme];
  if (mapped.expression) return expression_key(*mapped.expression, operands, request, storage);
  if (operands.size() != scheme.types.size()) return KeyConversion::unknown();
  if (operands.size() == 1) return convert(operands.front(), request, scheme.type(), storage);
  return composite_from(scheme, operands, request, storage);
}

namespace {

std::string key_text(const std::vector<KeyOperand>& key, const BindRequest& request) {
  std::string text;
  for (const KeyOperand& operand : key) {
    std::string storage;
    const ValueBytes value = value_bytes(operand.value, request, storage);
    if (!text.empty()) text += ", ";
    text +=
        value.bytes && value.format == values::Format::text ? std::string(*value.bytes) : "NULL";
  }
  return text;
}

/// What MySQL says of a column that is NOT NULL, as its primary keys are.
values::SqlError mysql_null(const std::string& column, const KeyOperand& operand) {
  const bool absent = operand.value.from == ValueRef::From::absent;
  values::SqlError error =
      absent ? values::SqlError("HY000", fmt::format("Field '{}' doesn't have a default value", column))
             : values::SqlError("23000", fmt::format("Column '{}' cannot be null", column));
  error.mysql_code = absent ? 1364 : 1048;
  return error;
}

[[noreturn]] void refuse_null(const router::MappedTable& table, const std::vector<KeyOperand>& key, std::size_t part,
                              const BindRequest& request) {
  const std::string column = table.expression ? table.expression->text() : table.key[part];
  if (request.mysql != nullptr) throw mysql_null(column, key[part]);
  throw values::make_error(values::ErrorId::null_key, column, table.name.name);
}

/// The column whose NULL has no place.
std::optional<std::size_t> misplaced_null(const router::MappedTable& table, const router::MappedScheme& scheme,
                                          const std::vector<KeyOperand>& key, const BindRequest& request) {
  if (table.expression) return key.size() == 1 && key_text(key, request) == "NULL" ? std::optional<std::size_t>(0) : std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) {
    std::string storage;
    if (value_bytes(key[i].value, request, storage).bytes) continue;
    if (convert(key[i], request, scheme.types[i], true).outcome == Outcome::unknown) return i;
  }
  return std::nullopt;
}

}  // namespace

values::SqlError no_shard_error(const router::MappedTable& table, const router::MappedScheme& scheme,
                                const std::string& key) {
  if (!scheme.lookup) return values::make_error(values::ErrorId::no_shard_for_key, key, table.name.name);
  return values::make_error(values::ErrorId::no_lookup_row, key, table.name.name, scheme.lookup->name.name);
}

router::Placement place_of_stored(int table, const std::vector<KeyOperand>& key, const BindRequest& request) {
  const router::MappedTable& mapped = table_of(*request.map, table);
  const router::MappedScheme& scheme = request.map->schemes()[mapped.scheme];
  if (scheme.random()) {
    const auto place = router::ShardMap::place(scheme, conf::KeyValue::null());
    return place ? *place : router::Placement{-1, *scheme.shards.begin()};
  }
  const auto stored = key_from(*request.map, table, key, request, true);
  switch (stored.outcome) {
    case Outcome::value: {
      const auto place = router::ShardMap::place(scheme, stored.key, request.lookups);
      if (place) return *place;
      if (stored.key.is_null()) refuse_null(mapped, key, 0, request);
      throw no_shard_error(mapped, scheme, key_text(key, request));
    }
    case Outcome::nothing:
      // No value of the column's type: whichever shard is asked says so.
      return {-1, *scheme.shards.begin()};
    case Outcome::unknown:
      if (const auto part = misplaced_null(mapped, scheme, key, request)) refuse_null(mapped, key, *part, request);
      break;
  }
  throw values::make_error(values::ErrorId::unsupported_clause, "INSERT",
                           "the key " + key_text(key, request) + " cannot be read exactly",
                           "Write the key in its plain form: ISO dates, plain numbers.");
}

std::uint32_t shard_of_stored(int table, const std::vector<KeyOperand>& key, const BindRequest& request) {
  return place_of_stored(table, key, request).shard;
}

void check_counted(const std::vector<KeyOperand>& counted, const BindRequest& request) {
  for (const KeyOperand& operand : counted) {
    const auto number = convert(operand, request, conf::KeyType::bigint, true);
    if (number.outcome == Outcome::value) continue;
    throw values::make_error(values::ErrorId::unsupported_clause, "INSERT",
                             "each shard would count the AUTO_INCREMENT column for itself",
                             "Give the column a number in the statement.");
  }
}

router::ShardSet shards_of(const KeyCondition& condition, const BindRequest& request) {
  if (condition.kind == Kind::stored) {
    check_counted(condition.counted, request);
    return router::ShardSet::of(shard_of_stored(condition.table, condition.operands, request));
  }
  if (const auto one = shard_of_key(condition, request)) return router::ShardSet::of(*one);
  const router::ShardMap& map = *request.map;
  switch (condition.kind) {
    case Kind::anything:
      return all_of_table(condition, map);
    case Kind::nothing:
      return {};
    case Kind::shard_number:
    case Kind::shard_name:
      return shard_column(condition, request);
    default:
      break;
  }
  if (const int table = table_of(condition); table >= 0) {
    if (auto whole = predicate(condition, table, request)) {
      const auto& mapped = table_of(map, table);
      return router::prune(map.schemes()[mapped.scheme], *whole, request.lookups);
    }
  }
  router::ShardSet set;
  if (condition.kind == Kind::all_of) set = map.all_shards();
  for (const KeyCondition& part : condition.parts) {
    const router::ShardSet inner = shards_of(part, request);
    if (condition.kind == Kind::all_of) {
      set &= inner;
    } else {
      set |= inner;
    }
  }
  return set;
}

router::ShardSet buckets_of(std::uint32_t scheme, const KeyCondition& condition, const BindRequest& request) {
  const router::MappedScheme& by_bucket = *request.map->schemes()[scheme].by_bucket;
  if (condition.kind == Kind::nothing) return {};
  if (condition.kind == Kind::anything || is_special(condition)) return by_bucket.shards;
  if (const int table = table_of(condition); table >= 0) {
    if (auto whole = predicate(condition, table, request)) {
      if (table_of(*request.map, table).scheme != scheme) return by_bucket.shards;
      return router::prune(by_bucket, *whole, request.lookups);
    }
  }
  const bool all = condition.kind == Kind::all_of;
  if (condition.parts.empty() || (!all && condition.kind != Kind::any_of)) return by_bucket.shards;
  router::ShardSet set;
  if (all) set = by_bucket.shards;
  for (const KeyCondition& part : condition.parts) {
    const router::ShardSet inner = buckets_of(scheme, part, request);
    if (all) {
      set &= inner;
    } else {
      set |= inner;
    }
  }
  return set;
}

void explain_condition(const KeyCondition& condition, const BindRequest& request,
                       std::string& out) {
  if (condition.kind == Kind::stored) {
    const auto key = key_from(*request.map, condition.table, condition.operands, request, true);
    const router::MappedTable& mapped = table_of(*request.map, condition.table);
    if (key.outcome != Outcome::value || key.key.is_null()) return;
    out += router::route(*request.map, request.map->schemes()[mapped.scheme],
                         KeyPredicate::equals(key.key), request.lookups)
               .explanation;
    return;
  }
  if (is_special(condition)) return;
  const int table = table_of(condition);
  if (table < 0) return;
  const router::MappedTable& mapped = table_of(*request.map, table);
  if (const auto whole = predicate(condition, table, request)) {
    const auto route = router::route(*request.map, request.map->schemes()[mapped.scheme], *whole, request.lookups);
    if (out.find(route.explanation) != std::string::npos) return;
    if (!out.empty()) out += "; ";
    out += route.explanation;
    return;
  }
  for (const KeyCondition& part : condition.parts) explain_condition(part, request, out);
}

}  // namespace anabranch::rewriter
