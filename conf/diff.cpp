#include "conf/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace anabranch::conf {
namespace {

/// Shards are compared by name: their order in the file may change.
std::string shard_name(const Database& database, std::uint32_t shard) {
  return shard < database.shards.size() ? database.shards[shard].name : std::string();
}

std::vector<std::string> shard_names(const Database& database,
                                     const std::vector<std::uint32_t>& shards) {
  std::vector<std::string> names;
  for (const std::uint32_t shard : shards) names.push_back(shard_name(database, shard));
  return names;
}

std::optional<std::string> shard_name(const Database& database,
                                      const std::optional<std::uint32_t>& shard) {
  if (!shard) return std::nullopt;
  return shard_name(database, *shard);
}

/// A place that no row could have before holds none that could be misplaced.
bool moved(const std::optional<std::string>& before, const std::optional<std::string>& after) {
  return before && before != after;
}

/// A scheme together with the database whose shards it names.
struct Placed {
  const Database& database;
  const Scheme& scheme;

  std::string place_of_range(const KeyValue* at) const;
  std::optional<std::string> place_of_value(const KeyValue& value) const;
};

/// The shard of the keys from `at` on (null: of the smallest keys) up to the next bound.
std::string Placed::place_of_range(const KeyValue* at) const {
  for (const Range& range : scheme.ranges) {
    const bool above =
        !range.below || at == nullptr || compare(scheme.types.front(), *at, *range.below) < 0;
    if (above) return shard_name(database, range.shard);
  }
  return {};
}

std::optional<std::string> Placed::place_of_value(const KeyValue& value) const {
  const auto entry = std::ranges::find(scheme.lists, value, &ListEntry::value);
  if (entry != scheme.lists.end()) return shard_name(database, entry->shard);
  return shard_name(database, scheme.otherwise);
}

bool ranges_move(const Placed& before, const Placed& after) {
  if (before.place_of_range(nullptr) != after.place_of_range(nullptr)) return true;
  for (const Placed* side : {&before, &after}) {
    for (const Range& range : side->scheme.ranges) {
      if (!range.below) continue;
      const KeyValue* at = &*range.below;
      if (before.place_of_range(at) != after.place_of_range(at)) return true;
    }
  }
  return moved(shard_name(before.database, before.scheme.nulls),
               shard_name(after.database, after.scheme.nulls));
}

bool lists_move(const Placed& before, const Placed& after) {
  for (const Placed* side : {&before, &after}) {
    for (const ListEntry& entry : side->scheme.lists) {
      if (moved(before.place_of_value(entry.value), after.place_of_value(entry.value))) return true;
    }
  }
  return moved(shard_name(before.database, before.scheme.otherwise),
               shard_name(after.database, after.scheme.otherwise));
}

/// Shards by name and weight: what modulo and the ring-like strategies place by.
std::vector<std::pair<std::string, std::uint32_t>> weighted(const Placed& placed) {
  std::vector<std::pair<std::string, std::uint32_t>> list;
  for (const std::uint32_t shard : placed.scheme.shards) {
    const Shard& one = placed.database.shards[shard];
    list.emplace_back(one.name, one.weight);
  }
  return list;
}

bool nodes_move(Placed before, Placed after) {
  auto nodes_before = weighted(before);
  auto nodes_after = weighted(after);
  for (auto* nodes : {&nodes_before, &nodes_after}) {
    std::ranges::sort(*nodes);  // these strategies look at names, not at the order
    if (before.scheme.strategy != StrategyKind::multi_probe) continue;
    for (auto& [name, weight] : *nodes) weight = 1;  // and this one not at weights either
  }
  return nodes_before != nodes_after || before.scheme.virtual_nodes != after.scheme.virtual_nodes ||
         before.scheme.probes != after.scheme.probes ||
         before.scheme.table_size != after.scheme.table_size;
}

/// True if a key may have one place before and another one after.
bool moves_keys(const Placed& before, const Placed& after) {
  const Scheme& old_scheme = before.scheme;
  const Scheme& new_scheme = after.scheme;
  if (old_scheme.hash == Hash::rand && new_scheme.hash == Hash::rand) return false;
  if (old_scheme.types != new_scheme.types || old_scheme.hash != new_scheme.hash ||
      old_scheme.strategy != new_scheme.strategy || old_scheme.collation != new_scheme.collation) {
    return true;
  }
  switch (old_scheme.strategy) {
    case StrategyKind::buckets:
      return shard_names(before.database, old_scheme.bucket_shards) !=
             shard_names(after.database, new_scheme.bucket_shards);
    case StrategyKind::modulo:
      return weighted(before) != weighted(after);
    case StrategyKind::jump:
      return shard_names(before.database, old_scheme.shards) !=
             shard_names(after.database, new_scheme.shards);
    case StrategyKind::range:
      return ranges_move(before, after);
    case StrategyKind::list:
      return lists_move(before, after);
    case StrategyKind::lookup:
      return old_scheme.lookup_table != new_scheme.lookup_table ||
             moved(shard_name(before.database, old_scheme.nulls),
                   shard_name(after.database, new_scheme.nulls));
    case StrategyKind::ring:
    case StrategyKind::rendezvous:
    case StrategyKind::multi_probe:
    case StrategyKind::maglev:
      return nodes_move(before, after);
  }
  return true;
}

void note(Diff& diff, std::string key, std::string what, bool reloadable = true) {
  diff.changes.push_back({std::move(key), std::move(what), reloadable});
}

/// Adds and removes by name, and what `differs` about the entries that stay.
template <class T, class Name, class Stays>
void compare_lists(Diff& diff, const std::string& path, const std::vector<T>& before,
                   const std::vector<T>& after, Name name, Stays stays) {
  std::map<std::string, const T*> old_entries;
  for (const T& entry : before) old_entries.emplace(name(entry), &entry);
  std::set<std::string> kept;
  for (const T& entry : after) {
    const auto found = old_entries.find(name(entry));
    if (found == old_entries.end()) {
      note(diff, path + "." + name(entry), "added");
      continue;
    }
    kept.insert(found->first);
    stays(*found->second, entry);
  }
  for (const auto& [key, entry] : old_entries) {
    if (!kept.contains(key)) note(diff, path + "." + key, "removed");
  }
}

std::string name_of(const Table& table) {
  return table.name.schema + "." + table.name.name;
}

/// The comparison of two databases of one name.
class DatabaseDiff {
 public:
  DatabaseDiff(Diff& diff, const Database& before, const Database& after)
      : diff_(diff), before_(before), after_(after), path_("databases." + before.name) {}

