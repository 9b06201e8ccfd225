#include "proxy/mysql/session.h"

#include <fmt/format.h>

#include "backends/cancel.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/stream.h"
#include "proxy/fault.h"
#include "proxy/instance.h"
#include "proxy/log.h"
#include "proxy/mysql/kill.h"
#include "proxy/mysql/replies.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using net::mysql::Command;
using net::mysql::Frame;
using values::ErrorId;
using values::SqlError;
using Event = net::mysql::ResultReader::Event;
using Reply = net::mysql::ResultReader::Reply;

/// How the server answers a command; nothing: a proxy cannot pass it on.
std::optional<Reply> reply_to(Command command) {
  switch (command) {
    case Command::query:
    case Command::process_info:
      return Reply::text;
    case Command::stmt_prepare:
      return Reply::prepare;
    case Command::stmt_execute:
    case Command::stmt_bulk_execute:
      return Reply::binary;
    case Command::stmt_fetch:
      return Reply::fetch;
    case Command::stmt_close:
    case Command::stmt_send_long_data:
      return Reply::nothing;
    case Command::field_list:
      return Reply::field_list;
    case Command::statistics:
      return Reply::statistics;
    case Command::init_db:
    case Command::create_db:
    case Command::drop_db:
    case Command::refresh:
    case Command::shutdown:
    case Command::debug:
    case Command::ping:
    case Command::process_kill:
    case Command::set_option:
    case Command::stmt_reset:
    case Command::reset_connection:
      return Reply::ok;
    default:
      return std::nullopt;
  }
}

}  // namespace

Session::Session(Worker& worker, net::Socket client, MysqlLogin login, std::int32_t process)
    : worker_(worker),
      client_(std::move(client)),
      login_(std::move(login.login)),
      agreement_(std::move(login.agreement)),
      process_(process),
      sequence_(login.sequence) {
  worker_.enter(process_, *this);
}

Session::~Session() { worker_.leave(process_); }

void Session::cancel() {
  statement_.cancel();
  if (sharded_ != nullptr) sharded_->cancel();
  if (in_statement_ && lease_) backends::request_cancel(lease_);
}

void Session::end_now() {
  ended_ = true;
  cancel();
  idle_.cancel();
}

bool Session::busy_in(const std::string& database) const {
  return (in_statement_ || in_transaction()) && login_.state != nullptr && login_.state->conf->name == database;
}

/// The one place where what nobody has foreseen ends: with the session.
net::Task<void> Session::run() {
  std::exception_ptr fault;
  try {
    co_await converse();
  } catch (...) {
    fault = std::current_exception();
  }
  if (fault) end_by(fault);
  // What the session has made there (variables, temporary tables, locks) ends with its connection.
  lease_.discard();
  if (sharded_ != nullptr) sharded_->end();
  net::CancelSource farewell;
  farewell.cancel_after(std::chrono::milliseconds(1000));
  (void)co_await client_.flush_all(farewell.token());
}

void Session::end_by(const std::exception_ptr& fault) {
  if (sharded_ != nullptr) sharded_->abandon();
  fail(note_fault(fault, client_.peer(), sharded_ != nullptr ? sharded_->last_shape() : nullptr));
}

net::Task<void> Session::converse() {
  std::optional<SqlError> refused;
  try {
    co_await connect();
    answer_login();
  } catch (const SqlError& error) {
    refused = error;
  }
  if (refused) {
    fail(*refused);
    ended_ = true;
  }
  while (!ended_ && co_await serve_one()) {
  }
}

/// The session's own connection, in the database that it is in. Nothing where it is in none.
net::Task<void> Session::connect() {
  if (login_.state == nullptr) co_return;
  const conf::Database& database = *login_.state->conf;
  if (!login_.state->passthrough()) {
    // A client that names no database is in the only one that it may go to.
    if (login_.database.empty()) login_.database = database.name;
    sharded_ = std::make_unique<Sharded>(worker_, login_, agreement_, client_, sequence_);
    co_await sharded_->begin();
    co_return;
  }
  const backends::SessionForm form{agreement_.capabilities, agreement_.collation, !login_.database.empty()};
  const auto target = worker_.pools().target(database, database.default_shard, {login_.user, login_.password},
                                             login_.database, form);
  lease_ = co_await backends::acquire(target, holder_, statement_.token());
}

