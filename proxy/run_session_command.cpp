#include <fmt/format.h>

#include <algorithm>

#include "backends/exchange.h"
#include "proxy/cursor.h"
#include "proxy/execute.h"
#include "proxy/leases.h"
#include "proxy/pins.h"
#include "proxy/prepared.h"
#include "proxy/replies.h"
#include "proxy/settings.h"
#include "proxy/shared_snapshot.h"
#include "proxy/transaction_end.h"
#include "values/errors.h"

/// Statements that concern the session itself: transaction control and settings.
namespace anabranch::proxy {

namespace {

using backends::TransactionState;
using rewriter::SessionAction;
using rewriter::SessionPlan;

void warn(SessionState& state, std::string_view sqlstate, std::string_view message) {
  send_notice(state.out(), "WARNING", sqlstate, message);
}

void begin(SessionState& state, const SessionPlan& plan, const std::string& command) {
  if (state.explicit_transaction()) {
    warn(state, "25001", "there is already a transaction in progress");
  } else {
    state.transaction.begin(plan.options);
  }
  send_complete(state.out(), command == "START TRANSACTION" ? command : "BEGIN");
}

net::Task<void> commit(SessionState& state, const SessionPlan& plan) {
  if (!state.explicit_transaction()) {
    co_await end_statement_transaction(state);
    warn(state, "25P01", "there is no transaction in progress");
    send_complete(state.out(), "COMMIT");
    co_return;
  }
  const std::string options = state.transaction.options();
  const std::string tag = co_await commit_transaction(state);
  if (plan.chain) state.transaction.begin(options);
  send_complete(state.out(), tag);
}

net::Task<void> rollback(SessionState& state, const SessionPlan& plan) {
  if (!state.explicit_transaction()) warn(state, "25P01", "there is no transaction in progress");
  const std::string options = state.transaction.options();
  const bool chain = plan.chain && state.explicit_transaction();
  co_await roll_back_transaction(state);
  if (chain) state.transaction.begin(options);
  send_complete(state.out(), "ROLLBACK");
}

void require_block(const SessionState& state, std::string_view command) {
  if (state.explicit_transaction()) return;
  throw values::SqlError("25P01", fmt::format("{} can only be used in transaction blocks", command));
}

/// The youngest savepoint of the name; the end if there is none.
auto locals_at(SessionState& state, std::string_view name) {
  auto& marks = state.locals_at;
  const auto found = std::find_if(marks.rbegin(), marks.rend(), [&](const auto& mark) { return mark.first == name; });
  return found == marks.rend() ? marks.end() : std::prev(found.base());
}

net::Task<void> savepoint(SessionState& state, const SessionPlan& plan) {
  switch (plan.action) {
    case SessionAction::savepoint:
      require_block(state, "SAVEPOINT");
      co_await state.transaction.savepoint(plan.name);
      state.locals_at.emplace_back(plan.name, state.locals);
      send_complete(state.out(), "SAVEPOINT");
      break;
    case SessionAction::rollback_to:
      require_block(state, "ROLLBACK TO SAVEPOINT");
      co_await state.transaction.rollback_to(plan.name);
      if (const auto mark = locals_at(state, plan.name); mark != state.locals_at.end()) {
        state.locals = mark->second;
        state.locals_at.erase(std::next(mark), state.locals_at.end());
        state.end_portals_above(state.locals_at.size() - 1);
      }
      state.refresh_planning();
      co_await settle_residue(state);
      if (state.definitions_changed) state.catalog_stale = true;
      send_complete(state.out(), "ROLLBACK");
      break;
    default:
      require_block(state, "RELEASE SAVEPOINT");
      co_await state.transaction.release_savepoint(plan.name);
      state.locals_at.erase(locals_at(state, plan.name), state.locals_at.end());
      state.lower_portals_to(state.locals_at.size());
      send_complete(state.out(), "RELEASE");
  }
}

/// The leases a setting must be put on now: those of the transaction, else one of the default
/// shard, so that the server itself says whether it likes the value.
class SettingLeases {
 public:
  explicit SettingLeases(SessionState& state) : state_(state) {}

  net::Task<void> take() {
    const bool in_transaction = state_.transaction.state() != TransactionState::none;
    for (auto& member : state_.transaction.enlisted()) {
      if (member->began || !in_transaction) leases_.push_back(&member->lease);
    }
    if (!leases_.empty()) co_return;
    const std::uint32_t shard = state_.default_shard();
    if (in_transaction) {
      auto* member = co_await state_.transaction.enlist(shard, state_.target(shard), state_.token());
      leases_.push_back(&member->lease);
      co_return;
    }
    borrowed_ = co_await borrow_lease(state_, shard);
    leases_.push_back(&borrowed_);
  }

