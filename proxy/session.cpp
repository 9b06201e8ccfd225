#include "proxy/session.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "backends/exchange.h"
#include "net/crypto.h"
#include "net/pg/stream.h"
#include "proxy/fault.h"
#include "proxy/instance.h"
#include "proxy/leases.h"
#include "proxy/log.h"
#include "proxy/pins.h"
#include "proxy/replies.h"
#include "proxy/transaction_end.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

std::int32_t random_secret() {
  const std::string bytes = net::random_bytes(4);
  return net::pg::load_int32(bytes.data());
}

/// The client has broken the protocol: its connection ends.
struct Fatal {
  values::SqlError error;
};

}  // namespace

Session::Session(Worker& worker, net::Socket client, Login login)
    : state_(worker, std::move(client), std::move(login)), secret_(random_secret()) {
  process_ = worker.next_process();
  worker.enter(process_, *this);
}

Session::~Session() { state_.worker.leave(process_); }

bool Session::has_secret(std::int32_t secret) const {
  return CRYPTO_memcmp(&secret, &secret_, sizeof secret) == 0;
}

void Session::cancel() {
  state_.cancel_requested = true;
  state_.stop_running();
}

void Session::rest() {
  if (std::exchange(used_, false) || in_statement_) return;
  simple_ = Statement();
  spare_portal_ = {};
  state_.drop_idle_clock();
}

void Session::end_now() {
  ended_ = true;
  state_.stop_running();
  idle_.cancel();
}

/// What follows AuthenticationOk: the server's parameters, the cancel key, ReadyForQuery. The
/// parameters are those of a connection that has the client's settings, so that a setting which no
/// server takes fails here, as it does with PostgreSQL.
net::Task<void> Session::greet() {
  state_.greeting = co_await ask_greeting(state_);
  for (const auto& [name, value] : *state_.greeting) net::pg::ParameterStatus{name, value}.encode(state_.out());
  net::pg::BackendKeyData{process_, secret_}.encode(state_.out());
  send_ready(state_.out(), 'I');
}

/// The one place where what nobody has foreseen ends: with the session.
net::Task<void> Session::run() {
  std::exception_ptr fault;
  try {
    co_await converse();
  } catch (...) {
    fault = std::current_exception();
  }
  if (fault) {
    end_by(fault);
  } else {
    state_.end_leases();
  }
  net::CancelSource farewell;
  farewell.cancel_after(std::chrono::milliseconds(1000));
  (void)co_await state_.client.flush_all(farewell.token());
}

void Session::end_by(const std::exception_ptr& fault) {
  state_.abandon_leases();
  const bool known = carried_out_ == &simple_ || std::ranges::any_of(state_.portals, [this](const auto& entry) {
    return carried_out_ != nullptr && entry.second->statement.get() == carried_out_;
  });
  const values::SqlError error = note_fault(fault, state_.client.peer(), known ? &carried_out_->shape : nullptr);
  state_.worker.metrics().error(error.sqlstate);
  send_error(state_.out(), error, "FATAL");
}

net::Task<void> Session::converse() {
  std::optional<values::SqlError> refused;
  try {
    co_await greet();
  } catch (const values::SqlError& error) {
    refused = error;
  }
  if (refused) {
    state_.worker.metrics().error(refused->sqlstate);
    send_error(state_.out(), *refused, "FATAL");
    co_return;
  }
  if (const auto sent = co_await state_.client.flush(); !sent) co_return;
  co_await serve();
}

namespace {

/// Whether the session has connections to itself, which may speak unasked.
bool keeps_any(SessionState& state) {
  return std::ranges::any_of(state.transaction.enlisted(), [](const auto& member) { return member->kept; });
}

}  // namespace

void Session::ready() {
  if (state_.transaction.lost_kept()) {
    const std::string& shard = state_.db->map->shards()[state_.default_shard()].name;
    send_error(state_.out(),
               values::make_error(values::ErrorId::shard_lost, shard, "it held what this session had made there"), "FATAL");
    ended_ = true;
    return;
  }
  state_.report_settings();
  if (!state_.transaction.enlisted().empty()) forward_notifications(state_, process_);
  send_ready(state_.out(), state_.transaction.status());
}

