#include "net/fault.h"

#include <fmt/core.h>

#include <atomic>
#include <cstdio>

namespace anabranch::net {

namespace {

void print(std::string_view where, std::string_view what) {
  fmt::print(stderr, "an exception has ended {}: {}\n", where, what);
}

std::atomic<FaultReport> current_report = &print;

}  // namespace

void on_fault(FaultReport report) { current_report = report != nullptr ? report : &print; }

std::string fault_words(const std::exception_ptr& fault) {
  try {
    std::rethrow_exception(fault);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
}

void report_fault(std::string_view where) noexcept {
  try {
    current_report.load()(where, fault_words(std::current_exception()));
  } catch (...) {
    std::fputs("an exception could not be reported\n", stderr);
  }
}

}  // namespace anabranch::net
