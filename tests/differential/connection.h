#pragma once

#include <string>
#include <vector>

#include "answer.h"
#include "case_file.h"

namespace anabranch::differential {

/// One client's session at an endpoint. Not thread-safe. Statement failures are answers; only a failure
/// to connect throws (std::runtime_error). An answer that takes longer than 20 s becomes the error
/// `TIMEOUT`, a lost connection the error `LOST`; both reconnect for the next step.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  /// Ends the session and opens a fresh one.
  virtual void reset() = 0;
  virtual Answer run(const Step& step, Form form, bool as_single) = 0;
  virtual Answer simple(const std::string& sql) = 0;

  /// All steps before one Sync. A statement that was skipped after an error answers nothing; the
  /// transaction status is the one after the Sync. Throws where the protocol has no such thing.
  virtual std::vector<Answer> pipeline(const std::vector<Step>& steps, bool binary, bool as_single) = 0;

  /// What EXPLAIN answers to the step, its parameters written out.
  virtual Answer explain(const Step& step) = 0;
};

}  // namespace anabranch::differential
