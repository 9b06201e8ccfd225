#include "rewriter/key_parts.h"

#include <algorithm>
#include <vector>

#include "rewriter/key_binding.h"
#include "router/composite_key.h"

namespace anabranch::rewriter {
namespace {

using Kind = KeyCondition::Kind;
using conf::KeyValue;
using router::KeyPredicate;

constexpr std::size_t most_keys = 4096;    // beyond them a condition says nothing
constexpr std::size_t most_compared = 64;  // values of a part that are looked for in another list

std::size_t part_of(const KeyCondition& leaf) {
  const auto given = std::ranges::find_if(
      leaf.operands, [](const KeyOperand& operand) { return operand.value.from != ValueRef::From::absent; });
  return static_cast<std::size_t>(given - leaf.operands.begin());
}

/// Which columns are limited.
std::vector<bool> limited(const KeyCondition& condition, std::size_t parts) {
  switch (condition.kind) {
    case Kind::equals:
    case Kind::any_element:
    case Kind::is_null: {
      std::vector<bool> one(parts);
      one.at(part_of(condition)) = true;
      return one;
    }
    case Kind::all_of:
    case Kind::any_of: {
      const bool all = condition.kind == Kind::all_of;
      std::vector<bool> together(parts, !all);
      for (const KeyCondition& inner : condition.parts) {
        const std::vector<bool> one = limited(inner, parts);
        for (std::size_t i = 0; i < parts; ++i) together[i] = all ? together[i] || one[i] : together[i] && one[i];
      }
      return together;
    }
    case Kind::nothing:
    case Kind::stored:
    case Kind::shard_number:
    case Kind::shard_name:
      return std::vector<bool>(parts, true);
    case Kind::anything:
    case Kind::less:
    case Kind::less_equal:
    case Kind::greater:
    case Kind::greater_equal:
      break;
  }
  return std::vector<bool>(parts);
}

/// The values that a part may have; nothing: any.
using Values = std::optional<std::vector<KeyValue>>;
/// Keys whose parts are each among these. A condition is a union of boxes.
using Box = std::vector<Values>;

/// The only part that is limited.
std::optional<std::size_t> only_part(const Box& box) {
  std::optional<std::size_t> only;
  for (std::size_t i = 0; i < box.size(); ++i) {
    if (!box[i]) continue;
    if (only) return std::nullopt;
    only = i;
  }
  return only;
}

/// `a IN (1, 2)` is one box.
void add(std::vector<Box>& boxes, Box box) {
  const auto part = only_part(box);
  if (!part || boxes.empty() || only_part(boxes.back()) != part) {
    boxes.push_back(std::move(box));
    return;
  }
  Values& known = boxes.back()[*part];
  known->insert(known->end(), box[*part]->begin(), box[*part]->end());
}

/// Nothing: no key is in both.
std::optional<Box> intersection(Box one, const Box& other) {
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (!other[i]) continue;
    if (!one[i]) {
      one[i] = other[i];
      continue;
    }
    if (one[i]->size() > most_compared && other[i]->size() > most_compared) continue;
    std::erase_if(*one[i], [&](const KeyValue& value) {
      return std::ranges::find(*other[i], value) == other[i]->end();
    });
    if (one[i]->empty()) return std::nullopt;
  }
  return one;
}

class Boxes {
 public:
  Boxes(const router::MappedScheme& scheme, int table, const BindRequest& request)
      : scheme_(scheme), table_(table), request_(request) {}

  std::optional<KeyPredicate> predicate(const KeyCondition& condition) {
    const std::vector<Box> boxes = read(condition);
    if (elsewhere_) return std::nullopt;
    if (boxes.empty()) return KeyPredicate::nothing();
    std::vector<KeyValue> keys;
    for (const Box& box : boxes) {
      if (!name_keys(box, keys)) return KeyPredicate::anything();
    }
    return KeyPredicate::in(std::move(keys));
  }

 private:
  std::vector<Box> anything() const { return {Box(scheme_.types.size())}; }

