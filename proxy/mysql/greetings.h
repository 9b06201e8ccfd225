#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "conf/config.h"
#include "net/mysql/connect.h"

namespace anabranch::proxy::mysql {

/// What MySQL clients are greeted with, before they say who they are and where they want to go: what the
/// default shard of the first MySQL database in the file greets with. Any thread.
class Greetings {
 public:
  /// So long an answer is taken for the server's present one; longer only where it cannot be asked.
  static constexpr auto fresh = std::chrono::seconds(30);

  /// Throws SqlError: there is no MySQL database, or its server cannot be reached and never was.
  net::Task<net::mysql::ServerGreeting> get(std::shared_ptr<const conf::Config> config, net::CancelToken token);

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    conf::Address address;
    net::mysql::ServerGreeting greeting;
    Clock::time_point taken;
  };
  std::optional<Known> find(const conf::Address& address) const;

  mutable std::mutex mutex_;
  std::optional<Known> known_;
};

}  // namespace anabranch::proxy::mysql
