#include "conf/scheme_checks.h"

#include <fmt/format.h>

#include <algorithm>

namespace anabranch::conf {
namespace {

constexpr std::uint64_t most_points = 4'000'000;   // of a ring: 48 bytes each while it is made
constexpr std::uint64_t slots_for_evenness = 100;  // a shard; Maglev's paper, 3.4

bool is_prime(std::uint32_t number) {
  if (number < 2) return false;
  for (std::uint32_t i = 2; i <= number / i; ++i) {
    if (number % i == 0) return false;
  }
  return true;
}

/// Where a key stands, or else the scheme's name.
Position place_of(const Reader& reader, const Node& node, std::string_view key) {
  const Node::Entry* entry = node.find(key);
  return entry == nullptr ? reader.here() : entry->value.where;
}

// --- the hash ---------------------------------------------------------------------------------

void check_hash_of_type(Reader& reader, Position where, const Scheme& scheme) {
  const bool composite = scheme.types.size() > 1;
  for (const KeyType type : scheme.types) {
    const bool integer = type == KeyType::bigint || type == KeyType::date;
    const bool numbered = integer || type == KeyType::timestamp;
    if (scheme.hash == Hash::int_hash64 && (!integer || composite)) {
      reader.error(where, fmt::format("hash intHash64 takes bigint and date, not {}",
                                      composite ? "a composite key" : to_string(type)));
      return;
    }
    if (scheme.hash == Hash::none && (!numbered || composite)) {
      reader.error(where, fmt::format("hash none takes bigint, date and timestamp, not {}",
                                      composite ? "a composite key" : to_string(type)));
      return;
    }
  }
}

/// The ring alone takes F1 for a place among all 64-bit numbers.
void check_hash_of_ring(Reader& reader, Position where, const Scheme& scheme) {
  const bool crowded = scheme.hash == Hash::none || scheme.hash == Hash::crc32;
  if (scheme.strategy != StrategyKind::ring || !crowded) return;
  reader.warning(where, fmt::format("{} lie close together on a ring of 64-bit numbers, most of "
                                    "them on one shard: expected a hash of 64 bits, such as xxh64",
                                    scheme.hash == Hash::none ? "numbers as they are"
                                                              : "the 32 bits of crc32"));
}

void check_hash(Reader& reader, const Node& node, const Scheme& scheme, const Database& database) {
  if (!scheme.hash || node.find("hash") == nullptr) return;
  const Position where = node.find("hash")->value.where;
  if (scheme.hash == Hash::rand && scheme.strategy != StrategyKind::modulo) {
    reader.error(where, fmt::format("hash rand goes with strategy modulo only, not {}",
                                    to_string(scheme.strategy)));
  }
  if (scheme.hash == Hash::pg_hash && database.kind == Kind::mysql) {
    reader.error(where, "hash pg_hash is for PostgreSQL only");
  }
  check_hash_of_type(reader, where, scheme);
  check_hash_of_ring(reader, where, scheme);
}

// --- shards -----------------------------------------------------------------------------------

void check_no_weights(Reader& reader, const Scheme& scheme, const Database& database) {
  for (const std::uint32_t shard : scheme.shards) {
    const Shard& one = database.shards[shard];
    if (one.weight != 1) {
      reader.warning(reader.here(),
                     fmt::format("strategy {} takes no weights: the weight {} of shard "
                                 "`{}` has no effect here",
                                 to_string(scheme.strategy), one.weight, one.name));
    }
  }
}

std::uint64_t total_weight(const Scheme& scheme, const Database& database) {
  std::uint64_t total = 0;
  for (const std::uint32_t shard : scheme.shards) total += database.shards[shard].weight;
  return total;
}

void check_ring(Reader& reader, const Node& node, const Scheme& scheme, const Database& database) {
  const std::uint64_t weight = total_weight(scheme, database);
  const std::uint64_t points = weight * scheme.virtual_nodes;
  if (points <= most_points) return;
  reader.error(place_of(reader, node, "virtual_nodes"),
               fmt::format("a ring of {} virtual nodes, {} for each of a total weight of {}: "
                           "expected at most {}; take fewer, or smaller weights in the same ratio",
                           points, scheme.virtual_nodes, weight, most_points));
}

void check_maglev(Reader& reader, const Node& node, const Scheme& scheme,
                  const Database& database) {
  const Position where = place_of(reader, node, "table_size");
  const std::uint64_t weight = total_weight(scheme, database);
  std::uint64_t least = weight;
  for (const std::uint32_t shard : scheme.shards) {
    least = std::min<std::uint64_t>(least, database.shards[shard].weight);
  }
  if (least == 0) return;
  constexpr std::uint64_t largest = 9'999'991;  // prime that may be asked for
  const std::uint64_t enough = slots_for_evenness * ((weight + least - 1) / least);
  const std::uint64_t better =
      enough < largest ? next_prime(static_cast<std::uint32_t>(enough)) : largest;
  if (scheme.table_size < scheme.shards.size()) {
    reader.error(where, fmt::format("a table of {} slots is too small for {} shards: expected a "
                                    "prime such as {}",
                                    scheme.table_size, scheme.shards.size(), better));
  } else if (scheme.table_size < enough && scheme.table_size < largest) {
    reader.warning(where, fmt::format("a table of {} slots spreads keys unevenly over {} shards of "
                                      "total weight {}: expected a prime such as {}",
                                      scheme.table_size, scheme.shards.size(), weight, better));
  }
}

/// The type of moments is left out: a column with a time zone and one without would have to be asked in two ways.
void check_lookup(Reader& reader, const Node& node, const Scheme& scheme) {
  const bool asked = scheme.types.size() == 1 && scheme.types.front() != KeyType::timestamp;
  if (scheme.types.empty() || asked) return;
  reader.error(place_of(reader, node, "type"),
               fmt::format("strategy lookup takes bigint, text, uuid, date, numeric and bytes, not {}",
                           scheme.types.size() > 1 ? "a composite key" : to_string(scheme.types.front())));
}

void check_strategy(Reader& reader, const Node& node, const Scheme& scheme,
                    const Database& database) {
  switch (scheme.strategy) {
    case StrategyKind::modulo:
    case StrategyKind::buckets:
    case StrategyKind::rendezvous:
      return;
    case StrategyKind::lookup:
      return check_lookup(reader, node, scheme);
    case StrategyKind::range:
    case StrategyKind::list:
      if (scheme.types.size() > 1) {
        reader.error(reader.here(), fmt::format("strategy {} takes one type, not a composite key",
                                                to_string(scheme.strategy)));
      }
      return;
    case StrategyKind::jump:
    case StrategyKind::multi_probe:
      return check_no_weights(reader, scheme, database);
    case StrategyKind::ring:
      return check_ring(reader, node, scheme, database);
    case StrategyKind::maglev:
      return check_maglev(reader, node, scheme, database);
  }
}

}  // namespace

std::uint32_t next_prime(std::uint32_t number) {
  while (!is_prime(number)) ++number;
  return number;
}

void check_scheme(Reader& reader, const Node& node, const Scheme& scheme,
                  const Database& database) {
  check_hash(reader, node, scheme, database);
  check_strategy(reader, node, scheme, database);
  const bool text = std::ranges::find(scheme.types, KeyType::text) != scheme.types.end();
  if (node.find("collation") != nullptr && scheme.collation != "binary" && !text) {
    reader.error(node.find("collation")->where, "`collation` is for text keys only");
  }
}

}  // namespace anabranch::conf
