#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace anabranch::proxy {

/// A client that has logged in, as its worker sees it, whatever protocol it speaks. Its loop's thread only.
class ClientSession {
 public:
  ClientSession() = default;
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;
  virtual ~ClientSession() = default;

  /// Whether who shows this secret (the second half of PostgreSQL's cancel key) may cancel here.
  virtual bool has_secret(std::int32_t secret) const = 0;
  /// Whether that user may end it by its number (MySQL's KILL).
  virtual bool belongs_to(std::string_view user) const = 0;
  /// Ends the statement that runs, if one does.
  virtual void cancel() = 0;
  /// Makes a session that waits for its client look at Worker::draining().
  virtual void wake() = 0;
  /// Within a statement or a transaction on that database.
  virtual bool busy_in(const std::string& database) const = 0;
  /// Called now and then: one that has done nothing since the last time gives its buffers back.
  virtual void rest() = 0;
  /// Ends it now, whatever it does.
  virtual void end_now() = 0;
};

}  // namespace anabranch::proxy
