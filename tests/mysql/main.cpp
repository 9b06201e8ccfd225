#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "scenarios.h"

/// mysql_transcript HOST PORT [--sharded] [SCENARIO]: what clients see there.
int main(int argc, char** argv) {
  if (argc < 3) return 2;
  if (mysql_library_init(0, nullptr, nullptr) != 0) return 1;
  const transcript::Endpoint endpoint{argv[1], static_cast<unsigned>(std::atoi(argv[2]))};
  const bool sharded = argc > 3 && std::string_view(argv[3]) == "--sharded";
  const int named = sharded ? 4 : 3;
  for (const auto& scenario : sharded ? transcript::sharded_scenarios() : transcript::scenarios()) {
    if (argc > named && scenario.name != argv[named]) continue;
    fmt::print("=== {}\n", scenario.name);
    scenario.run(endpoint);
  }
  mysql_library_end();
}
