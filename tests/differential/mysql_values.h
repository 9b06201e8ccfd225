#pragma once

#include <mysql.h>

#include <string>
#include <vector>

#include "answer.h"
#include "case_file.h"

namespace anabranch::differential {

/// How values of a column may differ where a case's rules say so.
Play mysql_play(const MYSQL_FIELD& field);

/// The rows of an executed statement, each value written so that different binary values look different.
std::vector<Row> binary_rows(MYSQL_STMT* statement, MYSQL_RES* columns);

/// Parameters in the binary form of their types: integer, bigint, unsigned, double, date, datetime, time; all
/// else is sent as a string.
class MysqlParameters {
 public:
  explicit MysqlParameters(const std::vector<Parameter>& parameters);

  std::size_t count() const { return binds_.size(); }
  /// Valid as long as this object; libmariadb only reads it.
  MYSQL_BIND* binds() const { return const_cast<MYSQL_BIND*>(binds_.data()); }  // NOLINT

 private:
  std::vector<std::string> bytes_;
  std::vector<unsigned long> lengths_;
  std::vector<MYSQL_BIND> binds_;
};

}  // namespace anabranch::differential
