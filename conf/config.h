#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/key_value.h"

namespace re2 {
class RE2;
}

/// What an operator writes, as a model. A Config is built whole by conf/load.h, never changes, and
/// is shared as std::shared_ptr<const Config>; it may be read from any thread. Names are those of
/// docs/configuration.md; shards and schemes are referred to by their index in the database.
namespace anabranch::conf {

using Milliseconds = std::chrono::milliseconds;  // 0: no limit, where the documentation allows 0

/// Where a thing was written; 1-based, 0 if it was not.
struct Position {
  int line = 0;
  int column = 0;

  /// Where a thing was written is no part of what it says: comparisons of models pass it over.
  bool operator==(const Position&) const { return true; }
};

struct Address {
  std::string host;  // a name, an IPv4, or an IPv6 address without brackets
  std::uint16_t port = 0;

  std::string text() const;  // `host:port` or `[v6]:port`
  bool operator==(const Address&) const = default;
};

struct Listen {
  std::vector<Address> postgres;
  std::vector<Address> mysql;
  std::vector<Address> http;

  bool operator==(const Listen&) const = default;
};

enum class ListenTls : std::uint8_t { disable, prefer, require };

struct Tls {
  ListenTls mode = ListenTls::disable;  // default: prefer with a certificate, disable without
  std::string certificate;              // paths, already made relative to the file's folder
  std::string key;
  std::string client_ca;

  bool operator==(const Tls&) const = default;
};

enum class PasswordKind : std::uint8_t { none, plain, scram_sha_256, md5, mysql_native };

/// A resolved secret. `text` is the password or verifier itself.
struct Password {
  PasswordKind kind = PasswordKind::none;
  std::string text;

  bool operator==(const Password&) const = default;
};

struct User {
  std::string name;
  Password password;
  std::string certificate;  // the CN a client's certificate must bear; empty: none needed
  std::optional<std::vector<std::string>> databases;  // left out: all
  bool admin = false;
  Position where;

  bool may_use(std::string_view database) const;

  bool operator==(const User&) const = default;
};

enum class LoginMethod : std::uint8_t { scram, cleartext };

/// How clients prove who they are, and where users are found that `users` does not list.
struct Authentication {
  LoginMethod method = LoginMethod::scram;  // cleartext: over TLS only
  std::string user;                         // who asks the servers for verifiers; empty: nobody does
  Password password;
  std::string query =
      "SELECT rolname, rolpassword FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin "
      "AND (rolvaliduntil IS NULL OR rolvaliduntil > pg_catalog.now())";
  Milliseconds cache_time{10'000};

  bool asks_servers() const { return !user.empty(); }
  bool operator==(const Authentication&) const = default;
};

enum class Kind : std::uint8_t { postgres, mysql };
enum class SetRole : std::uint8_t { none, client };
enum class BackendTls : std::uint8_t { disable, prefer, require, verify_full };

/// How a server is logged in to: the database's defaults with the server's own settings over them.
struct Backend {
  std::string database;             // empty only in "*": the name the client asked for
  std::optional<std::string> user;  // left out: the client's own name and password
  Password password;                // plain or none
  SetRole set_role = SetRole::none;
  std::optional<std::string> catalog_user;   // default: user
  std::optional<Password> catalog_password;  // default: password
  BackendTls tls = BackendTls::prefer;
  std::string ca;  // for verify_full; empty: the system's
  Milliseconds connect_timeout{1000};
  std::uint32_t connect_attempts = 3;

  bool operator==(const Backend&) const = default;
};

struct Server {
  Address address;
  Backend backend;

  bool operator==(const Server&) const = default;
};

struct Shard {
  std::string name;
  Server primary;
  std::vector<Server> replicas;
  std::uint32_t weight = 1;
  bool internal_replication = true;
  Position where;

