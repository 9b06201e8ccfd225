#pragma once

#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>

#include "backends/pool.h"
#include "conf/config.h"

/// Real servers, for tests that are run only where ANABRANCH_TEST_PG lists at least two
/// (`host:port,host:port`), which ANABRANCH_TEST_PG_USER (default: postgres) may enter without a
/// password. They work in the database postgres, in a schema of their own.
namespace live {

inline bool available() {
  return std::getenv("ANABRANCH_TEST_PG") != nullptr;
}

inline anabranch::conf::Database database() {
  anabranch::conf::Database made;
  made.name = "shop";
  made.pool.size = 5;
  const char* user = std::getenv("ANABRANCH_TEST_PG_USER");
  std::istringstream list(std::getenv("ANABRANCH_TEST_PG"));
  for (std::string item; std::getline(list, item, ',');) {
    anabranch::conf::Shard shard;
    shard.name = "s" + std::to_string(made.shards.size() + 1);
    const std::size_t colon = item.rfind(':');
    shard.primary.address = {item.substr(0, colon),
                             static_cast<std::uint16_t>(std::stoi(item.substr(colon + 1)))};
    shard.primary.backend.database = "postgres";
    shard.primary.backend.user = user ? user : "postgres";
    shard.primary.backend.tls = anabranch::conf::BackendTls::disable;
    made.shards.push_back(shard);
  }
  return made;
}

}  // namespace live
