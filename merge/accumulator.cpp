#include "merge/accumulator.h"

#include "values/errors.h"

namespace anabranch::merge {

namespace {

std::size_t most_inputs(AggregateKind kind) {
  using enum AggregateKind;
  switch (kind) {
    case avg:
    case min:
    case max:
      return 2;
    case var_pop:
    case var_samp:
    case stddev_pop:
    case stddev_samp:
      return 3;
    case covar_pop:
    case covar_samp:
    case corr:
    case regr_avgx:
    case regr_avgy:
    case regr_count:
    case regr_intercept:
    case regr_r2:
    case regr_slope:
    case regr_sxx:
    case regr_sxy:
    case regr_syy:
      return 6;
    default:
      return 1;
  }
}

void check_inputs(const Aggregate& aggregate, const Shape& inputs) {
  const std::size_t most = most_inputs(aggregate.kind);
  const bool extreme = aggregate.kind == AggregateKind::min || aggregate.kind == AggregateKind::max;
  if (inputs.size() == most || (extreme && inputs.size() == 1)) return;
  throw values::make_error(values::ErrorId::internal,
                           "an aggregate in the recipe with the wrong number of inputs");
}

}  // namespace

void refuse_aggregate(const Column& column) {
  throw values::make_error(values::ErrorId::unsupported_clause,
                           "this aggregate over values of type " + values::type_name(column.type),
                           "its partial results cannot be put together",
                           "Cast the argument to a number type, or aggregate on one shard.");
}

std::unique_ptr<Accumulator> make_accumulator(const Aggregate& aggregate, const Shape& inputs,
                                              MemoryBudget& budget, Spill* spill) {
  check_inputs(aggregate, inputs);
  using enum AggregateKind;
  switch (aggregate.kind) {
    case count:
      return make_count(aggregate, inputs);
    case sum:
      return make_sum(aggregate, inputs, budget);
    case min:
    case max:
      return make_extreme(aggregate, inputs, budget);
    case bool_and:
    case bool_or:
    case bit_and:
    case bit_or:
    case bit_xor:
      return make_logic(aggregate, inputs, budget);
    case avg:
      return make_average(aggregate, inputs, budget);
    case var_pop:
    case var_samp:
    case stddev_pop:
    case stddev_samp:
      return make_variance(aggregate, inputs, budget);
    case count_distinct:
    case sum_distinct:
    case avg_distinct:
    case bit_xor_distinct:
      return make_distinct(aggregate, inputs, budget, spill);
    case any:
      return make_any(aggregate, inputs, budget);
    default:
      return make_regression(aggregate, inputs);
  }
}

}  // namespace anabranch::merge
