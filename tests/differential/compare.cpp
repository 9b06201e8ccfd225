#include "compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <set>
#include <span>

namespace anabranch::differential {
namespace {

using Difference = std::optional<std::string>;

double tolerance(Play play) {
  return play == Play::float4 ? 1e-5 : 1e-12;
}

bool is_float(const Column& column) {
  return column.play == Play::float4 || column.play == Play::float8;
}

uint64_t from_big_endian(const std::string& bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

double number_in_binary(const std::string& value, const Column& column) {
  const uint64_t bits = from_big_endian(value);
  if (column.play == Play::float4) {
    return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  return std::bit_cast<double>(bits);
}

/// NaN is one value, of which rows are sorted alike whatever its sign bit is.
double number(const std::string& value, const Column& column) {
  const double read = column.format == 0 ? std::strtod(value.c_str(), nullptr) : number_in_binary(value, column);
  return std::isnan(read) ? std::numeric_limits<double>::quiet_NaN() : read;
}

bool close_enough(const Value& a, const Value& b, const Column& column) {
  if (!a || !b) return a.has_value() == b.has_value();
  const double x = number(*a, column);
  const double y = number(*b, column);
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
  if (x == y) return true;
  if (std::isinf(x) || std::isinf(y)) return false;
  return std::fabs(x - y) <= tolerance(column.play) * std::max(std::fabs(x), std::fabs(y));
}

/// What is known of each output column while rows are compared.
struct Shape {
  std::vector<Column> columns;
  std::vector<bool> approximate;
  std::vector<bool> respelt;
};

struct KeyedRow {
  std::size_t run = 0;  // of rows that tie under the order
  Row key;              // the exactly compared columns
  Row floats;
  const Row* row = nullptr;
};

std::strong_ordering compare_floats(const KeyedRow& a, const KeyedRow& b, const Shape& shape) {
  for (std::size_t i = 0, f = 0; i < shape.columns.size(); ++i) {
    if (!shape.approximate[i]) continue;
    const Value& x = a.floats[f];
    const Value& y = b.floats[f++];
    if (x.has_value() != y.has_value()) return x.has_value() <=> y.has_value();
    if (!x) continue;
    const auto order =
        std::strong_order(number(*x, shape.columns[i]), number(*y, shape.columns[i]));
    if (order != 0) return order;
  }
  return std::strong_ordering::equal;
}

std::strong_ordering compare_keys(const KeyedRow& a, const KeyedRow& b) {
  if (a.run != b.run) return a.run <=> b.run;
  return a.key <=> b.key;
}

KeyedRow keyed(const Row& row, std::size_t run, const Shape& shape) {
  KeyedRow out{.run = run, .key = {}, .floats = {}, .row = &row};
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (shape.approximate[i]) {
      out.floats.push_back(row[i]);
    } else {
      out.key.push_back(shape.respelt[i] ? without_spelling(row[i], shape.columns[i]) : row[i]);
    }
  }
  return out;
}

std::vector<KeyedRow> sorted(const std::vector<Row>& rows, const std::vector<std::size_t>& runs,
                             const Shape& shape) {
  std::vector<KeyedRow> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back(keyed(rows[i], runs.empty() ? 0 : runs[i], shape));
  }
  std::ranges::sort(out, [&](const KeyedRow& a, const KeyedRow& b) {
    const auto order = compare_keys(a, b);
    return order != 0 ? order < 0 : compare_floats(a, b, shape) < 0;
  });
  return out;
}

/// Collects the first few differing rows.
class Report {
 public:
  void add(std::string_view what, const Row& row) {
    if (++count_ <= shown) text_ += fmt::format("    {}: {}\n", what, printed(row));
  }
  Difference result() const {
    if (count_ == 0) return std::nullopt;
    std::string text = text_;
    if (count_ > shown) text += fmt::format("    … and {} more rows\n", count_ - shown);
    return text;
  }

