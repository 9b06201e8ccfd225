#include "merge/hash_aggregate.h"

#include "merge/group_table.h"
#include "merge/read_number.h"

namespace anabranch::merge {

HashAggregateOperator::HashAggregateOperator(const HashAggregate& step, const Shape& shape,
                                             MemoryBudget& budget)
    : discriminator_column_(step.discriminator),
      block_(shape.size()),
      records_(RowBlock::kRows),
      chosen_records_(RowBlock::kRows) {
  if (step.discriminator >= 0)
    discriminator_ = shape.at(static_cast<std::size_t>(step.discriminator));
  const std::size_t state_size = make_parts(step, shape, budget);
  groups_ = make_group_table(step.groups, shape, state_size, budget);
  std::size_t offset = groups_->header_size();
  for (Part& part : parts_) {
    part.accumulator->place(offset);
    offset += part.accumulator->state_size();
  }
}

HashAggregateOperator::~HashAggregateOperator() = default;

/// Makes the accumulators and the shape of the output; says how large the states are together.
std::size_t HashAggregateOperator::make_parts(const HashAggregate& step, const Shape& shape,
                                              MemoryBudget& budget) {
  for (const HashAggregate::GroupColumn& group : step.groups)
    output_shape_.push_back(shape.at(static_cast<std::size_t>(group.carry)));
  std::size_t state_size = 0;
  for (const Aggregate& aggregate : step.aggregates) {
    Part part{.accumulator = nullptr, .inputs = {}, .grouping = aggregate.grouping};
    Shape inputs;
    for (const int input : aggregate.inputs) {
      part.inputs.push_back(static_cast<std::size_t>(input));
      inputs.push_back(shape.at(part.inputs.back()));
    }
    part.accumulator = make_accumulator(aggregate, inputs, budget);
    state_size += part.accumulator->state_size();
    output_shape_.push_back(part.accumulator->result());
    parts_.push_back(std::move(part));
  }
  return state_size;
}

void HashAggregateOperator::consume(Batch batch) {
  for_each_block(batch, block_, [this](std::size_t) {
    groups_->find(block_, records_.data());
    for (const Part& part : parts_)
      discriminator_column_ < 0 ? update(part) : update_grouping(part);
  });
}

void HashAggregateOperator::update(const Part& part) {
  AccumulatorRows rows{.count = block_.size(), .inputs = {}, .records = records_.data()};
  for (std::size_t i = 0; i < part.inputs.size(); ++i)
    rows.inputs[i] = block_.column(part.inputs[i]);
  part.accumulator->update(rows);
}

/// The rows of the aggregate's own grouping only, moved together.
void HashAggregateOperator::update_grouping(const Part& part) {
  const Field* const groupings = block_.column(static_cast<std::size_t>(discriminator_column_));
  chosen_fields_.resize(part.inputs.size() * RowBlock::kRows);
  AccumulatorRows rows{.count = 0, .inputs = {}, .records = chosen_records_.data()};
  for (std::size_t row = 0; row < block_.size(); ++row) {
    if (groupings[row].is_null() || read_integer(groupings[row], discriminator_) != part.grouping)
      continue;
    chosen_records_[rows.count] = records_[row];
    for (std::size_t i = 0; i < part.inputs.size(); ++i)
      chosen_fields_[i * RowBlock::kRows + rows.count] = block_.field(row, part.inputs[i]);
    ++rows.count;
  }
  for (std::size_t i = 0; i < part.inputs.size(); ++i)
    rows.inputs[i] = chosen_fields_.data() + i * RowBlock::kRows;
  part.accumulator->update(rows);
}

bool HashAggregateOperator::next(Batch& out) {
  if (!finished_) return false;
  while (!is_full(out)) {
    const std::byte* const record = groups_->next_record();
    if (record == nullptr) break;
    RowWriter row(out, static_cast<int>(output_shape_.size()));
    groups_->write_columns(record, row);
    for (const Part& part : parts_) part.accumulator->write(record, row);
    row.finish();
  }
  return !out.empty();
}

}  // namespace anabranch::merge
