#include <fmt/format.h>

#include <utility>

#include "backends/exchange.h"
#include "proxy/execute.h"
#include "proxy/leases.h"
#include "proxy/pins.h"
#include "proxy/planning.h"
#include "proxy/shard_request.h"
#include "proxy/type_identity.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using backends::Reply;
using rewriter::Plan;

/// More than this waiting for the client is sent before waiting for the shard (PostgreSQL's own
/// output buffer is as large).
constexpr std::size_t send_ahead_bytes = 8192;

/// Goes to the client untouched, whatever it says.
constexpr net::pg::MessageTypes passed_types("CDINTcd");

/// One relay: the lease it runs on, and what has become of it. Once begun it is carried on until it is
/// over: by go_on() where that is asked for, else with what more() has waited for.
class Relay {
 public:
  Relay(SessionState& state, Execution& execution, backends::Lease& lease)
      : state_(state),
        execution_(execution),
        lease_(lease),
        foreign_(lease.shard() != state.default_shard()),
        running_(state, lease),
        replies_(lease) {
    replies_.batch_rows = false;
    replies_.runs = passed_types;
    // Its OIDs are looked at.
    if (foreign_) replies_.runs.remove('T');
    const CachedPlan& plan = *execution.plan;
    if (foreign_ && !execution.simple && plan.oids_in_rows) {
      row_oids_ = row_oids(*state.db, lease.shard(), *plan.description->columns, execution.result_formats);
    }
    settle_runs();
  }

  void begin() {
    send();
    lease_->socket().send_now();
  }

  /// Takes what has come. False: see go_on(), more().
  bool over() try {
    while (!copy_in_ && !state_.client.congested()) {
      const std::optional<Reply> reply = replies_.poll();
      if (!reply) {
        if (state_.client.queued() > send_ahead_bytes) state_.client.send_now();
        return false;
      }
      if (reply->kind == Reply::Kind::ready) return true;
      take(reply->message);
    }
    return false;
  } catch (const values::SqlError& error) {
    lose(error);
  }

  net::Socket::Fill more() try {
    return replies_.more();
  } catch (const values::SqlError& error) {
    lose(error);
  }
  void check(const net::IoResult& filled) try {
    replies_.check(filled);
  } catch (const values::SqlError& error) {
    lose(error);
  }

  /// The client has to do something first.
  bool waits_for_client() const { return copy_in_ || state_.client.congested(); }
  net::Task<void> go_on() {
    if (std::exchange(copy_in_, false)) co_await copy_in();
    co_await give_way_to_client(state_);
  }

  const Outcome& outcome() const { return outcome_; }
  bool failed() const { return error_.has_value(); }
  /// What it has failed with.
  net::Task<std::exception_ptr> failure() {
    const bool again = must_prepare_again(*error_, name_);
    again_ = again && !answered_;
    co_await settle_statement(lease_, std::string(name_), unparsed_, again);
    co_return std::make_exception_ptr(backends::ServerError(std::move(*error_), lease_.shard(), lease_.shard_name()));
  }
  /// It failed for a prepared statement that is not what it was, and the client has heard nothing.
  bool may_run_again() const { return again_ && !lease_->broken(); }

 private:
  /// In the middle of a message there is no way to tell the client anything.
  [[noreturn]] void lose(const values::SqlError& error) const {
    if (replies_.in_message()) throw ClientGone{error.message};
    throw;
  }

  /// Rows that are translated have to be there whole, one by one.
  void settle_runs() {
    replies_.parts = row_oids_.empty();
    if (!row_oids_.empty()) replies_.runs.remove('D');
  }

  void send() {
    if (!execution_.bound) {
      backends::send_query(lease_, execution_.statement->text);
      return;
    }
    PortalState& portal = *execution_.portal;
    if (portal.open) {
      send_execute(lease_, portal.server_name, execution_.row_limit);
      return;
    }
    net::pg::Oids types;
    for (const values::Oid type : execution_.statement->parameter_types) types.add(type_on(*state_.db, lease_.shard(), type));
    ShardRequest request;
    const Statement& statement = *execution_.statement;
    name_ = statement.global_name;
    if (read_otherwise(state_, execution_)) {
      request.read_under = statement.read_under.get();
      if (name_.empty()) {
        own_name_ =
            global_name_of(statement.text, statement.parameter_types, state_.planning_key, statement.reading_key, state_.db->version);
        name_ = own_name_;
      }
    }
    request.global_name = name_;
    request.sql = statement.text;
    request.parameter_types = types.list();
    request.portal = portal.server_name;
    request.parameter_formats = execution_.parameter_formats;
    request.parameters = execution_.parameters;
    std::string kept;
    if (foreign_ && execution_.plan->oids_in_parameters) {
      request.parameters = parameters_on(*state_.db, lease_.shard(), execution_.plan->description->parameters,
                                         execution_.parameter_formats, execution_.parameters, kept);
    }
    request.result_formats = execution_.result_formats;
    request.row_limit = execution_.row_limit;
    request.open_only = execution_.open_only;
    request.describe = execution_.simple;
    unparsed_ = send_request(lease_, request);
  }

