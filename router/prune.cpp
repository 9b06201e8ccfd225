#include "router/prune.h"

#include <fmt/format.h>

#include <algorithm>

#include "router/composite_key.h"
#include "router/strategies.h"

namespace anabranch::router {
namespace {

using Kind = KeyPredicate::Kind;

constexpr int deepest = 200;               // beyond it a condition says nothing
constexpr std::size_t longest_text = 200;  // of an explanation
constexpr std::size_t most_named_keys = 3;

/// The shards of one key; a key without a place is no row's.
ShardSet shards_of_key(const MappedScheme& scheme, const KeyValue& key, Lookups* lookups) {
  const auto placement = ShardMap::place(scheme, key, lookups);
  return placement ? ShardSet::of(placement->shard) : ShardSet{};
}

ShardSet shards_of_values(const MappedScheme& scheme, const std::vector<KeyValue>& values, Lookups* lookups) {
  ShardSet set;
  for (const KeyValue& value : values) {
    if (!value.is_null()) set |= shards_of_key(scheme, value, lookups);
  }
  return set;
}

bool is_integer(KeyType type) {
  return type == KeyType::bigint || type == KeyType::date || type == KeyType::timestamp;
}

/// The integers of a range with both ends, if they are few.
std::optional<ShardSet> enumerate(const MappedScheme& scheme, const KeyRange& range) {
  if (!is_integer(scheme.type()) || !range.lower || !range.upper) return std::nullopt;
  const std::int64_t lower = range.lower->integer;
  const std::int64_t upper = range.upper->integer;
  if (lower > upper) return ShardSet{};
  const std::uint64_t span = static_cast<std::uint64_t>(upper) - static_cast<std::uint64_t>(lower);
  if (span >= max_enumerated_keys) return std::nullopt;
  ShardSet set;
  for (std::uint64_t i = 0; i <= span; ++i) {
    if ((i == 0 && !range.lower_inclusive) || (i == span && !range.upper_inclusive)) continue;
    const auto key = static_cast<std::int64_t>(static_cast<std::uint64_t>(lower) + i);
    set |= shards_of_key(scheme, KeyValue::of(key), nullptr);
  }
  return set;
}

bool is_empty(KeyType type, const KeyRange& range) {
  if ((range.lower && range.lower->is_null()) || (range.upper && range.upper->is_null())) {
    return true;  // a comparison with NULL is never true
  }
  if (!range.lower || !range.upper) return false;
  const int order = conf::compare(type, *range.lower, *range.upper);
  return order > 0 || (order == 0 && !(range.lower_inclusive && range.upper_inclusive));
}

ShardSet shards_of_range(const MappedScheme& scheme, const KeyPredicate& predicate) {
  const KeyRange& range = predicate.range;
  const bool null_end =
      (range.lower && range.lower->is_null()) || (range.upper && range.upper->is_null());
  if (null_end) return {};
  // The order of texts is their collation's; ours is that of bytes.
  if (!conf::ordered_as_in_database(scheme.type()) && !predicate.byte_order) return scheme.shards;
  if (is_empty(scheme.type(), range)) return {};
  if (scheme.lookup) return scheme.shards;  // a table is asked for keys, not for as many as a range may have
  if (auto set = scheme.strategy->between(range)) return *set;
  return enumerate(scheme, range).value_or(scheme.shards);
}

/// Narrows one range by another of the same type.
void narrow(KeyType type, KeyRange& range, const KeyRange& by) {
  if (by.lower) {
    const int order = range.lower ? conf::compare(type, *by.lower, *range.lower) : 1;
    if (order > 0 || (order == 0 && !by.lower_inclusive)) {
      range.lower = by.lower;
      range.lower_inclusive = by.lower_inclusive;
    }
  }
  if (by.upper) {
    const int order = range.upper ? conf::compare(type, *by.upper, *range.upper) : -1;
    if (order < 0 || (order == 0 && !by.upper_inclusive)) {
      range.upper = by.upper;
      range.upper_inclusive = by.upper_inclusive;
    }
  }
}

bool narrows(const MappedScheme& scheme, const KeyPredicate& part) {
  const bool null_end = (part.range.lower && part.range.lower->is_null()) ||
                        (part.range.upper && part.range.upper->is_null());
  return part.kind == Kind::range && !null_end &&
         (conf::ordered_as_in_database(scheme.type()) || part.byte_order);
}

ShardSet prune_at(const MappedScheme& scheme, const KeyPredicate& predicate, Lookups* lookups, int depth);

/// AND. The ranges among the parts are narrowed to one first: `5 <= key AND key < 10` is a short
/// range, while either half alone is a long one.
ShardSet shards_of_all(const MappedScheme& scheme, const KeyPredicate& predicate, Lookups* lookups, int depth) {
  ShardSet set = scheme.shards;
  KeyPredicate narrowed = KeyPredicate::between({}, true);
  bool has_range = false;
  for (const KeyPredicate& part : predicate.parts) {
    if (scheme.types.size() == 1 && narrows(scheme, part)) {
      narrow(scheme.type(), narrowed.range, part.range);
      has_range = true;
    } else {
      set &= prune_at(scheme, part, lookups, depth + 1);
    }
  }
  if (has_range) set &= shards_of_range(scheme, narrowed);
  return set;
}

ShardSet shards_of_any(const MappedScheme& scheme, const KeyPredicate& predicate, Lookups* lookups, int depth) {
  ShardSet set;
  for (const KeyPredicate& part : predicate.parts) set |= prune_at(scheme, part, lookups, depth + 1);
  return set;
}

ShardSet prune_at(const MappedScheme& scheme, const KeyPredicate& predicate, Lookups* lookups, int depth) {
  if (depth > deepest) return scheme.shards;
  // Of a composite key only whole ones have a place.
  const bool of_a_part = predicate.kind == Kind::is_null || predicate.kind == Kind::range;
  if (scheme.types.size() > 1 && of_a_part) return scheme.shards;
  switch (predicate.kind) {
    case Kind::anything:
      return scheme.shards;
    case Kind::nothing:
      return {};
    case Kind::in:
      return shards_of_values(scheme, predicate.values, lookups);
    case Kind::is_null:
      return shards_of_key(scheme, KeyValue::null(), lookups);
    case Kind::range:
      return shards_of_range(scheme, predicate);
    case Kind::all_of:
      return shards_of_all(scheme, predicate, lookups, depth);
    case Kind::any_of:
      return shards_of_any(scheme, predicate, lookups, depth);
  }
  return scheme.shards;
}

// --- explanation ------------------------------------------------------------------------------

using Types = std::vector<KeyType>;

std::string describe(const Types& types, const KeyPredicate& predicate, std::size_t room);

std::string describe_key(const Types& types, const KeyValue& key) {
  if (types.size() == 1) return conf::to_text(types.front(), key);
  const std::vector<KeyValue> parts = composite_parts(types, key);
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text += (i == 0 ? "(" : ", ") + (parts[i].is_null() ? "NULL" : conf::to_text(types[i], parts[i]));
  }
  return text + ")";
}

std::string describe_values(const Types& types, const std::vector<KeyValue>& values) {
  if (values.size() == 1) return "key = " + describe_key(types, values.front());
  if (values.size() > most_named_keys) return fmt::format("key in {} values", values.size());
  std::vector<std::string> texts;
  for (const KeyValue& value : values) texts.push_back(describe_key(types, value));
  return fmt::format("key in ({})", fmt::join(texts, ", "));
}

std::string describe_range(KeyType type, const KeyRange& range) {
  std::string text = "key";
  if (range.lower) {
    text = fmt::format("{} {} key", conf::to_text(type, *range.lower),
                       range.lower_inclusive ? "<=" : "<");
  }
  if (range.upper) {
    text += fmt::format(" {} {}", range.upper_inclusive ? "<=" : "<",
                        conf::to_text(type, *range.upper));
  }
  return text;
}

std::string describe_parts(const Types& types, const KeyPredicate& predicate, std::size_t room) {
  const std::string_view joint = predicate.kind == Kind::all_of ? " and " : " or ";
  std::string text;
  for (const KeyPredicate& part : predicate.parts) {
    if (text.size() > room) return text + joint.data() + "…";
    const bool nested = part.kind == Kind::all_of || part.kind == Kind::any_of;
    const std::string inner = describe(types, part, room / 2);
    text += (text.empty() ? "" : std::string(joint)) + (nested ? "(" + inner + ")" : inner);
  }
  return text;
}

std::string describe(const Types& types, const KeyPredicate& predicate, std::size_t room) {
  switch (predicate.kind) {
    case Kind::anything:
      return "any key";
    case Kind::nothing:
      return "no key";
    case Kind::in:
      return describe_values(types, predicate.values);
    case Kind::is_null:
      return "key is null";
    case Kind::range:
      return describe_range(types.front(), predicate.range);
    case Kind::all_of:
    case Kind::any_of:
      return room < 8 ? "…" : describe_parts(types, predicate, room);
  }
  return "any key";
}

std::string describe_shards(const ShardMap& map, const MappedScheme& scheme, const ShardSet& set) {
  if (set.empty()) return "no shard";
  if (set == scheme.shards && set.size() > 1) return fmt::format("all {} shards", set.size());
  std::string text;
  for (const std::uint32_t shard : set) {
    if (text.size() > longest_text) return text + ", …";
    text += (text.empty() ? "" : ", ") + map.shards()[shard].name;
  }
  return text;
}

std::string describe_bucket(const MappedScheme& scheme, const KeyPredicate& predicate) {
  if (scheme.lookup || predicate.kind != Kind::in || predicate.values.size() != 1) return {};
  const auto placement = ShardMap::place(scheme, predicate.values.front());
  if (!placement || placement->bucket < 0) return {};
  return fmt::format(" -> bucket {}", placement->bucket);
}

}  // namespace