  std::vector<Box> read(const KeyCondition& condition) {
    switch (condition.kind) {
      case Kind::nothing:
        return {};
      case Kind::all_of:
        return all_of(condition.parts);
      case Kind::any_of:
        return any_of(condition.parts);
      case Kind::shard_number:
      case Kind::shard_name:
      case Kind::stored:
        elsewhere_ = true;
        return anything();
      default:
        elsewhere_ |= condition.table != table_;
        return elsewhere_ ? anything() : leaf(condition);
    }
  }

  std::vector<Box> leaf(const KeyCondition& condition) const {
    const std::size_t part = part_of(condition);
    if (part >= scheme_.types.size()) return anything();
    switch (condition.kind) {
      case Kind::is_null:
        return of_part(part, {KeyValue::null()});
      case Kind::any_element: {
        auto keys = keys_of_array(condition.operands[part], request_, scheme_.types[part]);
        return keys ? of_part(part, std::move(*keys)) : anything();
      }
      case Kind::equals: {
        auto key = convert(condition.operands[part], request_, scheme_.types[part], false);
        if (key.outcome == router::KeyConversion::Outcome::unknown) return anything();
        // Nothing is equal to NULL.
        if (key.outcome == router::KeyConversion::Outcome::nothing || key.key.is_null()) return {};
        return of_part(part, {std::move(key.key)});
      }
      default:
        return anything();
    }
  }

  std::vector<Box> of_part(std::size_t part, std::vector<KeyValue> values) const {
    if (values.empty()) return {};
    std::vector<Box> boxes = anything();
    boxes.front()[part] = std::move(values);
    return boxes;
  }

  std::vector<Box> any_of(const std::vector<KeyCondition>& conditions) {
    std::vector<Box> boxes;
    for (const KeyCondition& condition : conditions) {
      for (Box& box : read(condition)) add(boxes, std::move(box));
    }
    return boxes.size() > most_keys ? anything() : boxes;
  }

  std::vector<Box> all_of(const std::vector<KeyCondition>& conditions) {
    std::vector<Box> boxes = anything();
    for (const KeyCondition& condition : conditions) {
      const std::vector<Box> others = read(condition);
      // What is left out of an AND leaves more keys, not fewer.
      if (boxes.size() * others.size() > most_keys) continue;
      std::vector<Box> both;
      for (const Box& one : boxes) {
        for (const Box& other : others) {
          if (auto common = intersection(one, other)) both.push_back(std::move(*common));
        }
      }
      boxes = std::move(both);
    }
    return boxes;
  }

  /// False: they cannot be named, or are too many.
  bool name_keys(const Box& box, std::vector<KeyValue>& keys) const {
    std::size_t count = 1;
    for (const Values& values : box) {
      if (!values) return false;
      count *= values->size();
      if (count > most_keys) return false;
    }
    if (keys.size() + count > most_keys) return false;
    std::vector<KeyValue> parts(box.size());
    for (std::size_t number = 0; number < count; ++number) {
      std::size_t rest = number;
      for (std::size_t i = 0; i < box.size(); ++i) {
        parts[i] = box[i]->at(rest % box[i]->size());
        rest /= box[i]->size();
      }
      keys.push_back(router::composite_key(scheme_.types, parts));
    }
    return true;
  }

  const router::MappedScheme& scheme_;
  const int table_;
  const BindRequest& request_;
  bool elsewhere_ = false;
};

}  // namespace

KeyCondition of_part(KeyCondition leaf, std::size_t part, std::size_t parts) {
  KeyOperand silent;
  silent.value.from = ValueRef::From::absent;
  std::vector<KeyOperand> operands(parts, silent);
  operands.at(part) = std::move(leaf.operands.front());
  leaf.operands = std::move(operands);
  return leaf;
}

bool limits_every_part(const KeyCondition& condition, std::size_t parts) {
  return std::ranges::all_of(limited(condition, parts), [](bool is) { return is; });
}

std::optional<KeyPredicate> composite_predicate(const KeyCondition& condition, int table, const BindRequest& request) {
  const router::MappedTable& mapped = request.map->tables()[static_cast<std::size_t>(table)];
  return Boxes(request.map->schemes()[mapped.scheme], table, request).predicate(condition);
}

}  // namespace anabranch::rewriter
