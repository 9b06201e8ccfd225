#include "settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace interleave {

namespace {

const std::map<std::string, std::vector<std::string>, std::less<>> plain_values = {
    {"TimeZone", {"Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC", "Asia/Kolkata"}},
    {"IntervalStyle", {"postgres", "postgres_verbose", "sql_standard", "iso_8601"}},
    {"extra_float_digits", {"-5", "0", "1", "2", "3"}},
    {"bytea_output", {"hex", "escape"}},
    {"statement_timeout", {"0", "1h", "50min", "2d"}},
    {"lock_timeout", {"0", "1h", "49min"}},
    {"work_mem", {"1MB", "5MB", "64MB", "77kB"}},
    {"enable_hashjoin", {"on", "off"}},
    {"role", {"none", "reader_a", "reader_b"}},
};

std::string quoted(std::string_view value) { return fmt::format("'{}'", value); }

Value date_style(const Model& model, std::mt19937_64& random) {
  static constexpr auto styles = std::to_array<std::string_view>({"ISO", "SQL", "German", "Postgres"});
  static constexpr auto orders = std::to_array<std::string_view>({"MDY", "DMY"});
  const std::string now = model.shown("DateStyle");
  const std::string order(orders[random() % orders.size()]);
  // A part of the value leaves the other as it is.
  if (random() % 3 == 0) return {quoted(order), order, now.substr(0, now.find(',')) + ", " + order};
  const std::string whole = fmt::format("{}, {}", styles[random() % styles.size()], order);
  return {quoted(whole), whole, whole};
}

Value search_path(std::mt19937_64& random) {
  switch (random() % 4) {
    case 0: return {"alpha, public", "alpha, public", "alpha, public"};
    case 1: return {"beta, public", "beta, public", "beta, public"};
    case 2: return {"public", "public", "public"};
    default: return {R"("$user", public, beta)", R"("$user", public, beta)", R"("$user", public, beta)"};
  }
}

}  // namespace

const std::vector<std::string>& setting_names() {
  static const std::vector<std::string> names = {
      "application_name", "TimeZone",          "DateStyle",    "IntervalStyle", "search_path",
      "bytea_output",     "statement_timeout", "lock_timeout", "work_mem",      "enable_hashjoin",
      "app.token",        "app.tenant",        "role",         "extra_float_digits"};
  return names;
}

bool reported(std::string_view name) {
  return name == "application_name" || name == "TimeZone" || name == "DateStyle" || name == "IntervalStyle";
}

Value random_value(const std::string& name, const Model& model, const std::string& token, std::mt19937_64& random) {
  if (name == "DateStyle") return date_style(model, random);
  if (name == "search_path") return search_path(random);
  if (const auto found = plain_values.find(name); found != plain_values.end()) {
    const std::string& value = found->second[random() % found->second.size()];
    return {quoted(value), value, value};
  }
  // Quotes and backslashes must survive the journey from one connection to the next.
  static constexpr auto ends = std::to_array<std::string_view>({"", " it''s", " a\\b", " \"x\"", ",y"});
  const std::string_view end = ends[random() % ends.size()];
  std::string shown = token + std::string(end);
  if (const auto at = shown.find("''"); at != std::string::npos) shown.erase(at, 1);
  return {quoted(token + std::string(end)), shown, shown};
}

}  // namespace interleave
