#include "proxy/user_lookup.h"

#include <utility>

#include "net/loop.h"
#include "net/pg/auth_verifier.h"

namespace anabranch::proxy {

namespace {

std::string key_of(const DatabaseState& state, const std::string& user) {
  std::string key = state.conf->name;
  key.push_back('\0');
  return key.append(user);
}

/// The default shard, as who may read verifiers.
backends::Server server_for(const DatabaseState& state) {
  const conf::Authentication& own = state.config->authentication;
  // Roles belong to the server: which of its databases is asked does not matter, but it must exist.
  backends::Server server =
      backends::resolve_server(*state.conf, state.conf->default_shard, {own.user, own.password.text}, "postgres");
  server.user = own.user;
  server.password = own.password.text;
  return server;
}

UserLookup::Answer checked(UserLookup::Answer answer) {
  if (!answer || !*answer) return answer;
  if (net::pg::is_md5_verifier(**answer) || net::pg::ScramVerifier::parse(**answer)) return answer;
  return std::unexpected("authentication.query answers neither a SCRAM-SHA-256 nor an md5 verifier");
}

}  // namespace

/// A question under way: whatever becomes of the login that asks it, the others are told.
class UserLookup::Question {
 public:
  Question(UserLookup& lookup, std::string key, const conf::Config* config) : lookup_(lookup), key_(std::move(key)) {
    Entry& entry = lookup_.entries_[key_];
    entry.asked = std::make_shared<net::Event>();
    entry.config = config;
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
  ~Question() {
    if (begun_) {
      --lookup_.asking_;
      if (const auto turn = std::exchange(lookup_.turn_, nullptr)) turn->set();
    }
    const auto entry = lookup_.entries_.find(key_);
    const auto asked = std::exchange(entry->second.asked, nullptr);
    if (!answered_) lookup_.entries_.erase(entry);
    asked->set();
  }

  net::Task<bool> wait_turn(net::CancelToken token) {
    while (lookup_.asking_ >= most_at_once) {
      if (lookup_.turn_ == nullptr) lookup_.turn_ = std::make_shared<net::Event>();
      const std::shared_ptr<net::Event> turn = lookup_.turn_;
      if (co_await turn->wait(token) != net::Wait::ready) co_return false;
    }
    ++lookup_.asking_;
    begun_ = true;
    co_return true;
  }

  void answer(Answer answer, Clock::duration keep) {
    Entry& entry = lookup_.entries_.at(key_);
    entry.answer = std::move(answer);
    entry.until = Clock::now() + keep;
    answered_ = true;
  }

 private:
  UserLookup& lookup_;
  const std::string key_;
  bool begun_ = false;
  bool answered_ = false;
};

void UserLookup::make_room() {
  if (entries_.size() < most_entries) return;
  const auto now = Clock::now();
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.asked == nullptr && entry.second.until <= now; });
  if (entries_.size() < most_entries) return;
  std::erase_if(entries_, [](const auto& entry) { return entry.second.asked == nullptr; });
}

net::Task<UserLookup::Answer> UserLookup::find(std::shared_ptr<const DatabaseState> state, std::string user,
                                               net::CancelToken token) {
  const std::string key = key_of(*state, user);
  const conf::Authentication& own = state->config->authentication;
  for (auto found = entries_.find(key); found != entries_.end(); found = entries_.find(key)) {
    if (const std::shared_ptr<net::Event> asked = found->second.asked) {
      if (co_await asked->wait(token) != net::Wait::ready) co_return std::unexpected("it took too long");
      // The answer of a question that was asked meanwhile is new, however short it is to be kept.
      const auto now = entries_.find(key);
      if (now != entries_.end() && now->second.asked == nullptr) co_return now->second.answer;
      continue;
    }
    if (found->second.config == state->config.get() && Clock::now() < found->second.until) {
      co_return found->second.answer;
    }
    break;
  }
  make_room();
  Question question(*this, key, state->config.get());
  if (!co_await question.wait_turn(token)) co_return std::unexpected("it took too long");
  auto ask = [source = source_, server = server_for(*state), query = own.query, name = std::move(user)] {
    return source->fetch(server, query, name);
  };
  Answer answer = std::unexpected("it took too long");
  try {
    answer = checked(co_await net::run_on_worker(std::move(ask), token));
  } catch (const net::Cancelled&) {
    co_return answer;
  }
  question.answer(answer, answer ? Clock::duration(own.cache_time) : failure_kept);
  co_return answer;
}

void UserLookup::forget(const DatabaseState& state, const std::string& user) {
  const auto found = entries_.find(key_of(state, user));
  if (found != entries_.end() && found->second.asked == nullptr) entries_.erase(found);
}

}  // namespace anabranch::proxy
