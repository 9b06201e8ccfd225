#include "proxy/cli_route.h"

#include <fmt/format.h>

#include <expected>
#include <ostream>

#include "backends/lookup_source.h"
#include "conf/load.h"
#include "proxy/cli_check.h"
#include "router/composite_key.h"
#include "router/shard_map.h"

namespace anabranch::proxy {
namespace {

using conf::KeyType;
using conf::KeyValue;

/// Why no key can be routed; empty if it can.
std::string obstacle(const router::ShardMap& map, const router::MappedTable& table) {
  if (table.kind == conf::TableKind::reference) {
    return "is a reference table: each of its rows is on every shard";
  }
  if (table.kind == conf::TableKind::whole) return {};
  const router::MappedScheme& scheme = map.schemes()[table.scheme];
  if (scheme.random()) return "is placed at random: any row may be on any shard";
  return {};
}

std::optional<KeyValue> parse(KeyType type, const std::string& text) {
  if (text == "\\N") return KeyValue::null();
  if (auto key = conf::parse_key(type, text)) return *key;
  if (type == KeyType::timestamp) {
    if (auto instant = conf::parse_instant(text)) return *instant;
  }
  return std::nullopt;
}

/// One record of CSV: fields in double quotes may hold commas, and `""` for a quote. Nothing if it
/// is none.
std::optional<std::vector<std::string>> parse_record(std::string_view text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      fields.back() += text[++i];
    } else if (c == '"' && (quoted || fields.back().empty())) {
      quoted = !quoted;
      const bool ends = i + 1 == text.size() || text[i + 1] == ',';
      if (!quoted && !ends) return std::nullopt;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return fields;
}

std::expected<KeyValue, std::string> parse_key(const router::MappedScheme& scheme, const std::string& text) {
  if (scheme.types.size() == 1) {
    if (auto key = parse(scheme.type(), text)) return std::move(*key);
    return std::unexpected(fmt::format("key `{}` is no {}", text, conf::to_string(scheme.type())));
  }
  const auto fields = parse_record(text);
  if (!fields || fields->size() != scheme.types.size()) {
    return std::unexpected(fmt::format("key `{}` is no CSV record of {} parts", text, scheme.types.size()));
  }
  std::vector<KeyValue> parts;
  for (std::size_t i = 0; i < fields->size(); ++i) {
    auto part = parse(scheme.types[i], fields->at(i));
    if (!part) {
      return std::unexpected(
          fmt::format("part `{}` of key `{}` is no {}", fields->at(i), text, conf::to_string(scheme.types[i])));
    }
    parts.push_back(std::move(*part));
  }
  return router::composite_key(scheme.types, parts);
}

/// The line of one key, or why there is none.
std::expected<std::string, std::string> line_of(const router::ShardMap& map,
                                                const router::MappedTable* table,
                                                backends::LookupSource& lookups,
                                                const std::string& text) {
  const bool placed = table != nullptr && table->kind == conf::TableKind::sharded;
  if (!placed) {
    const std::uint32_t shard = table == nullptr ? map.default_shard() : table->shard;
    return fmt::format("{}\t-\t{}", text, map.shards()[shard].name);
  }
  const router::MappedScheme& scheme = map.schemes()[table->scheme];
  const auto key = parse_key(scheme, text);
  if (!key) return std::unexpected(key.error());
  const auto placement = router::ShardMap::place(scheme, *key, &lookups);
  if (!lookups.failure().empty()) {
    return std::unexpected(fmt::format("key `{}` cannot be looked up in table `{}`: {}", text,
                                       scheme.lookup->name.name, lookups.failure()));
  }
  if (!placement) {
    return std::unexpected(fmt::format("key `{}` has no place in scheme `{}`: its rows are refused",
                                       text, scheme.name));
  }
  const std::string bucket = placement->bucket < 0 ? "-" : std::to_string(placement->bucket);
  return fmt::format("{}\t{}\t{}", text, bucket, map.shards()[placement->shard].name);
}

std::shared_ptr<const router::ShardMap> map_of(const conf::Config& config, const RouteOptions& options,
                                               std::ostream& err) {
  const conf::Database* database = config.find_database(options.database);
  if (database == nullptr) {
    err << fmt::format("{}: error: no database `{}`\n", options.config, options.database);
    return nullptr;
  }
  std::vector<conf::Diagnostic> diagnostics;
  auto map = router::ShardMap::build(*database, options.config, diagnostics);
  print(diagnostics, err);
  return map;
}

}  // namespace

int route(const RouteOptions& options, std::ostream& out, std::ostream& err) {
  const auto config = load_config(options.config, err);
  const auto map = config == nullptr ? nullptr : map_of(*config, options, err);
  if (map == nullptr) return exit_refused;
  backends::LookupSource lookups(*config->find_database(options.database), *map);
  const auto name = conf::parse_table_name(options.table);
  if (!name) {
    err << fmt::format("error: `{}` is no table name such as orders or public.orders\n",
                       options.table);
    return exit_refused;
  }
  const router::MappedTable* table = map->find_table(*name);
  if (table != nullptr) {
    if (const std::string reason = obstacle(*map, *table); !reason.empty()) {
      err << fmt::format("error: table `{}` {}\n", options.table, reason);
      return exit_refused;
    }
  }
  int status = exit_fine;
  for (const std::string& key : options.keys) {
    const auto line = line_of(*map, table, lookups, key);
    if (line) {
      out << *line << '\n';
    } else {
      err << "error: " << line.error() << '\n';
      status = exit_refused;
    }
  }
  return status;
}

}  // namespace anabranch::proxy
