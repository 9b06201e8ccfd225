#include "proxy/greetings.h"

#include "proxy/instance.h"
#include "proxy/leases.h"
#include "proxy/session_state.h"

namespace anabranch::proxy {

namespace {

std::string key_of(const backends::Server& server, const backends::Settings& settings) {
  std::string key = server.address.text();
  const auto add = [&key](const std::string& part) { key.append(1, '\0').append(part); };
  add(server.target);
  add(server.user);
  for (const auto& [name, value] : settings) {
    add(name);
    add(value);
  }
  return key;
}

}  // namespace

Greetings::Known Greetings::find(const backends::Server& server, const backends::Settings& settings) const {
  const std::string key = key_of(server, settings);
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() || !(found->second.server == server) ? Known{} : found->second.known;
}

void Greetings::keep(const backends::Server& server, const backends::Settings& settings,
                     std::shared_ptr<const ReportedParameters> parameters) {
  std::string key = key_of(server, settings);
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= most_entries) entries_.clear();
  entries_.insert_or_assign(std::move(key), Entry{server, {std::move(parameters), Clock::now()}});
}

net::Task<std::shared_ptr<const ReportedParameters>> ask_greeting(SessionState& state) {
  Greetings& greetings = state.worker.instance().greetings();
  const backends::ShardTarget target = state.target(state.default_shard());
  const auto settings = state.settings.current();
  const Greetings::Known known = greetings.find(backends::server_of(target), *settings);
  if (known.parameters != nullptr) {
    const auto age = Greetings::Clock::now() - known.taken;
    if (age < Greetings::fresh || (age < Greetings::usable && backends::exhausted(target))) {
      co_return known.parameters;
    }
  }
  backends::Lease lease = co_await borrow_lease(state, state.default_shard());
  auto parameters = std::make_shared<const ReportedParameters>(lease->parameters());
  greetings.keep(backends::server_of(target), *settings, parameters);
  co_return parameters;
}

}  // namespace anabranch::proxy
