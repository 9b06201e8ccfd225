#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "backends/user_source.h"
#include "net/task.h"
#include "proxy/snapshot.h"

namespace anabranch::proxy {

/// Users that the configuration does not list, asked for at a database's default shard
/// (`authentication`). Answers are kept for a while, also that there is no such user; logins of one
/// user at one time share a question; few questions are asked at once. One loop; bounded.
class UserLookup {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t most_entries = 4'096;
  static constexpr int most_at_once = 2;
  /// A failure is not asked for again for so long.
  static constexpr auto failure_kept = std::chrono::seconds(1);

  /// A SCRAM-SHA-256 or md5 verifier; nothing: no such user, or none that can log in. Errors are
  /// sentences for the log.
  using Answer = std::expected<std::optional<std::string>, std::string>;

  explicit UserLookup(std::shared_ptr<backends::UserSource> source) : source_(std::move(source)) {}

  net::Task<Answer> find(std::shared_ptr<const DatabaseState> state, std::string user, net::CancelToken token);
  /// The answer has not fitted: it may be outdated.
  void forget(const DatabaseState& state, const std::string& user);

 private:
  struct Entry {
    Answer answer;
    Clock::time_point until;
    std::shared_ptr<net::Event> asked;  ///< set when the answer is there; null: it is
    const conf::Config* config = nullptr;
  };
  class Question;
  void make_room();

  std::shared_ptr<backends::UserSource> source_;
  std::unordered_map<std::string, Entry> entries_;
  int asking_ = 0;
  std::shared_ptr<net::Event> turn_;  ///< the next to end
};

}  // namespace anabranch::proxy
