#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/task.h"
#include "router/lookup_cache.h"
#include "router/lookups.h"
#include "router/shard_map.h"

/// Tables of keys (strategy lookup): what a session knows of them, and how it asks.
namespace anabranch::rewriter {
struct Plan;
}

namespace anabranch::proxy {

struct SessionCore;
struct DatabaseState;

/// Of the process: transactions under way that may change rows of tables of keys. As long as there are any nothing is
/// remembered, nor what was remembered before believed; and with the end of each all is forgotten. Any thread.
class LookupChanges {
 public:
  /// What rows that are read now are remembered under; nothing: a change is under way.
  std::optional<std::uint64_t> generation() const {
    if (under_way_.load() > 0) return std::nullopt;
    return generation_.load();
  }
  void begin() { ++under_way_; }
  void end() {
    ++generation_;
    --under_way_;
  }

 private:
  std::atomic<std::uint32_t> under_way_{0};
  std::atomic<std::uint64_t> generation_{1};
};

/// A session's view of tables of keys: what its statement has asked, what its loop remembers, and what its own
/// transaction has changed. One loop.
class LookupReader final : public router::Lookups {
 public:
  LookupReader(router::LookupCache& cache, LookupChanges& changes) : cache_(cache), changes_(changes) {}
  LookupReader(const LookupReader&) = delete;
  LookupReader& operator=(const LookupReader&) = delete;
  ~LookupReader() override { end_change(); }

  /// An execution begins: it knows nothing yet but what is remembered.
  void begin(const DatabaseState& database);

  /// Without a pass every key must have been answered before.
  std::optional<router::Placement> place(const router::MappedScheme& scheme, const router::KeyValue& key) override;

  /// While it lives, keys that are not known become questions, and are given some place.
  class Pass {
   public:
    /// `keeping`: what is remembered stays known to the end of the execution.
    Pass(LookupReader& reader, bool keeping);
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    ~Pass() { reader_.in_pass_ = false; }
    /// All places were known ones.
    bool complete() const { return reader_.questions_.empty(); }

   private:
    LookupReader& reader_;
  };

  struct Question {
    const router::MappedScheme* scheme = nullptr;
    router::KeyValue key;
  };
  std::vector<Question> take_questions();
  /// Known to the end of the execution; of a row of a stream (`streaming`) as long as there is room.
  void answer(const Question& question, std::optional<std::uint32_t> shard, bool streaming);
  /// For others, too. `generation`: when it was asked.
  void remember(const Question& question, std::uint32_t shard, std::uint64_t generation);
  std::optional<std::uint64_t> generation() const { return changes_.generation(); }
  /// This transaction may have changed a table of keys, and sees its own rows only. `adds`: none that were there.
  void note_change(bool adds);
  bool changed() const { return changed_; }
  /// The transaction is over.
  void end_change();

 private:
  router::LookupCache::Scope scope_of(const router::MappedScheme& scheme, std::uint64_t generation) const;
  std::optional<std::uint32_t> recall(const router::MappedScheme& scheme, const router::KeyValue& key);

  router::LookupCache& cache_;
  LookupChanges& changes_;
  std::uint64_t owner_ = 0;
  std::uint32_t some_shard_ = 0;
  std::optional<router::LookupCache::Clock::time_point> now_;  ///< of the pass
  bool in_pass_ = false;
  bool keeping_ = false;
  bool changed_ = false;
  bool announced_ = false;  ///< to `changes_`
  using Answers = std::unordered_map<std::string, std::optional<std::uint32_t>>;
  Answers answers_;
  Answers streamed_;
  std::vector<Question> questions_;
};

/// Call before each execution in a database with tables of keys: notes what it may change of them.
void begin_lookups(SessionCore& state, const rewriter::Plan& plan, std::string_view text);

/// Asks the default shard what the last pass has left open; on the session's own connection there, where it has one.
/// `streaming`: that one may be in the middle of something. Throws what the server says, and where rows say nothing
/// that can be believed.
net::Task<void> answer_lookups(SessionCore& state, bool streaming);

}  // namespace anabranch::proxy
