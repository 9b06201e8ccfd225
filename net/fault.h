#pragma once

#include <exception>
#include <string>
#include <string_view>

/// Exceptions that nobody has foreseen: each costs what threw it (a session, a task, one run of a callback), never the
/// process. They must not reach libuv, a thread's main function or a destructor.
namespace anabranch::net {

/// What is told of one: any thread. Null, as in the beginning: a line on standard error.
using FaultReport = void (*)(std::string_view where, std::string_view what);
void on_fault(FaultReport report);

/// The exception's own words.
std::string fault_words(const std::exception_ptr& fault);
/// Reports the exception that is being handled.
void report_fault(std::string_view where) noexcept;

/// Calls `body`; what it throws is reported. False: it has thrown.
template <typename Body>
bool guarded(std::string_view where, Body&& body) noexcept {
  try {
    body();
    return true;
  } catch (...) {
    report_fault(where);
    return false;
  }
}

}  // namespace anabranch::net
