#include "proxy/pins.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "backends/cancel.h"
#include "backends/exchange.h"
#include "rewriter/calls.h"
#include "proxy/log.h"
#include "values/ascii.h"

namespace anabranch::proxy {

namespace {

using Member = backends::Transaction::Enlisted;
using rewriter::Residue;
using Rows = std::vector<std::vector<std::optional<std::string>>>;

/// How long a kept connection may take to stop what it runs.
constexpr std::chrono::seconds calm_limit{10};

/// Rows of (kind, name, value). Operators are written out: a search_path may hide the usual ones.
constexpr std::string_view residue_sql =
    " UNION ALL SELECT 'role', NULL, pg_catalog.current_setting('role')"
    " UNION ALL SELECT 'temporary', c.relname::pg_catalog.text, NULL FROM pg_catalog.pg_depend d"
    " LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) d.objid AND d.classid"
    " OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass WHERE d.refclassid"
    " OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid"
    " OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() AND d.refobjid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid"
    " UNION ALL SELECT 'temporary', c.relname::pg_catalog.text, NULL FROM pg_catalog.pg_depend d"
    " JOIN pg_catalog.pg_index i ON i.indrelid OPERATOR(pg_catalog.=) d.objid"
    " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid WHERE d.refclassid"
    " OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid"
    " OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() AND d.refobjid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid"
    " UNION ALL (SELECT 'other', NULL, NULL FROM pg_catalog.pg_listening_channels() LIMIT 1)"
    " UNION ALL (SELECT 'other', NULL, NULL FROM pg_catalog.pg_locks WHERE pid OPERATOR(pg_catalog.=)"
    " pg_catalog.pg_backend_pid() AND locktype OPERATOR(pg_catalog.=) 'advisory'::pg_catalog.text LIMIT 1)"
    " UNION ALL (SELECT 'other', NULL, NULL FROM pg_catalog.pg_cursors WHERE is_holdable LIMIT 1)"
    " UNION ALL (SELECT 'other', NULL, NULL FROM pg_catalog.pg_prepared_statements WHERE from_sql LIMIT 1)";

/// Settings that have been set on the server, and those of the session that no longer are. What
/// belongs to a transaction is left to it.
std::string settings_sql(const backends::Settings& wanted) {
  std::string names;
  for (const auto& [name, value] : wanted) names += "," + backends::quote_literal(name);
  if (names.empty()) names = ",NULL";
  return fmt::format(
      "SELECT CASE WHEN source OPERATOR(pg_catalog.=) 'session'::pg_catalog.text THEN 'set' ELSE 'reset' END,"
      " pg_catalog.lower(name), setting FROM pg_catalog.pg_settings WHERE (source OPERATOR(pg_catalog.=)"
      " 'session'::pg_catalog.text OR pg_catalog.lower(name) OPERATOR(pg_catalog.=) ANY (ARRAY[{}]::pg_catalog.text[]))"
      " AND name OPERATOR(pg_catalog.<>) ALL"
      " ('{{transaction_isolation,transaction_read_only,transaction_deferrable}}'::pg_catalog.text[])",
      names.substr(1));
}

/// Settings with a dot are asked for by name.
std::string custom_sql(const SessionState& state) {
  std::set<std::string, std::less<>> names = state.named_settings;
  for (const auto& [name, value] : *state.settings.current()) {
    if (name.find('.') != std::string::npos) names.insert(name);
  }
  std::string sql;
  for (const std::string& name : names) {
    const std::string quoted = backends::quote_literal(name);
    sql += fmt::format(" UNION ALL SELECT 'custom', {0}, pg_catalog.current_setting({0}, true)", quoted);
  }
  return sql;
}

void take_setting(SessionState& state, Member& member, const std::string& name, const std::string& shown) {
  const std::string* known = state.settings.find(name);
  const std::string value = backends::setting_as_sql(name, shown);
  if (known != nullptr && (*known == value || backends::literal_value(*known) == shown)) return;
  state.settings.set(name, value);
  member.lease->applied.set(name, value);
}

void take_reset(SessionState& state, Member& member, const std::string& name) {
  if (state.settings.find(name) == nullptr) return;
  state.settings.reset(name);
  auto left = std::make_shared<backends::Settings>(*member.lease->applied.current());
  left->erase(name);
  member.lease->applied.replace(std::move(left));
}

void take_role(SessionState& state, Member& member, const std::string& role) {
  const std::string* known = state.settings.find("role");
  if (role == (known == nullptr ? "none" : backends::literal_value(*known))) return;
  const std::string value = role == "none" ? role : backends::quote_literal(role);
  state.settings.set("role", value);
  member.lease->applied.set("role", value);
}

/// What was never set, or has been reset, is NULL or empty.
void take_custom(SessionState& state, Member& member, const std::string& name, const std::string& shown) {
  if (state.settings.find(name) != nullptr || !shown.empty()) take_setting(state, member, name, shown);
}

/// Names mean something in this session only: plans that know of them are nobody else's, and those
/// made before the last change are outdated.
void take_names(SessionState& state, std::vector<std::string> names) {
  static std::atomic<std::uint64_t> serial{0};
  if (names.empty() && state.planning.temporary.empty()) return;
  std::ranges::sort(names);
  state.planning.temporary = std::move(names);
  state.temporary_serial = state.planning.temporary.empty() ? 0 : ++serial;
}

/// Takes the answer's settings and names; true: something binds the session to this connection.
bool take_rows(SessionState& state, Member& member, const Rows& rows) {
  bool bound = false;
  std::vector<std::string> names;
  for (const auto& row : rows) {
    const std::string kind = row.at(0).value_or("");
    const auto& name = row.at(1);
    const std::string value = row.at(2).value_or("");
    if (kind == "set") {
      take_setting(state, member, name.value_or(""), value);
    } else if (kind == "reset") {
      take_reset(state, member, name.value_or(""));
    } else if (kind == "custom") {
      take_custom(state, member, name.value_or(""), value);
    } else if (kind == "role") {
      take_role(state, member, value);
    } else {
      bound = true;
      if (name) names.push_back(*name);
    }
  }
  if (member.shard == state.default_shard()) take_names(state, std::move(names));
  return bound;
}

/// Settings that nobody could ask for do not go to the next session.
net::Task<void> clear_settings(Member& member) {
  auto answer = co_await backends::run_command(member.lease, "RESET ALL");
  if (!answer) member.lease->mark_broken();
  member.lease->applied.reset_all();
}

net::Task<void> settle(SessionState& state, Member& member) {
  backends::Lease& lease = member.lease;
  if (!lease || lease->broken() || lease->pending() > lease->skipped() || lease->transaction_status() == 'E') co_return;
  // What SET LOCAL left is not taken for the session's.
  if (!member.began) co_await backends::apply_context(lease, state.settings);
  const std::string sql =
      settings_sql(*state.settings.current()) + custom_sql(state) + std::string(residue_sql);
  auto answer = co_await backends::run_command(lease, sql);
  // The statement's cancel may come late.
  if (!answer && !member.began && answer.error().sqlstate() == "57014") answer = co_await backends::run_command(lease, sql);
  // What cannot be asked is taken to be there.
  const bool bound = answer ? take_rows(state, member, answer->rows) : true;
  if (!answer) spdlog::warn("what a session left on shard {} is not known: {}", lease.shard_name(), answer.error().message());
  state.refresh_planning();
  if (member.began) co_return;
  member.kept = bound || member.untracked;
  member.unsettled = false;
  if (!member.kept && !state.keeps_all()) co_await clear_settings(member);
}

}  // namespace

void expect_residue(Member& member, const rewriter::Plan& plan) {
  switch (plan.residue) {
    case Residue::untracked: member.untracked = member.kept = true; return;
    case Residue::may_begin: member.unsettled = true; return;
    case Residue::may_end: member.unsettled |= member.kept; return;
    case Residue::none:
      // CASCADE takes temporary relations along.
      if (plan.effect == rewriter::Effect::ddl) member.unsettled |= member.kept;
  }
}

void expect_settings(SessionState& state, Member& member, std::string_view text) {
  constexpr std::string_view call = "set_config";
  constexpr std::size_t most_names = 100;
  if (!values::contains_in_any_case(text, call)) return;
  auto named = rewriter::settings_set_by_calls(text, state.planning.standard_conforming_strings);
  for (std::string& name : named.names) {
    state.locals.erase(name);  // what SET LOCAL said of it before does not end with the transaction any more
    if (name.find('.') != std::string::npos) state.named_settings.insert(std::move(name));
  }
  if (named.complete && state.named_settings.size() <= most_names) return;
  member.untracked = member.kept = true;
}

net::Task<void> settle_residue(SessionState& state) {
  auto& members = state.transaction.enlisted();
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i]->unsettled) co_await settle(state, *members[i]);
  }
  // The connection may be gone, and what it held with it.
  if (!state.planning.temporary.empty() && state.transaction.find(state.default_shard()) == nullptr) {
    take_names(state, {});
    state.refresh_planning();
  }
}