net::Task<bool> Session::serve_one() {
  const auto frame = co_await next_command();
  if (!frame) co_return false;
  sequence_.reset(1);
  const auto command = net::mysql::command_of(frame->payload);
  if (frame->sequence != 0 || !command) {
    fail(server_error(1156, "08S01", "Got packets out of order"));
    co_return false;
  }
  if (*command == Command::quit) co_return false;
  in_statement_ = true;
  if (statement_.token().cancelled()) statement_ = net::CancelSource();
  std::optional<SqlError> failure;
  try {
    co_await handle(*frame);
  } catch (const SqlError& error) {
    failure = error;
  } catch (const SessionLost& lost) {
    spdlog::info("client {}: the session ends: {}", client_.peer(), lost.reason);
    ended_ = true;
  }
  in_statement_ = false;
  if (failure && !ended_) fail(*failure);
  ended_ |= sharded_ != nullptr && sharded_->lost();
  const auto sent = co_await client_.flush();
  co_return sent && !ended_;
}

/// Nothing: the client has left, or has to.
net::Task<std::optional<Frame>> Session::next_command() {
  while (true) {
    if (ended_) co_return std::nullopt;  // killed: without a word, as a server does it
    if (worker_.draining() && !in_transaction()) {
      sequence_.reset(0);
      fail(server_error(1053, "08S01", "Server shutdown in progress"));
      co_return std::nullopt;
    }
    if (idle_.token().cancelled()) idle_ = net::CancelSource();
    const auto limit = sharded_ != nullptr ? sharded_->idle_limit() : conf::Milliseconds(0);
    if (limit.count() > 0) idle_.cancel_after(limit);
    const auto frame = co_await net::mysql::read_frame(client_, idle_.token());
    idle_.clear_timeout();
    if (frame) co_return *frame;
    if (frame.error().kind == net::NetError::Kind::timed_out) {
      sequence_.reset(0);
      fail(values::make_error(ErrorId::idle_in_transaction_timeout));
      co_return std::nullopt;
    }
    if (frame.error().kind != net::NetError::Kind::cancelled) co_return std::nullopt;
  }
}

net::Task<void> Session::handle(const Frame& frame) {
  const Command command = *net::mysql::command_of(frame.payload);
  if (command == Command::change_user) {
    co_await change_user(std::string(frame.payload));
    co_return;
  }
  if (command == Command::init_db && !lease_ && sharded_ == nullptr) {
    co_await use(frame.payload.substr(1));
    co_return;
  }
  if (co_await kill(frame, command)) co_return;
  if (sharded_ != nullptr) {
    co_await carry_out(frame);
    co_return;
  }
  const auto reply = reply_to(command);
  if (!reply) {
    const std::string_view known = net::mysql::name(command);
    throw server_error(1235, "42000", fmt::format("{} is not supported through Anabranch",
                                                  known.empty() ? "this command" : known));
  }
  if (!lease_) {
    if (command != Command::ping) throw server_error(1046, "3D000", "No database selected");
    answer_ok();
    co_return;
  }
  co_await pass_on(frame, *reply);
}

