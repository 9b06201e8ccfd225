#include "proxy/cli_plan_growth.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <vector>

#include "proxy/cli_check.h"
#include "router/growth.h"

namespace anabranch::proxy {
namespace {

using router::Growth;
using router::SchemeSide;

/// One file's database and its map.
struct Side {
  const conf::Database& database;
  std::shared_ptr<const router::ShardMap> map;
};

std::shared_ptr<const router::ShardMap> map_of(const conf::Config& config,
                                               const conf::Database& database, std::ostream& err) {
  std::vector<conf::Diagnostic> diagnostics;
  auto map = router::ShardMap::build(database, config.file, diagnostics);
  if (map == nullptr) print(diagnostics, err);
  return map;
}

double percent(std::uint64_t part, std::uint64_t total) {
  return total == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(total);
}

void tell_shares(const Growth& growth, std::ostream& out) {
  const bool counted = growth.basis == Growth::Basis::buckets;
  const auto share = [&](std::uint64_t count) {
    const std::string rate = fmt::format("{:.2f} %", percent(count, growth.total));
    return counted ? fmt::format("{} ({} buckets)", rate, count) : rate;
  };
  out << fmt::format("{} of the keys move{}\n", share(growth.moved()),
                     counted ? fmt::format(", counted over {} buckets", growth.total)
                             : fmt::format(", by a sample of {} random keys", growth.total));
  for (const Growth::Move& move : growth.moves) {
    out << fmt::format("  {} -> {}: {}\n", move.from, move.to, share(move.count));
  }
  std::string loads;
  for (const Growth::Load& load : growth.loads) {
    loads += fmt::format("{}{} {:.2f} %", loads.empty() ? "" : ", ", load.shard,
                         percent(load.count, growth.total));
  }
  out << fmt::format("  then: {}; the fullest holds {:.3f} of its part by weight\n", loads,
                     growth.fullest());
}

void tell_values(const Growth& growth, std::ostream& out) {
  out << (growth.moves.empty() ? "no values move\n" : "the rows of these values move\n");
  for (const Growth::Move& move : growth.moves) {
    out << fmt::format("  {} -> {}: {}\n", move.from, move.to, move.values);
  }
}

void tell(const SchemeSide& before, const SchemeSide& after, std::ostream& out) {
  const Growth growth = router::compare_schemes(before, after);
  out << fmt::format("scheme {}: ", after.written().name);
  switch (growth.basis) {
    case Growth::Basis::buckets:
    case Growth::Basis::sample:
      tell_shares(growth, out);
      break;
    case Growth::Basis::values:
      tell_values(growth, out);
      break;
    case Growth::Basis::nothing:
      out << "is placed at random: rows stay where they are\n";
      break;
    case Growth::Basis::unknown:
      out << fmt::format("cannot be compared: {}\n", growth.reason);
      break;
  }
  if (!growth.moves.empty() && after.written().epoch <= before.written().epoch) {
    out << fmt::format(
        "  a reload is refused until the rows have been moved and `epoch` is raised above {}\n",
        before.written().epoch);
  }
}

void tell(const Side& before, const Side& after, std::ostream& out) {
  out << fmt::format("database {}\n", after.database.name);
  const auto& schemes = after.database.schemes;
  for (std::uint32_t i = 0; i < schemes.size(); ++i) {
    const auto earlier = before.database.find_scheme(schemes[i].name);
    if (earlier) {
      tell({before.database, *before.map, *earlier}, {after.database, *after.map, i}, out);
    } else {
      out << fmt::format("scheme {}: is new\n", schemes[i].name);
    }
  }
  for (const conf::Scheme& scheme : before.database.schemes) {
    if (!after.database.find_scheme(scheme.name))
      out << fmt::format("scheme {}: is gone\n", scheme.name);
  }
}

const conf::Database* find(const conf::Config& config, const std::string& name) {
  const auto found = std::ranges::find(config.databases, name, &conf::Database::name);
  return found == config.databases.end() ? nullptr : &*found;
}

}  // namespace

int plan_growth(const PlanGrowthOptions& options, std::ostream& out, std::ostream& err) {
  const auto before = load_config(options.before, err);
  const auto after = load_config(options.after, err);
  if (before == nullptr || after == nullptr) return exit_refused;
  std::size_t told = 0;
  for (const conf::Database& database : after->databases) {
    const bool asked = options.database.empty() || options.database == database.name;
    const conf::Database* earlier = find(*before, database.name);
    if (!asked || earlier == nullptr) continue;
    const Side old_side{*earlier, map_of(*before, *earlier, err)};
    const Side new_side{database, map_of(*after, database, err)};
    if (old_side.map == nullptr || new_side.map == nullptr) return exit_refused;
    tell(old_side, new_side, out);
    ++told;
  }
  if (told > 0) return exit_fine;
  err << (options.database.empty()
              ? std::string("error: the files have no database in common\n")
              : fmt::format("error: no database `{}` in both files\n", options.database));
  return exit_refused;
}

}  // namespace anabranch::proxy