  bool operator==(const Shard&) const = default;
};

enum class PoolMode : std::uint8_t { transaction, session };

struct Pool {
  PoolMode mode = PoolMode::transaction;
  std::uint32_t size = 20;  // connections per server and user, all threads together
  std::uint32_t min_idle = 0;
  Milliseconds idle_timeout{600'000};
  Milliseconds max_lifetime{3'600'000};
  Milliseconds wait_timeout{5'000};

  bool operator==(const Pool&) const = default;
};

enum class LoadBalancing : std::uint8_t {
  random,
  nearest_hostname,
  in_order,
  first_or_random,
  round_robin,
  least_busy
};
enum class ReadFrom : std::uint8_t { primary, replica, prefer_replica };
enum class TwoPhase : std::uint8_t { automatic, required, off };
enum class Snapshots : std::uint8_t { shard, global };

struct Transactions {
  TwoPhase two_phase = TwoPhase::automatic;
  Snapshots snapshots = Snapshots::shard;

  bool operator==(const Transactions&) const = default;
};

/// Where gathered rows are joined: a shard, or a server of its own.
struct Workspace {
  std::uint32_t shard = 0;  // when `server` is not set
  std::optional<Server> server;

  bool operator==(const Workspace&) const = default;
};

enum class Hash : std::uint8_t {
  none,
  int_hash64,
  city_hash64,
  xxh64,
  murmur3,
  crc32,
  md5,
  sha1,
  pg_hash,
  rand
};
enum class StrategyKind : std::uint8_t {
  modulo,
  buckets,
  range,
  list,
  lookup,
  ring,
  rendezvous,
  jump,
  multi_probe,
  maglev
};

std::string_view to_string(Hash hash);  // as written in the file
std::string_view to_string(StrategyKind kind);

/// Rows with keys below `below` (and not below the range before) live on `shard`.
struct Range {
  std::optional<KeyValue> below;  // none: the last range, without a bound
  std::uint32_t shard = 0;

  bool operator==(const Range&) const = default;
};

struct ListEntry {
  KeyValue value;  // may be NULL
  std::uint32_t shard = 0;

  bool operator==(const ListEntry&) const = default;
};

struct TableName {
  std::string schema;  // `public` when left out
  std::string name;

  auto operator<=>(const TableName&) const = default;
};

/// `table` or `schema.table`, as the catalog spells them; a part in double quotes may hold dots,
/// and
/// `""` for a quote. Nothing if it is no such name.
std::optional<TableName> parse_table_name(std::string_view text);

/// A named way to place rows. Only the parameters its strategy takes are set.
struct Scheme {
  std::string name;
  std::vector<KeyType> types;  // one; several for a composite key; none with hash rand
  std::optional<Hash> hash;    // set for exactly the strategies that hash
  StrategyKind strategy = StrategyKind::modulo;
  std::uint32_t buckets = 0;
  std::vector<std::uint32_t> bucket_shards;  // shard of each bucket; size() == buckets
  std::vector<std::uint32_t>
      shards;  // modulo, jump, ring, rendezvous, multi_probe, maglev: in order
  std::vector<Range> ranges;
  std::vector<ListEntry> lists;
  std::optional<std::uint32_t> otherwise;
  std::optional<std::uint32_t> nulls;
  TableName lookup_table;
  Position lookup_where;
  Milliseconds max_age{10'000};  // of what is known of a row of lookup_table
  std::uint32_t virtual_nodes = 160;
  std::uint32_t probes = 21;
  std::uint32_t table_size = 65537;
  std::uint64_t epoch = 1;
  std::string collation = "binary";
  Position where;

  bool operator==(const Scheme&) const = default;
};

enum class TableKind : std::uint8_t { sharded, reference, whole };
enum class Generator : std::uint8_t { sequence, snowflake, uuid };

struct Table {
  TableName name;
  TableKind kind = TableKind::sharded;
  std::uint32_t scheme = 0;      // sharded
  std::vector<std::string> key;  // sharded: column names; empty with an expression or hash rand
  std::string expression;        // sharded: instead of `key`; parsed by router/key_expression.h
  std::uint32_t shard = 0;       // whole: the shard it lives on
  std::string physical;          // pattern of the per-bucket table names; empty: none
  std::vector<std::pair<std::string, Generator>> generate;
  Position where;
  Position expression_where;

  bool operator==(const Table&) const = default;
};

enum class FunctionReads : std::uint8_t { none, reference, key };

struct Function {
  TableName name;  // schema and name of the function; `public` when left out
  FunctionReads reads = FunctionReads::none;
  std::string key_argument;  // with FunctionReads::key: the argument's name or 1-based position
  Position where;

  bool operator==(const Function&) const = default;
};

struct Database {
  std::string name;  // "*" takes every name that no other entry has
  Kind kind = Kind::postgres;
  Backend backend;
  Pool pool;
  LoadBalancing load_balancing = LoadBalancing::random;
  ReadFrom read_from = ReadFrom::primary;
  Milliseconds max_replica_lag{1'000};
  Transactions transactions;
  Workspace workspace;
  std::vector<Shard> shards;  // in file order; at least one
  std::uint32_t default_shard = 0;
  std::vector<Scheme> schemes;
  std::vector<Table> tables;
  std::vector<Function> functions;
  Position where;

  bool passes_names_on() const { return name == "*"; }
  std::optional<std::uint32_t> find_shard(std::string_view shard_name) const;
  std::optional<std::uint32_t> find_scheme(std::string_view scheme_name) const;
  const Table* find_table(std::string_view schema, std::string_view table_name) const;

  bool operator==(const Database&) const = default;
};

struct Limits {
  std::uint32_t client_connections = 10'000;
  std::uint32_t unauthenticated_connections = 2'000;
  Milliseconds authentication_timeout{60'000};
  std::uint64_t query_memory = 256ULL << 20U;  // bytes
  std::string spill_directory = "/var/tmp";
  std::uint64_t spill = 10ULL << 30U;  // bytes
  Milliseconds statement_timeout{0};
  Milliseconds idle_in_transaction_timeout{0};

  bool operator==(const Limits&) const = default;
};

enum class RuleAction : std::uint8_t { reject, replica, shard };

struct Rule {
  std::string match;                        // as written
  std::shared_ptr<const re2::RE2> pattern;  // compiled; thread-safe
  std::string user;                         // empty: any
  RuleAction action = RuleAction::reject;
  std::string message;  // reject
  std::string shard;    // shard
  Position where;

  bool operator==(const Rule& other) const;
};

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };
enum class LogFormat : std::uint8_t { text, json };

struct Log {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  Milliseconds slow_query{1'000};  // 0: none is logged

  bool operator==(const Log&) const = default;
};

struct Config {
  std::string file;
  Listen listen;
  std::uint32_t threads = 1;
  Tls tls;
  std::vector<User> users;
  Authentication authentication;
  std::vector<Database> databases;
  Limits limits;
  std::vector<Rule> rules;
  Log log;
  std::map<std::string, Position>
      written;  // where each key stands, by its path: `databases.shop.pool.size`

  /// Where the key stands, or the nearest one above it that was written.
  Position where(std::string_view path) const;

  /// The entry of that name, otherwise "*", otherwise null. `anabranch` is never an entry.
  const Database* find_database(std::string_view name) const;
  const User* find_user(std::string_view name) const;
};

}  // namespace anabranch::conf
