#pragma once

#include <mysql.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// A client of MySQL's, by libmariadb.
namespace faults::mysql {

struct Answer {
  unsigned error = 0;
  std::string sqlstate = "00000";
  std::string message;
  std::vector<std::vector<std::string>> rows;  ///< NULL as \N
  std::uint64_t affected = 0;

  bool ok() const { return error == 0; }
  /// The first value; of an error, number, SQLSTATE and text.
  std::string value() const;
};


class Client {
 public:
  explicit Client(int port, const std::string& user = "app", const std::string& password = "app-secret");
  bool alive() { return connected_ && mysql_ping(connection_.get()) == 0; }
  const std::string& problem() const { return problem_; }
  /// The first result of the text.
  Answer run(const std::string& sql);
  unsigned long id() const { return mysql_thread_id(connection_.get()); }
  MYSQL* get() const { return connection_.get(); }

 private:
  std::unique_ptr<MYSQL, decltype(&mysql_close)> connection_;
  bool connected_ = false;
  std::string problem_;
};

/// A result that is read row by row, as it comes.
class Reading {
 public:
  Reading(Client& client, const std::string& sql);
  /// Up to so many rows more. False: the end, or an error.
  bool read(std::size_t rows);
  std::size_t seen() const { return seen_; }
  /// What ended it.
  Answer end();

 private:
  Client& client_;
  std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result_;
  std::size_t seen_ = 0;
  Answer failure_;
};

/// A prepared statement with integers for parameters.
class Prepared {
 public:
  Prepared(Client& client, const std::string& sql, bool cursor = false);
  const Answer& prepared() const { return prepared_; }
  /// Executes, and fetches up to so many rows.
  Answer execute(std::vector<std::int64_t> parameters, std::size_t rows = SIZE_MAX);
  /// Of the same execution.
  Answer fetch(std::size_t rows = SIZE_MAX);

 private:
  Answer failure() const;
  std::unique_ptr<MYSQL_STMT, decltype(&mysql_stmt_close)> statement_;
  Answer prepared_;
};

}  // namespace faults::mysql
