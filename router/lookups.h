#pragma once

#include <optional>

#include "router/placement.h"

namespace anabranch::router {

struct MappedScheme;

/// What is known of the tables that lookup schemes ask. The router only asks; whoever can reach a database answers.
class Lookups {
 public:
  Lookups() = default;
  Lookups(const Lookups&) = delete;
  Lookups& operator=(const Lookups&) = delete;
  virtual ~Lookups() = default;

  /// Where the rows of a key lie, which is not NULL. Nothing: the table has no row for it.
  virtual std::optional<Placement> place(const MappedScheme& scheme, const KeyValue& key) = 0;
};

}  // namespace anabranch::router
