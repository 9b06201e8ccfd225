#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "backends/context.h"
#include "backends/server.h"
#include "net/task.h"

namespace anabranch::proxy {

struct SessionState;

/// GUC_REPORT parameters (ParameterStatus) by name.
using ReportedParameters = std::map<std::string, std::string, std::less<>>;

/// What servers report to a session with given settings, so that not every login has to ask one. Any
/// thread; bounded.
class Greetings {
 public:
  using Clock = std::chrono::steady_clock;
  /// So long an answer counts like new: a pool's connection is not asked again for longer than that.
  static constexpr auto fresh = std::chrono::seconds(10);
  /// So long it counts where asking would mean to wait for a full pool.
  static constexpr auto usable = std::chrono::minutes(10);
  static constexpr std::size_t most_entries = 512;

  struct Known {
    std::shared_ptr<const ReportedParameters> parameters;  ///< null: none for this login and settings
    Clock::time_point taken;
  };
  Known find(const backends::Server& server, const backends::Settings& settings) const;
  void keep(const backends::Server& server, const backends::Settings& settings,
            std::shared_ptr<const ReportedParameters> parameters);

 private:
  struct Entry {
    backends::Server server;
    Known known;
  };
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

/// The parameters of a connection to the default shard that has the session's settings. A setting
/// that no server takes fails here, as it does with PostgreSQL: throws what the server says.
net::Task<std::shared_ptr<const ReportedParameters>> ask_greeting(SessionState& state);

}  // namespace anabranch::proxy
