#include "backends/mysql_catalog_reader.h"

#include <algorithm>
#include <charconv>

#include "values/ascii.h"
#include "values/mysql_type.h"

namespace anabranch::backends {

namespace {

using Row = MysqlControlConnection::Row;
using Rows = std::vector<Row>;
using Name = std::pair<std::string, std::string>;

std::string text(const Row& row, std::size_t column) { return row.at(column).value_or(""); }

/// A character column's length is at most 65535; what is longer is no key.
std::int32_t length(const Row& row, std::size_t column) {
  const std::string digits = text(row, column);
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return static_cast<std::int32_t>(std::min<std::int64_t>(value, 1 << 24));
}

std::string quoted(const std::string& name) {
  std::string out = "'";
  for (const char c : name) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

std::string list_of(const std::set<std::string>& databases) {
  std::string list;
  for (const std::string& name : databases) list += (list.empty() ? "" : ", ") + quoted(name);
  return list;
}

class Reader {
 public:
  Reader(MysqlControlConnection& connection, const std::set<std::string>& databases)
      : connection_(connection), databases_(list_of(databases)) {}
  /// Of one table's name only.
  Reader(MysqlControlConnection& connection, const std::string& database, const std::string& table)
      : connection_(connection), databases_(quoted(database)), of_table_(" AND TABLE_NAME = " + quoted(table)) {}

  /// Throws what went wrong, as text.
  ShardCatalog read() {
    read_server();
    read_relations();
    read_columns();
    read_keys();
    read_foreign_keys();
    read_triggers();
    return std::move(catalog_);
  }

  std::vector<router::Column> read_table(const std::string& database, const std::string& table) {
    ShardRelation& of = catalog_.relations[{database, table}];
    read_columns();
    return std::move(of.relation.columns);
  }

 private:
  Rows ask(const std::string& sql) {
    auto rows = connection_.rows(sql);
    if (!rows) throw std::move(rows.error());
    return std::move(*rows);
  }

  ShardRelation* find(const std::string& database, const std::string& table) {
    const auto found = catalog_.relations.find({database, table});
    return found == catalog_.relations.end() ? nullptr : &found->second;
  }

  void read_server() {
    const Row row = ask("SELECT VERSION(), @@lower_case_table_names, @@character_set_server").at(0);
    catalog_.server_version = text(row, 0);
    catalog_.server_encoding = text(row, 2);
    if (text(row, 1) != "0") {
      throw std::string("its lower_case_table_names is " + text(row, 1) + ", where only 0 is supported");
    }
  }

  void read_relations() {
    const Rows rows = ask(
        "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, v.VIEW_DEFINITION FROM information_schema.TABLES t"
        " LEFT JOIN information_schema.VIEWS v ON v.TABLE_SCHEMA = t.TABLE_SCHEMA AND v.TABLE_NAME = t.TABLE_NAME"
        " WHERE t.TABLE_SCHEMA IN (" + databases_ + ")");
    for (const Row& row : rows) {
      const std::string kind = text(row, 2);
      ShardRelation& of = catalog_.relations[{text(row, 0), text(row, 1)}];
      of.relation.schema = text(row, 0);
      of.relation.name = text(row, 1);
      of.relation.oid = 1;  // tables have no numbers here: it is there
      of.relation.kind = kind == "VIEW"       ? router::RelationKind::view
                         : kind == "SEQUENCE" ? router::RelationKind::sequence
                                              : router::RelationKind::table;
      of.relation.view_sql = text(row, 3);
    }
  }

  void read_columns() {
    const Rows rows = ask(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE,"
        " COLUMN_DEFAULT, EXTRA, CHARACTER_MAXIMUM_LENGTH, COLLATION_NAME FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA IN (" + databases_ + ")" + of_table_ +
        " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION");
    for (const Row& row : rows) {
      if (ShardRelation* of = find(text(row, 0), text(row, 1))) add_column(row, *of);
    }
  }

  static void add_column(const Row& row, ShardRelation& of) {
    const std::string column_type = text(row, 5);
    const std::string extra = values::lower_case(text(row, 8));
    router::Column column;
    column.name = values::lower_case(text(row, 2));
    column.number = static_cast<std::int16_t>(length(row, 3));
    column.type_name = column_type;
    column.collation_name = text(row, 10);
    column.collation = values::mysql_collation(column.collation_name);
    column.not_null = text(row, 6) == "NO";
    column.identity = extra.contains("auto_increment");
    column.generated = extra.contains("generated") && !extra.contains("default_generated");
    column.stamped = extra.contains("on update current_timestamp");
    const bool none = !row.at(7) || *row[7] == "NULL";
    column.default_sql = none || column.generated ? "" : *row[7];
    column.default_volatility = column.identity ? router::Volatility::volatile_
                                                : mysql_default_volatility(column.default_sql);
    const std::string data_type = text(row, 4);
    // CHAR gives its trailing spaces up, whatever its collation.
    const values::MysqlModifier modifier{
        .not_null = column.not_null,
        .counted = column.identity,
        .padded = data_type == "char" || values::pads_spaces(column.collation_name),
        .utf8 = column.collation_name.starts_with("utf8mb4_"),
        .length = length(row, 9)};
    column.type.oid =
        values::find_mysql_type(data_type, column_type.contains("unsigned"), column.collation_name);
    column.type.typmod = modifier.packed();
    of.relation.columns.push_back(std::move(column));
    of.type_oids.push_back(0);
    of.collation_oids.push_back(0);
  }

  void read_keys() {
    const Rows rows = ask(
        "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS"
        " WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA IN (" + databases_ + ")"
        " ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX");
    for (const Row& row : rows) {
      ShardRelation* of = find(text(row, 0), text(row, 1));
      if (of == nullptr) continue;
      auto& keys = of->relation.unique_keys;
      const std::string name = text(row, 2);
      if (keys.empty() || keys.back().name != name) keys.push_back({name, {}, name == "PRIMARY"});
      // A part of a column is no column: the key does not hold it.
      const auto column = of->relation.find_column(values::lower_case(text(row, 3)));
      if (column && !row.at(4)) keys.back().columns.push_back(*column);
    }
  }

  void read_foreign_keys() {
    const Rows rows = ask(
        "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME,"
        " COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL"
        " AND TABLE_SCHEMA IN (" + databases_ + ")"
        " ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION");
    for (const Row& row : rows) {
      ShardRelation* of = find(text(row, 0), text(row, 1));
      if (of == nullptr) continue;
      auto& keys = of->foreign_keys;
      if (keys.empty() || keys.back().name != text(row, 2)) {
        keys.push_back({text(row, 2), {text(row, 3), text(row, 4)}, {}, {}});
      }
      const auto column = of->relation.find_column(values::lower_case(text(row, 5)));
      if (column) keys.back().columns.push_back(of->relation.columns[static_cast<std::size_t>(*column)].number);
    }
  }

  void read_triggers() {
    const Rows rows = ask(
        "SELECT DISTINCT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS"
        " WHERE EVENT_OBJECT_SCHEMA IN (" + databases_ + ")");
    for (const Row& row : rows) {
      if (ShardRelation* of = find(text(row, 0), text(row, 1))) of->relation.triggers = true;
    }
  }

  MysqlControlConnection& connection_;
  std::string databases_;
  std::string of_table_;  // a condition; empty: every table
  ShardCatalog catalog_;
};

}  // namespace

router::Volatility mysql_default_volatility(std::string_view expression) {
  if (expression.starts_with('\'') || expression.find('(') == std::string_view::npos) {
    const bool time = values::lower_case(expression).starts_with("current_timestamp");
    return time ? router::Volatility::stable : router::Volatility::immutable;
  }
  const std::string lower = values::lower_case(expression);
  const bool time = lower.starts_with("current_timestamp(") || lower.starts_with("curdate(") ||
                    lower.starts_with("now(") || lower.starts_with("curtime(");
  return time && lower.find('(') == lower.rfind('(') ? router::Volatility::stable : router::Volatility::volatile_;
}

std::expected<ShardCatalog, std::string> read_mysql_catalog(MysqlControlConnection& connection,
                                                            const std::set<std::string>& databases) {
  try {
    return Reader(connection, databases).read();
  } catch (std::string& reason) {
    return std::unexpected(std::move(reason));
  }
}

std::expected<std::vector<router::Column>, std::string> read_mysql_columns(MysqlControlConnection& connection,
                                                                           const std::string& database,
                                                                           const std::string& table) {
  try {
    return Reader(connection, database, table).read_table(database, table);
  } catch (std::string& reason) {
    return std::unexpected(std::move(reason));
  }
}

}  // namespace anabranch::backends
