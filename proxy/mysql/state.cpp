#include "proxy/mysql/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>

#include "backends/mysql_context.h"
#include "net/mysql/flags.h"
#include "values/ascii.h"
#include "values/errors.h"
#include "values/mysql_type.h"

namespace anabranch::proxy::mysql {

namespace {

backends::SessionForm form_of(const Agreement& agreement) {
  return {agreement.capabilities, agreement.collation, true};
}

/// 100 * (100 * major + minor) + patch of "10.11.6-MariaDB", "5.5.5-10.11.6-MariaDB".
int version_number(std::string_view version) {
  constexpr std::string_view replication_prefix = "5.5.5-";
  if (version.starts_with(replication_prefix)) version.remove_prefix(replication_prefix.size());
  int number = 0;
  for (int part = 0; part < 3; ++part) {
    int value = 0;
    const auto read = std::from_chars(version.data(), version.data() + version.size(), value);
    number = number * 100 + value;
    version.remove_prefix(static_cast<std::size_t>(read.ptr - version.data()));
    if (version.starts_with('.')) version.remove_prefix(1);
  }
  return number;
}

}  // namespace

State::State(Worker& on, Login who, const Agreement& agreement, net::Socket& socket, net::mysql::Sequence& numbers)
    : SessionCore(on, std::move(who), std::make_shared<const backends::Settings>(), form_of(agreement)),
      client(socket),
      sequence(numbers),
      capabilities(agreement.capabilities) {
  choose_pooling(false);
}

bool State::in_transaction() const {
  if (!explicit_transaction()) return false;
  return autocommit || has_begun_beside(nullptr);
}

bool State::in_transaction_beyond(const backends::Lease& lease) const {
  if (!explicit_transaction()) return false;
  return autocommit ? lease->transaction_status() != 'T' : has_begun_beside(&lease);
}

/// A server is in a transaction, another than the lease's.
bool State::has_begun_beside(const backends::Lease* lease) const {
  return std::ranges::any_of(transaction.enlisted(), [&](const auto& member) {
    return &member->lease != lease && member->lease->transaction_status() == 'T';
  });
}

void State::note_done(std::uint32_t shard) {
  note_diagnostics(shard);
  counts.reset();
}

void State::note_done(Counts known) {
  forget_diagnostics();
  counts = known;
}

void State::note_diagnostics(std::uint32_t shard) {
  forget_diagnostics();
  last = shard;
  linger(shard);
}

void State::forget_diagnostics() {
  last.reset();
  own_failure.reset();
  lost_on.reset();
  if (aside) aside->discard();
  aside.reset();
  warned.clear();
  row_numbers.reset();
}

void State::note_failure(const values::SqlError& error) {
  const auto* said = dynamic_cast<const backends::ServerError*>(&error);
  note_done(Counts{-1, found_before()});
  if (said != nullptr && transaction.find(said->shard) != nullptr) {
    note_diagnostics(said->shard);
  } else {
    own_failure = error;
  }
}

void State::choose_pooling(bool auto_is_null) {
  // What only one server can be asked is passed on without being read: nobody knows what it leaves there.
  const bool one_shard = db->map->shards().size() == 1;
  keep_all(db->conf->pool.mode == conf::PoolMode::session || one_shard || auto_is_null);
}

void State::linger(std::uint32_t shard) {
  if (auto* member = transaction.find(shard)) member->lingers = true;
}

void State::note_warned(std::vector<std::uint32_t> shards) {
  last = shards.size() == 1 ? std::optional(shards.front()) : std::nullopt;
  warned = shards.size() > 1 ? std::move(shards) : std::vector<std::uint32_t>();
}

void State::note_row_numbers(std::vector<std::uint32_t> shards, std::shared_ptr<const RowNumbers> numbers) {
  warned = std::move(shards);
  row_numbers = std::move(numbers);
}

/// What was said for this transaction counts, else the session's standard.
bool State::reads_only() const {
  const std::string& options = transaction.options();
  if (options.contains("READ ONLY")) return true;
  const std::string* access = settings.find(backends::mysql_access);
  return access != nullptr && *access == "READ ONLY" && !options.contains("READ WRITE");
}

std::uint16_t State::status() const {
  std::uint16_t flags = 0;
  if (autocommit) flags |= net::mysql::status::autocommit;
  if (in_transaction()) flags |= net::mysql::status::in_transaction;
  if (in_transaction() && reads_only()) flags |= net::mysql::status::in_transaction_readonly;
  if (more) flags |= net::mysql::status::more_results;
  if (planning.mysql.no_backslash_escapes) flags |= net::mysql::status::no_backslash_escapes;
  return flags;
}

void State::read_mode(std::string_view sql_mode, std::string_view version) {
  rewriter::mysql::Mode& mode = planning.mysql;
  const auto has = [&](std::string_view name) {
    for (std::string_view rest = sql_mode; !rest.empty();) {
      const std::string_view one = rest.substr(0, rest.find(','));
      if (one == name) return true;
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    }
    return false;
  };
  mode.ansi_quotes = has("ANSI_QUOTES");
  mode.no_backslash_escapes = has("NO_BACKSLASH_ESCAPES");
  mode.pipes_as_concat = has("PIPES_AS_CONCAT");
  mode.high_not_precedence = has("HIGH_NOT_PRECEDENCE");
  mode.ignore_space = has("IGNORE_SPACE");
  nothing_is_null_ = has("ORACLE") || has("EMPTY_STRING_IS_NULL");
  if (!version.empty()) {
    mode.mariadb = version.contains("MariaDB");
    mode.version = version_number(version);
  }
  planning.dialect = rewriter::Dialect::mysql;
  planning.search_path = {backends::server_of(target(default_shard())).target};
}

void State::read_division_digits(std::string_view increment) {
  int& digits = planning.mysql.division_digits;
  std::from_chars(increment.data(), increment.data() + increment.size(), digits);
}

/// Of what the session has set last, or has connected with: its number tells which are read in several passes.
bool State::connection_weighs() const {
  constexpr auto unordered = std::to_array<std::uint8_t>({1, 2, 20, 34, 41, 42});
  const std::string* names = settings.find(backends::mysql_names);
  const std::string* collation = settings.find("collation_connection");
  if (names == nullptr && collation == nullptr) return std::ranges::find(unordered, form.collation) == unordered.end();
  const auto weighs = [](std::string_view text) {
    const std::size_t word = text.rfind(' ');
    return !text.contains("COLLATE") || values::weights_are_order(values::lower_case(text.substr(word + 1)));
  };
  return (names == nullptr || weighs(*names)) &&
         (collation == nullptr || values::weights_are_order(values::lower_case(backends::literal_value(*collation))));
}

/// Plans that know of them are nobody else's.
void State::note_temporary(backends::Transaction::Enlisted& member, const rewriter::Plan& plan) {
  if (plan.temporary_made.empty() && plan.temporary_dropped.empty()) return;
  for (const std::string& name : plan.temporary_dropped) std::erase(planning.temporary, name);
  for (const std::string& name : plan.temporary_made) {
    if (std::ranges::find(planning.temporary, name) == planning.temporary.end()) planning.temporary.push_back(name);
  }
  std::ranges::sort(planning.temporary);
  member.untracked = member.kept = true;
  static std::atomic<std::uint64_t> serial{0};
  temporary_serial_ = planning.temporary.empty() ? 0 : ++serial;
  renew_planning_key();
}

/// 0 lets it run on.
bool State::has_fixed_clock() const {
  const std::string* timestamp = settings.find("timestamp");
  return timestamp != nullptr && timestamp->find_first_of("123456789") != std::string::npos &&
         timestamp->find_first_not_of("0123456789.") == std::string::npos;
}

void State::forget_temporary() {
  planning.temporary.clear();
  temporary_serial_ = 0;
}

/// The client's strings are in UTF-8, and are not converted on their way into an expression.
bool State::sends_utf8() const {
  const auto is_utf8 = [](std::string_view text) {
    text.remove_prefix(text.starts_with('\'') ? 1 : 0);
    return values::lower_case(text.substr(0, 7)) == "utf8mb4";
  };
  if (settings.find(backends::mysql_character_set) != nullptr) return false;
  for (const std::string_view name : {"character_set_client", "character_set_connection", "collation_connection"}) {
    const std::string* value = settings.find(name);
    if (value != nullptr && !is_utf8(*value)) return false;
  }
  const std::string* names = settings.find(backends::mysql_names);
  if (names != nullptr) return is_utf8(*names);
  if (!is_utf8(character_set)) return false;
  // utf8mb4's collations, MySQL's newer standard among them.
  const int collation = form.collation;
  return collation == 45 || collation == 46 || (collation >= 224 && collation <= 247) || collation == 255;
}

void State::renew_planning_key() {
  planning.mysql.utf8 = sends_utf8();
  planning.mysql.fixed_clock = has_fixed_clock();
  planning.mysql.weighs = connection_weighs() && !nothing_is_null_;
  planning_key = rewriter::planning_key(planning);
  planning_key += fmt::format("\4{}", form.collation);
  for (const auto& [name, value] : *settings.current()) {
    if (!name.starts_with('@')) planning_key.append("\5").append(name).append("=").append(value);
  }
  if (temporary_serial_ != 0) planning_key += fmt::format("\6{}", temporary_serial_);
}

}  // namespace anabranch::proxy::mysql