net::Task<void> discard_kept(SessionState& state) {
  for (const auto& member : state.transaction.enlisted()) {
    if (!member->kept) continue;
    auto answer = co_await backends::run_command(member->lease, "DISCARD ALL", state.token());
    if (!answer) throw backends::ServerError(answer.error(), member->shard, member->lease.shard_name());
    member->lease->applied.replace(std::make_shared<const backends::Settings>());
    member->lease->statements.clear();
    member->unsettled = true;
  }
  co_await settle_residue(state);
}

net::Task<void> calm_kept(SessionState& state) {
  for (const auto& member : state.transaction.enlisted()) {
    if (!member->lease || (!member->kept && !member->unsettled)) continue;
    if (member->lease->pending() == member->lease->skipped()) continue;
    backends::request_cancel(member->lease);
    net::CancelSource limit;
    limit.cancel_after(calm_limit);
    co_await backends::drain(member->lease, limit.token());
  }
}

void forward_notifications(SessionState& state, std::int32_t process) {
  for (const auto& member : state.transaction.enlisted()) {
    if (!member->lease || member->lease->notifications.empty()) continue;
    std::string_view left = member->lease->notifications;
    while (!left.empty()) {
      const auto frame = net::pg::cut_message(left);
      if (!frame || !frame->message) break;
      auto notification = net::pg::NotificationResponse::decode(frame->message->payload);
      // One's own are told by the process that the client knows.
      if (notification && notification->process == member->lease->process()) notification->process = process;
      if (notification) notification->encode(state.out());
      left.remove_prefix(frame->message->raw.size());
    }
    member->lease->notifications.clear();
  }
}

}  // namespace anabranch::proxy
