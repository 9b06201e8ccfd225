#include "backends/placement_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "backends/context.h"
#include "backends/control_connection.h"
#include "backends/every_shard.h"
#include "backends/lookup_source.h"
#include "backends/stored_key.h"

namespace anabranch::backends {

namespace {

constexpr int keys_looked_at = 1000;
/// Tables of up to so many rows are read whole to choose from.
constexpr double small_table_rows = 100'000;

std::string quoted(const conf::TableName& name) {
  return quote_identifier(name.schema) + "." + quote_identifier(name.name);
}

/// What one shard has to say.
class ShardLook {
 public:
  ShardLook(const PlacementRequest& request, std::uint32_t shard)
      : map_(*request.map),
        before_(request.before),
        shard_(shard),
        server_(control_server(*request.database, shard, {}, request.database->name)),
        lookups_(*request.database, *request.map) {}

  void run() {
    auto opened = ControlConnection::open(server_);
    if (!opened) return say("its rows cannot be looked at", opened.error());
    connection_ = &*opened;
    // As the proxy reads constants, whatever the server's defaults are.
    if (!ask("SET datestyle TO 'ISO'; SET timezone TO 'UTC'; SET bytea_output TO 'hex'; SET search_path TO ''")) {
      return;
    }
    for (const router::MappedTable& table : map_.tables()) {
      if (!table.physical.empty()) {
        look_at_buckets(table);
      } else if (exists(table.name)) {
        look_at(table);
      }
    }
    if (before_ != nullptr) {
      for (const router::MappedTable& table : before_->tables()) {
        const bool gone = map_.find_table(table.name.schema, table.name.name) == nullptr;
        if (gone && shard_ != map_.default_shard() && exists(table.name)) expect_empty(table.name);
      }
    }
    connection_ = nullptr;
  }

  std::vector<std::string> problems;
  /// Of reference tables, in the map's order; empty: not there.
  std::vector<std::string> fingerprints;

 private:
  void say(std::string_view what, std::string_view why) {
    problems.push_back(fmt::format("database {}: shard {}: {}: {}", server_.database, server_.text(), what, why));
  }

  std::optional<ControlResult> ask(const std::string& sql) {
    auto results = connection_->run(sql);
    if (results && !results->empty()) return std::move(results->back());
    say("its rows cannot be looked at", results ? "no answer" : results.error());
    return std::nullopt;
  }

  bool exists(const conf::TableName& name) {
    const auto found = ask(fmt::format("SELECT to_regclass({}) IS NOT NULL", quote_literal(quoted(name))));
    return found && found->flag(0, 0);
  }

  void expect_empty(const conf::TableName& name) {
    const auto any = ask(fmt::format("SELECT EXISTS (SELECT FROM {})", quoted(name)));
    if (any && any->flag(0, 0)) {
      say(fmt::format("table {}.{}", name.schema, name.name), "it has rows here, but its place is elsewhere");
    }
  }

  void look_at(const router::MappedTable& table) {
    if (table.kind == conf::TableKind::reference) return fingerprint(table);
    if (!map_.shards_of(table).contains(shard_)) return expect_empty(table.name);
    if (table.kind != conf::TableKind::sharded) return;
    const router::MappedScheme& scheme = map_.schemes()[table.scheme];
    if (!scheme.random()) look_at_keys(table, scheme, table.name);
  }

  void look_at_buckets(const router::MappedTable& table) {
    const router::MappedScheme& scheme = map_.schemes()[table.scheme];
    for (std::uint32_t bucket = 0; bucket < scheme.bucket_shards.size(); ++bucket) {
      const conf::TableName name = table.of_bucket(bucket);
      if (!exists(name)) continue;
      if (scheme.bucket_shards[bucket] != shard_) {
        expect_empty(name);
      } else {
        look_at_keys(table, scheme, name, static_cast<std::int32_t>(bucket));
      }
    }
  }

  void fingerprint(const router::MappedTable& table) {
    const auto sum = ask(fmt::format("SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {} t",
                                     quoted(table.name)));
    if (!sum) return;
    fingerprints.resize(map_.tables().size());
    const auto index = static_cast<std::size_t>(&table - map_.tables().data());
    fingerprints[index] = fmt::format("{} rows, checksum {}", sum->text(0, 0), sum->text(0, 1));
  }

  /// A random choice, by the cheapest way that is one.
  std::string choice(const conf::TableName& name) {
    const auto known = ask(fmt::format("SELECT reltuples FROM pg_catalog.pg_class WHERE oid = {}::regclass",
                                       quote_literal(quoted(name))));
    const double rows = known ? static_cast<double>(known->number(0, 0)) : 0;
    if (rows <= small_table_rows) return fmt::format("{} ORDER BY random() LIMIT {}", quoted(name), keys_looked_at);
    // Blocks are chosen, so that rows of one block come together: take more than are needed.
    const double percent = std::min(100.0, 100.0 * 20 * keys_looked_at / rows);
    return fmt::format("{} TABLESAMPLE SYSTEM ({:.6f}) ORDER BY random() LIMIT {}", quoted(name), percent,
                       keys_looked_at);
  }

