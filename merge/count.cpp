#include "merge/accumulator.h"
#include "merge/read_number.h"

namespace anabranch::merge {

namespace {

struct CountState {
  std::int64_t count;
};

/// Adds up partial counts; 0 when there are none.
class CountAccumulator final : public StateAccumulator<CountAccumulator, CountState> {
 public:
  using StateAccumulator::StateAccumulator;

  void add(CountState& state, const AccumulatorRows& rows, std::size_t row) const {
    const Field& field = rows.inputs[0][row];
    if (field.is_null()) return;
    if (__builtin_add_overflow(state.count, read_integer(field, inputs_[0]), &state.count))
      throw values::make_error(values::ErrorId::numeric_value_out_of_range, "bigint");
  }

  void write_state(const CountState& state, RowWriter& out) const {
    values::append_be(out.begin_field(), state.count);
    out.end_field();
  }
};

}  // namespace

std::unique_ptr<Accumulator> make_count(const Aggregate& aggregate, const Shape& inputs) {
  if (!is_integer_type(inputs[0].type.oid)) refuse_aggregate(inputs[0]);
  return std::make_unique<CountAccumulator>(aggregate, inputs);
}

}  // namespace anabranch::merge
