#pragma once

#include <cstdint>
#include <exception>
#include <string>

namespace anabranch::values {

/// A statement that fails. What a client sees in its error message; sessions survive it.
/// Thrown by every room; caught once per session. The registry of the proxy's own is errors.h.
struct SqlError : std::exception {
  std::string sqlstate;  ///< five characters
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;
  int position = 0;  ///< in characters of the statement, from 1; 0: none
  std::uint16_t mysql_code = 1105;  ///< what a MySQL client is told besides the SQLSTATE; ER_UNKNOWN_ERROR

  SqlError(std::string state, std::string text, std::string advice = {})
      : sqlstate(std::move(state)), message(std::move(text)), hint(std::move(advice)) {}

  const char* what() const noexcept override { return message.c_str(); }
};

}  // namespace anabranch::values