  void look_up(const router::MappedTable& table, const router::MappedScheme& scheme, const ControlResult& rows) {
    if (!scheme.lookup) return;
    std::vector<router::KeyValue> keys;
    for (int row = 0; row < rows.rows(); ++row) {
      if (auto key = key_of(table, scheme, rows, row)) keys.push_back(std::move(*key));
    }
    lookups_.prepare(scheme, keys);
  }

  /// Of rows of a bucket's table, which it is; -1: rows of any.
  void look_at_keys(const router::MappedTable& table, const router::MappedScheme& scheme, const conf::TableName& name,
                    std::int32_t bucket = -1) {
    const auto& columns = placing_columns(table);
    std::string list;
    for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + quote_identifier(column);
    const auto rows = ask(fmt::format("SELECT {} FROM {}", list, choice(name)));
    if (!rows) return;
    look_up(table, scheme, *rows);
    if (!lookups_.failure().empty()) return say("its keys cannot be looked up", lookups_.failure());
    for (int row = 0; row < rows->rows(); ++row) {
      const auto key = key_of(table, scheme, *rows, row);
      if (!key) continue;
      const auto place = router::ShardMap::place(scheme, *key, &lookups_);
      if (place && place->shard == shard_ && (bucket < 0 || place->bucket == bucket)) continue;
      std::string texts;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto column = static_cast<int>(i);
        texts += fmt::format("{}{} {}", i == 0 ? "" : ", ", columns[i],
                             rows->null(row, column) ? "NULL" : rows->text(row, column));
      }
      const std::string right = !place ? "nowhere" : map_.shards()[place->shard].name;
      return say(fmt::format("table {}.{}", name.schema, name.name),
                 fmt::format("the row of {} lies here, but its place is {}{}", texts, right,
                             bucket < 0 || !place ? "" : fmt::format(", bucket {}", place->bucket)));
    }
  }

  /// Nothing: the catalog's checks have refused such a table already.
  static std::optional<router::KeyValue> key_of(const router::MappedTable& table, const router::MappedScheme& scheme,
                                                const ControlResult& rows, int row) {
    std::vector<StoredColumn> columns;
    std::vector<std::optional<std::string_view>> texts;
    for (int column = 0; column < rows.columns(); ++column) {
      columns.push_back({rows.type(column), rows.modifier(column)});
      texts.push_back(rows.null(row, column) ? std::nullopt : std::optional(rows.text(row, column)));
    }
    return stored_key(table, scheme, columns, texts);
  }

  const router::ShardMap& map_;
  const router::ShardMap* before_;
  const std::uint32_t shard_;
  const Server server_;
  LookupSource lookups_;
  ControlConnection* connection_ = nullptr;
};

/// The copies of a reference table are the default shard's.
void compare_copies(const PlacementRequest& request, const std::deque<ShardLook>& looks,
                    std::vector<std::string>& problems) {
  const std::size_t main = request.map->default_shard();
  for (std::size_t table = 0; table < request.map->tables().size(); ++table) {
    const router::MappedTable& mapped = request.map->tables()[table];
    if (mapped.kind != conf::TableKind::reference) continue;
    const auto print_of = [&](std::size_t shard) {
      const auto& prints = looks[shard].fingerprints;
      return prints.size() > table && !prints[table].empty() ? prints[table] : std::string("no table");
    };
    for (std::size_t shard = 0; shard < looks.size(); ++shard) {
      if (print_of(shard) == print_of(main)) continue;
      problems.push_back(fmt::format("database {}: reference table {}.{}: {} on shard {}, {} on shard {}",
                                     request.database->name, mapped.name.schema, mapped.name.name, print_of(main),
                                     request.map->shards()[main].name, print_of(shard),
                                     request.map->shards()[shard].name));
    }
  }
}

}  // namespace

std::vector<std::string> find_misplaced(const PlacementRequest& request) {
  std::deque<ShardLook> looks;
  for (std::uint32_t shard = 0; shard < request.map->shards().size(); ++shard) looks.emplace_back(request, shard);
  on_every_shard(looks.size(), [&looks](std::size_t shard) { looks[shard].run(); });
  std::vector<std::string> problems;
  for (ShardLook& look : looks) {
    for (std::string& problem : look.problems) problems.push_back(std::move(problem));
  }
  if (problems.empty()) compare_copies(request, looks, problems);
  return problems;
}

}  // namespace anabranch::backends
