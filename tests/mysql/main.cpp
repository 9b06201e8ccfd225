#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "scenarios.h"

/// mysql_transcript HOST PORT [SCENARIO]: what clients see there.
int main(int argc, char** argv) {
  if (argc < 3) return 2;
  if (mysql_library_init(0, nullptr, nullptr) != 0) return 1;
  const transcript::Endpoint endpoint{argv[1], static_cast<unsigned>(std::atoi(argv[2]))};
  for (const auto& scenario : transcript::scenarios()) {
    if (argc > 3 && scenario.name != argv[3]) continue;
    fmt::print("=== {}\n", scenario.name);
    scenario.run(endpoint);
  }
  mysql_library_end();
}
