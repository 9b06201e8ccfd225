#include "merge/accumulator.h"
#include "merge/datum_field.h"
#include "merge/key_set.h"
#include "merge/read_number.h"
#include "merge/sort_keys.h"
#include "merge/summer.h"
#include "values/arith.h"

namespace anabranch::merge {

namespace {

using values::Datum;
using values::Oid;
namespace oid = values::oid;

/// The mean as the server divides: numeric by its own scale rule, float8, interval by a float8.
Datum mean(const Datum& sum, std::int64_t count, Oid type) {
  if (count == 0 || sum.is_null()) return Datum::null(type);
  switch (type) {
    case oid::numeric:
      return values::divide(sum, Datum::numeric(values::Decimal::from_int(count)));
    case oid::float8:
      return Datum::float8(std::get<double>(sum.value) / static_cast<double>(count));
    default:
      return values::divide(sum, Datum::float8(static_cast<double>(count)));
  }
}

template <typename Summer>
class SumAccumulator final
    : public StateAccumulator<SumAccumulator<Summer>, typename Summer::State> {
 public:
  using State = typename Summer::State;
  SumAccumulator(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget)
      : StateAccumulator<SumAccumulator, State>(aggregate, inputs), summer_(budget) {}

  void add(State& state, const AccumulatorRows& rows, std::size_t row) {
    const Field& field = rows.inputs[0][row];
    if (!field.is_null()) summer_.add(state, field, this->inputs_[0]);
  }
  void write_state(const State& state, RowWriter& out) const {
    add_datum(out, summer_.result(state, this->type_.oid), values::Format::binary);
  }

 private:
  Summer summer_;
};

template <typename Summer>
struct MeanState {
  typename Summer::State sum;
  std::int64_t count;
};

template <typename Summer>
class AverageAccumulator final
    : public StateAccumulator<AverageAccumulator<Summer>, MeanState<Summer>> {
 public:
  using State = MeanState<Summer>;
  AverageAccumulator(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget)
      : StateAccumulator<AverageAccumulator, State>(aggregate, inputs), summer_(budget) {}

  void add(State& state, const AccumulatorRows& rows, std::size_t row) {
    const Field& sum = rows.inputs[0][row];
    const Field& count = rows.inputs[1][row];
    if (sum.is_null() || count.is_null()) return;
    summer_.add(state.sum, sum, this->inputs_[0]);
    state.count += read_integer(count, this->inputs_[1]);
  }
  void write_state(const State& state, RowWriter& out) const {
    const Oid type = this->type_.oid;
    add_datum(out, mean(summer_.result(state.sum, type), state.count, type),
              values::Format::binary);
  }

 private:
  Summer summer_;
};

/// Of each group and value the first only: one set for all groups, keyed by the group's record and
/// the value's canonical key.
class FirstOfGroup {
 public:
  FirstOfGroup(const Column& column, MemoryBudget& budget)
      : encoder_(equality_encoder(column)), seen_(budget) {}

  bool operator()(const std::byte* record, const Field& field) {
    if (field.is_null()) return false;
    key_.assign(reinterpret_cast<const char*>(&record), sizeof(record));
    encoder_.append(field.value(), key_);
    return seen_.insert(key_);
  }

