#pragma once

#include <string>
#include <vector>

#include "conf/config.h"

namespace anabranch::conf {

/// What changes from one configuration to the next, as a reload sees it.
struct Change {
  std::string key;         // `databases.shop.shards.s2`, `limits`, `users.app`…
  std::string what;        // `added`, `removed`, `changed`
  bool reloadable = true;  // false: takes effect only with a restart (listen, threads)
};

/// A change under which rows must lie elsewhere than before.
struct Move {
  std::string database;
  std::string key;  // `databases.shop.schemes.by_user`, `databases.shop.tables.public.users`
  bool operator==(const Move&) const = default;
};

struct Diff {
  std::vector<Change> changes;
  /// Why the reload must be refused: keys that would be placed elsewhere although their scheme's
  /// `epoch` was not raised. Each names database, scheme, and what to do. Empty: may be carried
  /// out.
  std::vector<std::string> refusals;
  /// What must be looked at in the data before the swap: schemes that move keys and whose epoch was
  /// raised, tables that gain or lose their entry, reference tables that a new shard must hold.
  std::vector<Move> moved;

  bool empty() const { return changes.empty(); }
};

Diff diff(const Config& before, const Config& after);

}  // namespace anabranch::conf
