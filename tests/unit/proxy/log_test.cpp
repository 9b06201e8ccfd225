#include "proxy/log.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace anabranch;

// For the sanitizers: a reload configures the log while every loop writes to it.
TEST_CASE("the log is configured while others write to it") {
  conf::Log log;
  log.level = conf::LogLevel::error;
  proxy::configure_log(log);
  const auto before = spdlog::default_logger();
  std::atomic<bool> enough = false;
  std::vector<std::jthread> writers;
  for (int i = 0; i < 3; ++i) {
    writers.emplace_back([&] {
      while (!enough) spdlog::warn("nobody reads this");
    });
  }
  for (int i = 0; i < 200; ++i) {
    log.format = i % 2 == 0 ? conf::LogFormat::json : conf::LogFormat::text;
    proxy::configure_log(log);
  }
  enough = true;
  writers.clear();
  CHECK(spdlog::default_logger() == before);
}
