#include "conf/key_value.h"

#include <algorithm>
#include <array>
#include <limits>

namespace anabranch::conf {
namespace {

constexpr std::array<std::pair<std::string_view, KeyType>, 7> type_names{{
    {"bigint", KeyType::bigint},
    {"text", KeyType::text},
    {"uuid", KeyType::uuid},
    {"date", KeyType::date},
    {"timestamp", KeyType::timestamp},
    {"numeric", KeyType::numeric},
    {"bytes", KeyType::bytes},
}};

constexpr std::int64_t microseconds_per_second = 1'000'000;
constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::size_t longest_number =
    1'000;  // digits and all; PostgreSQL's own limit is far above
constexpr std::int64_t largest_exponent = 1'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text.push_back(digits[static_cast<unsigned char>(c) >> 4U]);
    text.push_back(digits[static_cast<unsigned char>(c) & 15U]);
  }
  return text;
}

std::expected<KeyValue, KeyError> parse_uuid(std::string_view text) {
  constexpr std::array<std::size_t, 4> dashes{8, 13, 18, 23};
  std::string digits;
  if (text.size() == 36) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool dash = std::ranges::find(dashes, i) != dashes.end();
      if (dash != (text[i] == '-')) return std::unexpected(KeyError::malformed);
      if (!dash) digits.push_back(text[i]);
    }
  } else {
    digits = text;
  }
  auto bytes = from_hex(digits);
  if (!bytes || bytes->size() != 16) return std::unexpected(KeyError::malformed);
  return KeyValue::of(std::move(*bytes));
}

/// Takes what it parses off the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  std::optional<int> number(std::size_t least, std::size_t most) {
    std::size_t length = 0;
    int value = 0;
    while (length < most && length < rest_.size() && is_digit(rest_[length])) {
      value = value * 10 + (rest_[length++] - '0');
    }
    if (length < least) return std::nullopt;
    rest_.remove_prefix(length);
    return value;
  }
  std::size_t digits_ahead() const {
    return static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_digit) - rest_.begin());
  }

 private:
  std::string_view rest_;
};

bool leap(std::int64_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : days[static_cast<std::size_t>(month - 1)];
}

std::expected<std::int64_t, KeyError> take_date(Cursor& cursor) {
  const std::size_t year_digits = cursor.digits_ahead();
  if (year_digits < 4 || year_digits > 6) return std::unexpected(KeyError::malformed);
  const auto year = cursor.number(4, 6);
  if (!year || !cursor.take('-')) return std::unexpected(KeyError::malformed);
  const auto month = cursor.number(2, 2);
  if (!month || !cursor.take('-')) return std::unexpected(KeyError::malformed);
  const auto day = cursor.number(2, 2);
  if (!day) return std::unexpected(KeyError::malformed);
  if (*year < 1 || *month < 1 || *month > 12) return std::unexpected(KeyError::malformed);
  if (*day < 1 || *day > days_in_month(*year, *month)) return std::unexpected(KeyError::malformed);
  return days_from_civil(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day));
}

/// `hh:mm[:ss[.ffffff]]` as microseconds.
std::optional<std::int64_t> take_time(Cursor& cursor) {
  const auto hour = cursor.number(2, 2);
  if (!hour || *hour > 23 || !cursor.take(':')) return std::nullopt;
  const auto minute = cursor.number(2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t seconds = *hour * 3600 + *minute * 60;
  std::int64_t micros = 0;
  if (cursor.take(':')) {
    const auto second = cursor.number(2, 2);
    if (!second || *second > 59) return std::nullopt;
    seconds += *second;
    if (cursor.take('.')) {
      const std::size_t digits = cursor.digits_ahead();
      const auto fraction = cursor.number(1, 6);  // a seventh digit would be rounded: not plain
      if (!fraction || digits > 6) return std::nullopt;
      micros = *fraction;
      for (std::size_t i = digits; i < 6; ++i) micros *= 10;
    }
  }
  return seconds * microseconds_per_second + micros;
}

/// `Z` or `±hh[:mm]` as microseconds east of UTC.
std::optional<std::int64_t> take_zone(Cursor& cursor) {
  if (cursor.take('Z') || cursor.take('z')) return 0;
  const bool east = cursor.peek() == '+';
  if (!cursor.take('+') && !cursor.take('-')) return std::nullopt;
  const auto hours = cursor.number(2, 2);
  if (!hours || *hours > 15) return std::nullopt;
  std::int64_t seconds = *hours * 3600;
  if (cursor.take(':')) {
    const auto minutes = cursor.number(2, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    seconds += *minutes * 60;
  }
  return (east ? seconds : -seconds) * microseconds_per_second;
}

std::optional<std::int64_t> microseconds(std::int64_t days, std::int64_t within_day) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(days, seconds_per_day * microseconds_per_second, &result) ||
      __builtin_add_overflow(result, within_day, &result)) {
    return std::nullopt;
  }
  return result;
}

