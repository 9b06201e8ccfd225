#pragma once

#include <string_view>
#include <vector>

#include "transcript.h"

namespace transcript {

/// What one kind of client does; it starts with an empty database `shop` and what those before it have made.
struct Scenario {
  std::string_view name;
  void (*run)(const Endpoint& endpoint);
};
const std::vector<Scenario>& scenarios();
/// Likewise, before a database whose tables are spread over shards.
const std::vector<Scenario>& sharded_scenarios();
/// One of these: many sessions, taking turns at random.
void share_connections(const Endpoint& endpoint);

}  // namespace transcript
