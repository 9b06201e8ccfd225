#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

namespace faults {

/// What libpq says of one statement (of a string of several: of the last).
struct Answer {
  std::string sqlstate;  // empty: it succeeded
  std::string message;   // of the error, in full
  std::string tag;
  std::vector<std::vector<std::string>> rows;  // NULL as "\N"
  bool ok() const { return sqlstate.empty(); }
  /// The first value of the first row; what went wrong where there is none.
  std::string value() const;
};

/// A libpq connection.
class Client {
 public:
  explicit Client(const std::string& conninfo);
  Answer run(const std::string& sql);
  Answer run(const std::string& sql, const std::vector<std::string>& parameters);
  /// COPY … FROM STDIN with the data; `end_error`: CopyFail with that reason.
  Answer copy_in(const std::string& sql, const std::string& data, const char* end_error = nullptr);
  /// COPY … TO STDOUT: all of its data, in rows of one value.
  Answer copy_out(const std::string& sql);
  /// From any thread: asks for the end of what run() does.
  void cancel() const;
  bool alive() const { return PQstatus(connection_.get()) == CONNECTION_OK; }
  std::string problem() const { return PQerrorMessage(connection_.get()); }
  PGTransactionStatusType transaction() const { return PQtransactionStatus(connection_.get()); }
  PGconn* get() const { return connection_.get(); }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

Answer take(PGconn* connection, PGresult* result);

}  // namespace faults