/// What servers say unasked to a session that keeps their connections: notifications, changed
/// settings, notices; and their end, which is the session's too where it had something there.
void Session::hear_kept() {
  for (const auto& member : state_.transaction.enlisted()) {
    if (!member->kept || member->lease->pending() > 0) continue;
    net::Socket& socket = member->lease->socket();
    std::optional<net::pg::ErrorFields> last_words;
    while (!member->lease->broken()) {
      const auto taken = net::pg::take_message(socket);
      if (!taken) member->lease->mark_broken();
      if (!taken || !*taken) break;
      const net::pg::Message& message = **taken;
      if (message.type == net::pg::NotificationResponse::type) {
        member->lease->notifications += message.raw;
      } else if (message.type == net::pg::ParameterStatus::type) {
        const auto status = net::pg::ParameterStatus::decode(message.payload);
        if (!status) continue;
        member->lease->on_parameter(status->name, status->value);
        state_.report_parameter(status->name, status->value);
      } else if (message.type == net::pg::NoticeResponse::type) {
        state_.client.write(message.raw);
      } else {
        auto error = net::pg::ErrorResponse::decode(message.payload);
        if (message.type == net::pg::ErrorResponse::type && error) last_words = std::move(*error);
        member->lease->mark_broken();
      }
    }
    if (socket.at_end() || socket.error() != nullptr) member->lease->mark_broken();
    if (!member->lease->broken() || ended_) continue;
    if (last_words) {
      net::pg::ErrorResponse(std::move(*last_words)).encode(state_.out());
    } else {
      send_error(state_.out(),
                 values::make_error(values::ErrorId::shard_lost, member->lease->server().text(),
                                    "the server closed the connection"),
                 "FATAL");
    }
    ended_ = true;
  }
  forward_notifications(state_, process_);
}

/// The client's next bytes; meanwhile kept connections are listened to.
net::Task<net::IoResult> Session::wait_for_message(std::size_t needed) {
  net::Signal signal;
  std::vector<net::Socket*> watched;
  state_.client.watch(&signal);
  for (const auto& member : state_.transaction.enlisted()) {
    if (!member->kept) continue;
    watched.push_back(&member->lease->socket());
    watched.back()->watch(&signal);
  }
  const std::size_t before = state_.client.received().size();
  net::Wait why = net::Wait::ready;
  while (why == net::Wait::ready && !ended_) {
    state_.client.start_reading(needed);
    if (state_.client.received().size() > before || state_.client.at_end() || state_.client.error() != nullptr) break;
    // A client that does not read is not told more.
    for (net::Socket* socket : watched) {
      if (!state_.client.congested()) socket->start_reading();
    }
    hear_kept();
    if (state_.client.queued() > 0) state_.client.send_now();
    if (!ended_) why = co_await signal.wait(idle_.token());
  }
  state_.client.watch(nullptr);
  for (net::Socket* socket : watched) socket->watch(nullptr);
  if (why != net::Wait::ready) co_return std::unexpected(net::NetError::from(why));
  if (const net::NetError* error = state_.client.error()) co_return std::unexpected(*error);
  const bool gone = ended_ || (state_.client.received().size() == before && state_.client.at_end());
  if (gone) co_return std::unexpected(net::NetError{net::NetError::Kind::closed, "closed"});
  co_return net::IoResult{};
}

void Session::say_goodbye(values::ErrorId why) {
  const values::ErrorRow& row = values::error_row(why);
  send_error(state_.out(), {std::string(row.sqlstate), std::string(row.message)}, "FATAL");
  ended_ = true;
}

/// The rest of a large CopyData whose COPY has failed. False: more of it is to come.
bool Session::skip_copy_data() {
  const std::size_t skipped = std::min(state_.copy_left, state_.client.received().size());
  state_.client.consume(skipped);
  state_.copy_left -= skipped;
  return state_.copy_left == 0;
}

