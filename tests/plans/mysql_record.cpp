#include <mysql.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "fixture.h"
#include "values/mysql_type.h"

/// What only a live MariaDB knows: asked once, kept in the repository.
namespace anabranch::plans {
namespace {

using Connection = std::unique_ptr<MYSQL, decltype(&mysql_close)>;

void run(MYSQL* server, const std::string& sql) {
  if (mysql_query(server, sql.c_str()) != 0) throw std::runtime_error(sql + "\n" + mysql_error(server));
}

/// "id bigint unsigned not_null" as a column's definition.
std::string column_of(const std::string& line, bool& counted) {
  std::istringstream words(line);
  std::string definition;
  words >> definition;
  for (std::string word; words >> word;) {
    if (word == "not_null") word = "NOT NULL";
    if (word == "auto_increment") counted = true;
    if (word.starts_with("utf8mb4_") || word.starts_with("latin1_")) word = "COLLATE " + word;
    if (word.starts_with("default=")) word = "DEFAULT " + word.substr(8);
    definition += " " + word;
  }
  return definition;
}

std::string joined(std::istringstream& words) {
  std::string list;
  for (std::string word; words >> word;) list += (list.empty() ? "" : ", ") + word;
  return list;
}

class Tables {
 public:
  explicit Tables(MYSQL* server) : server_(server) {}

  void take(const std::string& line) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (line.empty() || line.starts_with('#')) return finish();
    if (word == "table") {
      words >> name_;
    } else if (word == "view") {
      words >> view_;
    } else if (word == "sql") {
      run(server_, "CREATE VIEW " + view_ + " AS " + line.substr(line.find("sql") + 4));
      view_.clear();
    } else if (word == "unique") {
      words >> word;
      parts_ += (word == "PRIMARY" ? ", PRIMARY KEY (" : ", UNIQUE (") + joined(words) + ")";
    } else if (!name_.empty() && word != "refusal") {
      bool counted = false;
      parts_ += (parts_.empty() ? "" : ", ") + column_of(line, counted);
      if (counted) keys_ += ", KEY (" + word + ")";
    }
  }

  void finish() {
    if (!name_.empty()) run(server_, "CREATE TABLE " + name_ + " (" + parts_ + keys_ + ")");
    name_.clear(), parts_.clear(), keys_.clear();
  }

 private:
  MYSQL* server_;
  std::string name_, view_, parts_, keys_;
};

rewriter::ResultColumn column_of(const MYSQL_FIELD& field) {
  using values::MysqlCode;
  const MysqlCode code = (field.flags & ENUM_FLAG) != 0  ? MysqlCode::enum_
                         : (field.flags & SET_FLAG) != 0 ? MysqlCode::set
                                                         : static_cast<MysqlCode>(field.type);
  constexpr unsigned binary = 63;
  rewriter::ResultColumn column;
  column.name = field.name;
  const bool flag = IS_NUM(field.type) ? (field.flags & UNSIGNED_FLAG) != 0 : field.charsetnr == binary;
  column.type = values::mysql_type(code, flag);
  column.typmod = static_cast<std::int32_t>(field.decimals);
  return column;
}

}  // namespace

void make_mysql_tables(const MysqlServer& server, const std::string& path) {
  std::ifstream file(path);
  Tables tables(server.connection.get());
  for (std::string line; std::getline(file, line);) tables.take(line);
  tables.finish();
}

MysqlServer connect_mysql(unsigned port) {
  Connection connection(mysql_init(nullptr), mysql_close);
  if (mysql_real_connect(connection.get(), "127.0.0.1", "app", "app-secret", "shop", port, nullptr, 0) == nullptr) {
    throw std::runtime_error(mysql_error(connection.get()));
  }
  run(connection.get(), "SET NAMES utf8mb4");
  return {std::shared_ptr<MYSQL>(connection.release(), mysql_close)};
}

rewriter::Description describe(const MysqlServer& server, const std::string& sql) {
  const std::unique_ptr<MYSQL_STMT, decltype(&mysql_stmt_close)> statement(mysql_stmt_init(server.connection.get()),
                                                                           mysql_stmt_close);
  if (mysql_stmt_prepare(statement.get(), sql.c_str(), sql.size()) != 0) {
    throw std::runtime_error(sql + "\n" + mysql_stmt_error(statement.get()));
  }
  rewriter::Description answer;
  answer.parameters.resize(mysql_stmt_param_count(statement.get()));
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> columns(mysql_stmt_result_metadata(statement.get()),
                                                                         mysql_free_result);
  if (columns == nullptr) return answer;
  answer.columns.emplace();
  for (unsigned i = 0; i < mysql_num_fields(columns.get()); ++i) {
    answer.columns->push_back(column_of(*mysql_fetch_field_direct(columns.get(), i)));
  }
  return answer;
}

}  // namespace anabranch::plans
