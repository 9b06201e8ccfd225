#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "merge/memory_budget.h"
#include "merge/recipe.h"
#include "merge/row_block.h"
#include "merge/spill.h"
#include "values/datum.h"

namespace anabranch::merge {

/// What an accumulator is given: rows, the columns of its inputs, and where each row's state is.
struct AccumulatorRows {
  std::size_t count = 0;
  std::array<const Field*, 6> inputs{};  ///< one array of `count` fields an input
  std::byte* const* records = nullptr;   ///< the group of each row
};

/// One aggregate over all groups. The state of a group stands inside the group's record, `offset`
/// bytes from its start; all zeros are the empty state. Loops run over rows, not over calls.
class Accumulator {
 public:
  virtual ~Accumulator() = default;
  Accumulator() = default;
  Accumulator(const Accumulator&) = delete;
  Accumulator& operator=(const Accumulator&) = delete;

  virtual std::size_t state_size() const = 0;
  void place(std::size_t offset) { offset_ = offset; }

  virtual void update(const AccumulatorRows& rows) = 0;
  /// After the last update: does a part of what memory made it put off; false: nothing is left.
  virtual bool settle() { return false; }
  /// Adds one field: the aggregate's value for the group.
  virtual void write(const std::byte* record, RowWriter& out) const = 0;
  /// What write() adds.
  virtual Column result() const = 0;

 protected:
  std::size_t offset_ = 0;
};

/// Throws SqlError 0A000 for inputs of types that we do not aggregate, `internal` for a recipe that
/// makes no sense. `inputs` are the aggregate's own columns. `spill`: null, or where values go that memory does not hold.
std::unique_ptr<Accumulator> make_accumulator(const Aggregate& aggregate, const Shape& inputs,
                                              MemoryBudget& budget, Spill* spill);

/// The loop and the casts, once. Derived has
///   void add(State&, const AccumulatorRows&, std::size_t row);
///   void write_state(const State&, RowWriter&) const;
template <typename Derived, typename State>
class StateAccumulator : public Accumulator {
 public:
  static_assert(alignof(State) <= 8 && std::is_trivially_copyable_v<State>);
  StateAccumulator(const Aggregate& aggregate, Shape inputs)
      : type_(aggregate.type), inputs_(std::move(inputs)) {}

  std::size_t state_size() const final { return (sizeof(State) + 7) & ~std::size_t{7}; }

  void update(const AccumulatorRows& rows) final {
    const std::size_t offset = offset_;
    for (std::size_t i = 0; i < rows.count; ++i)
      static_cast<Derived*>(this)->add(*reinterpret_cast<State*>(rows.records[i] + offset), rows,
                                       i);
  }

  void write(const std::byte* record, RowWriter& out) const final {
    static_cast<const Derived*>(this)->write_state(
        *reinterpret_cast<const State*>(record + offset_), out);
  }

  Column result() const override { return {type_, values::Format::binary}; }

 protected:
  values::ColumnType type_;
  Shape inputs_;
};

/// The accumulators by family, for make_accumulator().
std::unique_ptr<Accumulator> make_count(const Aggregate&, const Shape&);
std::unique_ptr<Accumulator> make_sum(const Aggregate&, const Shape&, MemoryBudget&);
std::unique_ptr<Accumulator> make_average(const Aggregate&, const Shape&, MemoryBudget&);
std::unique_ptr<Accumulator> make_distinct(const Aggregate&, const Shape&, MemoryBudget&, Spill*);
std::unique_ptr<Accumulator> make_extreme(const Aggregate&, const Shape&, MemoryBudget&);
std::unique_ptr<Accumulator> make_any(const Aggregate&, const Shape&, MemoryBudget&);
std::unique_ptr<Accumulator> make_logic(const Aggregate&, const Shape&, MemoryBudget&);
std::unique_ptr<Accumulator> make_variance(const Aggregate&, const Shape&, MemoryBudget&);
std::unique_ptr<Accumulator> make_regression(const Aggregate&, const Shape&);

/// An aggregate over values of a type we cannot calculate with.
[[noreturn]] void refuse_aggregate(const Column& column);

}  // namespace anabranch::merge
