#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "backends/data_check.h"

namespace anabranch::proxy {

struct CheckDataOptions {
  std::string config;                 // path
  std::string database;               // empty: every one of the file
  std::uint64_t rows_per_second = 0;  // of each shard; 0: no limit
  bool progress = false;              // on `err`, which is a terminal
};

/// `anabranch check --data`: reads the rows of every table of the map on every shard, and tells of each table how many
/// there are, which lie on a wrong shard, and which copies of a reference table differ. Refused if any does, or a table
/// could not be looked at.
int check_data(const CheckDataOptions& options, std::ostream& out, std::ostream& err);

/// The lines of one table; false: something is wrong with it.
bool tell_data(const router::ShardMap& map, const router::MappedTable& table,
               const std::vector<backends::ShardData>& shards, std::ostream& out);

}  // namespace anabranch::proxy
