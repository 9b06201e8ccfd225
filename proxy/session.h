#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "net/pg/messages.h"
#include "proxy/client_session.h"
#include "proxy/execute.h"
#include "proxy/portal.h"
#include "proxy/session_state.h"
#include "proxy/statement.h"
#include "values/errors.h"

namespace anabranch::proxy {

/// One client's conversation, from AuthenticationOk to its end (protocol 3, "Message Flow"): reads
/// messages, keeps prepared statements and portals, and is the one place where a statement's
/// failure becomes an ErrorResponse.
class Session final : public ClientSession {
 public:
  /// Buffers up to this are used again by the next statement; larger ones are given back.
  static constexpr std::size_t kept_bytes = 64 * 1024;

  Session(Worker& worker, net::Socket client, Login login);
  ~Session() override;

  /// Serves the client until it leaves.
  net::Task<void> run();

  bool has_secret(std::int32_t secret) const override;
  bool belongs_to(std::string_view user) const override { return state_.login.user == user; }
  void cancel() override;
  void wake() override { idle_.cancel(); }
  bool busy_in(const std::string& database) const override;
  void rest() override;
  void end_now() override;

 private:
  // session.cpp
  net::Task<void> converse();
  net::Task<void> greet();
  net::Task<void> serve();
  void end_by(const std::exception_ptr& fault);
  net::Task<bool> recover(std::exception_ptr failure, char message_type);
  bool skip_copy_data();
  bool take_next(net::pg::Message& message);
  bool waits_plainly();
  net::Task<bool> read_next(net::pg::Message& message);
  net::Task<net::IoResult> wait_for_message(std::size_t needed);
  void hear_kept();
  /// ReadyForQuery, with what the client should know by then.
  void ready();
  net::Task<void> handle(const net::pg::Message& message);
  void say_goodbye(values::ErrorId why);
  void begin_statement();
  net::Task<void> settle_failure();
  void report(const values::SqlError& error);

  // session_simple.cpp
  net::Task<void> simple_query(std::string_view payload);
  struct SimpleRun;
  net::Task<Outcome> run_simple(std::string_view text, SimpleRun& run);
  net::Task<Outcome> plan_and_run_simple(SimpleRun& run);
  net::Task<Outcome> run_planned_simple(SimpleRun& run);
  net::Task<void> run_several(std::string text);
  net::Task<void> check_syntax(std::string_view text);

  // session_function_call.cpp
  net::Task<void> function_call(std::string request);

  // session_extended.cpp
  net::Task<void> extended(const net::pg::Message& message);
  net::Task<void> flush();
  SessionState::Statements::node_type new_statement(std::string_view name);
  SessionState::Portals::node_type new_portal();
  void retire_unnamed_portal();
  net::Task<void> parse(std::string_view payload);
  net::Task<void> plan_parsed(SessionState::Statements::node_type node);
  void finish_parse(SessionState::Statements::node_type node);
  net::Task<void> bind(std::string_view payload);
  net::Task<void> bind_anew(SessionState::Portals::node_type node);
  void finish_bind(SessionState::Portals::node_type node);
  net::Task<void> describe(std::string_view payload);
  net::Task<void> describe_anew(std::shared_ptr<Statement> statement, std::shared_ptr<Portal> portal);
  void answer_describe(Statement& statement, const Portal* portal);
  net::Task<void> execute_portal(std::string_view payload);
  void close(std::string_view payload);
  net::Task<void> sync();
  void end_sync();
  net::Task<void> wait_for_more();
  net::Task<void> fill_call(Portal& portal, Execution& execution);
  const std::shared_ptr<Portal>& find_portal(std::string_view name);
  std::shared_ptr<Statement>& find_statement(std::string_view name);
  void drop_portals();

  SessionState state_;
  std::int32_t process_ = 0;
  std::int32_t secret_ = 0;
  net::CancelSource idle_;

  Statement simple_;  ///< of simple queries; reused
  SessionState::Portals::node_type spare_portal_;  ///< its buffers serve the next Bind
  /// Characters of the client's string before the statement that runs: positions in errors count from
  /// the string's beginning.
  std::size_t statement_begin_ = 0;
  bool catalog_outdated_ = false;  ///< the statement has failed for that: it is read again
  const Statement* carried_out_ = nullptr;  ///< by this message; a portal's may be gone
  bool skip_to_sync_ = false;  ///< after an error in the extended protocol
  bool in_statement_ = false;
  bool used_ = true;  ///< since rest() was last called
  bool ended_ = false;
};

/// Serves an authenticated client until it leaves; never throws.
net::Task<void> run_session(Worker& worker, net::Socket client, Login login);

}  // namespace anabranch::proxy