std::expected<KeyValue, KeyError> parse_date(std::string_view text) {
  text = trim(text);
  if (text == "infinity") return KeyValue::of(std::numeric_limits<std::int32_t>::max());
  if (text == "-infinity") return KeyValue::of(std::numeric_limits<std::int32_t>::min());
  Cursor cursor(text);
  const auto days = take_date(cursor);
  if (!days) return std::unexpected(days.error());
  if (!cursor.at_end()) return std::unexpected(KeyError::malformed);
  return KeyValue::of(*days);
}

std::expected<KeyValue, KeyError> parse_date_time(std::string_view text, bool with_zone) {
  text = trim(text);
  if (text == "infinity") return KeyValue::of(std::numeric_limits<std::int64_t>::max());
  if (text == "-infinity") return KeyValue::of(std::numeric_limits<std::int64_t>::min());
  Cursor cursor(text);
  const auto days = take_date(cursor);
  if (!days) return std::unexpected(days.error());
  std::int64_t within_day = 0;
  if (cursor.take(' ') || cursor.take('T')) {
    const auto time = take_time(cursor);
    if (!time) return std::unexpected(KeyError::malformed);
    within_day = *time;
  } else if (with_zone) {
    return std::unexpected(KeyError::malformed);
  }
  if (with_zone) {
    const auto zone = take_zone(cursor);
    if (!zone) return std::unexpected(KeyError::malformed);
    within_day -= *zone;
  }
  if (!cursor.at_end()) return std::unexpected(KeyError::malformed);
  const auto value = microseconds(*days, within_day);
  if (!value) return std::unexpected(KeyError::malformed);
  return KeyValue::of(*value);
}

/// A decimal as sign, digits before and after the point, without superfluous zeros.
struct Decimal {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
};

Decimal split(std::string_view shortest) {
  Decimal decimal;
  if (shortest.starts_with('-')) {
    decimal.negative = true;
    shortest.remove_prefix(1);
  }
  const std::size_t point = shortest.find('.');
  decimal.whole = shortest.substr(0, point);
  if (point != std::string_view::npos) decimal.fraction = shortest.substr(point + 1);
  return decimal;
}

