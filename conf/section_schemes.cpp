#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "conf/scheme_checks.h"
#include "conf/sections.h"

namespace anabranch::conf {
namespace {

constexpr std::array<std::string_view, 10> hashes{"none",    "intHash64", "cityHash64", "xxh64",
                                                  "murmur3", "crc32",     "md5",        "sha1",
                                                  "pg_hash", "rand"};
constexpr std::array<std::string_view, 10> strategies{
    "modulo", "buckets",    "range", "list",        "lookup",
    "ring",   "rendezvous", "jump",  "multi_probe", "maglev"};
constexpr std::uint32_t most_buckets = 1'000'000;
constexpr std::size_t most_key_parts = 16;

/// What a strategy takes beside `type`, `strategy`, `epoch` and `collation`; config.md, "F2".
struct Takes {
  StrategyKind kind;
  std::vector<std::string_view> required;
  std::vector<std::string_view> optional;
};

const Takes& takes(StrategyKind kind) {
  static const std::vector<Takes> table{
      {StrategyKind::modulo, {"hash"}, {"shards"}},
      {StrategyKind::buckets, {"hash", "buckets"}, {"assignment"}},
      {StrategyKind::range, {"ranges"}, {"nulls"}},
      {StrategyKind::list, {"lists"}, {"otherwise"}},
      {StrategyKind::lookup, {"table"}, {"nulls", "max_age"}},
      {StrategyKind::ring, {"hash"}, {"shards", "virtual_nodes"}},
      {StrategyKind::rendezvous, {"hash"}, {"shards"}},
      {StrategyKind::jump, {"hash"}, {"shards"}},
      {StrategyKind::multi_probe, {"hash"}, {"shards", "probes"}},
      {StrategyKind::maglev, {"hash"}, {"shards", "table_size"}},
  };
  return table[static_cast<std::size_t>(kind)];
}

struct SchemeInput {
  Scheme scheme;
  const Database& database;
  bool sound = true;  // false: what was read before is wrong, so that checks on it would mislead

