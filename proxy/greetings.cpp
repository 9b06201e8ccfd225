#include "proxy/greetings.h"

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

const Greetings::Entry* Greetings::find(const backends::Server& server,
                                        const backends::Settings& settings) const {
  const auto found = entries_.find(key_of(server, settings));
  return found == entries_.end() || !(found->second.server == server) ? nullptr : &found->second;
}

void Greetings::keep(const backends::Server& server, const backends::Settings& settings,
                     std::shared_ptr<const ReportedParameters> parameters) {
  if (entries_.size() >= most_entries) entries_.clear();
  entries_.insert_or_assign(key_of(server, settings), Entry{server, std::move(parameters), Clock::now()});
}

net::Task<std::shared_ptr<const ReportedParameters>> ask_greeting(SessionState& state) {
  Greetings& greetings = state.worker.greetings();
  const backends::ShardTarget target = state.target(state.default_shard());
  const auto settings = state.settings.current();
  if (const Greetings::Entry* known = greetings.find(backends::server_of(target), *settings)) {
    const auto age = Greetings::Clock::now() - known->taken;
    if (age < Greetings::fresh || (age < Greetings::usable && backends::exhausted(target))) {
      co_return known->parameters;
    }
  }
  backends::Lease lease = co_await borrow_lease(state, state.default_shard());
  auto parameters = std::make_shared<const ReportedParameters>(lease->parameters());
  greetings.keep(backends::server_of(target), *settings, parameters);
  co_return parameters;
}

}  // namespace anabranch::proxy
