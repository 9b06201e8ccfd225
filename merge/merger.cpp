#include "merge/merger.h"

#include "merge/compute.h"
#include "merge/concat_source.h"
#include "merge/distinct.h"
#include "merge/filter.h"
#include "merge/hash_aggregate.h"
#include "merge/limit.h"
#include "merge/ordered_merge_source.h"
#include "merge/project.h"
#include "merge/sort.h"
#include "values/errors.h"

namespace anabranch::merge {

namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

/// What the partials send: formats were requested by the same rule. Of what a shard makes of merged rows clients may be
/// shown more columns than come out here: an input for one of those has its own format.
Shape input_shape(const Recipe& recipe, const Binding& binding) {
  Shape shape;
  for (const InputColumn& input : recipe.inputs) {
    const auto output = static_cast<std::size_t>(input.output);
    const bool of_output = input.output >= 0 && output < binding.output_formats.size();
    shape.push_back({input.type, of_output ? binding.output_formats[output] : input.format});
  }
  return shape;
}

std::unique_ptr<Source> make_source(const Recipe& recipe, const Shape& shape, std::size_t sources,
                                    MemoryBudget& budget) {
  if (const auto* merge = std::get_if<OrderedMerge>(&recipe.source))
    return std::make_unique<OrderedMergeSource>(merge->keys, shape, sources, budget);
  return std::make_unique<ConcatSource>(sources, budget);
}

/// The operator of a step; `shape` becomes that of what comes out of it.
std::unique_ptr<Operator> make_operator(const Step& step, Shape& shape, const Binding& binding,
                                        const std::vector<SortKey>& order, MemoryBudget& budget, Spill* spill) {
  return std::visit(
      Overloaded{[&](const HashAggregate& aggregate) -> std::unique_ptr<Operator> {
                   auto made = std::make_unique<HashAggregateOperator>(aggregate, shape, budget, spill);
                   shape = made->output_shape();
                   return made;
                 },
                 [&](const Filter& filter) -> std::unique_ptr<Operator> {
                   return std::make_unique<FilterOperator>(filter, shape, binding);
                 },
                 [&](const Compute& compute) -> std::unique_ptr<Operator> {
                   auto made = std::make_unique<ComputeOperator>(compute, shape, binding);
                   shape = ComputeOperator::output_shape(compute, std::move(shape));
                   return made;
                 },
                 [&](const Sort& sort) -> std::unique_ptr<Operator> {
                   return std::make_unique<SortOperator>(sort, shape, binding, budget, spill);
                 },
                 [&](const Distinct& distinct) -> std::unique_ptr<Operator> {
                   return std::make_unique<DistinctOperator>(distinct, order, shape, budget, spill);
                 },
                 [&](const Limit& limit) -> std::unique_ptr<Operator> {
                   return std::make_unique<LimitOperator>(limit, shape, binding);
                 }},
      step);
}

}  // namespace

class Merger::Impl {
 public:
  Impl(const Recipe& recipe, Binding binding, std::size_t sources, MemoryBudget& budget, Spill* spill)
      : binding_(std::move(binding)) {
    if (binding_.output_formats.size() != recipe.outputs.size())
      throw values::make_error(values::ErrorId::internal,
                               "a binding with the wrong number of result formats");
    Shape shape = input_shape(recipe, binding_);
    source_ = make_source(recipe, shape, sources, budget);
    std::vector<SortKey> order;  // of the rows that enter a step
    if (const auto* merged = std::get_if<OrderedMerge>(&recipe.source)) order = merged->keys;
    for (const Step& step : recipe.steps) {
      stages_.push_back({make_operator(step, shape, binding_, order, budget, spill)});
      if (std::holds_alternative<HashAggregate>(step)) order.clear();
      if (const auto* sort = std::get_if<Sort>(&step)) order = sort->keys;
    }
    stages_.push_back({std::make_unique<ProjectOperator>(recipe, shape, binding_)});
  }

  void consume(std::size_t source, Batch batch) { source_->consume(source, std::move(batch)); }
  void finish(std::size_t source) { source_->finish(source); }

  Status next(Batch& out) {
    out.clear();
    return pull(stages_.size(), out);
  }

 private:
  struct Stage {
    std::unique_ptr<Operator> work;
    bool finished = false;
  };

  /// What comes out of the first `count` stages: asks the last of them, and feeds it from those
  /// before it until it has something to give.
  Status pull(std::size_t count, Batch& out) {
    if (count == 0) return source_->next(out);
    Stage& stage = stages_[count - 1];
    for (;;) {
      if (stage.work->next(out)) return {.kind = Status::Kind::rows};
      if (stage.finished || stage.work->satisfied()) return {.kind = Status::Kind::end};
      Batch rows;
      const Status status = pull(count - 1, rows);
      switch (status.kind) {
        case Status::Kind::need:
          return status;
        case Status::Kind::rows:
          if (rows.empty()) return status;
          stage.work->consume(std::move(rows));
          break;
        case Status::Kind::end:
          stage.work->finish();
          stage.finished = true;
          break;
      }
    }
  }

  Binding binding_;
  std::unique_ptr<Source> source_;
  std::vector<Stage> stages_;
};

Merger::Merger(const Recipe& recipe, Binding binding, std::size_t sources, MemoryBudget& budget, Spill* spill)
    : impl_(std::make_unique<Impl>(recipe, std::move(binding), sources, budget, spill)) {}
Merger::~Merger() = default;
Merger::Merger(Merger&&) noexcept = default;

void Merger::consume(std::size_t source, Batch batch) {
  impl_->consume(source, std::move(batch));
}
void Merger::finish(std::size_t source) {
  impl_->finish(source);
}
Merger::Status Merger::next(Batch& out) {
  return impl_->next(out);
}

}  // namespace anabranch::merge
