#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"

// As mysql.h names them.
struct st_mysql;
struct st_mysql_stmt;

namespace anabranch::differential {

/// A session by libmariadb: user app in database shop, utf8mb4, multi-statements.
class MysqlConnection : public Connection {
 public:
  /// `PORT`, or `PORT/PORT,PORT…`: what follows the slash is the restorer's.
  explicit MysqlConnection(const std::string& endpoint);
  ~MysqlConnection() override;

  void reset() override;
  Answer run(const Step& step, Form form, bool as_single) override;
  Answer simple(const std::string& sql) override;
  std::vector<Answer> pipeline(const std::vector<Step>& steps, bool binary, bool as_single) override;
  Answer explain(const Step& step) override;

 private:
  struct Close {
    void operator()(st_mysql* connection) const;
  };
  struct CloseStatement {
    void operator()(st_mysql_stmt* statement) const;
  };
  using Statement = std::unique_ptr<st_mysql_stmt, CloseStatement>;

  void open();
  Answer in_text(const std::string& sql);
  Answer prepare(const Step& step, const std::string& sql);
  Answer execute(st_mysql_stmt* statement, const Step& step, bool by_cursor);
  Answer prepared_once(const Step& step, const std::string& sql, bool by_cursor);
  /// Adds warnings and the transaction's status; opens a lost connection again.
  Answer finished(Answer answer, unsigned warnings);

  unsigned port_ = 0;
  std::unique_ptr<st_mysql, Close> connection_;
  std::map<std::string, Statement> statements_;
  std::string infile_;  // what LOAD DATA LOCAL reads
};

/// The statement with each `?` replaced by a literal of its parameter's type.
std::string with_mysql_literals(std::string_view sql, const std::vector<Parameter>& parameters);

}  // namespace anabranch::differential
