#pragma once

#include <cstddef>
#include <memory>

#include "merge/batch.h"
#include "merge/memory_budget.h"
#include "merge/recipe.h"
#include "merge/spill.h"

namespace anabranch::merge {

/// Carries out one recipe over `sources` streams of rows. A pure algorithm: it knows no socket.
/// Feed it with consume()/finish(); pull with next() until it says what it needs.
class Merger {
 public:
  struct Status {
    enum class Kind {
      rows,  ///< `out` holds rows for the client; none: there is more to do first
      need,  ///< nothing until `source` (or any, when `any`) is fed or finished
      end    ///< the answer is complete; unfinished sources may be cancelled
    };
    Kind kind = Kind::end;
    bool any = true;
    std::size_t source = 0;
  };

  /// `recipe` must outlive the merger. `spill`: where rows go that the budget does not hold; null:
  /// nowhere, and the statement fails. Throws SqlError where the binding does not fit.
  Merger(const Recipe& recipe, Binding binding, std::size_t sources, MemoryBudget& budget, Spill* spill = nullptr);
  ~Merger();
  Merger(Merger&&) noexcept;

  void consume(std::size_t source, Batch batch);
  void finish(std::size_t source);
  /// Clears `out`, then fills it with a bounded number of rows. Bounded work, too; once spill->begun()
  /// it may wait for the disk.
  Status next(Batch& out);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace anabranch::merge