  void run() {
    settings();
    shards();
    schemes();
    tables();
    compare_lists(
        diff_, path_ + ".functions", before_.functions, after_.functions,
        [](const Function& f) { return f.name.schema + "." + f.name.name; },
        [&](const Function& left, const Function& right) {
          if (!(left == right)) note(diff_, path_ + ".functions." + left.name.name, "changed");
        });
  }

 private:
  void changed(bool differs, const std::string& key) {
    if (differs) note(diff_, path_ + "." + key, "changed");
  }

  void moves(std::string key) { diff_.moved.push_back({before_.name, std::move(key)}); }

  void settings() {
    changed(before_.kind != after_.kind, "kind");
    changed(!(before_.backend == after_.backend), "backend");
    changed(!(before_.pool == after_.pool), "pool");
    changed(before_.load_balancing != after_.load_balancing, "load_balancing");
    changed(before_.read_from != after_.read_from, "read_from");
    changed(before_.max_replica_lag != after_.max_replica_lag, "max_replica_lag");
    changed(!(before_.transactions == after_.transactions), "transactions");
    changed(before_.workspace.server != after_.workspace.server ||
                shard_name(before_, before_.workspace.shard) !=
                    shard_name(after_, after_.workspace.shard),
            "workspace");
    const std::string before = shard_name(before_, before_.default_shard);
    const std::string after = shard_name(after_, after_.default_shard);
    if (before == after) return;
    changed(true, "default_shard");
    diff_.refusals.push_back(
        fmt::format("{}.default_shard: tables that are not listed live on `{}`, not on `{}`: move "
                    "them, then restart",
                    path_, before, after));
  }

  void shards() {
    const std::size_t known = diff_.changes.size();
    compare_lists(
        diff_, path_ + ".shards", before_.shards, after_.shards,
        [](const Shard& shard) { return shard.name; },
        [&](const Shard& left, const Shard& right) {
          changed(!(left == right), "shards." + left.name);
        });
    const bool added =
        std::any_of(diff_.changes.begin() + static_cast<std::ptrdiff_t>(known), diff_.changes.end(),
                    [](const Change& change) { return change.what == "added"; });
    if (!added) return;
    for (const Table& table : after_.tables) {
      if (table.kind == TableKind::reference) {
        moves(path_ + ".tables." + name_of(table));
      }
    }
  }

