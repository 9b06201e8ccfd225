#include "proxy/log.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

namespace anabranch::proxy {

namespace {

/// `%J`: the message as the inside of a JSON string.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string text = json_escaped({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

/// `%Q`: the message on one line.
class PlainMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string text = printable({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<PlainMessage>();
  }
};

std::unique_ptr<spdlog::formatter> formatter_of(conf::LogFormat format) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<JsonMessage>('J');
  formatter->add_flag<PlainMessage>('Q');
  formatter->set_pattern(format == conf::LogFormat::json
                             ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":"%J"})"
                             : "%Y-%m-%d %H:%M:%S.%e %L %Q");
  return formatter;
}

spdlog::level::level_enum level_of(conf::LogLevel level) {
  switch (level) {
    case conf::LogLevel::trace: return spdlog::level::trace;
    case conf::LogLevel::debug: return spdlog::level::debug;
    case conf::LogLevel::info: return spdlog::level::info;
    case conf::LogLevel::warn: return spdlog::level::warn;
    case conf::LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

bool LogLimit::admit(std::chrono::steady_clock::time_point now) {
  if (now - begun_ >= std::chrono::seconds(1)) {
    begun_ = now;
    admitted_ = 0;
  }
  if (admitted_ < most) {
    ++admitted_;
    return true;
  }
  ++left_out_;
  return false;
}

std::string LogLimit::left_out() {
  const std::uint64_t count = std::exchange(left_out_, 0);
  return count == 0 ? std::string() : fmt::format(" (and {} more)", count);
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

std::string json_escaped(std::string_view text) {
  const std::string quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

// One logger for good: who logs takes no share of the default logger, so it must never be replaced
// while others may write to it. Its level is atomic, and its sink changes formatters under a lock.
void configure_log(const conf::Log& log) {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  logger->set_formatter(formatter_of(log.format));
  logger->set_level(level_of(log.level));
  if (spdlog::default_logger() != logger) spdlog::set_default_logger(logger);
}

}  // namespace anabranch::proxy
