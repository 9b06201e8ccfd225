#pragma once

#include <optional>
#include <string_view>

#include "merge/key_set.h"
#include "merge/passes.h"

namespace anabranch::merge {

/// A set of keys, each with the row that brought it. What memory does not hold is put off: such rows
/// come back, and are then inserted once more.
class SpillingSet {
 public:
  enum class Verdict { first, seen, put_off };

  SpillingSet(MemoryBudget& budget, Spill* spill) : budget_(&budget), passes_(spill, budget) { keys_.emplace(budget); }

  /// `message()` gives the row, a DataRow message, where it has to be put off.
  template <typename Message>
  Verdict insert(std::string_view key, Message message) {
    const std::uint64_t hash = hash_bytes(key);
    if (!is_full_ && passes_.may_put_off() && passes_.is_tight(keys_->growth(key.size()))) fill();
    if (!is_full_) {
      if (!keys_->insert(key, hash)) return Verdict::seen;
      passes_.took(key.size());
      return Verdict::first;
    }
    if (keys_->contains(key, hash)) return Verdict::seen;
    passes_.put_off(hash, message());
    return Verdict::put_off;
  }

  bool has_put_off() const { return passes_.has_next(); }
  /// Puts rows that were put off into `out`, which is empty; false: none are left, and the set is empty.
  bool take_put_off(Batch& out);
  /// Forgets all keys, if it holds many. Nothing is put off.
  void forget_many();

 private:
  static constexpr std::size_t kManyKeys = 4096;

  void fill() {
    is_full_ = true;
    passes_.begin_putting_off();
  }

  MemoryBudget* budget_;
  Passes passes_;
  std::optional<KeySet> keys_;
  bool is_full_ = false;
};

}  // namespace anabranch::merge
