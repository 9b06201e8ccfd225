#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/mysql/commands.h"
#include "proxy/mysql/named_statements.h"
#include "proxy/mysql/prepared.h"
#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// A MySQL client's commands in a database with schemes: each statement is planned, and carried out on the shards
/// that it concerns. One loop.
class Sharded {
 public:
  Sharded(Worker& worker, const Login& login, const Agreement& agreement, net::Socket& client,
          net::mysql::Sequence& sequence)
      : state_(worker, login, agreement, client, sequence),
        multi_statements_(net::mysql::has(agreement.capabilities, net::mysql::capability::multi_statements)) {}

  /// Asks the default shard what a session begins with. Throws SqlError.
  net::Task<void> begin();
  /// What the server has told of the session that it has opened.
  const std::string& session_state() const { return session_state_; }

  /// Carries out one command and writes its answer. `payload` is that of its whole packet. Throws SqlError for
  /// what the client is to be told, SessionLost.
  net::Task<void> handle(std::string_view payload, const bool& ended);

  State& state() { return state_; }
  void cancel();
  bool in_transaction() const { return state_.transaction.state() != backends::TransactionState::none; }
  /// How long the client may say nothing; 0: for ever.
  conf::Milliseconds idle_limit() const {
    return in_transaction() ? state_.db->config->limits.idle_in_transaction_timeout : conf::Milliseconds(0);
  }
  /// A connection was lost, and with it what the session had there.
  bool lost() const;
  /// Closes the session's connections.
  void end() {
    state_.forget_diagnostics();
    state_.end_leases();
  }
  /// After a fault: whatever they are in the middle of.
  void abandon() { state_.abandon_leases(); }
  /// Of the statement that the last command has carried out; null: it is not known.
  const rewriter::Shape* last_shape() const { return carried_out_ != nullptr ? &carried_out_->shape : nullptr; }

 private:
  net::Task<void> carry_out(net::mysql::Command command, std::string_view payload);
  bool take_unanswered(net::mysql::Command command, std::string_view payload);
  net::Task<void> reset();
  net::Task<void> query(std::string_view text);
  net::Task<void> run_texts(std::string text);
  net::Task<bool> run_text(std::string_view text);
  net::Task<bool> run(Request& request);
  net::Task<bool> relay(Request& request, std::uint32_t shard);
  net::Task<bool> pass_on(std::string_view payload, net::mysql::ResultReader::Reply reply);
  net::Task<void> pass_on_everywhere(std::string_view payload);
  net::Task<void> check_by_server(std::string text);
  net::Task<void> refuse(const Statement& statement, CachedPlanPtr plan);
  net::Task<CachedPlanPtr> make_plan(Statement& statement, bool several);
  net::Task<void> take_plan(Statement& statement);
  net::Task<void> prepare(std::string_view text);
  net::Task<void> execute(std::string_view payload);
  net::Task<void> fetch(std::string_view payload);
  net::Task<bool> run_named(const Request& command);
  net::Task<std::unique_ptr<Statement>> plan_source(const rewriter::Plan& command);
  net::Task<bool> prepare_named(const Request& command);
  net::Task<bool> execute_named(const Request& command);
  net::Task<bool> execute_immediate(const Request& command);
  net::Task<bool> run_called(const Request& command, Statement& statement, const SqlCall& call);
  net::Task<bool> deallocate_named(const Request& command);
  std::optional<std::uint32_t> plain_shard(const Request& request);
  net::Task<std::optional<std::uint32_t>> choose_shard(Request& request);
  void note_answer(const Request& request, std::uint32_t shard, const ReplyEnd& end);
  net::Task<void> finish(Request& request, backends::Transaction::Enlisted& member, ReplyEnd end);
  net::Task<void> fill(Request& request, std::string text, bool several);
  net::Task<bool> run_filled(Request& request, std::string text);
  net::Task<void> take_values(Request& request);
  void check_prepared_there(const Request& request, const backends::Transaction::Enlisted& member) const;
  void check_insert_id(std::optional<std::uint32_t> shard) const;
  void check_previous(const rewriter::Plan& plan, std::uint32_t shard);

  State state_;
  std::string session_state_;
  Statement simple_;  ///< of COM_QUERY; reused
  Statement filled_;  ///< one with values in the places of parameters and counts; reused
  PreparedStatements prepared_;
  NamedStatements named_;
  const Statement* carried_out_ = nullptr;  ///< by this command
  bool multi_statements_;  ///< agreed upon at login, or COM_SET_OPTION's
};

}  // namespace anabranch::proxy::mysql