  void schemes() {
    compare_lists(
        diff_, path_ + ".schemes", before_.schemes, after_.schemes,
        [](const Scheme& scheme) { return scheme.name; },
        [&](const Scheme& left, const Scheme& right) { scheme(left, right); });
  }

  void scheme(const Scheme& left, const Scheme& right) {
    const std::string key = path_ + ".schemes." + left.name;
    const bool elsewhere = moves_keys({before_, left}, {after_, right});
    if (elsewhere || left.epoch != right.epoch) note(diff_, key, "changed");
    if (right.epoch < left.epoch) {
      diff_.refusals.push_back(fmt::format("{}.epoch: went back from {} to {}: epochs only rise",
                                           key, left.epoch, right.epoch));
    } else if (elsewhere && right.epoch == left.epoch) {
      diff_.refusals.push_back(
          fmt::format("{}: the change would place existing keys elsewhere: move the rows, then "
                      "raise `epoch` above {}",
                      key, left.epoch));
    } else if (elsewhere) {
      moves(key);
    }
  }

  void tables() {
    const std::size_t known = diff_.changes.size();
    compare_lists(diff_, path_ + ".tables", before_.tables, after_.tables, name_of,
                  [&](const Table& left, const Table& right) { table(left, right); });
    for (std::size_t i = known; i < diff_.changes.size(); ++i) {
      if (diff_.changes[i].what != "changed") moves(diff_.changes[i].key);
    }
  }

  void table(const Table& left, const Table& right) {
    const std::string key = path_ + ".tables." + name_of(left);
    if (left.physical != right.physical || left.generate != right.generate) {
      note(diff_, key, "changed");
      if (left.physical == right.physical) return;
    } else if (same_place(left, right)) {
      return;
    } else {
      note(diff_, key, "changed");
    }
    if (epoch_raised(left, right)) {
      moves(key);
      return;
    }
    diff_.refusals.push_back(
        fmt::format("{}: the change would place existing rows elsewhere: move them, then raise the "
                    "`epoch` of its scheme",
                    key));
  }

  bool same_place(const Table& left, const Table& right) const {
    if (left.kind != right.kind) return false;
    if (left.kind == TableKind::reference) return true;
    if (left.kind == TableKind::whole) {
      return shard_name(before_, left.shard) == shard_name(after_, right.shard);
    }
    const Scheme& old_scheme = before_.schemes[left.scheme];
    const Scheme& new_scheme = after_.schemes[right.scheme];
    return left.key == right.key && left.expression == right.expression &&
           (old_scheme.name == new_scheme.name ||
            !moves_keys({before_, old_scheme}, {after_, new_scheme}));
  }

  bool epoch_raised(const Table& left, const Table& right) const {
    if (left.kind != TableKind::sharded || right.kind != TableKind::sharded) return false;
    return after_.schemes[right.scheme].epoch > before_.schemes[left.scheme].epoch;
  }

  Diff& diff_;
  const Database& before_;
  const Database& after_;
  std::string path_;
};

}  // namespace

Diff diff(const Config& before, const Config& after) {
  Diff result;
  if (!(before.listen == after.listen)) note(result, "listen", "changed", false);
  if (before.threads != after.threads) note(result, "threads", "changed", false);
  if (!(before.tls == after.tls)) note(result, "tls", "changed");
  compare_lists(
      result, "users", before.users, after.users, [](const User& user) { return user.name; },
      [&](const User& left, const User& right) {
        if (!(left == right)) note(result, "users." + left.name, "changed");
      });
  if (!(before.authentication == after.authentication)) note(result, "authentication", "changed");
  compare_lists(
      result, "databases", before.databases, after.databases,
      [](const Database& database) { return database.name; },
      [&](const Database& left, const Database& right) {
        DatabaseDiff(result, left, right).run();
      });
  if (!(before.limits == after.limits)) note(result, "limits", "changed");
  if (before.rules != after.rules) note(result, "rules", "changed");
  if (!(before.log == after.log)) note(result, "log", "changed");
  return result;
}

}  // namespace anabranch::conf
