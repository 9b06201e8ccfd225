#include "values/codec.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace anabranch::values {

namespace {

/// Takes fields off the front of a strict text form.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool next_is(char wanted) const { return !rest_.empty() && rest_.front() == wanted; }
  bool next_is_digit() const { return !rest_.empty() && is_digit(rest_.front()); }
  bool skip(char wanted) {
    if (!next_is(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Exactly `width` digits.
  std::optional<int> digits(size_t width) {
    if (rest_.size() < width) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, width)) {
      if (!is_digit(c)) return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(width);
    return value;
  }

  /// One to six digits after a point, as microseconds.
  std::optional<int> fraction() {
    int value = 0;
    int count = 0;
    for (; !rest_.empty() && is_digit(rest_.front()); ++count, rest_.remove_prefix(1)) {
      if (count == 6) return std::nullopt;  // the server would round
      value = value * 10 + (rest_.front() - '0');
    }
    if (count == 0) return std::nullopt;
    for (; count < 6; ++count) value *= 10;
    return value;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  std::string_view rest_;
};

bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[static_cast<size_t>(month - 1)];
}

std::optional<int32_t> scan_date(Scanner& in) {
  const auto year = in.digits(4);
  if (!year || !in.skip('-')) return std::nullopt;
  const auto month = in.digits(2);
  if (!month || !in.skip('-')) return std::nullopt;
  const auto day = in.digits(2);
  if (!day || *year < 1 || *month < 1 || *month > 12 || *day < 1 ||
      *day > days_in_month(*year, *month))
    return std::nullopt;
  return days_from_civil(*year, *month, *day);
}

std::optional<int64_t> scan_time(Scanner& in, bool seconds_required) {
  const auto hour = in.digits(2);
  if (!hour || !in.skip(':')) return std::nullopt;
  const auto minute = in.digits(2);
  if (!minute || *hour > 24 || *minute > 59) return std::nullopt;
  int second = 0;
  int fraction = 0;
  if (in.skip(':')) {
    const auto whole = in.digits(2);
    if (!whole || *whole > 59) return std::nullopt;
    second = *whole;
    if (in.skip('.')) {
      const auto part = in.fraction();
      if (!part) return std::nullopt;
      fraction = *part;
    }
  } else if (seconds_required) {
    return std::nullopt;
  }
  const int64_t time =
      (int64_t{*hour} * 3600 + *minute * 60 + second) * kMicrosecondsPerSecond + fraction;
  if (time > kMicrosecondsPerDay) return std::nullopt;
  return time;
}

/// Seconds east of Greenwich.
std::optional<int> scan_offset(Scanner& in) {
  if (in.skip('Z')) return 0;
  const bool minus = in.next_is('-');
  if (!in.skip('-') && !in.skip('+')) return std::nullopt;
  const auto hours = in.digits(2);
  if (!hours || *hours > 15) return std::nullopt;
  int offset = *hours * 3600;
  for (const int unit : {60, 1}) {
    if (!in.skip(':') && !in.next_is_digit()) break;
    const auto part = in.digits(2);
    if (!part || *part > 59) return std::nullopt;
    offset += *part * unit;
  }
  return minus ? -offset : offset;
}

/// Date and time of day; `in` then stands at the zone or the end.
std::optional<int64_t> scan_timestamp(Scanner& in) {
  const auto date = scan_date(in);
  if (!date) return std::nullopt;
  int64_t time = 0;
  if (in.skip(' ') || in.skip('T')) {
    const auto of_day = scan_time(in, false);
    if (!of_day) return std::nullopt;
    time = *of_day;
  } else if (!in.at_end()) {
    return std::nullopt;
  }
  return int64_t{*date} * kMicrosecondsPerDay + time;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) return false;
  }
  return true;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

struct Civil {
  int64_t year;
  int month;
  int day;
};

/// The calendar date of a day number, by eras of 400 years that begin in March.
Civil civil_from_days(int64_t days_since_2000) {
  const int64_t z = days_since_2000 + 10957 + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const auto day_of_era = static_cast<int>(z - era * 146097);
  const int year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int shifted = (5 * day_of_year + 2) / 153;
  const int month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1};
}