  /// Messages that are passed on may be several, or a part of one.
  void take(const net::pg::Message& message) {
    switch (message.type) {
      // Of our own Parse, Bind, Describe and Close: the client has had its own.
      case '1': unparsed_ = false; return;
      case '2':
      case '3':
      case 'n': return;
      case 'S': {
        // A failed transaction goes back to what the connection had before, which may be another's.
        if (error_) return;
        const auto status = net::pg::ParameterStatus::decode(message.payload);
        if (status) state_.report_parameter(status->name, status->value);
        return;
      }
      case 'E': {
        auto error = net::pg::ErrorResponse::decode(message.payload);
        if (!error) throw values::make_error(values::ErrorId::shard_protocol, lease_.shard_name(), error.error().message);
        if (!error_) error_ = std::move(*error);
        return;
      }
      case 'D':
        answered_ = true;
        if (!row_oids_.empty()) return translate_row(message);
        state_.client.write(message.raw);
        return;
      case 'T':
        answered_ = true;
        if (foreign_) return describe_with_default_oids(message);
        state_.client.write(message.raw);
        return;
      case 'G':
        copy_in_ = true;
        state_.client.write(message.raw);
        return;
      case 'H':
        answered_ = true;
        check_copy_out(message);
        state_.client.write(message.raw);
        return;
      case 's': outcome_.suspended = true; [[fallthrough]];
      default:
        answered_ = true;
        state_.client.write(message.raw);
    }
  }

  /// COPY in binary names no types of its columns: any may name some inside.
  void check_copy_out(const net::pg::Message& message) const {
    const bool binary = !message.payload.empty() && message.payload.front() == 1;
    if (!binary || foreign_oids(*state_.db, lease_.shard()) == nullptr) return;
    if (state_.db->identity->shapes.empty()) return;
    throw values::make_error(values::ErrorId::unsupported_clause, "COPY TO with FORMAT binary",
                             "its values may name types by OIDs, which are others on each shard",
                             "Use FORMAT text or csv.");
  }

  /// The message as it was appended to what goes to the client.
  std::span<char> append(const net::pg::Message& message) {
    net::Buffer& out = state_.out();
    const std::size_t at = out.size();
    out.append(message.raw);
    return {out.at(at), message.raw.size()};
  }

  /// Nothing of it may have gone to the client where an OID has no counterpart.
  template <class Translate>
  void append_translated(const net::pg::Message& message, const Translate& translate) {
    const std::size_t before = state_.out().size();
    try {
      translate(append(message));
    } catch (...) {
      state_.out().truncate(before);
      throw;
    }
  }

  void translate_row(const net::pg::Message& message) {
    append_translated(message, [this](std::span<char> row) { row_oids_.translate(row); });
  }

  /// OIDs of types and tables are the default shard's.
  void describe_with_default_oids(const net::pg::Message& message) {
    append_translated(message, [this](std::span<char> description) {
      translate_description(*state_.db, lease_.shard(), description, row_oids_);
    });
    settle_runs();
  }

  /// The shard waits for rows: the client's go to it as they come.
  net::Task<void> copy_in() {
    if (const auto sent = co_await state_.client.flush_all(); !sent) throw ClientGone{sent.error().message};
    lease_->set_mid_request(true);
    while (true) {
      const CopyMessage message = co_await next_copy_message(state_);
      net::Buffer& out = lease_->socket().out();
      if (message.kind == CopyMessage::Kind::data) {
        net::pg::CopyData{message.data}.encode(out);
        if (const auto sent = co_await lease_->socket().flush(); !sent) break;
        if (shard_has_failed()) break;
        continue;
      }
      if (message.kind == CopyMessage::Kind::done) {
        net::pg::CopyDone{}.encode(out);
      } else {
        net::pg::CopyFail{message.reason}.encode(out);
      }
      break;
    }
    lease_->set_mid_request(false);
    // The Sync that went with Execute was ignored during the copy.
    if (execution_.bound && !error_) net::pg::Sync{}.encode(lease_->socket().out());
    lease_->socket().send_now();
  }

  bool shard_has_failed() {
    while (true) {
      const std::optional<Reply> reply = replies_.poll();
      if (!reply || reply->kind == Reply::Kind::ready) return error_.has_value();
      take(reply->message);
      if (error_) return true;
    }
  }

  SessionState& state_;
  Execution& execution_;
  backends::Lease& lease_;
  const bool foreign_;  ///< not the default shard: its OIDs are its own
  const Running running_;
  backends::ReplyStream replies_;
  RowOids row_oids_;
  std::optional<net::pg::ErrorFields> error_;
  std::string_view name_;  ///< of the prepared statement; empty: the unnamed one
  std::string own_name_;   ///< what `name_` views where it is not the statement's
  bool unparsed_ = false;  ///< a Parse was sent and has not been answered
  bool answered_ = false;  ///< something has gone to the client
  bool copy_in_ = false;   ///< the shard has asked for rows
  bool again_ = false;
  Outcome outcome_;
};

