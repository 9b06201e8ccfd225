#include "proxy/settings.h"

#include "backends/exchange.h"
#include "proxy/log.h"

namespace anabranch::proxy {

net::Task<void> read_back_settings(SessionState& state, backends::Lease& lease) {
  if (lease->transaction_status() == 'E' || lease->broken()) co_return;
  auto answer = co_await backends::run_command(
      lease, "SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session'");
  if (!answer) co_return;
  backends::Settings now;
  for (auto& row : answer->rows) {
    if (row.at(0) && row.at(1)) now.emplace(*row[0], backends::quote_literal(*row[1]));
  }
  const auto wanted = state.settings.current();
  for (const auto& [name, value] : now) {
    const std::string* known = wanted->contains(name) ? &wanted->at(name) : nullptr;
    if (known != nullptr && *known == value) continue;
    state.settings.set(name, value);
    lease->applied.set(name, value);
  }
  state.refresh_planning();
}

void end_local_settings(SessionState& state) {
  for (const auto& [name, before] : state.locals) {
    if (before) {
      state.settings.set(name, *before);
    } else {
      state.settings.reset(name);
    }
  }
  if (!state.locals.empty()) state.refresh_planning();
  state.locals.clear();
  state.locals_at.clear();
}

}  // namespace anabranch::proxy
