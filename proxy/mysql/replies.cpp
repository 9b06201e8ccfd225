#include "proxy/mysql/replies.h"

#include <charconv>

#include "net/mysql/result_messages.h"

namespace anabranch::proxy::mysql {

namespace {

constexpr std::uint16_t unknown_error = 1105;        // ER_UNKNOWN_ERROR: nothing said of a number
constexpr std::uint16_t not_supported_yet = 1235;  // ER_NOT_SUPPORTED_YET

}  // namespace

/// What is PostgreSQL's finer SQLSTATE is MySQL's coarser one.
std::string_view error_state(const values::SqlError& error) {
  return error.sqlstate == "23502" ? std::string_view("23000") : std::string_view(error.sqlstate);
}

std::uint16_t error_number(const values::SqlError& error) {
  const bool unnumbered = error.mysql_code == unknown_error;
  return unnumbered && error.sqlstate == "0A000" ? not_supported_yet : error.mysql_code;
}

std::string error_text(const values::SqlError& error) {
  return error.hint.empty() ? error.message : error.message + ". " + error.hint;
}

void send_error(net::Buffer& out, net::mysql::Sequence& sequence, const values::SqlError& error) {
  net::mysql::Err{error_number(error), error_state(error), error_text(error)}.encode(out, sequence);
}

values::SqlError server_error(std::uint16_t code, std::string sqlstate, std::string message) {
  values::SqlError error(std::move(sqlstate), std::move(message));
  error.mysql_code = code;
  return error;
}

void malformed(const net::mysql::DecodeError& error) { throw server_error(error.code, "08S01", error.message); }

std::uint64_t leading_number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string add_words(std::string_view words, std::string_view other) {
  std::string sum;
  const auto number = [](std::string_view& text) {
    std::uint64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return value;
  };
  const auto is_digit = [](std::string_view text) { return !text.empty() && text.front() >= '0' && text.front() <= '9'; };
  while (!words.empty()) {
    if (is_digit(words) && is_digit(other)) {
      sum += std::to_string(number(words) + number(other));
      continue;
    }
    if (other.empty() || words.front() != other.front()) return std::string(words);
    sum += words.front();
    words.remove_prefix(1);
    other.remove_prefix(1);
  }
  return sum;
}

}  // namespace anabranch::proxy::mysql