/// Runs the relay on its `own` lease, or that of `member`; once more where the shard's prepared statement
/// was not what it had been, and nothing else stands in the way: `fresh` says that the member's
/// transaction, if it has one, begins with it.
net::Task<Outcome> run_on(SessionState& state, Execution& execution, backends::Lease own,
                          backends::Transaction::Enlisted* member, bool fresh) {
  backends::Lease& lease = member != nullptr ? member->lease : own;
  for (bool first = true;; first = false) {
    std::exception_ptr failure;
    {
      Relay relay(state, execution, lease);
      relay.begin();
      do {
        if (relay.waits_for_client()) {
          co_await relay.go_on();
        } else {
          relay.check(co_await relay.more());
        }
      } while (!relay.over());
      if (!relay.failed()) co_return relay.outcome();
      failure = co_await relay.failure();
      const bool again = first && relay.may_run_again() && (lease->transaction_status() == 'I' || fresh);
      if (!again) std::rethrow_exception(failure);
    }
    if (lease->transaction_status() != 'I') co_await state.transaction.reopen(*member);
    co_await describe_again(state, execution, failure);
  }
}

/// Whether the statement is a transaction of its own: its lease goes home with its reply.
bool stands_alone(SessionState& state, const Execution& execution, std::uint32_t shard) {
  if (state.transaction.state() != backends::TransactionState::none) return false;
  if (!execution.standalone) state.transaction.begin_implicit();
  return execution.standalone && !state.keeps_all() && execution.plan->plan->residue <= rewriter::Residue::may_end &&
         state.transaction.find(shard) == nullptr;
}

net::Task<Outcome> wait_and_relay(SessionState& state, Execution& execution, std::uint32_t shard,
                                  std::optional<backends::Lease> idle) {
  backends::Lease lease;
  if (idle) {
    lease = std::move(*idle);
  } else {
    lease = co_await backends::acquire(state.target(shard), state.holder, state.token());
  }
  // A cancel that came before has found an idle server.
  state.check_cancelled();
  if (!backends::pipeline_context(lease, state.settings.current())) {
    co_await backends::apply_context(lease, state.settings);
  }
  note_sequences(state, *execution.plan->plan, lease);
  const Outcome outcome = co_await run_on(state, execution, std::move(lease), nullptr, false);
  if (changes_definitions(*execution.plan->plan)) state.change_definitions();
  co_return outcome;
}

/// No coroutine itself where a connection is idle that has the session's settings.
net::Task<Outcome> relay_alone(SessionState& state, Execution& execution, std::uint32_t shard) {
  const Plan& plan = *execution.plan->plan;
  std::optional<backends::Lease> idle = backends::try_acquire(state.target(shard), state.holder);
  const bool at_once = idle && (*idle)->applied.current() == state.settings.current() && !changes_definitions(plan);
  if (!at_once) return wait_and_relay(state, execution, shard, std::move(idle));
  state.check_cancelled();
  note_sequences(state, plan, *idle);
  return run_on(state, execution, std::move(*idle), nullptr, false);
}

net::Task<Outcome> relay_in_transaction(SessionState& state, Execution& execution, std::uint32_t shard) {
  PortalState* portal = execution.portal;
  if (portal != nullptr && portal->open) shard = portal->shard;
  backends::Transaction& transaction = state.transaction;
  const backends::Transaction::Enlisted* known = transaction.find(shard);
  const bool fresh = known == nullptr || !known->began;
  auto* member = transaction.try_enlist(shard, state.target(shard));
  if (member == nullptr) member = co_await transaction.enlist(shard, state.target(shard), state.token());
  const Plan& plan = *execution.plan->plan;
  const bool changes = changes_definitions(plan);
  if (transaction.state() != backends::TransactionState::none && (changes || writes(plan))) {
    if (changes) transaction.hold_schema_change();
    transaction.mark_written(shard);
  }
  expect_residue(*member, plan);
  if (member->unsettled) expect_settings(state, *member, execution.statement->text);
  note_sequences(state, plan, member->lease);
  const Outcome outcome = co_await run_on(state, execution, {}, member, fresh);
  if (portal != nullptr) {
    portal->open = outcome.suspended || execution.open_only;
    portal->shard = shard;
  }
  if (member->unsettled) co_await settle_residue(state);
  if (changes) state.change_definitions();
  co_return outcome;
}

}  // namespace

net::Task<Outcome> run_relay(SessionState& state, Execution& execution, std::uint32_t shard) {
  if (stands_alone(state, execution, shard)) return relay_alone(state, execution, shard);
  return relay_in_transaction(state, execution, shard);
}

}  // namespace anabranch::proxy
