#pragma once

#include <limits>

#include "merge/operator.h"
#include "merge/recipe.h"
#include "merge/sort_keys.h"

namespace anabranch::merge {

/// The int8 in a slot of the binding; nullopt if there is no slot or it holds NULL.
std::optional<std::int64_t> row_count(const Binding& binding, int slot);

/// OFFSET, then LIMIT or FETCH FIRST … WITH TIES.
class LimitOperator final : public Operator {
 public:
  /// Throws SqlError 2201W or 2201X for a negative number, as the server does.
  LimitOperator(const Limit& step, const Shape& shape, const Binding& binding);

  void consume(Batch batch) override;
  void finish() override {}
  bool next(Batch& out) override;
  bool satisfied() const override { return left_ == 0 && (!ties_ || ties_over_); }

 private:
  SortKeys tie_keys_;
  RowBlock block_;
  std::uint64_t skip_ = 0;
  std::uint64_t left_ = std::numeric_limits<std::uint64_t>::max();
  bool ties_ = false;
  bool ties_over_ = false;
  std::string last_key_;  ///< of the last row within the limit
  Batch pending_;
};

}  // namespace anabranch::merge