 private:
  static constexpr int shown = 6;
  int count_ = 0;
  std::string text_;
};

bool floats_agree(const KeyedRow& a, const KeyedRow& b, const Shape& shape) {
  for (std::size_t i = 0, f = 0; i < shape.columns.size(); ++i) {
    if (!shape.approximate[i]) continue;
    if (!close_enough(a.floats[f], b.floats[f], shape.columns[i])) return false;
    ++f;
  }
  return true;
}

using KeyedRows = std::span<const KeyedRow>;

/// The rows at the front that share a key.
std::size_t length_of_run(KeyedRows rows) {
  const auto differs = [&](const KeyedRow& row) { return compare_keys(rows.front(), row) != 0; };
  const auto other = std::ranges::find_if(rows, differs);
  return static_cast<std::size_t>(other - rows.begin());
}

/// Rows of one key. Where floats differ in the last digits, two answers may sort them differently: each
/// looks for any other that it agrees with.
void compare_same_keys(KeyedRows single, KeyedRows other, const Shape& shape, bool contained, Report& report) {
  std::vector<bool> taken(single.size());
  std::size_t first = 0;
  std::vector<const KeyedRow*> left;
  for (const KeyedRow& row : other) {
    while (first < single.size() && taken[first]) ++first;
    std::size_t i = first;
    while (i < single.size() && (taken[i] || !floats_agree(single[i], row, shape))) ++i;
    if (i < single.size()) {
      taken[i] = true;
    } else {
      left.push_back(&row);
    }
  }
  std::size_t next = 0;
  for (std::size_t i = 0; !contained && i < single.size(); ++i) {
    if (taken[i]) continue;
    report.add(next < left.size() ? "single" : "only single", *single[i].row);
    if (next < left.size()) report.add("other ", *left[next++]->row);
  }
  for (; next < left.size(); ++next) report.add("only other ", *left[next]->row);
}

/// Multisets of (run, row); with `contained` the second may leave rows of the first out.
Difference compare_sorted(KeyedRows single, KeyedRows other, const Shape& shape, bool contained) {
  Report report;
  while (!single.empty() || !other.empty()) {
    const auto order = single.empty()  ? std::strong_ordering::greater
                       : other.empty() ? std::strong_ordering::less
                                       : compare_keys(single.front(), other.front());
    const std::size_t of_single = order > 0 ? 0 : length_of_run(single);
    const std::size_t of_other = order < 0 ? 0 : length_of_run(other);
    compare_same_keys(single.first(of_single), other.first(of_other), shape, contained, report);
    single = single.subspan(of_single);
    other = other.subspan(of_other);
  }
  return report.result();
}

Row order_key(const Row& row, const Rules& rules, const Shape& shape) {
  Row key;
  for (const std::size_t c : rules.order_columns) {
    key.push_back(without_spelling(row.at(c), shape.columns[c]));
  }
  return key;
}

bool keys_agree(const Row& a, const Row& b, const Rules& rules, const Shape& shape) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::size_t c = rules.order_columns[i];
    const bool same =
        shape.approximate[c] ? close_enough(a[i], b[i], shape.columns[c]) : a[i] == b[i];
    if (!same) return false;
  }
  return true;
}

/// The order columns must agree row by row; runs number the ties.
Difference compare_order(const std::vector<Row>& single, const std::vector<Row>& other,
                         const Rules& rules, const Shape& shape, std::vector<std::size_t>& runs) {
  std::size_t run = 0;
  for (std::size_t i = 0; i < single.size(); ++i) {
    const Row key = order_key(single[i], rules, shape);
    if (!keys_agree(key, order_key(other[i], rules, shape), rules, shape)) {
      return fmt::format("    order differs at row {}:\n    single: {}\n    other : {}\n", i + 1,
                         printed(single[i]), printed(other[i]));
    }
    if (i > 0 && order_key(single[i - 1], rules, shape) != key) ++run;
    runs.push_back(run);
  }
  return std::nullopt;
}

Difference compare_sequence(const std::vector<Row>& single, const std::vector<Row>& other,
                            const Shape& shape) {
  for (std::size_t i = 0; i < single.size(); ++i) {
    const KeyedRow a = keyed(single[i], 0, shape);
    const KeyedRow b = keyed(other[i], 0, shape);
    if (compare_keys(a, b) == 0 && floats_agree(a, b, shape)) continue;
    return fmt::format("    row {} differs:\n    single: {}\n    other : {}\n", i + 1,
                       printed(single[i]), printed(other[i]));
  }
  return std::nullopt;
}

