#include "router/lookup_cache.h"

#include <algorithm>
#include <cstring>

#include "router/hash.h"

namespace anabranch::router {

namespace {

constexpr std::size_t ways = 4;          // places of one hash
constexpr std::size_t most_scopes = 64;  // beyond them all is forgotten

std::uint64_t hash_of(std::uint32_t scope, const KeyValue& key) {
  const std::uint64_t of_key = key.kind == KeyValue::Kind::integer ? int_hash64(static_cast<std::uint64_t>(key.integer))
                                                                   : xxh64(key.bytes);
  return of_key ^ scope * 0x9E3779B97F4A7C15ULL;
}

std::size_t place_of(std::uint64_t hash) { return hash % (LookupCache::capacity / ways) * ways; }

std::string_view bytes_of(const KeyValue& key) {
  if (key.kind == KeyValue::Kind::bytes) return key.bytes;
  return {reinterpret_cast<const char*>(&key.integer), sizeof(key.integer)};
}

}  // namespace

bool LookupCache::Entry::holds(const KeyValue& wanted) const {
  const std::string_view own = bytes_of(wanted);
  return kind == wanted.kind && length == own.size() && std::memcmp(bytes.data(), own.data(), own.size()) == 0;
}

std::optional<std::uint32_t> LookupCache::number_of(const Scope& scope) const {
  const auto found = std::ranges::find(scopes_, scope);
  if (found == scopes_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - scopes_.begin());
}

std::uint32_t LookupCache::number_for(const Scope& scope) {
  if (const auto known = number_of(scope)) return *known;
  if (scopes_.size() == most_scopes) {
    scopes_.clear();
    entries_.clear();
  }
  scopes_.push_back(scope);
  return static_cast<std::uint32_t>(scopes_.size() - 1);
}

std::optional<std::uint32_t> LookupCache::find(const Scope& scope, const KeyValue& key, Clock::time_point now) const {
  const auto number = number_of(scope);
  if (!number || entries_.empty()) return std::nullopt;
  const std::uint64_t hash = hash_of(*number, key);
  const Entry* entry = &entries_[place_of(hash)];
  for (const Entry* end = entry + ways; entry != end; ++entry) {
    if (entry->hash != hash || entry->scope != *number || !entry->holds(key)) continue;
    return now < entry->until ? std::optional(entry->shard) : std::nullopt;
  }
  return std::nullopt;
}

void LookupCache::put(const Scope& scope, const KeyValue& key, std::uint32_t shard, Clock::time_point until) {
  const std::string_view bytes = bytes_of(key);
  if (bytes.size() > longest_key) return;
  const std::uint32_t number = number_for(scope);
  if (entries_.empty()) entries_.resize(capacity);
  const std::uint64_t hash = hash_of(number, key);
  Entry* const first = &entries_[place_of(hash)];
  Entry* const end = first + ways;
  Entry* place = std::find_if(first, end, [&](const Entry& entry) {
    return entry.hash == hash && entry.scope == number && entry.holds(key);
  });
  if (place == end) {
    place = std::min_element(first, end, [](const Entry& left, const Entry& right) { return left.until < right.until; });
  }
  place->hash = hash;
  place->until = until;
  place->scope = number;
  place->shard = shard;
  place->length = static_cast<std::uint8_t>(bytes.size());
  place->kind = key.kind;
  std::ranges::copy(bytes, place->bytes.begin());
}

}  // namespace anabranch::router
