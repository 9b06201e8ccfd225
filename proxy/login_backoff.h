#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace anabranch::proxy {

/// Slows down who guesses passwords: failures of one user from one address make the next attempts
/// from there wait, longer and longer, up to a bound. Nobody is locked out, and who logs in from
/// elsewhere, or with the right password before, is not touched. Any thread; bounded memory.
class LoginBackoff {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t most_entries = 4'096;
  static constexpr auto first_delay = std::chrono::milliseconds(100);
  static constexpr auto longest_delay = std::chrono::milliseconds(10'000);
  /// Failures are halved each time so long has passed without another.
  static constexpr auto half_life = std::chrono::seconds(60);

  /// Address (IPv6: of the network, /64) and user.
  static std::string key(std::string_view address, std::string_view user);

  /// How long the next attempt has to wait. One failure is a slip, and costs nothing.
  std::chrono::milliseconds delay(const std::string& key, Clock::time_point now);
  void failed(const std::string& key, Clock::time_point now);
  void succeeded(const std::string& key);
  std::size_t size() const;

 private:
  struct Entry {
    std::string key;
    std::uint32_t failures = 0;
    Clock::time_point last;
  };
  using Entries = std::list<Entry>;  // the one that failed last stands first
  static std::uint32_t left(const Entry& entry, Clock::time_point now);
  void forget(Entries::iterator entry);

  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
};

}  // namespace anabranch::proxy