  std::optional<KeyType> type() const {
    return scheme.types.empty() ? std::nullopt : std::optional(scheme.types.front());
  }
};

void read_type(Reader& reader, const Node& node, SchemeInput& into) {
  const std::span<const Node> parts = node.kind == Node::Kind::sequence
                                          ? std::span<const Node>(node.items)
                                          : std::span<const Node>(&node, 1);
  constexpr std::array<std::string_view, 7> types{"bigint",    "text",    "uuid", "date",
                                                  "timestamp", "numeric", "bytes"};
  if (parts.empty() || parts.size() > most_key_parts) {
    reader.error(node.where, fmt::format("expected 1 to {} types", most_key_parts));
  }
  for (const Node& part : parts) {
    if (const auto type = reader.choice(part, types)) {
      into.scheme.types.push_back(static_cast<KeyType>(*type));
    } else {
      into.sound = false;
    }
  }
}

std::optional<KeyValue> read_key(Reader& reader, const Node& node, KeyType type) {
  const std::string_view digits =
      std::string_view(node.text).substr(node.text.starts_with('-') ? 1 : 0);
  const bool octal = type == KeyType::bigint && digits.size() > 1 && digits.front() == '0';
  const bool number = type == KeyType::bigint || type == KeyType::numeric;
  if (node.kind == Node::Kind::scalar && !octal && !(number && node.quoted)) {
    if (auto key = parse_key(type, node.text)) return *key;
  }
  reader.wrong(node, fmt::format("a value of type {}{}", to_string(type),
                                 octal ? " without leading zeros" : ""));
  return std::nullopt;
}

// --- assignment -------------------------------------------------------------------------------

struct Interval {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

/// `7` or `0-340`.
std::optional<Interval> parse_interval(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto number = [](std::string_view digits) -> std::optional<std::uint32_t> {
    std::uint32_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    const bool zeros = digits.size() > 1 && digits.front() == '0';
    if (digits.empty() || stop != end || error != std::errc{} || zeros) return std::nullopt;
    return value;
  };
  const auto first = number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return Interval{*first, *last};
}

constexpr std::uint32_t unassigned = 0xFFFF'FFFF;

void assign(Reader& reader, const Node& node, std::uint32_t shard, SchemeInput& into) {
  Scheme& scheme = into.scheme;
  const auto interval =
      node.kind == Node::Kind::scalar ? parse_interval(node.text) : std::optional<Interval>();
  if (!interval) {
    reader.wrong(node, "a bucket such as 7, or buckets such as 0-340");
    into.sound = false;
    return;
  }
  if (interval->last >= scheme.buckets) {
    reader.error(node.where, fmt::format("bucket {} does not exist: buckets are 0 to {}",
                                         interval->last, scheme.buckets - 1));
    into.sound = false;
    return;
  }
  for (std::uint32_t bucket = interval->first; bucket <= interval->last; ++bucket) {
    std::uint32_t& owner = scheme.bucket_shards[bucket];
    if (owner != unassigned) {
      reader.error(node.where, fmt::format("overlap: bucket {} is already assigned to shard `{}`",
                                           bucket, into.database.shards[owner].name));
      into.sound = false;
      return;
    }
    owner = shard;
  }
}

void check_gaps(Reader& reader, Position where, const Scheme& scheme) {
  std::string gaps;
  std::size_t count = 0;
  for (std::uint32_t bucket = 0; bucket < scheme.buckets; ++bucket) {
    if (scheme.bucket_shards[bucket] != unassigned) continue;
    std::uint32_t last = bucket;
    while (last + 1 < scheme.buckets && scheme.bucket_shards[last + 1] == unassigned) ++last;
    constexpr std::size_t most_named = 5;
    if (++count <= most_named) {
      gaps += (gaps.empty() ? "" : ", ") +
              (last == bucket ? std::to_string(bucket) : fmt::format("{}-{}", bucket, last));
    }
    bucket = last;
  }
  if (count == 0) return;
  reader.error(where, fmt::format("gap: no shard is assigned bucket {}{}", gaps,
                                  count > 5 ? " and more" : ""));
}

void read_assignment(Reader& reader, const Node& node, SchemeInput& into) {
  if (!reader.is_map(node) || into.scheme.buckets == 0 || into.database.shards.empty()) return;
  into.scheme.bucket_shards.assign(into.scheme.buckets, unassigned);
  bool sound = true;
  for (const Node::Entry& entry : node.entries) {
    const Reader::Scope scope(reader, entry.key, entry.where);
    Node name;
    name.kind = Node::Kind::scalar;
    name.where = entry.where;
    name.text = entry.key;
    const auto shard = read_shard_name(reader, name, into.database);
    if (!shard) {
      sound = false;
      continue;
    }
    const std::span<const Node> list = entry.value.kind == Node::Kind::sequence
                                           ? std::span<const Node>(entry.value.items)
                                           : std::span<const Node>(&entry.value, 1);
    for (const Node& item : list) assign(reader, item, *shard, into);
  }
  if (sound && into.sound) check_gaps(reader, reader.here(), into.scheme);
}

/// Buckets without an assignment go round the shards in turn, each taken as often as it weighs.
void assign_in_turn(SchemeInput& into) {
  std::vector<std::uint64_t> ends;  // of each shard's interval within one round
  std::uint64_t total = 0;
  for (const Shard& shard : into.database.shards) ends.push_back(total += shard.weight);
  if (total == 0) return;
  into.scheme.bucket_shards.reserve(into.scheme.buckets);
  for (std::uint64_t bucket = 0; bucket < into.scheme.buckets; ++bucket) {
    const auto end = std::ranges::upper_bound(ends, bucket % total);
    into.scheme.bucket_shards.push_back(static_cast<std::uint32_t>(end - ends.begin()));
  }
}

// --- ranges and lists -------------------------------------------------------------------------

struct RangeInput {
  const SchemeInput& scheme;
  std::optional<KeyValue> below;
  std::optional<std::uint32_t> shard;
};

const std::vector<Field<RangeInput>>& range_fields() {
  static const std::vector<Field<RangeInput>> fields{
      {"below", "value of the scheme's type", "", false, true,
       "Keys from the range before up to, not including, this one. The last range has none.",
       [](Reader& reader, const Node& node, RangeInput& into) {
         if (const auto type = into.scheme.type()) into.below = read_key(reader, node, *type);
       }},
      {"shard", "shard", "", true, true, "Where they live.",
       [](Reader& reader, const Node& node, RangeInput& into) {
         into.shard = read_shard_name(reader, node, into.scheme.database);
       }},
  };
  return fields;
}

void check_range(Reader& reader, const Node& item, bool last, const RangeInput& range,
                 const std::optional<KeyValue>& before, KeyType type) {
  const Node::Entry* below = item.find("below");
  if (last && below != nullptr) {
    reader.error(below->where,
                 "the last range has no `below`: otherwise greater keys have no place");
  }
  if (!last && below == nullptr) {
    reader.error(item.where, "`below` is missing: only the last range has none");
  }
  if (!range.below || !before) return;
  const int order = compare(type, *before, *range.below);
  if (order == 0) {
    reader.error(below->value.where,
                 fmt::format("`{}` is a bound already", to_text(type, *before)));
  } else if (order > 0) {
    reader.error(below->value.where,
                 fmt::format("bounds must ascend: `{}` comes after `{}`",
                             to_text(type, *range.below), to_text(type, *before)));
  }
}

void read_ranges(Reader& reader, const Node& node, SchemeInput& into) {
  if (!reader.is_list(node)) return;
  if (node.items.empty()) reader.error(node.where, "expected at least one range");
  std::optional<KeyValue> before;
  for (const Node& item : node.items) {
    RangeInput range{into, std::nullopt, std::nullopt};
    if (!read_section<RangeInput>(reader, item, range_fields(), range) || !into.type()) continue;
    check_range(reader, item, &item == &node.items.back(), range, before, *into.type());
    if (range.below) before = range.below;
    if (range.shard) into.scheme.ranges.push_back({std::move(range.below), *range.shard});
  }
}

void read_list_value(Reader& reader, const Node& node, std::uint32_t shard, SchemeInput& into,
                     std::map<std::string, int>& seen) {
  const auto type = into.type();
  if (!type) return;
  std::optional<KeyValue> value = KeyValue::null();
  if (node.kind != Node::Kind::null) value = read_key(reader, node, *type);
  if (!value) return;
  const std::string id = value->is_null() ? "n" : "v" + to_text(*type, *value);
  const auto [earlier, added] = seen.emplace(id, node.where.line);
  if (!added) {
    reader.error(node.where,
                 fmt::format("{} is listed twice: first in line {}",
                             value->is_null() ? "null" : describe(node), earlier->second));
    return;
  }
  into.scheme.lists.push_back({std::move(*value), shard});
}

void read_lists(Reader& reader, const Node& node, SchemeInput& into) {
  if (!reader.is_map(node) || into.database.shards.empty()) return;
  if (node.entries.empty()) reader.error(node.where, "expected a list of values for a shard");
  std::map<std::string, int> seen;
  for (const Node::Entry& entry : node.entries) {
    const Reader::Scope scope(reader, entry.key, entry.where);
    Node name;
    name.kind = Node::Kind::scalar;
    name.where = entry.where;
    name.text = entry.key;
    const auto shard = read_shard_name(reader, name, into.database);
    if (!reader.is_list(entry.value)) continue;
    for (const Node& item : entry.value.items) {
      read_list_value(reader, item, shard.value_or(0), into, seen);
    }
  }
}

// --- the scheme itself ------------------------------------------------------------------------

void read_scheme_shards(Reader& reader, const Node& node, SchemeInput& into) {
  const auto names = reader.is_list(node) ? reader.strings(node) : std::nullopt;
  if (!names) return;
  if (names->empty()) reader.error(node.where, "expected at least one shard");
  for (const Node& item : node.items) {
    if (const auto shard = read_shard_name(reader, item, into.database)) {
      into.scheme.shards.push_back(*shard);
    }
  }
}

auto shard_of(std::optional<std::uint32_t> Scheme::* member) {
  return [=](Reader& reader, const Node& node, SchemeInput& into) {
    into.scheme.*member = read_shard_name(reader, node, into.database);
  };
}

auto number_of(std::uint32_t Scheme::* member, std::uint32_t least, std::uint32_t most) {
  return [=](Reader& reader, const Node& node, SchemeInput& into) {
    if (const auto value = reader.whole(node, least, most)) {
      into.scheme.*member = static_cast<std::uint32_t>(*value);
    }
  };
}

void read_table_size(Reader& reader, const Node& node, SchemeInput& into) {
  const auto size = reader.whole(node, 2, 10'000'000);
  if (!size) return;
  const auto number = static_cast<std::uint32_t>(*size);
  if (const std::uint32_t prime = next_prime(number); prime != number) {
    reader.error(node.where, fmt::format("expected a prime, not {}: the next is {}", number, prime));
    return;
  }
  into.scheme.table_size = number;
}

const std::vector<Field<SchemeInput>>& scheme_fields() {
  static const std::vector<Field<SchemeInput>> fields{
      {"type", "bigint | text | uuid | date | timestamp | numeric | bytes, or a list", "", false,
       true, "The key's type; a list for a composite key. Needed unless hash is rand.", read_type},
      {"hash",
       "none | intHash64 | cityHash64 | xxh64 | murmur3 | crc32 | md5 | sha1 | pg_hash | rand", "",
       false, true, "F1, for the strategies that hash.",
       [](Reader& reader, const Node& node, SchemeInput& into) {
         if (const auto hash = reader.choice(node, hashes)) {
           into.scheme.hash = static_cast<Hash>(*hash);
         } else {
           into.sound = false;
         }
       }},
      {"strategy",
       "modulo | buckets | range | list | lookup | ring | rendezvous | jump | multi_probe | maglev",
       "", true, true, "F2.",
       [](Reader& reader, const Node& node, SchemeInput& into) {
         if (const auto kind = reader.choice(node, strategies)) {
           into.scheme.strategy = static_cast<StrategyKind>(*kind);
         } else {
           into.sound = false;
         }
       }},
      {"shards", "list of shards", "", false, true, "Default: all, in file order.",
       read_scheme_shards},
      {"buckets", "1 to 1000000", "", false, true, "For buckets: how many.",
       number_of(&Scheme::buckets, 1, most_buckets)},
      {"assignment", "map from shard to buckets", "", false, true,
       "For buckets. Default: round the shards in turn, by weight.", read_assignment},
      {"ranges", "list of {below, shard}", "", false, true, "For range: ascending.", read_ranges},
      {"lists", "map from shard to values", "", false, true, "For list; null is a value.",
       read_lists},
      {"otherwise", "shard", "", false, true,
       "For list: where other values live. Left out: they are refused.",
       shard_of(&Scheme::otherwise)},
      {"nulls", "shard", "", false, true,
       "For range and lookup: where rows with a NULL key live. Left out: they are refused.",
       shard_of(&Scheme::nulls)},
      {"table", "table", "", false, true,
       "For lookup: the table, on default_shard, whose columns `key` and `shard` say where each key lives.",
       [](Reader& reader, const Node& node, SchemeInput& into) {
         into.scheme.lookup_where = node.where;
         if (auto name = reader.table_name(node)) into.scheme.lookup_table = std::move(*name);
       }},
      {"max_age", "duration, or 0", "10s", false, true,
       "For lookup: how long a row of `table` is believed before it is read again; 0: it is read for every statement.",
       [](Reader& reader, const Node& node, SchemeInput& into) {
         if (const auto age = reader.duration(node, true)) into.scheme.max_age = *age;
       }},
      {"virtual_nodes", "1 to 10000", "160", false, true, "For ring: times weight.",
       number_of(&Scheme::virtual_nodes, 1, 10'000)},
      {"probes", "1 to 1000", "21", false, true, "For multi_probe.",
       number_of(&Scheme::probes, 1, 1'000)},
      {"table_size", "prime, 2 to 10000000", "65537", false, true, "For maglev.", read_table_size},
      {"epoch", "0 to 9223372036854775807", "1", false, true,
       "Raised when a new assignment really moves rows.",
       [](Reader& reader, const Node& node, SchemeInput& into) {
         const auto epoch = reader.whole(node, 0, 9'223'372'036'854'775'807ULL);
         if (epoch) into.scheme.epoch = *epoch;
       }},
      {"collation", "binary, or a collation", "binary", false, true,
       "For text: whose equality the database uses for the column.",
       [](Reader& reader, const Node& node, SchemeInput& into) {
         if (auto name = reader.string(node)) into.scheme.collation = std::move(*name);
       }},
  };
  return fields;
}

/// A parameter that the strategy does not take, or needs and lacks.
void check_parameters(Reader& reader, const Node& node, const SchemeInput& input) {
  const Takes& strategy = takes(input.scheme.strategy);
  std::vector<std::string_view> taken{"type", "strategy", "epoch", "collation"};
  taken.insert(taken.end(), strategy.required.begin(), strategy.required.end());
  taken.insert(taken.end(), strategy.optional.begin(), strategy.optional.end());
  for (const Node::Entry& entry : node.entries) {
    const bool known =
        std::ranges::any_of(scheme_fields(), [&](const auto& f) { return f.name == entry.key; });
    if (known && std::ranges::find(taken, entry.key) == taken.end()) {
      reader.error(entry.where, fmt::format("strategy {} takes no `{}` (expected {})",
                                            to_string(strategy.kind), entry.key, join(taken)));
    }
  }
  for (const std::string_view name : strategy.required) {
    if (node.find(name) == nullptr) {
      reader.error(reader.here(), fmt::format("`{}` is missing: strategy {} needs it", name,
                                              to_string(strategy.kind)));
    }
  }
  const bool random = input.scheme.hash == Hash::rand;
  if (node.find("type") == nullptr && !random) {
    reader.error(reader.here(), "`type` is missing: expected the type of the key");
  }
}

void fill_defaults(const Node& node, SchemeInput& input) {
  Scheme& scheme = input.scheme;
  const Takes& strategy = takes(scheme.strategy);
  const bool takes_shards =
      std::ranges::find(strategy.optional, std::string_view("shards")) != strategy.optional.end();
  if (takes_shards && node.find("shards") == nullptr) {
    for (std::uint32_t i = 0; i < input.database.shards.size(); ++i) scheme.shards.push_back(i);
  }
  const bool in_turn =
      scheme.strategy == StrategyKind::buckets && node.find("assignment") == nullptr;
  if (in_turn) assign_in_turn(input);
  if (scheme.hash == Hash::rand) scheme.types.clear();
}

}  // namespace

void read_schemes(Reader& reader, const Node& node, Database& database) {
  if (!reader.is_map(node)) return;
  for (const Node::Entry& entry : node.entries) {
    const Reader::Scope scope(reader, entry.key, entry.where);
    if (entry.key.empty()) reader.error(entry.where, "expected a name for the scheme");
    SchemeInput input{{}, database};
    input.scheme.name = entry.key;
    input.scheme.where = entry.where;
    const bool read = read_section<SchemeInput>(reader, entry.value, scheme_fields(), input);
    if (read && input.sound && entry.value.find("strategy") != nullptr) {
      check_parameters(reader, entry.value, input);
      fill_defaults(entry.value, input);
      check_scheme(reader, entry.value, input.scheme, database);
    }
    database.schemes.push_back(std::move(input.scheme));
  }
}

void scheme_docs(std::vector<SettingDoc>& docs) {
  document_section<SchemeInput>("databases.NAME.schemes.NAME", scheme_fields(), docs);
  document_section<RangeInput>("databases.NAME.schemes.NAME.ranges[]", range_fields(), docs);
}

}  // namespace anabranch::conf
