#include <algorithm>

#include "random_mysql_query.h"

namespace anabranch::differential {

const std::vector<MysqlQueries::Source>& MysqlQueries::tables() {
  using enum Kind;
  static const std::string bin = "utf8mb4_bin";
  static const std::string unicode = "utf8mb4_unicode_ci";
  static const std::vector<Source> all = {
      {"users", 60,
       {{"id", integer, key | extreme | not_null, {"7", "42", "-1", "0", "424242", "9223372036854775807"}},
        {"name", text, not_null, {"'anne 4'", "'Zoë'", "'m'"}},
        {"email", text, 0, {"'a15@example.org'", "'E'"}, bin},
        {"city", text, few, {"'KÖLN'", "'oslo'", "'paris'", "''"}, unicode},
        {"handle", text, few, {"'alpha'", "'Zulu0'", "'ähre'"}, "latin1_swedish_ci"},
        {"nick", text, few, {"''", "'N7'", "' lead'"}},
        {"country", text, few, {"'DE'", "'de'", "'XX'"}, bin},
        {"mood", other, few | labels, {"'ok'", "'happy'", "'nothing'"}},
        {"interests", other, few | labels, {"'art'", "''", "'art,music'"}},
        {"age", integer, few | no_sign, {"36", "58", "65"}},
        {"score", decimal, 0, {"0", "1000.5", "1500"}},
        {"active", integer, few, {"1", "0", "TRUE"}},
        {"joined", date, few | edges, {"'2020-09-18'", "'9999-12-31'", "'2024-02-29'"}},
        {"seen", datetime, few, {"'2024-04-06 20:00:00'", "'1999-12-31 23:59:59.999999'"}},
        {"alarm", time, few | edges, {"'06:15:00'", "'-12:00:01'"}},
        // As a number: MAX() of a YEAR of 0 is '0' or '0000', by the way in which the server groups.
        {"(#.born + 0)", integer, few | no_sign, {"2000", "1984"}},
        {"JSON_VALUE(#.profile, '$.k')", text, few, {"'a'", "'b'"}, ""},
        {"HEX(#.avatar)", text, few, {"'00'", "''"}, ""},
        {"bits", integer, few | no_sign, {"0", "1023", "b'1010101010'"}}},
       {"id"}},
      {"orders", 195,
       {{"user_id", integer, key | extreme | not_null, {"7", "42", "12", "5001"}},
        {"order_no", integer, few | not_null, {"1", "3", "5"}},
        {"placed_at", datetime, 0, {"'2024-03-01'", "'2024-07-15 12:00'"}},
        // No blanks at the end: MariaDB 10.11 finds 22 rows BETWEEN 'Paid ' AND 'paid' by this column's index, and 75 without.
        {"status", text, few, {"'paid'", "'new'", "''", "'Paid'"}, bin},
        {"amount", decimal, 0, {"10", "500.00", "999.99"}},
        {"discount", decimal, few, {"0", "3.25", "0.1"}},
        {"weight", real, few, {"0.1", "3"}},
        {"ratio", real, few | extreme, {"0.25", "0.5"}},
        {"quantity", integer, few, {"0", "3", "16"}},
        {"flags", integer, few | no_sign, {"1", "8", "255"}},
        {"currency", text, few, {"'EUR'", "'usd'"}},
        {"note", text, few, {"'gift'", "''"}}},
       {"user_id", "order_no"}},
      {"order_items", 285,
       {{"user_id", integer, key | extreme | not_null, {"7", "42", "12", "5002"}},
        {"order_no", integer, few | not_null, {"1", "2", "6"}},
        {"item_no", integer, few | not_null, {"1", "3"}},
        {"sku", text, few, {"'x'", "'ab1'", "''"}, unicode},
        {"price", decimal, few, {"1.5", "2.5", "20"}},
        {"pieces", integer, few | no_sign, {"0", "11", "111"}}},
       {"user_id", "order_no", "item_no"}},
      {"events", 70,
       {{"id", integer, not_null, {"3", "20", "35"}},
        {"created_at", datetime, key, {"'2024-01-01'", "'2024-09-01 23:50:00'", "20240901235000"}},
        {"kind", text, few, {"'click'", "'BUY'", "''"}},
        {"value", integer, few, {"0", "17", "-3"}},
        {"JSON_TYPE(#.payload)", text, few, {"'OBJECT'", "'ARRAY'"}, ""}},
       {}},
      {"measurements", 48,
       {{"sensor", integer, key | few, {"0", "5", "7", "99"}},
        {"seq", integer, not_null, {"20", "40"}},
        {"temperature", real, few | extreme, {"0", "21.25", "20.5"}},
        {"humidity", real, few | extreme, {"0.5", "0"}},
        {"precise", decimal, few | extreme, {"1", "1.50"}},
        {"big", integer, few | extreme, {"42", "18446744073709551615"}},
        {"small", integer, few, {"5", "127"}},
        {"moment", datetime, few, {"'2024-01-01'", "'2024-06-15 12:30:45.678'"}},
        {"lag_time", time, few | edges, {"'12:34:56.789'", "'00:00:00.001'"}}},
       {"seq"}},
      {"kinds", 27,
       {{"k", integer, key | not_null, {"1", "3", "20"}},
        {"ti", integer, 0, {"-85", "20"}},
        {"bi", integer, few | extreme, {"5", "-5", "9223372036854775807"}},
        {"bu", integer, few | extreme, {"5", "9223372036854775809"}},
        {"d0", decimal, few, {"5", "-5"}},
        {"d", decimal, few | extreme, {"0.1", "-0.10"}},
        {"f", real, few | extreme, {"0.5", "1e20"}},
        {"g", real, few | extreme, {"0", "0.2", "1e100"}},
        {"dt", date, few | edges, {"'1970-01-01'", "'2024-02-29'"}},
        {"tm", time, few | edges, {"'10:00:00.50'", "'00:00:00'"}},
        {"dtm", datetime, few | edges, {"'2024-02-29 10:11:12'", "'1969-12-31 23:59:59.5'"}},
        {"ts", datetime, few, {"'2024-03-31 01:30:00'", "'2001-09-09 01:46:40'"}},
        {"y", integer, few | no_sign, {"1999", "2024"}},
        {"c", text, few, {"'abc'", "'ABC '", "'äbc'"}},
        {"vc", text, few, {"'abc'", "'abc '", "'é'"}},
        {"vl", text, few, {"'abc'", "'a'"}, "latin1_swedish_ci"},
        {"vu", text, few, {"'strasse'", "'n'", "'ö'"}, unicode},
        {"tx", text, few, {"'TEXT'"}},
        {"HEX(#.bn)", text, few, {"'61626364'"}, ""},
        {"HEX(#.vb)", text, few, {"'6162'"}, ""},
        {"e", other, few | labels, {"'x'", "'y'"}},
        {"s", other, few | labels, {"'a'", "'c,a'"}}},
       {"k"}},
      {"tags", 20,
       {{"tag", text, key | not_null, {"'red'", "'RED'", "'x y'", "''", "'日本'"}, bin},
        {"uses", integer, few, {"1", "5"}},
        {"parent", text, few, {"'missing'", "'Blue'", "'日本'"}, bin}},
       {"tag"}},
      {"places", 14,
       {{"country", text, key | few | not_null, {"'DE'", "'fr'", "'ZZ'"}, bin},
        {"place", text, not_null, {"'köln'", "'Evry'"}, unicode},
        {"people", integer, 0, {"100000", "3000000"}}},
       {"country", "place"}},
      {"logins", 40,
       {{"user_id", integer, key | few | no_sign | not_null, {"5", "0", "7"}},
        {"at", datetime, 0, {"'2024-05-12'", "'2024-05-20 02:00:00'"}},
        {"ok", integer, few, {"1", "TRUE"}}},
       {}},
      {"countries", 8,
       {{"code", text, not_null, {"'DE'", "'de'"}, bin},
        {"name", text, not_null, {"'norway'", "'japan'"}},
        {"continent", text, few, {"'EUROPE'", "'Asia'"}},
        {"people", integer, no_sign, {"60000000"}}},
       {"code"}},
      {"currencies", 4,
       {{"code", text, not_null, {"'eur'", "'JPY'"}},
        {"name", text, not_null, {"'Yen'"}},
        {"rate", decimal, 0, {"1", "0.5"}}},
       {"code"}},
      {"notes", 7,
       {{"id", integer, not_null, {"1", "5"}},
        {"body", text, 0, {"'first'", "'fourth'"}},
        {"stars", integer, few | no_sign, {"3", "5"}}},
       {"id"}},
      {"stock", 4,
       {{"item", text, not_null, {"'pear'", "'fig'"}},
        {"amount", integer, not_null, {"7", "10"}},
        {"price", decimal, 0, {"0.5", "2"}}},
       {"item"}},
      // audit_log, which is whole on another shard than the default one, is refused beside most tables; and where a
      // key might bring it to one shard, a prepared statement over it is an error of the default shard's.
  };
  return all;
}

MysqlQueries::Source MysqlQueries::table(const std::string& name, const std::string& alias) {
  Source source = *std::ranges::find(tables(), name, &Source::from);
  source.from += " " + alias;
  source.alias = alias;
  return source;
}

std::string MysqlQueries::Source::ref(const Column& column) const {
  const std::size_t at = column.name.find('#');
  if (at == std::string::npos) return alias + "." + column.name;
  return column.name.substr(0, at) + alias + column.name.substr(at + 1);
}

}  // namespace anabranch::differential
