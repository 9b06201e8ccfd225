#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/mysql/command_messages.h"
#include "net/mysql/parameters.h"
#include "proxy/mysql/cursor.h"
#include "proxy/mysql/relay.h"
#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// Parameters as the planner wants them: views of `from`, or of texts that this keeps.
class TypedValues {
 public:
  /// Throws SqlError where a value is no valid one of its type.
  std::span<const rewriter::BoundValue> read(const net::mysql::BoundParameters& from,
                                             const std::vector<std::string>& sent_ahead);

 private:
  std::vector<rewriter::BoundValue> values_;
  std::vector<std::string> texts_;
};

/// A statement that the client has prepared. Shards prepare it when they first carry it out.
struct PreparedStatement {
  PreparedStatement(std::uint32_t number, std::unique_ptr<Statement> text, std::size_t parameters)
      : id(number), statement(std::move(text)), bound(parameters), ahead(parameters) {}

  const std::uint32_t id;
  const std::unique_ptr<Statement> statement;  ///< its shape views its text, so that it does not move
  net::mysql::BoundParameters bound;
  std::vector<std::string> ahead;  ///< what COM_STMT_SEND_LONG_DATA has brought, by parameter
  TypedValues values;
  std::shared_ptr<const backends::Settings> settings;  ///< under which its text is read
  std::string name;         ///< of it on servers' connections (ServerConnection::statements), where sessions share it
  std::string cursor_name;  ///< of one that is its own: a server has one cursor for a statement
  /// The connection has prepared it.
  bool is_on(const backends::Transaction::Enlisted& member) const;
  std::optional<std::uint32_t> cursor;  ///< the shard that holds its open cursor
  std::uint32_t cursor_number = 0;      ///< the server's number for the statement there
  std::unique_ptr<CursorRows> rows;     ///< of its open cursor over several shards
};

/// The session's prepared statements, by the numbers that the client knows.
class PreparedStatements {
 public:
  /// COM_STMT_PREPARE of a statement that has its plan: passes on what a shard says of it. Null: that was an error.
  net::Task<PreparedStatement*> prepare(State& state, std::unique_ptr<Statement> statement);
  /// Throws 1243 where there is none. MariaDB's -1 means the one prepared last.
  PreparedStatement& find(std::uint32_t id, std::string_view command);
  PreparedStatement* find_quietly(std::uint32_t id);
  /// COM_STMT_CLOSE.
  void close(State& state, std::uint32_t id);
  /// COM_STMT_RESET.
  net::Task<void> reset(State& state, PreparedStatement& prepared);
  /// COM_STMT_SEND_LONG_DATA; errors are told at the execution, as the command has no answer.
  void take_ahead(State& state, const net::mysql::ComStmtSendLongData& piece);
  /// After an execution.
  void forget_ahead(PreparedStatement& prepared);
  /// The shard's connection has its cursor.
  void note_cursor(State& state, PreparedStatement& prepared, backends::Transaction::Enlisted& member);
  /// There is none any more. Answers where it was.
  std::optional<std::uint32_t> forget_cursor(State& state, PreparedStatement& prepared);

 private:
  std::map<std::uint32_t, std::unique_ptr<PreparedStatement>> statements_;
  std::uint32_t next_ = 1;
  std::uint32_t last_ = 0;
  std::size_t ahead_bytes_ = 0;
};

/// Has the shard prepare the statement, if its connection has not: throws its error. `flags`: of cursors.
net::Task<void> prepare_on(State& state, PreparedStatement& prepared, backends::Transaction::Enlisted& member,
                           std::uint8_t flags);
/// Appends the execution, with what was sent ahead. `flags`: of cursors.
void write_execution(PreparedStatement& prepared, backends::Transaction::Enlisted& member, std::uint8_t flags);

}  // namespace anabranch::proxy::mysql
