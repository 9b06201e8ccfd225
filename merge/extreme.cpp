#include <bit>
#include <cstring>

#include "merge/accumulator.h"
#include "merge/arena.h"
#include "merge/datum_field.h"
#include "merge/read_number.h"
#include "merge/sort_keys.h"

namespace anabranch::merge {

namespace {

/// A value that is kept as it came: in the arena, in a piece that is replaced when it gets too
/// small.
struct KeptValue {
  std::byte* piece;
  std::uint32_t capacity;
  std::uint32_t key_length;
  std::int32_t length;  ///< -1: NULL
  std::uint32_t any;
};

std::string_view key_of(const KeptValue& state) {
  return {reinterpret_cast<const char*>(state.piece), state.key_length};
}

void keep(KeptValue& state, std::string_view key, const Field& field, Arena& arena) {
  const std::size_t length = field.is_null() ? 0 : field.bytes().size();
  const std::size_t needed = key.size() + length;
  if (needed > state.capacity) {
    const std::size_t capacity = std::bit_ceil(needed);
    state.piece = arena.allocate(capacity);
    state.capacity = static_cast<std::uint32_t>(capacity);
  }
  if (!key.empty()) std::memcpy(state.piece, key.data(), key.size());
  if (length > 0) std::memcpy(state.piece + key.size(), field.data, length);
  state.key_length = static_cast<std::uint32_t>(key.size());
  state.length = field.length;
  state.any = 1;
}

void write_kept(const KeptValue& state, RowWriter& out) {
  if (state.any == 0 || state.length < 0) {
    out.add(std::nullopt);
    return;
  }
  out.add(std::string_view(reinterpret_cast<const char*>(state.piece) + state.key_length,
                           static_cast<std::size_t>(state.length)));
}

values::KeyEncoder ordering_encoder(const Aggregate& aggregate, const Column& column) {
  auto encoder = values::KeyEncoder::make(
      {.type = column.type, .format = column.format, .collation = aggregate.collation});
  if (!encoder)
    throw values::make_error(
        values::ErrorId::ordering_unprovable,
        (aggregate.kind == AggregateKind::min ? "min of type " : "max of type ") +
            values::type_name(column.type),
        encoder.error());
  return std::move(*encoder);
}

/// min and max by canonical key, which has the order of the type and collation.
class KeyedExtreme final : public StateAccumulator<KeyedExtreme, KeptValue> {
 public:
  KeyedExtreme(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget)
      : StateAccumulator(aggregate, inputs),
        encoder_(ordering_encoder(aggregate, inputs[0])),
        arena_(budget),
        carry_(inputs.size() - 1),
        is_max_(aggregate.kind == AggregateKind::max) {}

  void add(KeptValue& state, const AccumulatorRows& rows, std::size_t row) {
    const Field& field = rows.inputs[0][row];
    if (field.is_null()) return;
    key_.clear();
    encoder_.append(field.value(), key_);
    if (state.any != 0) {
      const int order = std::string_view(key_).compare(key_of(state));
      if (is_max_ ? order <= 0 : order >= 0) return;
    }
    keep(state, key_, rows.inputs[carry_][row], arena_);
  }
  void write_state(const KeptValue& state, RowWriter& out) const { write_kept(state, out); }
  Column result() const override { return {type_, inputs_[carry_].format}; }

 private:
  values::KeyEncoder encoder_;
  Arena arena_;
  std::size_t carry_;
  bool is_max_;
  std::string key_;
};

struct IntegerExtremeState {
  std::int64_t value;
  std::uint64_t any;
};

/// min and max of what travels as a signed integer.
class IntegerExtreme final : public StateAccumulator<IntegerExtreme, IntegerExtremeState> {
 public:
  IntegerExtreme(const Aggregate& aggregate, const Shape& inputs)
      : StateAccumulator(aggregate, inputs), is_max_(aggregate.kind == AggregateKind::max) {}

  void add(IntegerExtremeState& state, const AccumulatorRows& rows, std::size_t row) const {
    const Field& field = rows.inputs[0][row];
    if (field.is_null()) return;
    const std::int64_t value = read_integer(field, inputs_[0]);
    if (state.any != 0 && (is_max_ ? value <= state.value : value >= state.value)) return;
    state = {value, 1};
  }
  void write_state(const IntegerExtremeState& state, RowWriter& out) const {
    const values::Oid type = inputs_[0].type.oid;
    add_datum(out, state.any == 0 ? values::Datum::null(type) : values::Datum{type, state.value},
              inputs_[0].format);
  }
  Column result() const override { return {type_, inputs_[0].format}; }

 private:
  bool is_max_;
};

/// The value of any row: the first one's.
class AnyAccumulator final : public StateAccumulator<AnyAccumulator, KeptValue> {
 public:
  AnyAccumulator(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget)
      : StateAccumulator(aggregate, inputs), arena_(budget) {}

  void add(KeptValue& state, const AccumulatorRows& rows, std::size_t row) {
    if (state.any == 0) keep(state, {}, rows.inputs[0][row], arena_);
  }
  void write_state(const KeptValue& state, RowWriter& out) const { write_kept(state, out); }
  Column result() const override { return {type_, inputs_[0].format}; }

 private:
  Arena arena_;
};

}  // namespace

std::unique_ptr<Accumulator> make_extreme(const Aggregate& aggregate, const Shape& inputs,
                                          MemoryBudget& budget) {
  if (inputs.size() == 1 && is_integer_type(inputs[0].type.oid))
    return std::make_unique<IntegerExtreme>(aggregate, inputs);
  return std::make_unique<KeyedExtreme>(aggregate, inputs, budget);
}

std::unique_ptr<Accumulator> make_any(const Aggregate& aggregate, const Shape& inputs,
                                      MemoryBudget& budget) {
  return std::make_unique<AnyAccumulator>(aggregate, inputs, budget);
}

}  // namespace anabranch::merge