Difference compare_rows(const Result& single, const Result& other, const Rules& rules,
                        const Shape& shape, const Result* unlimited) {
  const bool fixed = rules.total_order || !rules.order_columns.empty() || unlimited != nullptr;
  if (fixed && single.rows.size() != other.rows.size()) {
    return fmt::format("    single has {} rows, other {}\n", single.rows.size(), other.rows.size());
  }
  if (rules.total_order) return compare_sequence(single.rows, other.rows, shape);
  std::vector<std::size_t> runs;
  if (!rules.order_columns.empty()) {
    if (auto found = compare_order(single.rows, other.rows, rules, shape, runs)) return found;
  }
  if (unlimited != nullptr) {
    return compare_sorted(sorted(unlimited->rows, {}, shape), sorted(other.rows, {}, shape), shape,
                          true);
  }
  return compare_sorted(sorted(single.rows, runs, shape), sorted(other.rows, runs, shape), shape,
                        false);
}

std::string describe(const Column& column) {
  return fmt::format("{} (type {}, typmod {}, format {}, from {}.{}{})", column.name, column.type,
                     column.typmod, column.format, column.table, column.attribute, column.told + column.told_of_origin);
}

/// A table that the default shard does not have has no OID for clients; nor has one that is several there.
bool is_elsewhere(const Column& single, const Column& other) {
  const bool elsewhere = single.table == "audit_log" || single.table == "documents" || single.table == "revisions";
  return elsewhere && other.table_oid == 0 && other.attribute == 0;
}

/// Text by whatever name: temporary tables make long ones BLOBs.
std::string wide_type(const Column& column) {
  static const std::set<std::string> texts = {"249", "250", "251", "252", "253", "254"};
  return texts.contains(column.type) ? "text" : column.type;
}

/// Without what depends on whether the server's plan has a temporary table; but of none of the proxy's own.
void forget_origin(Column& column) {
  column.type = wide_type(column);
  if (!column.table.starts_with("anabranch")) column.table.clear();
  column.told_of_origin.clear();
}