  net::Task<void> run(std::string sql) {
    for (backends::Lease* lease : leases_) {
      auto answer = co_await backends::run_command(*lease, sql);
      if (!answer) throw backends::ServerError(answer.error(), lease->shard(), lease->shard_name());
    }
  }

  const std::vector<backends::Lease*>& all() const { return leases_; }

 private:
  SessionState& state_;
  backends::Lease borrowed_;
  std::vector<backends::Lease*> leases_;
};

void report_all(SessionState& state, const backends::ServerConnection& connection) {
  for (const auto& [name, value] : connection.parameters()) state.report_parameter(name, value);
}

/// One setting, on the leases there are and in what the session wants.
net::Task<void> put(SessionState& state, SettingLeases& leases, std::string name, std::string given, bool local) {
  co_await leases.run(fmt::format("SET {} TO {}", name, given));
  // Some settings take a part of a value (DateStyle): what the server reports is the whole.
  const std::string* whole = leases.all().front()->operator->()->parameter(name);
  const std::string value = whole != nullptr ? backends::quote_literal(*whole) : given;
  if (local) {
    const std::string* before = state.settings.find(name);
    state.locals.try_emplace(name, before ? std::optional(*before) : std::nullopt);
  } else {
    state.locals.erase(name);
  }
  state.settings.set(name, value);
  for (backends::Lease* lease : leases.all()) (*lease)->applied.set(name, value);
}

net::Task<void> set(SessionState& state, const SessionPlan& plan) {
  if (plan.local && state.transaction.state() == TransactionState::none) {
    warn(state, "25P01", "SET LOCAL can only be used in transaction blocks");
    send_complete(state.out(), "SET");
    co_return;
  }
  SettingLeases leases(state);
  co_await leases.take();
  co_await put(state, leases, plan.name, plan.value, plan.local);
  report_all(state, **leases.all().front());
  state.refresh_planning();
  send_complete(state.out(), "SET");
}

/// SET SESSION CHARACTERISTICS AS TRANSACTION: the settings that each mode stands for.
net::Task<void> set_characteristics(SessionState& state, std::string_view modes) {
  constexpr std::string_view isolation = "ISOLATION LEVEL ";
  SettingLeases leases(state);
  co_await leases.take();
  while (!modes.empty()) {
    const std::string_view mode = modes.substr(0, modes.find(", "));
    modes.remove_prefix(std::min(modes.size(), mode.size() + 2));
    if (mode.starts_with(isolation)) {
      co_await put(state, leases, "default_transaction_isolation",
                   backends::quote_literal(mode.substr(isolation.size())), false);
    } else if (mode.starts_with("READ ")) {
      co_await put(state, leases, "default_transaction_read_only", mode == "READ ONLY" ? "on" : "off", false);
    } else {
      co_await put(state, leases, "default_transaction_deferrable", mode == "DEFERRABLE" ? "on" : "off", false);
    }
  }
  report_all(state, **leases.all().front());
  send_complete(state.out(), "SET");
}

net::Task<void> reset(SessionState& state, const SessionPlan& plan, std::string_view tag) {
  SettingLeases leases(state);
  co_await leases.take();
  if (plan.action == SessionAction::reset) {
    co_await leases.run(fmt::format("RESET {}", plan.name));
    for (backends::Lease* lease : leases.all()) (*lease)->applied.reset(plan.name);
    state.settings.reset(plan.name);
    state.locals.erase(plan.name);
  } else {
    state.settings.reset_all();
    std::erase_if(state.locals, [](const auto& local) { return local.first != "role"; });
  }
  for (backends::Lease* lease : leases.all()) {
    co_await backends::apply_context(*lease, state.settings);
  }
  report_all(state, **leases.all().front());
  state.refresh_planning();
  send_complete(state.out(), tag);
}

net::Task<void> discard_all(SessionState& state) {
  if (state.transaction.state() != TransactionState::none) {
    throw values::make_error(values::ErrorId::active_transaction, "DISCARD ALL");
  }
  SettingLeases leases(state);
  state.settings.discard_all();
  co_await discard_kept(state);
  state.transaction.give_back();
  co_await leases.take();
  co_await backends::apply_context(*leases.all().front(), state.settings);
  report_all(state, **leases.all().front());
  state.refresh_planning();
  state.deallocate_all();
  state.portals.clear();
  send_complete(state.out(), "DISCARD ALL");
}

/// SET TRANSACTION, SET CONSTRAINTS: for the transaction under way.
net::Task<void> set_in_transaction(SessionState& state, const SessionPlan& plan) {
  const bool transaction = plan.action == SessionAction::set_transaction;
  const std::string sql = transaction ? fmt::format("SET TRANSACTION {}", plan.options)
                                      : fmt::format("SET CONSTRAINTS {}", plan.options);
  const std::string_view tag = transaction ? "SET" : "SET CONSTRAINTS";
  if (!state.explicit_transaction()) {
    warn(state, "25P01", fmt::format("{} can only be used in transaction blocks",
                                     transaction ? "SET TRANSACTION" : "SET CONSTRAINTS"));
  } else if (transaction && state.transaction.first_begun() == nullptr) {
    state.transaction.add_option(plan.options);
  } else {
    SettingLeases leases(state);
    co_await leases.take();
    co_await leases.run(sql);
    // Of shards that are touched later, too.
    if (transaction) state.transaction.add_option(plan.options);
  }
  send_complete(state.out(), tag);
}

net::Task<void> export_snapshot(SessionState& state, const Execution& execution) {
  const std::optional<std::string> name = co_await export_snapshots(state);
  if (execution.simple) send_row_description(state.out(), *execution.plan->plan->result, {});
  send_text_row(state.out(), {&name, 1});
  send_complete(state.out(), "SELECT 1");
}

net::Task<void> import_snapshot(SessionState& state, const SessionPlan& plan) {
  if (!state.explicit_transaction()) {
    warn(state, "25P01", "SET TRANSACTION can only be used in transaction blocks");
  } else {
    co_await import_snapshots(state, backends::literal_value(plan.value));
  }
  send_complete(state.out(), "SET");
}

/// Where there is one server, PREPARE's statements are its own; the session then keeps the connection.
bool on_server(SessionState& state, const SessionPlan& command) {
  if (!state.db->passthrough() || state.transaction.find(state.default_shard()) == nullptr) return false;
  return command.name.empty() || !state.statements.contains(command.name);
}

net::Task<Outcome> deallocate_on_server(SessionState& state, Execution& execution) {
  const Outcome outcome = co_await run_relay(state, execution, state.default_shard());
  if (!execution.plan->plan->session->name.empty()) co_return outcome;
  state.deallocate_all();
  // Those of the proxy are gone with the client's.
  if (auto* member = state.transaction.find(state.default_shard())) member->lease->statements.clear();
  co_return outcome;
}

/// Settings are alike on all leases of a session: a transaction needs no further shard to show them.
std::uint32_t showing_shard(SessionState& state) {
  const auto* begun = state.transaction.first_begun();
  if (begun == nullptr || state.transaction.find(state.default_shard()) != nullptr) return state.default_shard();
  return begun->shard;
}

}  // namespace

net::Task<Outcome> run_session_command(SessionState& state, Execution& execution) {
  const rewriter::Plan& plan = *execution.plan->plan;
  const SessionPlan& command = *plan.session;
  switch (command.action) {
    case SessionAction::begin: begin(state, command, plan.command); break;
    case SessionAction::commit: co_await commit(state, command); break;
    case SessionAction::rollback: co_await rollback(state, command); break;
    case SessionAction::savepoint:
    case SessionAction::rollback_to:
    case SessionAction::release: co_await savepoint(state, command); break;
    case SessionAction::set: co_await set(state, command); break;
    case SessionAction::reset:
    case SessionAction::reset_all: co_await reset(state, command, plan.command == "SET" ? "SET" : "RESET"); break;
    case SessionAction::show: co_return co_await run_relay(state, execution, showing_shard(state));
    case SessionAction::discard_all: co_await discard_all(state); break;
    case SessionAction::set_characteristics: co_await set_characteristics(state, command.options); break;
    case SessionAction::set_transaction:
    case SessionAction::set_constraints: co_await set_in_transaction(state, command); break;
    case SessionAction::prepare: co_await prepare(state, *execution.statement, command); break;
    case SessionAction::deallocate:
      if (on_server(state, command)) co_return co_await deallocate_on_server(state, execution);
      deallocate(state, command);
      break;
    case SessionAction::export_snapshot: co_await export_snapshot(state, execution); break;
    case SessionAction::import_snapshot:
      if (state.db->map->shards().size() == 1) co_return co_await run_relay(state, execution, state.default_shard());
      co_await import_snapshot(state, command);
      break;
    case SessionAction::declare:
    case SessionAction::fetch:
    case SessionAction::close_cursor: co_return co_await run_cursor_command(state, execution);
    case SessionAction::execute:
      throw values::make_error(values::ErrorId::unsupported_statement, "EXECUTE of EXECUTE",
                               "Execute the prepared statement itself.");
    case SessionAction::execute_immediate:
    case SessionAction::use:
    case SessionAction::warnings:
    case SessionAction::lock:
    case SessionAction::unlock:
    case SessionAction::maintain:
      throw values::make_error(values::ErrorId::unsupported_statement, plan.command, "It is MySQL's.");
    case SessionAction::prepare_transaction:
      throw values::make_error(values::ErrorId::unsupported_statement, "PREPARE TRANSACTION",
                               "Anabranch ends transactions over several shards itself.");
  }
  co_return Outcome{};
}

}  // namespace anabranch::proxy