/// What is there already.
bool Session::take_next(net::pg::Message& message) {
  return state_.copy_left == 0 && net::pg::take_whole(state_.client, message, max_client_message_bytes);
}

/// False: the conversation is over.
net::Task<bool> Session::read_next(net::pg::Message& message) {
  std::size_t needed = 0;
  while (true) {
    if (state_.copy_left == 0 || skip_copy_data()) {
      auto taken = net::pg::take_message(state_.client, max_client_message_bytes, &needed);
      if (!taken) {
        send_error(state_.out(), values::make_error(values::ErrorId::protocol_violation, taken.error().message), "FATAL");
        co_return false;
      }
      if (*taken) {
        message = **taken;
        co_return true;
      }
    }
    // Nothing to do until the client speaks: what has been answered goes out now.
    if (const auto sent = co_await state_.client.flush(); !sent) co_return false;
    const bool in_transaction = state_.transaction.state() != backends::TransactionState::none;
    if (ended_ || (state_.worker.draining() && !in_transaction)) {
      say_goodbye(values::ErrorId::shutdown);
      co_return false;
    }
    const auto idle_limit = state_.db->config->limits.idle_in_transaction_timeout;
    if (in_transaction && idle_limit.count() > 0) idle_.cancel_after(idle_limit);
    net::IoResult filled;
    if (keeps_any(state_)) {
      filled = co_await wait_for_message(needed);
    } else {
      filled = co_await state_.client.fill(needed, idle_.token());
    }
    idle_.clear_timeout();
    if (filled) continue;
    if (filled.error().kind == net::NetError::Kind::timed_out) {
      say_goodbye(values::ErrorId::idle_in_transaction_timeout);
      co_return false;
    }
    if (filled.error().kind != net::NetError::Kind::cancelled) co_return false;
    idle_ = net::CancelSource();
  }
}

/// The session has nothing but its client to wait for.
bool Session::waits_plainly() {
  return state_.client.received().empty() && state_.copy_left == 0 &&
         state_.transaction.state() == backends::TransactionState::none && state_.transaction.enlisted().empty() &&
         !state_.worker.draining();
}

/// Serves message after message until the conversation is over.
net::Task<void> Session::serve() {
  net::pg::Message message;
  while (true) {
    if (!take_next(message)) {
      // The common wait; whatever ends it, read_next() sees it again.
      if (waits_plainly() && co_await state_.client.flush()) (void)co_await state_.client.fill(0, idle_.token());
      if (!take_next(message) && !co_await read_next(message)) co_return;
    }
    if (message.type == 'X') co_return;
    std::exception_ptr failure;
    try {
      if (net::Task<void> served = handle(message)) co_await std::move(served);
      const bool ends = message.type == 'Q' || message.type == 'S';
      if (ends) state_.stop_clock();
    } catch (...) {
      failure = std::current_exception();
    }
    in_statement_ = false;
    state_.settle_lookups();
    if (failure && !co_await recover(std::move(failure), message.type)) co_return;
    if (ended_) co_return;
  }
}

/// Tells the client what has gone wrong, and settles it. False: the conversation is over.
net::Task<bool> Session::recover(std::exception_ptr failure, char message_type) {
  const bool in_extended = message_type != 'Q' && message_type != 'F';
  try {
    std::rethrow_exception(failure);
  } catch (const Fatal& fatal) {
    send_error(state_.out(), fatal.error, "FATAL");
    co_return false;
  } catch (const ClientGone&) {
    co_return false;
  } catch (const values::SqlError& error) {
    report(error);
  }
  co_await settle_failure();
  state_.settle_lookups();
  if (ended_) co_return false;
  if (in_extended && message_type != 'S') {
    skip_to_sync_ = true;
  } else {
    ready();
  }
  co_return true;
}

