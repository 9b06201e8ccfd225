#include <cstring>

#include "merge/accumulator.h"
#include "merge/datum_field.h"
#include "merge/read_number.h"
#include "merge/sort_keys.h"
#include "merge/spilling_set.h"
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

/// An aggregate over the distinct values of each group: one set for all groups, keyed by the group's
/// record and the value's canonical key. Derived has
///   void take(State&, const Field& first);
template <typename Derived, typename State>
class DistinctAccumulator : public StateAccumulator<Derived, State> {
 public:
  DistinctAccumulator(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget, Spill* spill)
      : StateAccumulator<Derived, State>(aggregate, inputs),
        encoder_(equality_encoder(inputs[0])),
        seen_(budget, spill),
        put_off_(kPutOffFields) {}

  void add(State&, const AccumulatorRows& rows, std::size_t row) {
    if (!rows.inputs[0][row].is_null()) look_at(rows.records[row], rows.inputs[0][row]);
  }

  /// Records do not move: what was put off is a record's address and a value.
  bool settle() final {
    Batch rows;
    if (!seen_.take_put_off(rows)) return false;
    for_each_block(rows, put_off_, [this](std::size_t) {
      for (std::size_t i = 0; i < put_off_.size(); ++i) {
        std::byte* record = nullptr;
        std::memcpy(&record, put_off_.field(i, 0).data, sizeof(record));
        look_at(record, put_off_.field(i, 1));
      }
    });
    return true;
  }

 private:
  static constexpr std::size_t kPutOffFields = 2;

  void look_at(std::byte* record, const Field& field) {
    const std::string_view address(reinterpret_cast<const char*>(&record), sizeof(record));
    key_.assign(address);
    encoder_.append(field.value(), key_);
    const auto verdict = seen_.insert(key_, [&] {
      message_.clear();
      RowWriter row(message_, kPutOffFields);
      row.add(address);
      row.add(field.value());
      row.finish();
      return message_.message(0);
    });
    if (verdict == SpillingSet::Verdict::first)
      static_cast<Derived*>(this)->take(*reinterpret_cast<State*>(record + this->offset_), field);
  }

  values::KeyEncoder encoder_;
  SpillingSet seen_;
  RowBlock put_off_;
  Batch message_;
  std::string key_;
};

struct DistinctCountState {
  std::int64_t count;
};

class DistinctCountAccumulator final
    : public DistinctAccumulator<DistinctCountAccumulator, DistinctCountState> {
 public:
  using DistinctAccumulator::DistinctAccumulator;

  void take(DistinctCountState& state, const Field&) { ++state.count; }
  void write_state(const DistinctCountState& state, RowWriter& out) const {
    add_datum(out, Datum::int8(state.count), values::Format::binary);
  }
};

struct DistinctXorState {
  std::int64_t bits;
  std::int64_t count;
};

class DistinctXorAccumulator final
    : public DistinctAccumulator<DistinctXorAccumulator, DistinctXorState> {
 public:
  using DistinctAccumulator::DistinctAccumulator;

  void take(DistinctXorState& state, const Field& field) {
    state.bits ^= read_integer(field, inputs_[0]);
    ++state.count;
  }
  void write_state(const DistinctXorState& state, RowWriter& out) const {
    const Datum bits = state.count == 0 ? Datum::null(oid::int8) : Datum::int8(state.bits);
    add_datum(out, values::cast(bits, type_.oid), values::Format::binary);
  }
};

template <typename Summer>
class DistinctSumAccumulator final
    : public DistinctAccumulator<DistinctSumAccumulator<Summer>, MeanState<Summer>> {
 public:
  using State = MeanState<Summer>;
  DistinctSumAccumulator(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget, Spill* spill)
      : DistinctAccumulator<DistinctSumAccumulator, State>(aggregate, inputs, budget, spill),
        summer_(budget),
        is_mean_(aggregate.kind == AggregateKind::avg_distinct) {}

  void take(State& state, const Field& field) {
    summer_.add(state.sum, field, this->inputs_[0]);
    ++state.count;
  }
  void write_state(const State& state, RowWriter& out) const {
    const Oid type = this->type_.oid;
    const Datum sum = summer_.result(state.sum, type);
    add_datum(out, is_mean_ ? mean(sum, state.count, type) : sum, values::Format::binary);
  }

 private:
  Summer summer_;
  bool is_mean_;
};

/// Chooses the summer: by what is to come out, given what goes in.
template <template <typename> typename Kind, typename... Places>
std::unique_ptr<Accumulator> make_by_type(const Aggregate& aggregate, const Shape& inputs,
                                          Places&&... places) {
  const Oid in = inputs[0].type.oid;
  const Oid out = aggregate.type.oid;
  const bool exact = is_integer_type(in) || in == oid::numeric;
  if (is_integer_type(in) && is_integer_type(out))
    return std::make_unique<Kind<IntegerSummer>>(aggregate, inputs, places...);
  if (exact && out == oid::numeric)
    return std::make_unique<Kind<NumericSummer>>(aggregate, inputs, places...);
  if ((in == oid::float4 || in == oid::float8) && (out == oid::float4 || out == oid::float8))
    return std::make_unique<Kind<FloatSummer>>(aggregate, inputs, places...);
  if (in == out && (in == oid::interval || in == oid::money) &&
      inputs[0].format == values::Format::binary)
    return std::make_unique<Kind<DatumSummer>>(aggregate, inputs, places...);
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
                                           MemoryBudget& budget, Spill* spill) {
  if (aggregate.kind == AggregateKind::count_distinct)
    return std::make_unique<DistinctCountAccumulator>(aggregate, inputs, budget, spill);
  if (aggregate.kind == AggregateKind::bit_xor_distinct) {
    if (!is_integer_type(inputs[0].type.oid) || aggregate.type.oid != inputs[0].type.oid)
      refuse_aggregate(inputs[0]);
    return std::make_unique<DistinctXorAccumulator>(aggregate, inputs, budget, spill);
  }
  if (aggregate.kind == AggregateKind::avg_distinct) check_mean(aggregate, inputs);
  return make_by_type<DistinctSumAccumulator>(aggregate, inputs, budget, spill);
}

}  // namespace anabranch::merge