/// The date without its era; answers whether " BC" must follow.
bool append_civil(std::string& out, int64_t days) {
  const Civil date = civil_from_days(days);
  const bool before_christ = date.year <= 0;
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}",
                 before_christ ? 1 - date.year : date.year, date.month, date.day);
  return before_christ;
}

}  // namespace

std::optional<int64_t> parse_int8(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view word : {"t", "true", "yes", "on", "1"}) {
    if (equals_ignoring_case(text, word)) return true;
  }
  for (const std::string_view word : {"f", "false", "no", "off", "0"}) {
    if (equals_ignoring_case(text, word)) return false;
  }
  return std::nullopt;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36 && text.size() != 32) return std::nullopt;
  const bool hyphens = text.size() == 36;
  Uuid value;
  size_t at = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    if (hyphens && (i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-')
      return std::nullopt;
    const int high = hex_digit(text[at]);
    const int low = hex_digit(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    value[i] = static_cast<uint8_t>(high * 16 + low);
    at += 2;
  }
  return value;
}

std::optional<int32_t> parse_date(std::string_view text) {
  Scanner in(text);
  const auto date = scan_date(in);
  return in.at_end() ? date : std::nullopt;
}

std::optional<int64_t> parse_timestamp(std::string_view text) {
  Scanner in(text);
  const auto stamp = scan_timestamp(in);
  return in.at_end() ? stamp : std::nullopt;
}

std::optional<int64_t> parse_timestamptz(std::string_view text) {
  Scanner in(text);
  const auto stamp = scan_timestamp(in);
  if (!stamp) return std::nullopt;
  const auto offset = scan_offset(in);
  if (!offset || !in.at_end()) return std::nullopt;
  return *stamp - *offset * kMicrosecondsPerSecond;
}

std::optional<int64_t> parse_time(std::string_view text) {
  Scanner in(text);
  const auto time = scan_time(in, true);
  return in.at_end() ? time : std::nullopt;
}

std::optional<TimeTz> parse_timetz(std::string_view text) {
  Scanner in(text);
  const auto time = scan_time(in, true);
  if (!time) return std::nullopt;
  const auto offset = scan_offset(in);
  if (!offset || !in.at_end()) return std::nullopt;
  return TimeTz{*time, -*offset};
}

void append_uuid(std::string& out, const Uuid& value) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (size_t i = 0; i < value.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    out.push_back(kHex[value[i] >> 4]);
    out.push_back(kHex[value[i] & 15]);
  }
}

void append_date(std::string& out, int32_t days) {
  if (days == std::numeric_limits<int32_t>::max()) {
    out += "infinity";
  } else if (days == std::numeric_limits<int32_t>::min()) {
    out += "-infinity";
  } else if (append_civil(out, days)) {
    out += " BC";
  }
}

void append_time(std::string& out, int64_t microseconds) {
  const int64_t seconds = microseconds / kMicrosecondsPerSecond;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  const int64_t fraction = microseconds % kMicrosecondsPerSecond;
  if (fraction == 0) return;
  fmt::format_to(std::back_inserter(out), ".{:06}", fraction);
  while (out.back() == '0') out.pop_back();
}

void append_timestamp(std::string& out, int64_t microseconds) {
  if (microseconds == std::numeric_limits<int64_t>::max()) {
    out += "infinity";
    return;
  }
  if (microseconds == std::numeric_limits<int64_t>::min()) {
    out += "-infinity";
    return;
  }
  int64_t days = microseconds / kMicrosecondsPerDay;
  int64_t time = microseconds % kMicrosecondsPerDay;
  if (time < 0) {
    time += kMicrosecondsPerDay;
    --days;
  }
  const bool before_christ = append_civil(out, days);
  out.push_back(' ');
  append_time(out, time);
  if (before_christ) out += " BC";
}

int32_t days_from_civil(int year, int month, int day) {
  const int shifted_year = month <= 2 ? year - 1 : year;
  const int era = (shifted_year >= 0 ? shifted_year : shifted_year - 399) / 400;
  const int year_of_era = shifted_year - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468 - 10957;
}

}  // namespace anabranch::values
