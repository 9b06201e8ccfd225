#include "backends/lookup_question.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "backends/context.h"
#include "values/errors.h"
#include "values/mysql_quote.h"

namespace anabranch::backends {

namespace {

using router::KeyType;
using router::KeyValue;

std::string hexadecimal(std::string_view bytes) {
  std::string digits;
  for (const char byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return digits;
}

/// A question in the words of one kind of server. Backslashes and letters beyond ASCII would be read by settings.
struct Words {
  std::string (*quote)(std::string_view name);
  std::string_view equals;
  std::string (*constant)(KeyType type, const KeyValue& key);
};

/// By its number: years before our era, and beyond 9999, have spellings of their own.
std::string postgres_date(std::int64_t days) {
  constexpr std::int64_t infinite = std::numeric_limits<std::int32_t>::max();
  constexpr std::int64_t infinite_past = std::numeric_limits<std::int32_t>::min();
  if (days == infinite || days == infinite_past) {
    return fmt::format("'{}infinity'::pg_catalog.date", days == infinite ? "" : "-");
  }
  return fmt::format("('1970-01-01'::pg_catalog.date OPERATOR(pg_catalog.+) '{}'::pg_catalog.int4)", days);
}

std::string postgres_constant(KeyType type, const KeyValue& key) {
  switch (type) {
    case KeyType::text:
      return fmt::format("pg_catalog.convert_from(pg_catalog.decode('{}', 'hex'), pg_catalog.getdatabaseencoding())",
                         hexadecimal(key.bytes));
    case KeyType::bytes:
      return fmt::format("pg_catalog.decode('{}', 'hex')", hexadecimal(key.bytes));
    case KeyType::uuid:
      return fmt::format("'{}'::pg_catalog.uuid", conf::to_text(type, key));
    case KeyType::date:
      return postgres_date(key.integer);
    case KeyType::numeric:
      return fmt::format("'{}'::pg_catalog.numeric", conf::to_text(type, key));
    case KeyType::bigint:
    case KeyType::timestamp:
      break;
  }
  return fmt::format("'{}'::pg_catalog.int8", key.integer);
}

std::string mysql_constant(KeyType type, const KeyValue& key) {
  switch (type) {
    case KeyType::text:
      return fmt::format("_utf8mb4 X'{}'", hexadecimal(key.bytes));
    case KeyType::bytes:
      return fmt::format("X'{}'", hexadecimal(key.bytes));
    case KeyType::uuid:
      return fmt::format("'{}'", conf::to_text(type, key));
    case KeyType::date:
      return fmt::format("DATE'{}'", conf::to_text(type, key));
    case KeyType::numeric:
      return conf::to_text(type, key);
    case KeyType::bigint:
    case KeyType::timestamp:
      break;
  }
  return fmt::format("{}", key.integer);
}

const Words& words_of(conf::Kind kind) {
  static constexpr Words postgres{quote_identifier, "OPERATOR(pg_catalog.=)", postgres_constant};
  static constexpr Words mysql{values::quote_mysql_identifier, "=", mysql_constant};
  return kind == conf::Kind::mysql ? mysql : postgres;
}

std::size_t number_of(const std::vector<std::optional<std::string>>& row, std::size_t keys) {
  std::size_t number = keys;
  if (row.size() == 2 && row[0]) std::from_chars(row[0]->data(), row[0]->data() + row[0]->size(), number);
  if (number < keys) return number;
  throw values::make_error(values::ErrorId::shard_protocol, "the default shard", "a row that was not asked for");
}

}  // namespace

std::string lookup_question(conf::Kind kind, const router::MappedScheme& scheme, std::span<const KeyValue> keys) {
  const Words& words = words_of(kind);
  const std::string table = words.quote(scheme.lookup->name.schema) + "." + words.quote(scheme.lookup->name.name);
  std::string sql;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    sql += fmt::format("{}SELECT {}, {} FROM {} WHERE {} {} {}", i == 0 ? "" : " UNION ALL ", i, words.quote("shard"),
                       table, words.quote("key"), words.equals, words.constant(scheme.type(), keys[i]));
  }
  return sql;
}

std::vector<std::optional<std::uint32_t>> read_lookup_answer(
    const router::ShardMap& map, const router::MappedScheme& scheme, std::span<const KeyValue> keys,
    std::span<const std::vector<std::optional<std::string>>> rows) {
  std::vector<std::optional<std::uint32_t>> shards(keys.size());
  for (const auto& row : rows) {
    const std::size_t number = number_of(row, keys.size());
    const auto wrong = [&](const std::string& why) {
      return values::make_error(values::ErrorId::wrong_lookup_row, scheme.lookup->name.name,
                                conf::to_text(scheme.type(), keys[number]), scheme.name, why);
    };
    if (!row[1]) throw wrong("its shard is NULL");
    const auto shard = map.find_shard(*row[1]);
    if (!shard) throw wrong(fmt::format("there is no shard \"{}\"", *row[1]));
    if (shards[number]) throw wrong("it has several rows");
    shards[number] = shard;
  }
  return shards;
}

}  // namespace anabranch::backends