Difference compare_columns(const std::vector<Column>& single, const std::vector<Column>& other, bool open_origins) {
  if (single.size() != other.size()) {
    return fmt::format("    single has {} columns, other {}\n", single.size(), other.size());
  }
  for (std::size_t i = 0; i < single.size(); ++i) {
    Column expected = single[i];
    if (is_elsewhere(single[i], other[i])) {
      expected.table = other[i].table;
      expected.attribute = 0;
    }
    Column found = other[i];
    if (open_origins) {
      forget_origin(expected);
      forget_origin(found);
    }
    const std::string a = describe(expected);
    const std::string b = describe(found);
    if (a != b) return fmt::format("    column {}: single {}, other {}\n", i + 1, a, b);
  }
  return std::nullopt;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

Difference make_shape(const Result& result, const Rules& rules, Shape& shape) {
  shape.columns = result.columns;
  for (const Column& column : result.columns) {
    shape.approximate.push_back(contains(rules.float_columns, column.name));
    shape.respelt.push_back(contains(rules.spelling_columns, column.name));
    if (shape.approximate.back() && !is_float(column)) {
      return fmt::format("    column {} is marked float and is of type {}\n", column.name,
                         column.type);
    }
  }
  // COPY OUT has rows and no columns: compare them as they are.
  if (result.columns.empty()) {
    shape.columns.resize(1);
    shape.approximate.resize(1);
    shape.respelt.resize(1);
  }
  return std::nullopt;
}

const char* kind_name(Result::Kind kind) {
  switch (kind) {
    case Result::Kind::rows:
      return "rows";
    case Result::Kind::command:
      return "a command";
    case Result::Kind::error:
      return "an error";
    case Result::Kind::empty:
      return "an empty query";
    case Result::Kind::copy_in:
      return "COPY in";
    case Result::Kind::copy_out:
      return "COPY out";
  }
  return "?";
}

std::string brief(const Result& result) {
  if (result.kind != Result::Kind::error)
    return fmt::format("{} ({})", kind_name(result.kind), result.tag);
  std::string message = result.message;
  std::ranges::replace(message, '\n', ' ');
  return fmt::format("error {}: {}", result.sqlstate, message);
}

/// A tag without the number of warnings.
std::string without_count(const std::string& tag) {
  return tag.substr(0, tag.rfind(", "));
}

/// What is warned of: not how often, and not in which row of a shard's.
std::set<std::string> each_once(const std::vector<std::string>& warnings) {
  std::set<std::string> kinds;
  for (const std::string& warning : warnings) kinds.insert(warning.substr(0, warning.rfind(" at row ")));
  return kinds;
}

Difference compare_results(const Result& single, const Result& other, const Rules& rules,
                           const Result* unlimited) {
  // A refusal of our own is never the same answer, even where the server refuses too.
  const bool same_refusal =
      other.sqlstate != "0A000" || single.message.substr(0, single.message.find('\n')) ==
                                       other.message.substr(0, other.message.find('\n'));
  if (single.kind != other.kind || single.sqlstate != other.sqlstate || !same_refusal) {
    return fmt::format("    single: {}\n    other : {}\n", brief(single), brief(other));
  }
  if (single.context != other.context) {
    return fmt::format("    context: single '{}', other '{}'\n", single.context, other.context);
  }
  const bool repeated = rules.repeated_warnings;
  if (repeated ? without_count(single.tag) != without_count(other.tag) : single.tag != other.tag) {
    return fmt::format("    tag: single '{}', other '{}'\n", single.tag, other.tag);
  }
  if (repeated ? each_once(single.warnings) != each_once(other.warnings) : single.warnings != other.warnings) {
    return fmt::format("    warnings: single {}\n    other {}\n", fmt::join(single.warnings, "; "),
                       fmt::join(other.warnings, "; "));
  }
  if (auto found = compare_columns(single.columns, other.columns, rules.open_origins)) return found;
  if (single.kind != Result::Kind::rows && single.kind != Result::Kind::copy_out) {
    return std::nullopt;
  }
  Shape shape;
  if (auto found = make_shape(single, rules, shape)) return found;
  return compare_rows(single, other, rules, shape, unlimited);
}

/// As the case-insensitive collations of the tests' data compare it: without case, accents of Latin
/// letters and trailing spaces.
std::string folded(const std::string& text) {
  static constexpr std::string_view accented[][2] = {
      {"\xc3\xa9", "e"}, {"\xc3\x89", "e"}, {"\xc3\xa8", "e"}, {"\xc3\x88", "e"}, {"\xc3\xa4", "a"},
      {"\xc3\x84", "a"}, {"\xc3\xb6", "o"}, {"\xc3\x96", "o"}, {"\xc3\xbc", "u"}, {"\xc3\x9c", "u"},
      {"\xc3\x9f", "ss"}, {"\xc3\xa5", "a"}, {"\xc3\x85", "a"}, {"\xc3\xb1", "n"}, {"\xc3\xbf", "y"}, {"\xc3\xaf", "i"}, {"\xc3\xad", "i"},
      {"\xc3\xa3", "a"}, {"\xc3\xb8", "\xc3\x98"}, {"\xc5\x82", "\xc5\x81"}};
  std::string out = text.substr(0, text.find_last_not_of(' ') + 1);
  for (const auto& [letter, base] : accented) {
    for (std::size_t at = 0; (at = out.find(letter, at)) != std::string::npos;) out.replace(at, 2, base);
  }
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string stripped_decimal(const std::string& text) {
  if (text.find('.') == std::string::npos || text.find('e') != std::string::npos) return text;
  std::string out = text.substr(0, text.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

}  // namespace

Value without_spelling(const Value& value, const Column& column) {
  if (!value) return value;
  if (column.play == Play::text) return folded(*value);
  if (is_float(column)) {
    if (column.format == 0) return *value == "-0" ? "0" : value;
    const bool negative_zero = number(*value, column) == 0;
    return negative_zero ? std::string(value->size(), '\0') : value;
  }
  if (column.play != Play::decimal) return value;
  if (column.format == 0) return stripped_decimal(*value);
  // int16 each: digit count, weight, sign, display scale; then the digits.
  std::string bytes = *value;
  if (bytes.size() >= 8) bytes.erase(6, 2);
  return bytes;
}

std::optional<std::string> difference(const Answer& single, const Answer& other, const Rules& rules,
                                      const Answer* unlimited) {
  const std::size_t common = std::min(single.results.size(), other.results.size());
  for (std::size_t i = 0; i < common; ++i) {
    const Result* whole =
        unlimited == nullptr || unlimited->results.size() <= i ? nullptr : &unlimited->results[i];
    if (auto found = compare_results(single.results[i], other.results[i], rules, whole)) {
      return found;
    }
  }
  if (single.results.size() != other.results.size()) {
    return fmt::format("    single gave {} results, other {}\n", single.results.size(),
                       other.results.size());
  }
  if (single.transaction != other.transaction) {
    return fmt::format("    transaction status: single {}, other {}\n", single.transaction,
                       other.transaction);
  }
  return std::nullopt;
}

}  // namespace anabranch::differential