 private:
  values::KeyEncoder encoder_;
  KeySet seen_;
  std::string key_;
};

struct DistinctCountState {
  std::int64_t count;
};

class DistinctCountAccumulator final
    : public StateAccumulator<DistinctCountAccumulator, DistinctCountState> {
 public:
  DistinctCountAccumulator(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget)
      : StateAccumulator(aggregate, inputs), is_first_(inputs[0], budget) {}

  void add(DistinctCountState& state, const AccumulatorRows& rows, std::size_t row) {
    if (is_first_(rows.records[row], rows.inputs[0][row])) ++state.count;
  }
  void write_state(const DistinctCountState& state, RowWriter& out) const {
    add_datum(out, Datum::int8(state.count), values::Format::binary);
  }

 private:
  FirstOfGroup is_first_;
};

struct DistinctXorState {
  std::int64_t bits;
  std::int64_t count;
};

class DistinctXorAccumulator final
    : public StateAccumulator<DistinctXorAccumulator, DistinctXorState> {
 public:
  DistinctXorAccumulator(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget)
      : StateAccumulator(aggregate, inputs), is_first_(inputs[0], budget) {}

  void add(DistinctXorState& state, const AccumulatorRows& rows, std::size_t row) {
    const Field& field = rows.inputs[0][row];
    if (!is_first_(rows.records[row], field)) return;
    state.bits ^= read_integer(field, inputs_[0]);
    ++state.count;
  }
  void write_state(const DistinctXorState& state, RowWriter& out) const {
    const Datum bits = state.count == 0 ? Datum::null(oid::int8) : Datum::int8(state.bits);
    add_datum(out, values::cast(bits, type_.oid), values::Format::binary);
  }

 private:
  FirstOfGroup is_first_;
};

template <typename Summer>
class DistinctSumAccumulator final
    : public StateAccumulator<DistinctSumAccumulator<Summer>, MeanState<Summer>> {
 public:
  using State = MeanState<Summer>;
  DistinctSumAccumulator(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget)
      : StateAccumulator<DistinctSumAccumulator, State>(aggregate, inputs),
        is_first_(inputs[0], budget),
        summer_(budget),
        is_mean_(aggregate.kind == AggregateKind::avg_distinct) {}

  void add(State& state, const AccumulatorRows& rows, std::size_t row) {
    const Field& field = rows.inputs[0][row];
    if (!is_first_(rows.records[row], field)) return;
    summer_.add(state.sum, field, this->inputs_[0]);
    ++state.count;
  }
  void write_state(const State& state, RowWriter& out) const {
    const Oid type = this->type_.oid;
    const Datum sum = summer_.result(state.sum, type);
    add_datum(out, is_mean_ ? mean(sum, state.count, type) : sum, values::Format::binary);
  }

 private:
  FirstOfGroup is_first_;
  Summer summer_;
  bool is_mean_;
};

/// Chooses the summer: by what is to come out, given what goes in.
template <template <typename> typename Kind>
std::unique_ptr<Accumulator> make_by_type(const Aggregate& aggregate, const Shape& inputs,
                                          MemoryBudget& budget) {
  const Oid in = inputs[0].type.oid;
  const Oid out = aggregate.type.oid;
  const bool exact = is_integer_type(in) || in == oid::numeric;
  if (is_integer_type(in) && is_integer_type(out))
    return std::make_unique<Kind<IntegerSummer>>(aggregate, inputs, budget);
  if (exact && out == oid::numeric)
    return std::make_unique<Kind<NumericSummer>>(aggregate, inputs, budget);
  if ((in == oid::float4 || in == oid::float8) && (out == oid::float4 || out == oid::float8))
    return std::make_unique<Kind<FloatSummer>>(aggregate, inputs, budget);
  if (in == out && (in == oid::interval || in == oid::money) &&
      inputs[0].format == values::Format::binary)
    return std::make_unique<Kind<DatumSummer>>(aggregate, inputs, budget);
  refuse_aggregate(inputs[0]);
}

/// The results that mean() knows.
void check_mean(const Aggregate& aggregate, const Shape& inputs) {
  const Oid out = aggregate.type.oid;
  if (out != oid::numeric && out != oid::float8 && out != oid::interval)
    refuse_aggregate(inputs[0]);
}

}  // namespace

std::unique_ptr<Accumulator> make_sum(const Aggregate& aggregate, const Shape& inputs,
                                      MemoryBudget& budget) {
  return make_by_type<SumAccumulator>(aggregate, inputs, budget);
}

std::unique_ptr<Accumulator> make_average(const Aggregate& aggregate, const Shape& inputs,
                                          MemoryBudget& budget) {
  check_mean(aggregate, inputs);
  if (!is_integer_type(inputs[1].type.oid)) refuse_aggregate(inputs[1]);
  return make_by_type<AverageAccumulator>(aggregate, inputs, budget);
}

std::unique_ptr<Accumulator> make_distinct(const Aggregate& aggregate, const Shape& inputs,
                                           MemoryBudget& budget) {
  if (aggregate.kind == AggregateKind::count_distinct)
    return std::make_unique<DistinctCountAccumulator>(aggregate, inputs, budget);
  if (aggregate.kind == AggregateKind::bit_xor_distinct) {
    if (!is_integer_type(inputs[0].type.oid) || aggregate.type.oid != inputs[0].type.oid)
      refuse_aggregate(inputs[0]);
    return std::make_unique<DistinctXorAccumulator>(aggregate, inputs, budget);
  }
  if (aggregate.kind == AggregateKind::avg_distinct) check_mean(aggregate, inputs);
  return make_by_type<DistinctSumAccumulator>(aggregate, inputs, budget);
}

}  // namespace anabranch::merge
