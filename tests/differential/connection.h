#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "answer.h"
#include "case_file.h"
#include "own_types.h"

struct pg_conn;
struct pg_result;

namespace anabranch::differential {

/// One libpq session. Not thread-safe. Statement failures are answers; only a failure to connect
/// throws (std::runtime_error). An answer that takes longer than 20 s becomes the error `TIMEOUT`,
/// a lost connection the error `LOST`; both reconnect for the next step.
class Connection {
 public:
  explicit Connection(std::string conninfo);

  /// Ends the session and opens a fresh one.
  void reset();

  Answer run(const Step& step, Form form, bool as_single);
  Answer simple(const std::string& sql, const std::optional<std::string>& copy_data = {});

  /// All steps, extended, before one Sync. A statement that was skipped after an error answers
  /// nothing; the transaction status is the one after the Sync.
  std::vector<Answer> pipeline(const std::vector<Step>& steps, bool binary, bool as_single);

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };

  void open();
  bool send_prepare(const Step& step, const std::string& sql);
  bool send_extended(const Step& step, const std::string& sql, bool binary);
  Answer collect(bool sent, const std::optional<std::string>& copy_data);
  Answer collect_piped();
  void name_types(Answer& answer);
  bool wait_for_result();
  void feed_copy(const std::optional<std::string>& data);
  Result drain_copy();
  Result converted(pg_result* result);
  uint32_t type_oid(const std::string& name);
  std::optional<std::string> binary_parameter(const Parameter& parameter);

  std::string conninfo_;
  std::unique_ptr<pg_conn, Close> connection_;
  OwnTypes own_types_;
};

}  // namespace anabranch::differential