void Session::report(const values::SqlError& error) {
  const bool loses_kept = state_.transaction.lost_kept() || std::ranges::any_of(state_.transaction.enlisted(), [](const auto& member) {
    return member->kept && (!member->lease || member->lease->broken());
  });
  ended_ |= loses_kept;
  const bool stopped_by_us = error.sqlstate == "57014" && state_.timed_out;
  state_.worker.metrics().error(error.sqlstate);
  if (error.sqlstate == "08007") {
    ++state_.worker.metrics().commits_unknown;
    spdlog::error("{} ({})", error.message, error.sqlstate);
  }
  if (stopped_by_us) {
    send_error(state_.out(), values::make_error<>(values::ErrorId::statement_timeout));
  } else if (const auto* server = dynamic_cast<const backends::ServerError*>(&error)) {
    net::pg::ErrorFields fields = server->fields;
    // DDL that this proxy has not seen.
    catalog_outdated_ = fields.get('R') == "RevalidateCachedQuery" && !server->shard_name.empty();
    if (const std::string position(fields.get('P')); !position.empty() && statement_begin_ > 0) {
      fields.set('P', std::to_string(std::strtoull(position.c_str(), nullptr, 10) + statement_begin_));
    }
    // A shard that ends its connection ends nothing of the client's, unless this was bound to it.
    if (!loses_kept && (fields.get('V') == "FATAL" || fields.get('V') == "PANIC")) {
      fields.set('S', "ERROR");
      fields.set('V', "ERROR");
    }
    net::pg::ErrorResponse(std::move(fields)).encode(state_.out());
  } else {
    // What the catalog said of types is no longer so.
    catalog_outdated_ = error.sqlstate == "40001";
    values::SqlError own = error;
    if (own.position > 0) own.position += static_cast<int>(statement_begin_);
    send_error(state_.out(), own, loses_kept ? "FATAL" : "ERROR");
  }
}

/// A statement has failed and the client knows: its implicit transaction is undone, an explicit one
/// is failed, portals of the statement are gone.
net::Task<void> Session::settle_failure() {
  state_.running.clear();
  co_await calm_kept(state_);
  if (std::exchange(catalog_outdated_, false)) {
    (void)co_await state_.worker.instance().refresh_catalog_on_worker(state_.login.database);
  }
  if (state_.explicit_transaction()) {
    // Portals from before a savepoint live on after ROLLBACK TO it.
    state_.transaction.fail();
    co_return;
  } else {
    co_await roll_back_transaction(state_);
  }
  drop_portals();
}

bool Session::busy_in(const std::string& database) const {
  const bool busy = in_statement_ || state_.transaction.state() != backends::TransactionState::none;
  return busy && state_.db->conf->name == database;
}

void Session::begin_statement() {
  in_statement_ = used_ = true;
  carried_out_ = nullptr;
  state_.begin_statement();
}

/// No coroutine itself: answers the one that serves the message, or an empty task.
net::Task<void> Session::handle(const net::pg::Message& message) {
  statement_begin_ = 0;
  switch (message.type) {
    case 'Q':
      skip_to_sync_ = false;
      return simple_query(message.payload);
    case 'P':
    case 'B':
    case 'D':
    case 'E':
    case 'C':
    case 'H':
      return skip_to_sync_ ? net::Task<void>() : extended(message);
    case 'S':
      skip_to_sync_ = false;
      if (!end_at_once(state_)) return sync();
      end_sync();
      return {};
    case 'F': return skip_to_sync_ ? net::Task<void>() : function_call(std::string(message.raw));
    // What is left of a COPY that has failed already (protocol 3, "COPY Operations").
    case 'd':
    case 'c':
    case 'f': return {};
    default:
      throw Fatal{values::make_error(values::ErrorId::protocol_violation,
                                     fmt::format("invalid frontend message type {}",
                                                 static_cast<int>(static_cast<unsigned char>(message.type))))};
  }
}

net::Task<void> run_session(Worker& worker, net::Socket client, Login login) {
  if (login.admin_console) {
    // The console's commands come with the administration of pools and shards.
    send_error(client.out(),
               values::make_error(values::ErrorId::unsupported_protocol_feature, "the administration console",
                                  "Read the status page and /metrics on the HTTP port, and reload with SIGHUP."),
               "FATAL");
    (void)co_await client.flush_all();
    co_return;
  }
  Session session(worker, std::move(client), std::move(login));
  co_await session.run();
}

}  // namespace anabranch::proxy
