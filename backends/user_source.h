#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backends/server.h"

namespace anabranch::backends {

class ControlConnection;

/// Asks servers for the verifiers of their users, over a few control connections that it keeps. Any
/// thread; fetch() blocks for `time_limit` and the server's connect_timeout at most: worker threads
/// only.
class UserSource {
 public:
  static constexpr auto time_limit = std::chrono::milliseconds(5'000);
  static constexpr std::size_t most_kept = 4;

  UserSource();
  ~UserSource();

  /// `server` with the login that may read verifiers. Nothing: there is no such user, or it has no
  /// password. The error is a sentence.
  std::expected<std::optional<std::string>, std::string> fetch(const Server& server,
                                                               const std::string& query,
                                                               const std::string& user);

 private:
  struct Kept;
  std::unique_ptr<Kept> take(const Server& server);
  void keep(std::unique_ptr<Kept> connection);

  std::mutex mutex_;
  std::vector<std::unique_ptr<Kept>> kept_;
};

}  // namespace anabranch::backends
