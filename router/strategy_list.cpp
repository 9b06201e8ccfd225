#include <unordered_map>

#include "router/strategies.h"

namespace anabranch::router {
namespace {

class List final : public Strategy {
 public:
  List(KeyType type, std::vector<conf::ListEntry> entries, std::optional<std::uint32_t> otherwise)
      : type_(type), entries_(std::move(entries)), otherwise_(otherwise), null_(otherwise) {
    for (const conf::ListEntry& entry : entries_) {
      switch (entry.value.kind) {
        case KeyValue::Kind::null:
          null_ = entry.shard;
          break;
        case KeyValue::Kind::integer:
          integers_.emplace(entry.value.integer, entry.shard);
          break;
        case KeyValue::Kind::bytes:
          texts_.emplace(entry.value.bytes, entry.shard);
          break;
      }
    }
  }

  bool hashes() const override { return false; }

  std::optional<Placement> place(std::uint64_t, const KeyValue& key) const override {
    std::optional<std::uint32_t> shard = otherwise_;
    if (key.is_null()) {
      shard = null_;
    } else if (key.kind == KeyValue::Kind::integer) {
      if (const auto found = integers_.find(key.integer); found != integers_.end()) {
        shard = found->second;
      }
    } else if (const auto found = texts_.find(key.bytes); found != texts_.end()) {
      shard = found->second;
    }
    if (!shard) return std::nullopt;
    return Placement{-1, *shard};
  }

  std::optional<ShardSet> between(const KeyRange& range) const override {
    ShardSet set;
    if (otherwise_) set.add(*otherwise_);
    for (const conf::ListEntry& entry : entries_) {
      if (!entry.value.is_null() && in_range(type_, entry.value, range)) set.add(entry.shard);
    }
    return set;
  }

 private:
  KeyType type_;
  std::vector<conf::ListEntry> entries_;
  std::unordered_map<std::int64_t, std::uint32_t> integers_;
  std::unordered_map<std::string, std::uint32_t> texts_;
  std::optional<std::uint32_t> otherwise_;
  std::optional<std::uint32_t> null_;
};

}  // namespace

std::unique_ptr<const Strategy> make_list(KeyType type, std::vector<conf::ListEntry> entries,
                                          std::optional<std::uint32_t> otherwise) {
  return std::make_unique<List>(type, std::move(entries), otherwise);
}

}  // namespace anabranch::router
