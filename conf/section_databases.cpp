#include <fmt/format.h>

#include <array>

#include "conf/sections.h"

namespace anabranch::conf {
namespace {

constexpr std::array<std::string_view, 2> kinds{"postgres", "mysql"};
constexpr std::array<std::string_view, 2> pool_modes{"transaction", "session"};
constexpr std::array<std::string_view, 6> balancings{
    "random", "nearest_hostname", "in_order", "first_or_random", "round_robin", "least_busy"};
constexpr std::array<std::string_view, 3> read_froms{"primary", "replica", "prefer_replica"};
constexpr std::array<std::string_view, 3> two_phases{"auto", "required", "off"};
constexpr std::array<std::string_view, 2> snapshot_kinds{"shard", "global"};

const std::vector<Field<Pool>>& pool_fields() {
  static const std::vector<Field<Pool>> fields{
      {"mode", "transaction | session", "transaction", false, true,
       "How long a client keeps a server's connection.", choice(&Pool::mode, pool_modes)},
      {"size", "1 to 100000", "20", false, true,
       "Connections per server and user, all threads together.", whole(&Pool::size, 1, 100'000)},
      {"min_idle", "0 to 100000", "0", false, true, "Connections kept open without need.",
       whole(&Pool::min_idle, 0, 100'000)},
      {"idle_timeout", "duration, or 0", "10m", false, true,
       "An idle connection is closed after this; 0: never.", duration(&Pool::idle_timeout, true)},
      {"max_lifetime", "duration, or 0", "1h", false, true,
       "A connection is replaced after this; 0: never.", duration(&Pool::max_lifetime, true)},
      {"wait_timeout", "duration", "5s", false, true,
       "How long a statement waits for a connection.", duration(&Pool::wait_timeout, false)},
  };
  return fields;
}

const std::vector<Field<Transactions>>& transaction_fields() {
  static const std::vector<Field<Transactions>> fields{
      {"two_phase", "auto | required | off", "auto", false, true,
       "Whether a transaction that writes to several shards is committed in two phases; off: shard by shard "
       "(transactions.md).",
       choice(&Transactions::two_phase, two_phases)},
      {"snapshots", "shard | global", "shard", false, true,
       "global: one moment for a read of several shards (REPEATABLE READ).",
       choice(&Transactions::snapshots, snapshot_kinds)},
  };
  return fields;
}

void read_pool(Reader& reader, const Node& node, Database& database) {
  if (!read_section<Pool>(reader, node, pool_fields(), database.pool)) return;
  if (database.pool.min_idle > database.pool.size) {
    reader.error(reader.here(), fmt::format("`min_idle` ({}) is more than `size` ({})",
                                            database.pool.min_idle, database.pool.size));
  }
}

void read_default_shard(Reader& reader, const Node& node, Database& database) {
  if (const auto shard = read_shard_name(reader, node, database)) database.default_shard = *shard;
}

void read_workspace(Reader& reader, const Node& node, Database& database) {
  const bool names_shard =
      node.kind == Node::Kind::scalar &&
      (database.find_shard(node.text) || node.text.find(':') == std::string::npos);
  if (names_shard) {
    if (const auto shard = read_shard_name(reader, node, database)) {
      database.workspace.shard = *shard;
    }
  } else {
    database.workspace.server = read_server(reader, node, database);
  }
}

const std::vector<Field<Database>>& database_fields() {
  static const std::vector<Field<Database>> fields{
      {"kind", "postgres | mysql", "postgres", false, true, "What the servers are.",
       choice(&Database::kind, kinds)},
      {"backend", "section", "", false, true, "How servers are logged in to.", read_backend},
      {"pool", "section", "", false, true, "Connections to the servers.", read_pool},
      {"load_balancing",
       "random | nearest_hostname | in_order | first_or_random | round_robin | least_busy",
       "random", false, true, "Which replica answers.",
       choice(&Database::load_balancing, balancings)},
      {"read_from", "primary | replica | prefer_replica", "primary", false, true, "Where reads go.",
       choice(&Database::read_from, read_froms)},
      {"max_replica_lag", "duration", "1s", false, true, "A replica further behind is not read.",
       duration(&Database::max_replica_lag, false)},
      {"transactions", "section", "", false, true, "Transactions over several shards.",
       [](Reader& reader, const Node& node, Database& into) {
         read_section<Transactions>(reader, node, transaction_fields(), into.transactions);
       }},
      {"shards", "map of names", "", true, true, "The servers that hold the rows.", read_shards},
      {"default_shard", "shard", "", false, true,
       "Holds tables that are not listed, catalogs, sequences. Needed with more than one shard.",
       read_default_shard},
      {"workspace", "shard, or a server", "", false, true,
       "Where gathered rows are joined. Default: default_shard.", read_workspace},
      {"schemes", "map of names", "", false, true, "Ways to place rows.", read_schemes},
      {"tables", "map of tables", "", false, true, "How each table is placed.", read_tables},
      {"functions", "map of functions", "", false, true, "What user-defined functions read.",
       read_functions},
  };
  return fields;
}

void read_database(Reader& reader, const Node::Entry& entry, Config& config) {
  const Reader::Scope scope(reader, entry.key, entry.where);
  Database database;
  database.name = entry.key;
  database.where = entry.where;
  if (!database.passes_names_on()) database.backend.database = entry.key;
  if (entry.key.empty()) reader.error(entry.where, "expected a name for the database");
  if (entry.key == "anabranch") {
    reader.error(entry.where, "`anabranch` is a reserved name: choose another for the database");
  }
  if (!read_section<Database>(reader, entry.value, database_fields(), database)) return;
  if (database.shards.size() > 1 && entry.value.find("default_shard") == nullptr) {
    reader.error(
        entry.where,
        "`default_shard` is missing: expected one of the shards, since there is more than one");
  }
  if (entry.value.find("workspace") == nullptr) database.workspace.shard = database.default_shard;
  config.databases.push_back(std::move(database));
}

}  // namespace

void read_databases(Reader& reader, const Node& node, Config& config) {
  if (!reader.is_map(node)) return;
  if (node.entries.empty()) reader.error(node.where, "expected at least one database");
  for (const Node::Entry& entry : node.entries) read_database(reader, entry, config);
}

void database_docs(std::vector<SettingDoc>& docs) {
  document_section<Database>("databases.NAME", database_fields(), docs);
  document_section<Pool>("databases.NAME.pool", pool_fields(), docs);
  document_section<Transactions>("databases.NAME.transactions", transaction_fields(), docs);
}

std::optional<std::uint32_t> read_shard_name(Reader& reader, const Node& node,
                                             const Database& database) {
  const auto name = reader.string(node);
  if (!name || database.shards.empty()) return std::nullopt;
  const auto shard = database.find_shard(*name);
  if (!shard) {
    std::vector<std::string_view> known;
    for (const Shard& one : database.shards) known.push_back(one.name);
    reader.unknown(node.where, "shard", *name, known);
  }
  return shard;
}

}  // namespace anabranch::conf
