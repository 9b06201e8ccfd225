#include "dialect.h"

#include "mysql_connection.h"
#include "mysql_faults.h"
#include "mysql_restore.h"
#include "pg_connection.h"
#include "pg_faults.h"
#include "pg_restore.h"

namespace anabranch::differential {
namespace {

class Postgres : public Dialect {
 public:
  std::span<const Form> forms() const override {
    static constexpr Form all[] = {Form::simple, Form::extended_text, Form::extended_binary};
    return all;
  }
  std::unique_ptr<Connection> connect(const std::string& endpoint) const override {
    return std::make_unique<PgConnection>(endpoint);
  }
  std::unique_ptr<Restorer> remember(Side& single) const override {
    return std::make_unique<PgRestorer>(*single.connection);
  }
  std::vector<std::vector<Fault>> faults() const override { return pg_faults(); }
};

/// Cursors change what some statements answer on one server: cases ask for them one by one.
class Mysql : public Dialect {
 public:
  std::span<const Form> forms() const override {
    static constexpr Form all[] = {Form::simple, Form::extended_binary};
    return all;
  }
  std::unique_ptr<Connection> connect(const std::string& endpoint) const override {
    return std::make_unique<MysqlConnection>(endpoint);
  }
  std::unique_ptr<Restorer> remember(Side& single) const override {
    return std::make_unique<MysqlRestorer>(single);
  }
  std::vector<std::vector<Fault>> faults() const override { return mysql_faults(); }
};

}  // namespace

const Dialect& postgres() {
  static const Postgres dialect;
  return dialect;
}

const Dialect& mysql() {
  static const Mysql dialect;
  return dialect;
}

}  // namespace anabranch::differential
