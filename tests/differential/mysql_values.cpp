#include "mysql_values.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>

namespace anabranch::differential {
namespace {

constexpr unsigned binary_charset = 63;

template <typename T>
std::string bytes_of(const T& value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

template <typename T>
T value_of(const std::string& bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

enum class Family { integer, float4, float8, time, string };

Family family_of(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
      return Family::integer;
    case MYSQL_TYPE_FLOAT:
      return Family::float4;
    case MYSQL_TYPE_DOUBLE:
      return Family::float8;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_TIME:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
      return Family::time;
    default:
      return Family::string;
  }
}

std::string printed(const MYSQL_TIME& time) {
  return fmt::format("{}{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", time.neg != 0 ? "-" : "", time.year, time.month,
                     time.day, time.hour, time.minute, time.second, time.second_part);
}

std::string printed(Family family, bool is_unsigned, const std::string& bytes) {
  switch (family) {
    case Family::integer:
      return is_unsigned ? fmt::format("{}", value_of<uint64_t>(bytes)) : fmt::format("{}", value_of<int64_t>(bytes));
    case Family::float4:
      return fmt::format("{}", value_of<float>(bytes));
    case Family::float8:
      return fmt::format("{}", value_of<double>(bytes));
    case Family::time:
      return printed(value_of<MYSQL_TIME>(bytes));
    case Family::string:
      break;
  }
  return bytes;
}

/// Where a statement's rows are fetched to, a column each.
class Room {
 public:
  explicit Room(MYSQL_RES* columns)
      : fields_(mysql_fetch_fields(columns)),
        count_(mysql_num_fields(columns)),
        buffers_(count_, std::string(sizeof(MYSQL_TIME), '\0')),
        lengths_(count_),
        nulls_(count_),
        binds_(count_) {
    for (unsigned i = 0; i < count_; ++i) {
      binds_[i].buffer = buffers_[i].data();
      binds_[i].length = &lengths_[i];
      binds_[i].is_null = &nulls_[i];
      binds_[i].is_unsigned = (fields_[i].flags & UNSIGNED_FLAG) != 0 ? 1 : 0;
      binds_[i].buffer_type = buffer_type(fields_[i].type);
      // What has no fixed length is asked for once its length is known.
      binds_[i].buffer_length = family(i) == Family::string ? 0 : static_cast<unsigned long>(buffers_[i].size());
    }
  }

  MYSQL_BIND* binds() { return binds_.data(); }

  Row row(MYSQL_STMT* statement) {
    Row out;
    for (unsigned i = 0; i < count_; ++i) out.push_back(value(statement, i));
    return out;
  }

 private:
  Family family(unsigned i) const { return family_of(fields_[i].type); }

  static enum_field_types buffer_type(enum_field_types type) {
    switch (family_of(type)) {
      case Family::integer:
        return MYSQL_TYPE_LONGLONG;
      case Family::float4:
        return MYSQL_TYPE_FLOAT;
      case Family::float8:
        return MYSQL_TYPE_DOUBLE;
      case Family::time:
        return type;
      case Family::string:
        break;
    }
    return MYSQL_TYPE_STRING;
  }

  Value value(MYSQL_STMT* statement, unsigned i) {
    if (nulls_[i] != 0) return std::nullopt;
    if (family(i) != Family::string) return printed(family(i), binds_[i].is_unsigned != 0, buffers_[i]);
    std::string text(lengths_[i], '\0');
    if (text.empty()) return text;
    MYSQL_BIND whole{};
    unsigned long length = 0;
    whole.buffer_type = MYSQL_TYPE_STRING;
    whole.buffer = text.data();
    whole.buffer_length = static_cast<unsigned long>(text.size());
    whole.length = &length;
    mysql_stmt_fetch_column(statement, &whole, i, 0);
    return text;
  }

  const MYSQL_FIELD* fields_;
  unsigned count_;
  std::vector<std::string> buffers_;
  std::vector<unsigned long> lengths_;
  std::vector<my_bool> nulls_;
  std::vector<MYSQL_BIND> binds_;
};

MYSQL_TIME parsed_time(const std::string& type, const std::string& text) {
  MYSQL_TIME time{};
  const char* rest = text.c_str();
  int read = 0;
  if (type != "time") {
    time.time_type = type == "date" ? MYSQL_TIMESTAMP_DATE : MYSQL_TIMESTAMP_DATETIME;
    std::sscanf(rest, "%4u-%2u-%2u%n", &time.year, &time.month, &time.day, &read);
    rest += read;
  } else {
    time.time_type = MYSQL_TIMESTAMP_TIME;
    time.neg = *rest == '-' ? 1 : 0;
    rest += time.neg != 0 ? 1 : 0;
  }
  std::sscanf(rest, "%u:%2u:%2u.%6lu", &time.hour, &time.minute, &time.second, &time.second_part);
  return time;
}

}  // namespace

Play mysql_play(const MYSQL_FIELD& field) {
  switch (field.type) {
    case MYSQL_TYPE_FLOAT:
      return Play::float4;
    case MYSQL_TYPE_DOUBLE:
      return Play::float8;
    case MYSQL_TYPE_NEWDECIMAL:
      return Play::decimal;
    case MYSQL_TYPE_STRING:
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_BLOB:
      return field.charsetnr == binary_charset ? Play::none : Play::text;
    default:
      return Play::none;
  }
}

std::vector<Row> binary_rows(MYSQL_STMT* statement, MYSQL_RES* columns) {
  Room room(columns);
  std::vector<Row> rows;
  if (mysql_stmt_bind_result(statement, room.binds()) != 0) return rows;
  for (int rc = mysql_stmt_fetch(statement); rc == 0 || rc == MYSQL_DATA_TRUNCATED; rc = mysql_stmt_fetch(statement)) {
    rows.push_back(room.row(statement));
  }
  return rows;
}

MysqlParameters::MysqlParameters(const std::vector<Parameter>& parameters)
    : bytes_(parameters.size()), lengths_(parameters.size()), binds_(parameters.size()) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    MYSQL_BIND& bind = binds_[i];
    bind.buffer_type = MYSQL_TYPE_NULL;
    if (!parameter.value) continue;
    const std::string& text = *parameter.value;
    if (parameter.type == "integer") {
      bind.buffer_type = MYSQL_TYPE_LONG;
      bytes_[i] = bytes_of(static_cast<int32_t>(std::stol(text)));
    } else if (parameter.type == "bigint") {
      bind.buffer_type = MYSQL_TYPE_LONGLONG;
      bytes_[i] = bytes_of(static_cast<int64_t>(std::stoll(text)));
    } else if (parameter.type == "unsigned") {
      bind.buffer_type = MYSQL_TYPE_LONGLONG;
      bind.is_unsigned = 1;
      bytes_[i] = bytes_of(static_cast<uint64_t>(std::stoull(text)));
    } else if (parameter.type == "double") {
      bind.buffer_type = MYSQL_TYPE_DOUBLE;
      bytes_[i] = bytes_of(std::stod(text));
    } else if (parameter.type == "date" || parameter.type == "datetime" || parameter.type == "time") {
      bind.buffer_type = parameter.type == "date"   ? MYSQL_TYPE_DATE
                         : parameter.type == "time" ? MYSQL_TYPE_TIME
                                                    : MYSQL_TYPE_DATETIME;
      bytes_[i] = bytes_of(parsed_time(parameter.type, text));
    } else {
      bind.buffer_type = MYSQL_TYPE_STRING;
      bytes_[i] = text;
    }
    lengths_[i] = static_cast<unsigned long>(bytes_[i].size());
    bind.buffer = bytes_[i].data();
    bind.buffer_length = lengths_[i];
    bind.length = &lengths_[i];
  }
}

}  // namespace anabranch::differential
