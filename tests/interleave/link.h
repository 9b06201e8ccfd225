#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loop.h"

namespace interleave {

/// What libpq says of one statement.
struct Answer {
  std::string sqlstate;  ///< empty: it succeeded
  std::string message;
  std::string tag;
  std::vector<std::vector<std::string>> rows;  ///< NULL as "\N"
  bool ok() const { return sqlstate.empty(); }
  /// For logs and comparisons: the rows, or the error.
  std::string text() const;
};
using Answers = std::vector<Answer>;

/// One statement of a pipeline. With `statement`, a prepared one of that name.
struct Piece {
  std::string sql;
  std::vector<std::string> parameters;
  bool prepared = false;
};

/// A libpq connection that never blocks the loop (but for the moment of a cancel).
class Link {
 public:
  explicit Link(Loop& loop) : loop_(loop) {}

  /// Empty: connected. Otherwise what was said.
  Task<std::string> open(std::string conninfo);
  Task<Answers> query(std::string sql);
  Task<Answers> execute(std::string sql, std::vector<std::string> parameters);
  Task<Answers> prepare(std::string name, std::string sql);
  Task<Answers> execute_prepared(std::string name, std::vector<std::string> parameters);
  /// All pieces, then Sync; one answer a piece.
  Task<Answers> pipeline(std::vector<Piece> pieces);

  /// A statement whose answer is taken later, or never.
  Task<void> start(std::string sql);
  /// False: the answer has not come within the time.
  Task<bool> answered(std::chrono::milliseconds limit);
  Task<Answers> finish();
  void cancel();

  /// The connection ends without a word, whatever is under way.
  void cut();
  /// As clients leave.
  void close() { connection_.reset(); }

  bool lost() const { return PQstatus(get()) != CONNECTION_OK; }
  PGTransactionStatusType transaction() const { return PQtransactionStatus(get()); }
  std::string parameter(const char* name) const;
  /// "channel payload" of each notification that has come.
  std::vector<std::string> notifications();
  /// Reads what the server sends unasked; false: nothing came.
  Task<bool> listen(std::chrono::milliseconds limit);

 private:
  PGconn* get() const { return connection_.get(); }
  Task<void> send_all();
  Task<std::optional<Answer>> next_answer();

  Loop& loop_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{nullptr, PQfinish};
};

}  // namespace interleave
