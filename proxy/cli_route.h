#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace anabranch::proxy {

struct RouteOptions {
  std::string config;  // path
  std::string database;
  std::string table;              // `orders` or `public.orders`
  std::vector<std::string> keys;  // `\N` is NULL; of the scheme's type
};

/// `anabranch route`: prints `key<TAB>bucket or -<TAB>shard` for each key to `out`. A key that is
/// no value of the scheme's type, or that the map has no place for, is told to `err`, and the
/// status is then 1; the other keys are still printed. Connects to nothing.
int route(const RouteOptions& options, std::ostream& out, std::ostream& err);

}  // namespace anabranch::proxy
