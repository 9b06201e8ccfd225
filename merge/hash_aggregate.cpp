#include "merge/hash_aggregate.h"

#include <algorithm>

#include "merge/group_table.h"
#include "merge/read_number.h"

namespace anabranch::merge {

HashAggregateOperator::HashAggregateOperator(const HashAggregate& step, const Shape& shape, MemoryBudget& budget,
                                             Spill* spill)
    : step_(&step),
      shape_(shape),
      budget_(&budget),
      spill_(spill),
      passes_(spill, budget),
      block_(shape.size()),
      records_(RowBlock::kRows),
      hashes_(RowBlock::kRows),
      chosen_records_(RowBlock::kRows) {
  if (step.discriminator >= 0)
    discriminator_ = shape.at(static_cast<std::size_t>(step.discriminator));
  begin_pass();
  for (const HashAggregate::GroupColumn& group : step.groups)
    output_shape_.push_back(shape.at(static_cast<std::size_t>(group.carry)));
  for (const Part& part : parts_) output_shape_.push_back(part.accumulator->result());
}

HashAggregateOperator::~HashAggregateOperator() = default;

/// Makes the accumulators and the table of their states, all empty.
void HashAggregateOperator::begin_pass() {
  parts_.clear();
  groups_.reset();
  is_full_ = false;
  std::size_t state_size = 0;
  for (const Aggregate& aggregate : step_->aggregates) {
    Part part{.accumulator = nullptr, .inputs = {}, .grouping = aggregate.grouping};
    Shape inputs;
    for (const int input : aggregate.inputs) {
      part.inputs.push_back(static_cast<std::size_t>(input));
      inputs.push_back(shape_.at(part.inputs.back()));
    }
    part.accumulator = make_accumulator(aggregate, inputs, *budget_, spill_);
    state_size += part.accumulator->state_size();
    parts_.push_back(std::move(part));
  }
  groups_ = make_group_table(step_->groups, shape_, state_size, *budget_);
  std::size_t offset = groups_->header_size();
  for (const Part& part : parts_) {
    part.accumulator->place(offset);
    offset += part.accumulator->state_size();
  }
}

void HashAggregateOperator::take(const Batch& batch) {
  const std::size_t row_bytes = batch.byte_size() / std::max<std::size_t>(batch.size(), 1) + 1;
  const auto take_block = [&](std::size_t first) {
    if (!is_full_ && passes_.may_put_off() &&
        passes_.is_tight(groups_->growth(block_.size(), block_.size() * row_bytes))) {
      is_full_ = true;
      passes_.begin_putting_off();
    }
    if (is_full_) {
      take_known(batch, first);
      return;
    }
    passes_.took(block_.size() * row_bytes);
    groups_->find(block_, records_.data());
    for (const Part& part : parts_) step_->discriminator < 0 ? update(part) : update_chosen(part);
  };
  // Wide rows by fewer: a block must not be what memory cannot hold.
  for_each_block(batch, block_, take_block, std::clamp<std::size_t>(passes_.least_taken() / row_bytes, 1, RowBlock::kRows));
}

/// Rows of groups that are there; all others are put off.
void HashAggregateOperator::take_known(const Batch& batch, std::size_t first) {
  groups_->find_known(block_, records_.data(), hashes_.data());
  for (std::size_t row = 0; row < block_.size(); ++row)
    if (records_[row] == nullptr) passes_.put_off(hashes_[row], batch.message(first + row));
  for (const Part& part : parts_) update_chosen(part);
}

void HashAggregateOperator::update(const Part& part) {
  AccumulatorRows rows{.count = block_.size(), .inputs = {}, .records = records_.data()};
  for (std::size_t i = 0; i < part.inputs.size(); ++i)
    rows.inputs[i] = block_.column(part.inputs[i]);
  part.accumulator->update(rows);
}

bool HashAggregateOperator::is_of(std::size_t row, int grouping) const {
  if (step_->discriminator < 0) return true;
  const Field& field = block_.field(row, static_cast<std::size_t>(step_->discriminator));
  return !field.is_null() && read_integer(field, discriminator_) == grouping;
}

/// The rows that have a record, and are of the aggregate's own grouping, moved together.
void HashAggregateOperator::update_chosen(const Part& part) {
  chosen_fields_.resize(part.inputs.size() * RowBlock::kRows);
  AccumulatorRows rows{.count = 0, .inputs = {}, .records = chosen_records_.data()};
  for (std::size_t row = 0; row < block_.size(); ++row) {
    if (records_[row] == nullptr || !is_of(row, part.grouping)) continue;
    chosen_records_[rows.count] = records_[row];
    for (std::size_t i = 0; i < part.inputs.size(); ++i)
      chosen_fields_[i * RowBlock::kRows + rows.count] = block_.field(row, part.inputs[i]);
    ++rows.count;
  }
  for (std::size_t i = 0; i < part.inputs.size(); ++i)
    rows.inputs[i] = chosen_fields_.data() + i * RowBlock::kRows;
  part.accumulator->update(rows);
}

bool HashAggregateOperator::settle() {
  for (const Part& part : parts_)
    if (part.accumulator->settle()) return true;
  return false;
}

void HashAggregateOperator::emit(Batch& out) {
  while (!is_full(out)) {
    const std::byte* const record = groups_->next_record();
    if (record == nullptr) return;
    RowWriter row(out, static_cast<int>(output_shape_.size()));
    groups_->write_columns(record, row);
    for (const Part& part : parts_) part.accumulator->write(record, row);
    row.finish();
  }
}

/// Bounded work a call: what takes longer says true with nothing.
bool HashAggregateOperator::next(Batch& out) {
  for (;;) {
    switch (phase_) {
      case Phase::gathering:
      case Phase::done:
        return false;
      case Phase::rereading: {
        Batch rows;
        if (passes_.read(rows)) {
          take(rows);
          return true;
        }
        phase_ = Phase::settling;
        break;
      }
      case Phase::settling:
        if (settle()) return true;
        phase_ = Phase::emitting;
        break;
      case Phase::emitting:
        emit(out);
        if (!out.empty()) return true;
        if (!passes_.begin_next()) {
          phase_ = Phase::done;
          parts_.clear();
          groups_.reset();
          return false;
        }
        begin_pass();
        phase_ = Phase::rereading;
        break;
    }
  }
}

}  // namespace anabranch::merge
