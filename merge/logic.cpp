#include <deque>

#include "merge/accumulator.h"
#include "merge/datum_field.h"
#include "merge/read_number.h"

namespace anabranch::merge {

namespace {

constexpr values::Oid kBit = 1560;
constexpr values::Oid kVarbit = 1562;

struct BitState {
  std::int64_t bits;
  std::uint64_t any;
};

template <typename Word>
Word combine(AggregateKind kind, Word left, Word right) {
  switch (kind) {
    case AggregateKind::bit_and:
    case AggregateKind::bool_and:
      return static_cast<Word>(left & right);
    case AggregateKind::bit_xor:
      return static_cast<Word>(left ^ right);
    default:
      return static_cast<Word>(left | right);
  }
}

/// bool_and, bool_or over booleans; bit_and, bit_or, bit_xor over integers.
class BitAccumulator final : public StateAccumulator<BitAccumulator, BitState> {
 public:
  BitAccumulator(const Aggregate& aggregate, const Shape& inputs)
      : StateAccumulator(aggregate, inputs),
        kind_(aggregate.kind),
        is_boolean_(inputs[0].type.oid == values::oid::boolean) {}

  void add(BitState& state, const AccumulatorRows& rows, std::size_t row) const {
    const Field& field = rows.inputs[0][row];
    if (field.is_null()) return;
    const std::int64_t value = is_boolean_ ? read_boolean(field) : read_integer(field, inputs_[0]);
    state.bits = state.any == 0 ? value : combine(kind_, state.bits, value);
    state.any = 1;
  }

  void write_state(const BitState& state, RowWriter& out) const {
    const values::Oid type = inputs_[0].type.oid;
    values::Datum result = values::Datum::null(type);
    if (state.any != 0 && is_boolean_)
      result = values::Datum::boolean(state.bits != 0);
    else if (state.any != 0)
      result.value = state.bits;
    add_datum(out, result, values::Format::binary);
  }

 private:
  std::int64_t read_boolean(const Field& field) const {
    const values::Datum datum =
        values::decode(values::oid::boolean, inputs_[0].format, field.bytes());
    return std::get<bool>(datum.value) ? 1 : 0;
  }

  AggregateKind kind_;
  bool is_boolean_;
};

struct BitStringState {
  std::uint64_t index;  ///< one more than that of the string; 0: none
};

/// bit_and, bit_or, bit_xor over bit strings in binary: a count of bits, then the bits.
class BitStringAccumulator final : public StateAccumulator<BitStringAccumulator, BitStringState> {
 public:
  BitStringAccumulator(const Aggregate& aggregate, const Shape& inputs, MemoryBudget& budget)
      : StateAccumulator(aggregate, inputs), kind_(aggregate.kind), charge_(budget) {}

  void add(BitStringState& state, const AccumulatorRows& rows, std::size_t row) {
    const Field& field = rows.inputs[0][row];
    if (field.is_null()) return;
    check(field);
    if (state.index == 0) {
      charge_.grow(sizeof(std::string) + field.bytes().size());
      strings_.emplace_back(field.bytes());
      state.index = strings_.size();
      return;
    }
    std::string& sum = strings_[state.index - 1];
    if (sum.size() != field.bytes().size() || sum.compare(0, 4, field.bytes().substr(0, 4)) != 0)
      throw values::SqlError("22026",
                             std::string("cannot ") + verb() + " bit strings of different sizes");
    for (std::size_t i = 4; i < sum.size(); ++i)
      sum[i] = static_cast<char>(combine(kind_, static_cast<unsigned char>(sum[i]),
                                         static_cast<unsigned char>(field.data[i])));
  }

  void write_state(const BitStringState& state, RowWriter& out) const {
    if (state.index == 0)
      out.add(std::nullopt);
    else
      out.add(strings_[state.index - 1]);
  }

 private:
  const char* verb() const {
    switch (kind_) {
      case AggregateKind::bit_and:
        return "AND";
      case AggregateKind::bit_xor:
        return "XOR";
      default:
        return "OR";
    }
  }

  void check(const Field& field) const {
    if (field.length >= 4) {
      const auto bits = values::load_be<std::int32_t>(field.data);
      if (bits >= 0 && (std::int64_t{bits} + 7) / 8 == field.length - 4) return;
    }
    throw values::make_error(values::ErrorId::invalid_binary, values::type_name(type_));
  }

  AggregateKind kind_;
  Charge charge_;
  std::deque<std::string> strings_;
};

}  // namespace

std::unique_ptr<Accumulator> make_logic(const Aggregate& aggregate, const Shape& inputs,
                                        MemoryBudget& budget) {
  const values::Oid type = inputs[0].type.oid;
  const bool logical =
      aggregate.kind == AggregateKind::bool_and || aggregate.kind == AggregateKind::bool_or;
  if (!logical && (type == kBit || type == kVarbit) && inputs[0].format == values::Format::binary)
    return std::make_unique<BitStringAccumulator>(aggregate, inputs, budget);
  if (logical ? type == values::oid::boolean : is_integer_type(type))
    return std::make_unique<BitAccumulator>(aggregate, inputs);
  refuse_aggregate(inputs[0]);
}

}  // namespace anabranch::merge