int sign(auto order) {
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

/// NaN is the greatest, as in PostgreSQL, then Infinity.
int rank(std::string_view shortest) {
  if (shortest == "NaN") return 3;
  if (shortest == "Infinity") return 2;
  if (shortest == "-Infinity") return 0;
  return 1;
}

int compare_decimals(std::string_view left_text, std::string_view right_text) {
  if (rank(left_text) != rank(right_text)) return sign(rank(left_text) - rank(right_text));
  if (rank(left_text) != 1) return 0;
  const Decimal left = split(left_text);
  const Decimal right = split(right_text);
  if (left.negative != right.negative) return left.negative ? -1 : 1;
  int order = 0;
  if (left.whole.size() != right.whole.size()) {
    order = left.whole.size() < right.whole.size() ? -1 : 1;
  } else if (const int whole = sign(left.whole.compare(right.whole)); whole != 0) {
    order = whole;
  } else {
    order = sign(left.fraction.compare(right.fraction));
  }
  return left.negative ? -order : order;
}

/// Digits with the decimal point moved by the exponent, then stripped of superfluous zeros.
std::string place_point(bool negative, std::string digits, std::int64_t point) {
  if (point < 0) {
    digits.insert(0, static_cast<std::size_t>(-point), '0');
    point = 0;
  }
  if (point > static_cast<std::int64_t>(digits.size())) {
    digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
  }
  std::string whole = digits.substr(0, static_cast<std::size_t>(point));
  std::string fraction = digits.substr(static_cast<std::size_t>(point));
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (whole.empty()) whole = "0";
  if (whole == "0" && fraction.empty()) return "0";
  return (negative ? "-" : "") + whole + (fraction.empty() ? "" : "." + fraction);
}

std::string date_text(std::int64_t days) {
  const CivilDate date = civil_from_days(days);
  std::string text = std::to_string(date.year);
  if (date.year >= 0 && text.size() < 4) text.insert(0, 4 - text.size(), '0');
  const auto two = [](unsigned value) {
    return std::string(1, static_cast<char>('0' + value / 10)) +
           static_cast<char>('0' + value % 10);
  };
  return text + "-" + two(date.month) + "-" + two(date.day);
}

std::string timestamp_text(std::int64_t value) {
  constexpr std::int64_t day = seconds_per_day * microseconds_per_second;
  const std::int64_t days = value / day - (value % day < 0 ? 1 : 0);
  const std::int64_t micros = value - days * day;
  const auto padded = [](std::int64_t number, std::size_t width) {
    std::string text = std::to_string(number);
    return std::string(width - std::min(width, text.size()), '0') + text;
  };
  const std::int64_t seconds = micros / microseconds_per_second;
  std::string text = date_text(days) + " " + padded(seconds / 3600, 2) + ":" +
                     padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2);
  if (const std::int64_t fraction = micros % microseconds_per_second; fraction != 0) {
    text += "." + padded(fraction, 6);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

}  // namespace

std::string_view to_string(KeyType type) {
  return type_names[static_cast<std::size_t>(type)].first;
}

std::optional<KeyType> parse_key_type(std::string_view name) {
  for (const auto& [known, type] : type_names) {
    if (known == name) return type;
  }
  return std::nullopt;
}

int compare(KeyType type, const KeyValue& left, const KeyValue& right) {
  if (left.kind == KeyValue::Kind::integer) {
    return left.integer < right.integer ? -1 : (left.integer > right.integer ? 1 : 0);
  }
  if (type == KeyType::numeric) return compare_decimals(left.bytes, right.bytes);
  return sign(left.bytes.compare(right.bytes));
}

bool ordered_as_in_database(KeyType type) {
  return type != KeyType::text;
}

std::expected<std::string, KeyError> shortest_decimal(std::string_view text) {
  text = trim(text);
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return std::string(text);
  if (text.size() > longest_number) return std::unexpected(KeyError::malformed);
  Cursor cursor(text);
  const bool negative = cursor.peek() == '-';
  if (negative || cursor.peek() == '+') text.remove_prefix(1);
  const std::size_t exponent_at = text.find_first_of("eE");
  std::int64_t exponent = 0;
  if (exponent_at != std::string_view::npos) {
    const auto parsed = parse_bigint(text.substr(exponent_at + 1));
    if (!parsed) return std::unexpected(KeyError::malformed);
    exponent = *parsed;
    if (exponent > largest_exponent || exponent < -largest_exponent) {
      return std::unexpected(KeyError::malformed);
    }
    text = text.substr(0, exponent_at);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  if (point < text.size()) digits += text.substr(point + 1);
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) {
    return std::unexpected(KeyError::malformed);
  }
  return place_point(negative, std::move(digits), static_cast<std::int64_t>(point) + exponent);
}

std::expected<std::int64_t, KeyError> parse_bigint(std::string_view text) {
  text = trim(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::unexpected(KeyError::malformed);
  std::uint64_t value = 0;
  bool fits = true;
  for (const char c : text) {
    if (!is_digit(c)) return std::unexpected(KeyError::malformed);
    // A value that has overflowed stays too large, whatever digits follow.
    fits = fits && value <= std::numeric_limits<std::int64_t>::max() / 10;
    value = value * 10 + static_cast<unsigned char>(c - '0');
  }
  const std::uint64_t most = std::uint64_t{std::numeric_limits<std::int64_t>::max()} + (negative ? 1 : 0);
  if (!fits || value > most) return std::unexpected(KeyError::out_of_range);
  return static_cast<std::int64_t>(negative ? -value : value);
}

std::expected<KeyValue, KeyError> parse_key(KeyType type, std::string_view text) {
  switch (type) {
    case KeyType::bigint: {
      const auto integer = parse_bigint(text);
      if (!integer) return std::unexpected(integer.error());
      return KeyValue::of(*integer);
    }
    case KeyType::text:
      return KeyValue::of(std::string(text));
    case KeyType::uuid:
      return parse_uuid(text);
    case KeyType::date:
      return parse_date(text);
    case KeyType::timestamp:
      return parse_date_time(text, false);
    case KeyType::numeric: {
      auto shortest = shortest_decimal(text);
      if (!shortest) return std::unexpected(shortest.error());
      return KeyValue::of(std::move(*shortest));
    }
    case KeyType::bytes: {
      if (!text.starts_with("\\x")) return std::unexpected(KeyError::malformed);
      auto bytes = from_hex(text.substr(2));
      if (!bytes) return std::unexpected(KeyError::malformed);
      return KeyValue::of(std::move(*bytes));
    }
  }
  return std::unexpected(KeyError::malformed);
}

std::expected<KeyValue, KeyError> parse_instant(std::string_view text) {
  return parse_date_time(text, true);
}

std::string to_text(KeyType type, const KeyValue& value) {
  if (value.is_null()) return "\\N";
  switch (type) {
    case KeyType::bigint:
      return std::to_string(value.integer);
    case KeyType::date:
      if (value.integer == std::numeric_limits<std::int32_t>::max()) return "infinity";
      if (value.integer == std::numeric_limits<std::int32_t>::min()) return "-infinity";
      return date_text(value.integer);
    case KeyType::timestamp:
      if (value.integer == std::numeric_limits<std::int64_t>::max()) return "infinity";
      if (value.integer == std::numeric_limits<std::int64_t>::min()) return "-infinity";
      return timestamp_text(value.integer);
    case KeyType::uuid: {
      std::string text = to_hex(value.bytes);
      for (const std::size_t dash : {8U, 13U, 18U, 23U}) {
        if (dash <= text.size()) text.insert(dash, "-");
      }
      return text;
    }
    case KeyType::bytes:
      return "\\x" + to_hex(value.bytes);
    case KeyType::text:
    case KeyType::numeric:
      return value.bytes;
  }
  return value.bytes;
}

// Days are counted in eras of 400 years that start on 1 March, so that a leap day ends its year.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t shifted_month = (static_cast<std::int64_t>(month) + 9) % 12;
  const std::int64_t day_of_year =
      (153 * shifted_month + 2) / 5 + static_cast<std::int64_t>(day) - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

CivilDate civil_from_days(std::int64_t days) {
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<unsigned>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const auto month =
      static_cast<unsigned>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

}  // namespace anabranch::conf
