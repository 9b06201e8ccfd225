#include "net/mysql/temporal.h"

#include "net/mysql/fields.h"

namespace anabranch::net::mysql {

namespace {

void append(std::string& out, std::uint32_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

}  // namespace

std::optional<DateTime> DateTime::decode(std::string_view value) {
  const std::size_t length = value.size();
  if (length != 0 && length != 4 && length != 7 && length != 11) return std::nullopt;
  FieldReader reader(value);
  DateTime result;
  if (length >= 4) {
    result.year = reader.int2();
    result.month = reader.int1();
    result.day = reader.int1();
  }
  if (length >= 7) {
    result.hour = reader.int1();
    result.minute = reader.int1();
    result.second = reader.int1();
  }
  if (length == 11) result.microsecond = reader.int4();
  return result;
}

std::string DateTime::encode() const {
  std::string out;
  const bool has_time = hour != 0 || minute != 0 || second != 0 || microsecond != 0;
  if (!has_time && year == 0 && month == 0 && day == 0) return out;
  append(out, year, 2);
  append(out, month, 1);
  append(out, day, 1);
  if (!has_time) return out;
  append(out, hour, 1);
  append(out, minute, 1);
  append(out, second, 1);
  if (microsecond != 0) append(out, microsecond, 4);
  return out;
}

std::optional<TimeSpan> TimeSpan::decode(std::string_view value) {
  const std::size_t length = value.size();
  if (length != 0 && length != 8 && length != 12) return std::nullopt;
  FieldReader reader(value);
  TimeSpan result;
  if (length >= 8) {
    result.negative = reader.int1() != 0;
    result.days = reader.int4();
    result.hours = reader.int1();
    result.minutes = reader.int1();
    result.seconds = reader.int1();
  }
  if (length == 12) result.microseconds = reader.int4();
  return result;
}

std::string TimeSpan::encode() const {
  std::string out;
  if (*this == TimeSpan{.negative = negative}) return out;
  append(out, negative ? 1 : 0, 1);
  append(out, days, 4);
  append(out, hours, 1);
  append(out, minutes, 1);
  append(out, seconds, 1);
  if (microseconds != 0) append(out, microseconds, 4);
  return out;
}

}  // namespace anabranch::net::mysql