/// As servers do, the rest is not read: the session ends.
void Session::refuse_packet() {
  fail(server_error(net::mysql::error_code::packet_too_large, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes"));
  ended_ = true;
}

/// The whole command, of however many frames.
net::Task<void> Session::carry_out(Frame frame) {
  const std::size_t bound = std::min(sharded_->state().packet_bound, net::mysql::max_packet_bytes);
  if (frame.payload.size() >= bound) co_return refuse_packet();
  if (!frame.continues()) {
    co_await sharded_->handle(frame.payload, ended_);
    hush_if_killed();
    co_return;
  }
  std::string command;
  while (true) {
    sequence_.reset(static_cast<std::uint8_t>(frame.sequence + 1));
    if (command.size() + frame.payload.size() >= bound) co_return refuse_packet();
    command += frame.payload;
    if (!frame.continues()) break;
    const auto next = co_await net::mysql::read_frame(client_);
    if (!next) throw SessionLost{"the client has gone"};
    frame = *next;
  }
  co_await sharded_->handle(command, ended_);
  hush_if_killed();
}

/// A client that is killed hears no more of its statement, not even how it ended.
void Session::hush_if_killed() {
  if (ended_) client_.out().clear();
}

/// KILL of one of our own sessions; false: the command is something else.
net::Task<bool> Session::kill(const Frame& frame, Command command) {
  const auto wish = read_kill(command, frame.payload);
  if (!wish) co_return false;
  const KillOutcome outcome = co_await kill_session(worker_.instance(), *wish, login_.user);
  if (outcome == KillOutcome::unknown) {
    throw server_error(1094, "HY000", fmt::format("Unknown thread id: {}", wish->connection));
  }
  if (outcome == KillOutcome::not_owner) {
    throw server_error(1095, "HY000", fmt::format("You are not owner of thread {}", wish->connection));
  }
  answer_ok();
  co_return true;
}

/// COM_INIT_DB of a session that is in no database yet.
net::Task<void> Session::use(std::string_view database) {
  const auto snapshot = worker_.snapshot();
  const conf::User* user = snapshot->config->find_user(login_.user);
  if (user == nullptr) throw server_error(1045, "28000", "Access denied");
  Login there = login_;
  there.database = database;
  if (const auto refused = enter_database(*snapshot, *user, there)) throw *refused;
  login_ = std::move(there);
  co_await connect();
  answer_login();
}

net::Task<void> Session::change_user(std::string payload) {
  net::CancelSource limit;
  limit.cancel_after(worker_.snapshot()->config->limits.authentication_timeout);
  auto result = co_await mysql::change_user(client_, worker_.login_context(), agreement_, std::move(payload), limit.token());
  // Refused: it has been told so, and stays who it was.
  if (std::holds_alternative<TurnedAway>(result)) co_return;
  auto& made = std::get<MysqlLogin>(result);
  login_ = std::move(made.login);
  agreement_ = std::move(made.agreement);
  sequence_ = made.sequence;
  lease_.discard();
  if (sharded_ != nullptr) sharded_->end();
  sharded_ = nullptr;
  in_transaction_ = false;
  co_await connect();
  answer_login();
}

// ---------------------------------------------------------------------------------- passing on

net::Task<void> Session::pass_on(const Frame& frame, Reply reply) {
  if (!co_await send_command(frame)) co_return;
  if (reply == Reply::nothing) {
    if (!co_await lease_->socket().flush()) lose_server("its connection ended");
    co_return;
  }
  lease_->expect_ready();
  co_await pass_back(reply);
}

/// A command may be many frames. False: somebody has gone.
net::Task<bool> Session::send_command(Frame frame) {
  net::Socket& server = lease_->socket();
  while (true) {
    server.write(frame.raw);
    sequence_.reset(static_cast<std::uint8_t>(frame.sequence + 1));
    if (const auto sent = co_await server.flush(); !sent) {
      lose_server(sent.error().message);
      co_return false;
    }
    if (!frame.continues()) co_return true;
    const auto next = co_await net::mysql::read_frame(client_);
    if (!next) {
      lose_client();
      co_return false;
    }
    frame = *next;
  }
}

net::Task<void> Session::pass_back(Reply reply) {
  net::Socket& server = lease_->socket();
  net::mysql::ResultReader reader(reply, agreement_.capabilities);
  while (!reader.done()) {
    const auto frame = co_await net::mysql::read_frame(server);
    if (!frame) co_return lose_server(frame.error().message);
    // A client that is killed hears no more of its statement, not even how it ended.
    if (ended_) co_return lose_client();
    const auto event = reader.read(frame->payload);
    if (!event) co_return lose_server(event.error().message);
    client_.write(frame->raw);
    sequence_.reset(static_cast<std::uint8_t>(frame->sequence + 1));
    if (*event == Event::infile_request) {
      co_await pass_file_on();
      if (lease_->broken()) co_return;
    } else if (client_.congested()) {
      if (!co_await client_.flush()) co_return lose_client();
    }
  }
  in_transaction_ = (reader.status() & net::mysql::status::in_transaction) != 0;
  lease_->on_ready(in_transaction_ ? 'T' : 'I');
}

/// LOCAL INFILE: the client's packets up to an empty one are the server's.
net::Task<void> Session::pass_file_on() {
  if (!co_await client_.flush()) co_return lose_client();
  bool continues = false;
  while (true) {
    const auto frame = co_await net::mysql::read_frame(client_);
    if (!frame) co_return lose_client();
    lease_->socket().write(frame->raw);
    if (const auto sent = co_await lease_->socket().flush(); !sent) co_return lose_server(sent.error().message);
    if (frame->payload.empty() && !continues) co_return;
    continues = frame->continues();
  }
}

// ---------------------------------------------------------------------------------- our own answers

void Session::answer_ok(std::string_view session_state) {
  net::mysql::Ok ok;
  ok.status = net::mysql::status::autocommit;
  if (!session_state.empty()) ok.status |= net::mysql::status::session_state_changed;
  ok.session_state = session_state;
  ok.encode(client_.out(), sequence_, agreement_.capabilities);
}

/// With what the server said of the session that it has opened.
void Session::answer_login() {
  const std::string* state = nullptr;
  if (lease_) state = lease_->parameter(backends::mysql_session_state);
  if (sharded_ != nullptr) state = &sharded_->session_state();
  answer_ok(state != nullptr ? std::string_view(*state) : std::string_view());
}

void Session::fail(const SqlError& error) {
  worker_.metrics().error(error.sqlstate);
  send_error(client_.out(), sequence_, error);
}

/// What the session had on the server is gone, and so is the session: without a word, as the server's own
/// clients find it.
void Session::lose_server(std::string_view reason) {
  spdlog::warn("client {}: the connection to {} was lost: {}", client_.peer(), lease_->server().text(), reason);
  lose_client();
}

/// In the middle of a command or its reply: the server's connection is of no use any more.
void Session::lose_client() {
  lease_->mark_broken();
  ended_ = true;
}

net::Task<void> serve_client(Worker& worker, net::Socket socket, Newcomer newcomer) {
  LoginContext context = worker.login_context();
  const std::int32_t process = worker.next_process();
  net::CancelSource limit;
  limit.cancel_after(context.snapshot->config->limits.authentication_timeout);
  std::optional<LoginResult> attempt;
  std::optional<SqlError> failure;
  std::exception_ptr fault;
  try {
    auto greeting = co_await worker.instance().mysql_greetings().get(context.snapshot->config, limit.token());
    attempt = co_await log_in(socket, std::move(context), std::move(greeting), connection_id(process), limit.token());
  } catch (const SqlError& error) {
    failure = error;
  } catch (...) {
    fault = std::current_exception();
  }
  if (fault) failure = note_fault(fault, socket.peer(), nullptr);
  if (failure) {
    net::mysql::Sequence sequence;
    send_error(socket.out(), sequence, *failure);
    co_await worker.send_away(socket, {failure->message});
    co_return;
  }
  LoginResult& result = *attempt;
  if (const auto* away = std::get_if<TurnedAway>(&result)) {
    co_await worker.send_away(socket, *away);
    co_return;
  }
  newcomer.reset();
  const CountedClient counted(worker.metrics());
  Session session(worker, std::move(socket), std::move(std::get<MysqlLogin>(result)), process);
  co_await session.run();
}

}  // namespace anabranch::proxy::mysql
