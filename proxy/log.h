#pragma once

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/config.h"

namespace anabranch::proxy {

/// Sets up the process's log on standard error as `log` says: one line an event, text or JSON.
/// May be called again (reload); any thread may log at any time.
void configure_log(const conf::Log& log);

/// For lines that strangers can cause: some a second, then none until the next. One thread.
class LogLimit {
 public:
  static constexpr int most = 20;
  bool admit(std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());
  /// " (and 17 more)", of what was not admitted since this was last asked; usually empty.
  std::string left_out();

 private:
  std::chrono::steady_clock::time_point begun_;
  int admitted_ = 0;
  std::uint64_t left_out_ = 0;
};

/// `text` with control characters as \xNN: nothing that a client says begins a line of its own.
std::string printable(std::string_view text);

/// `text` as the inside of a JSON string.
std::string json_escaped(std::string_view text);

}  // namespace anabranch::proxy
