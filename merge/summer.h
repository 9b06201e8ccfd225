#pragma once

#include <cmath>
#include <cstdint>
#include <deque>

#include "merge/memory_budget.h"
#include "merge/row_block.h"
#include "values/datum.h"

/// How values are added up, by type of the result. A summer's State is part of a group's record,
/// empty when all zeros; what does not fit there is kept by the summer itself.
namespace anabranch::merge {

/// Integers, exactly: 96 bits, so that only the final result can overflow, whatever the order.
class IntegerSummer {
 public:
  struct State {
    std::uint64_t low;
    std::int32_t high;
    std::uint32_t any;
  };
  explicit IntegerSummer(MemoryBudget&) {}
  void add(State& state, const Field& field, const Column& column) const;
  /// Throws 22003, naming the type.
  values::Datum result(const State& state, values::Oid type) const;
};

/// float4 and float8: compensated (Neumaier 1974). Infinities, NaN and overflow as float8pl().
class FloatSummer {
 public:
  struct State {
    double sum;
    double lost;
    std::uint64_t any;
  };
  explicit FloatSummer(MemoryBudget&) {}
  void add(State& state, const Field& field, const Column& column) const;
  values::Datum result(const State& state, values::Oid type) const;
};

/// numeric, and integers summed as numeric. Up to 18 digits before the point and 16 after it stand
/// in the state as one scaled integer; sums of other values in a Decimal outside.
class NumericSummer {
 public:
  struct State {
    std::uint64_t low;  ///< of the sum times 10^16, 128 bits
    std::int64_t high;
    std::uint32_t large;  ///< one more than the index of the Decimal to be added; 0: none
    std::uint16_t scale;  ///< the largest display scale so far
    std::uint16_t any;
  };
  explicit NumericSummer(MemoryBudget& budget) : charge_(budget) {}
  void add(State& state, const Field& field, const Column& column);
  values::Datum result(const State& state, values::Oid type) const;
  values::Decimal total(const State& state) const;

 private:
  void add_large(State& state, const values::Decimal& value);

  Charge charge_;
  std::deque<values::Decimal> large_;
};

/// interval and money, by values::add().
class DatumSummer {
 public:
  struct State {
    std::uint64_t index;  ///< one more than that of the sum; 0: none
  };
  explicit DatumSummer(MemoryBudget& budget) : charge_(budget) {}
  void add(State& state, const Field& field, const Column& column);
  values::Datum result(const State& state, values::Oid type) const;

 private:
  Charge charge_;
  std::deque<values::Datum> sums_;
};

}  // namespace anabranch::merge
