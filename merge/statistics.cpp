#include "merge/accumulator.h"
#include "merge/datum_field.h"
#include "merge/moments.h"
#include "merge/read_number.h"
#include "merge/summer.h"

namespace anabranch::merge {

namespace {

using values::Datum;
namespace oid = values::oid;

void add_float8(RowWriter& out, std::optional<double> value) {
  add_datum(out, value ? Datum::float8(*value) : Datum::null(oid::float8), values::Format::binary);
}

/// Variances of floats: [n, Σx, Sxx].
class FloatVariance final : public StateAccumulator<FloatVariance, Moments> {
 public:
  FloatVariance(const Aggregate& aggregate, const Shape& inputs)
      : StateAccumulator(aggregate, inputs), kind_(aggregate.kind) {}

  void add(Moments& state, const AccumulatorRows& rows, std::size_t row) const {
    for (std::size_t i = 0; i < 3; ++i)
      if (rows.inputs[i][row].is_null()) return;
    const auto number = [&](std::size_t i) { return read_float8(rows.inputs[i][row], inputs_[i]); };
    combine_moments(
        state,
        {.count = number(0), .sum_x = number(1), .sum_y = 0, .sxx = number(2), .syy = 0, .sxy = 0},
        false);
  }
  void write_state(const Moments& state, RowWriter& out) const {
    add_float8(out, statistic(kind_, state));
  }

 private:
  AggregateKind kind_;
};

/// covar_*, corr and regr_*: [n, Σx, Σy, Sxx, Syy, Sxy].
class Regression final : public StateAccumulator<Regression, Moments> {
 public:
  Regression(const Aggregate& aggregate, const Shape& inputs)
      : StateAccumulator(aggregate, inputs), kind_(aggregate.kind) {}

  void add(Moments& state, const AccumulatorRows& rows, std::size_t row) const {
    for (std::size_t i = 0; i < 6; ++i)
      if (rows.inputs[i][row].is_null()) return;
    const auto number = [&](std::size_t i) { return read_float8(rows.inputs[i][row], inputs_[i]); };
    combine_moments(state,
                    {.count = number(0),
                     .sum_x = number(1),
                     .sum_y = number(2),
                     .sxx = number(3),
                     .syy = number(4),
                     .sxy = number(5)},
                    true);
  }
  void write_state(const Moments& state, RowWriter& out) const {
    if (kind_ == AggregateKind::regr_count)
      add_datum(out, Datum::int8(static_cast<std::int64_t>(state.count)), values::Format::binary);
    else
      add_float8(out, statistic(kind_, state));
  }

 private:
  AggregateKind kind_;
};

struct ExactState {
  NumericSummer::State sum;
  NumericSummer::State squares;
  std::int64_t count;
};

/// Variances of numeric and integers: [n, Σx, Σx²], exactly.
class NumericVariance final : public StateAccumulator<NumericVariance, ExactState> {
 public:
  NumericVariance(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget)
      : StateAccumulator(aggregate, inputs), kind_(aggregate.kind), summer_(budget) {}

  void add(ExactState& state, const AccumulatorRows& rows, std::size_t row) {
    for (std::size_t i = 0; i < 3; ++i)
      if (rows.inputs[i][row].is_null()) return;
    state.count += read_integer(rows.inputs[0][row], inputs_[0]);
    summer_.add(state.sum, rows.inputs[1][row], inputs_[1]);
    summer_.add(state.squares, rows.inputs[2][row], inputs_[2]);
  }
  void write_state(const ExactState& state, RowWriter& out) const {
    const auto result =
        statistic(kind_, state.count, summer_.total(state.sum), summer_.total(state.squares));
    add_datum(out, result ? Datum::numeric(*result) : Datum::null(oid::numeric),
              values::Format::binary);
  }

 private:
  AggregateKind kind_;
  NumericSummer summer_;
};

bool is_float(const Column& column) {
  return column.type.oid == oid::float8 || column.type.oid == oid::float4;
}
bool is_exact(const Column& column) {
  return is_integer_type(column.type.oid) || column.type.oid == oid::numeric;
}

}  // namespace

std::unique_ptr<Accumulator> make_variance(const Aggregate& aggregate, const Shape& inputs,
                                           MemoryBudget& budget) {
  if (is_float(inputs[1]) && is_float(inputs[2]) && (is_float(inputs[0]) || is_exact(inputs[0])))
    return std::make_unique<FloatVariance>(aggregate, inputs);
  if (is_exact(inputs[1]) && is_exact(inputs[2]) && is_integer_type(inputs[0].type.oid))
    return std::make_unique<NumericVariance>(aggregate, inputs, budget);
  refuse_aggregate(inputs[1]);
}

std::unique_ptr<Accumulator> make_regression(const Aggregate& aggregate, const Shape& inputs) {
  for (const Column& column : inputs)
    if (!is_float(column) && !is_exact(column)) refuse_aggregate(column);
  return std::make_unique<Regression>(aggregate, inputs);
}

}  // namespace anabranch::merge