KeyPredicate KeyPredicate::nothing() {
  KeyPredicate predicate;
  predicate.kind = Kind::nothing;
  return predicate;
}

KeyPredicate KeyPredicate::equals(KeyValue value) {
  std::vector<KeyValue> values;
  values.push_back(std::move(value));
  return in(std::move(values));
}

KeyPredicate KeyPredicate::in(std::vector<KeyValue> values) {
  KeyPredicate predicate;
  predicate.kind = Kind::in;
  predicate.values = std::move(values);
  return predicate;
}

KeyPredicate KeyPredicate::is_null() {
  KeyPredicate predicate;
  predicate.kind = Kind::is_null;
  return predicate;
}

KeyPredicate KeyPredicate::between(KeyRange range, bool byte_order) {
  KeyPredicate predicate;
  predicate.kind = Kind::range;
  predicate.range = std::move(range);
  predicate.byte_order = byte_order;
  return predicate;
}

KeyPredicate KeyPredicate::all_of(std::vector<KeyPredicate> parts) {
  KeyPredicate predicate;
  predicate.kind = Kind::all_of;
  predicate.parts = std::move(parts);
  return predicate;
}

KeyPredicate KeyPredicate::any_of(std::vector<KeyPredicate> parts) {
  KeyPredicate predicate;
  predicate.kind = Kind::any_of;
  predicate.parts = std::move(parts);
  return predicate;
}

ShardSet prune(const MappedScheme& scheme, const KeyPredicate& predicate, Lookups* lookups) {
  // Rows of a random scheme may be anywhere.
  const bool anywhere = scheme.random() || (scheme.lookup && lookups == nullptr);
  if (anywhere) return predicate.kind == Kind::nothing ? ShardSet{} : scheme.shards;
  return prune_at(scheme, predicate, lookups, 0);
}

Route route(const ShardMap& map, const MappedScheme& scheme, const KeyPredicate& predicate, Lookups* lookups) {
  Route result;
  result.shards = prune(scheme, predicate, lookups);
  const bool keyed = !scheme.random();
  const std::string what = keyed ? describe(scheme.types, predicate, longest_text) : "any key";
  const std::string bucket = keyed ? describe_bucket(scheme, predicate) : "";
  result.explanation = fmt::format("scheme {}: {}{} -> {}", scheme.name, what, bucket,
                                   describe_shards(map, scheme, result.shards));
  return result;
}

}  // namespace anabranch::router
