#include "dialect.h"

#include "judge.h"
#include "mysql_connection.h"
#include "mysql_faults.h"
#include "mysql_restore.h"
#include "pg_connection.h"
#include "pg_faults.h"
#include "pg_restore.h"
#include "random_mysql_query.h"
#include "random_pg_query.h"

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
  std::string explained_kind(const Answer& explained) const override { return plan_kind(explained); }
  std::unique_ptr<QueryGenerator> queries() const override { return std::make_unique<PgQueries>(); }
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
  /// EXPLAIN of what one shard carries out is that shard's own.
  std::string explained_kind(const Answer& explained) const override {
    const std::string kind = plan_kind(explained);
    return kind.empty() && explained.error() == nullptr ? "relay" : kind;
  }
  std::unique_ptr<QueryGenerator> queries() const override { return std::make_unique<MysqlQueries>(); }
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
