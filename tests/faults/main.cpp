#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "mysql/servers.h"
#include "world.h"

namespace {

/// Each case by its name as it ends, and the closing line that says how many passed.
class Progress : public doctest::ConsoleReporter {
 public:
  explicit Progress(const doctest::ContextOptions& options) : ConsoleReporter(options) {}
  void test_case_start(const doctest::TestCaseData& data) override {
    ConsoleReporter::test_case_start(data);
    name_ = data.m_name;
    begun_ = std::chrono::steady_clock::now();
  }
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    ConsoleReporter::test_case_end(stats);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun_;
    fmt::print("{} {} ({:.1f} s)\n", stats.testCaseSuccess ? "ok    " : "FAILED", name_, took.count());
    std::fflush(stdout);
    ++(stats.testCaseSuccess ? passed : failed);
  }
  void test_run_end(const doctest::TestRunStats&) override {}

  static inline int passed = 0;
  static inline int failed = 0;

 private:
  std::string name_;
  std::chrono::steady_clock::time_point begun_;
};

DOCTEST_REGISTER_REPORTER("progress", 1, Progress);

}  // namespace

namespace {

void prepare_postgres() {
  faults::make_schema(faults::single_server().conninfo("app"));
  for (int i = 1; i <= 4; ++i) faults::make_functions(faults::shard(i));
  faults::make_schema(faults::proxy().conninfo());
}

}  // namespace

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  context.setOption("reporters", "progress");
  context.setOption("no-intro", true);
  try {
    const bool mysql = std::getenv("FAULTS_MYSQL") != nullptr;
    mysql ? faults::mysql::make_schema() : prepare_postgres();
    context.run();
    if (!faults::end_shared_proxy() || !faults::mysql::end_shared_proxy()) ++Progress::failed;
    if (Progress::passed + Progress::failed == 0) throw std::runtime_error("no case has that name");
  } catch (const std::exception& error) {
    fmt::print("{}\n", error.what());
    ++Progress::failed;
  }
  fmt::print("{} passed, {} failed\n", Progress::passed, Progress::failed);
  return Progress::failed == 0 ? 0 : 1;
}
