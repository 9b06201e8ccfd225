#include <fmt/format.h>
#include <fmt/ranges.h>

#include "merge/recipe.h"

namespace anabranch::merge {

namespace {

using Op = Expression::Op;

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

std::string column_name(int column) {
  return fmt::format("c{}", column + 1);
}

template <typename Items, typename Describe>
std::string list(const Items& items, Describe describe_one) {
  std::string text;
  for (const auto& item : items) {
    if (!text.empty()) text += ", ";
    text += describe_one(item);
  }
  return text;
}

std::string columns(const std::vector<int>& items) {
  return list(items, column_name);
}

/// Where NULLs go is said whenever it is not simply ASC NULLS LAST.
std::string sort_key(const SortKey& key) {
  std::string text = column_name(key.column);
  if (!key.collation.is_bytes()) text += fmt::format(" COLLATE {}", key.collation.describe());
  if (key.descending) text += " DESC";
  if (key.nulls_first)
    text += " NULLS FIRST";
  else if (key.descending)
    text += " NULLS LAST";
  return text;
}

std::string sort_keys(const std::vector<SortKey>& keys) {
  return list(keys, sort_key);
}

std::string_view aggregate_name(AggregateKind kind) {
  static constexpr std::string_view kNames[] = {"count",      "sum",         "min",
                                                "max",        "bool_and",    "bool_or",
                                                "bit_and",    "bit_or",      "bit_xor",
                                                "avg",        "var_pop",     "var_samp",
                                                "stddev_pop", "stddev_samp", "covar_pop",
                                                "covar_samp", "corr",        "regr_avgx",
                                                "regr_avgy",  "regr_count",  "regr_intercept",
                                                "regr_r2",    "regr_slope",  "regr_sxx",
                                                "regr_sxy",   "regr_syy",    "count",
                                                "sum",        "avg",         "bit_xor",
                                                "any"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(AggregateKind::any) + 1);
  return kNames[static_cast<std::size_t>(kind)];
}

bool is_distinct_kind(AggregateKind kind) {
  return kind == AggregateKind::count_distinct || kind == AggregateKind::sum_distinct ||
         kind == AggregateKind::avg_distinct || kind == AggregateKind::bit_xor_distinct;
}

std::string aggregate(const Aggregate& a, bool with_grouping) {
  return fmt::format("{}({}{}){}", aggregate_name(a.kind),
                     is_distinct_kind(a.kind) ? "DISTINCT " : "", columns(a.inputs),
                     with_grouping ? fmt::format(" of {}", a.grouping) : "");
}

std::string group_column(const HashAggregate::GroupColumn& group) {
  if (group.key == group.carry) return column_name(group.key);
  return fmt::format("{} as {}", column_name(group.key), column_name(group.carry));
}

std::string hash_aggregate(const HashAggregate& step) {
  std::string text = "aggregate";
  if (!step.groups.empty()) text += " by " + list(step.groups, group_column);
  if (step.discriminator >= 0) text += ", groupings by " + column_name(step.discriminator);
  if (!step.aggregates.empty())
    text += ": " + list(step.aggregates,
                        [&](const Aggregate& a) { return aggregate(a, step.discriminator >= 0); });
  return text;
}

std::string sort(const Sort& step) {
  std::string text = "sort by " + sort_keys(step.keys);
  if (step.bound_slot >= 0) text += fmt::format(", first ${}", step.bound_slot + 1);
  return step.with_ties ? text + " with ties" : text;
}

std::string limit(const Limit& step) {
  std::string text = "limit";
  if (step.count_slot >= 0) text += fmt::format(" ${}", step.count_slot + 1);
  if (step.with_ties) text += " with ties by " + sort_keys(step.tie_keys);
  if (step.offset_slot >= 0) text += fmt::format(" offset ${}", step.offset_slot + 1);
  return text;
}

std::string step_line(const Step& step) {
  return std::visit(
      Overloaded{[](const HashAggregate& s) { return hash_aggregate(s); },
                 [](const Filter& s) { return "filter " + describe(s.condition); },
                 [](const Compute& s) { return "compute " + list(s.expressions, describe); },
                 [](const Sort& s) { return sort(s); },
                 [](const Distinct& s) { return "distinct by " + columns(s.columns); },
                 [](const Limit& s) { return limit(s); }},
      step);
}

std::size_t width_after(const Step& step, std::size_t width) {
  if (const auto* aggregate = std::get_if<HashAggregate>(&step))
    return aggregate->groups.size() + aggregate->aggregates.size();
  if (const auto* compute = std::get_if<Compute>(&step)) return width + compute->expressions.size();
  return width;
}

std::string constant(const values::Datum& value) {
  if (value.is_null()) return "NULL";
  if (const auto* text = std::get_if<std::string>(&value.value)) {
    std::string quoted = "'";
    for (const char c : *text) quoted.append(c == '\'' ? 2 : 1, c);
    return quoted + "'";
  }
  if (const auto* flag = std::get_if<bool>(&value.value)) return *flag ? "true" : "false";
  std::string text;
  if (std::holds_alternative<values::RawValue>(value.value)) return "'…'";
  values::encode(value, values::Format::text, {}, text);
  return std::holds_alternative<values::Interval>(value.value) ? "'" + text + "'" : text;
}

std::string infix(const Expression& e, std::string_view symbol) {
  std::string text = "(";
  for (std::size_t i = 0; i < e.args.size(); ++i) {
    if (i > 0) text += fmt::format(" {} ", symbol);
    text += describe(e.args[i]);
  }
  return text + ")";
}

std::string call(std::string_view name, const Expression& e) {
  return fmt::format("{}({})", name, list(e.args, [](const Expression& a) { return describe(a); }));
}

std::string suffix(const Expression& e, std::string_view words) {
  return fmt::format("({} {})", e.args.empty() ? "" : describe(e.args[0]), words);
}

std::string case_when(const Expression& e) {
  std::string text = "CASE";
  std::size_t i = 0;
  for (; i + 1 < e.args.size(); i += 2)
    text += fmt::format(" WHEN {} THEN {}", describe(e.args[i]), describe(e.args[i + 1]));
  if (i < e.args.size()) text += " ELSE " + describe(e.args[i]);
  return text + " END";
}

std::string type_text(const values::ColumnType& type) {
  if (type.oid != values::oid::numeric || type.typmod < 4) return values::type_name(type);
  const std::int32_t packed = type.typmod - 4;
  return fmt::format("numeric({},{})", (packed >> 16) & 0xffff, ((packed & 0x7ff) ^ 1024) - 1024);
}

/// The sign between operands; empty: written otherwise.
std::string_view infix_symbol(Op op) {
  switch (op) {
    case Op::add:
      return "+";
    case Op::subtract:
      return "-";
    case Op::multiply:
      return "*";
    case Op::divide:
    case Op::quotient:
      return "/";
    case Op::modulo:
      return "%";
    case Op::equal:
      return "=";
    case Op::not_equal:
      return "<>";
    case Op::less:
      return "<";
    case Op::less_equal:
      return "<=";
    case Op::greater:
      return ">";
    case Op::greater_equal:
      return ">=";
    case Op::is_distinct:
      return "IS DISTINCT FROM";
    case Op::is_not_distinct:
      return "IS NOT DISTINCT FROM";
    case Op::logical_and:
      return "AND";
    case Op::logical_or:
      return "OR";
    case Op::concat_text:
      return "||";
    default:
      return {};
  }
}

std::string_view suffix_words(Op op) {
  switch (op) {
    case Op::is_null:
      return "IS NULL";
    case Op::is_not_null:
      return "IS NOT NULL";
    case Op::is_true:
      return "IS TRUE";
    case Op::is_not_true:
      return "IS NOT TRUE";
    case Op::is_false:
      return "IS FALSE";
    case Op::is_not_false:
      return "IS NOT FALSE";
    default:
      return {};
  }
}

std::string_view function_name(Op op) {
  switch (op) {
    case Op::coalesce:
      return "COALESCE";
    case Op::null_if:
      return "NULLIF";
    case Op::greatest:
      return "GREATEST";
    case Op::least:
      return "LEAST";
    case Op::round:
      return "round";
    case Op::trunc:
      return "trunc";
    case Op::abs:
      return "abs";
    case Op::ceil:
      return "ceil";
    case Op::floor:
      return "floor";
    default:
      return "sign";
  }
}

}  // namespace

std::string describe(const Expression& e) {
  if (const auto symbol = infix_symbol(e.op); !symbol.empty()) return infix(e, symbol);
  if (const auto words = suffix_words(e.op); !words.empty()) return suffix(e, words);
  switch (e.op) {
    case Op::column:
      return column_name(e.index);
    case Op::constant:
      return constant(e.value);
    case Op::slot:
      return fmt::format("${}", e.index + 1);
    case Op::negate:
      return call("-", e);
    case Op::logical_not:
      return call("NOT ", e);
    case Op::case_when:
      return case_when(e);
    case Op::cast:
      return fmt::format("CAST({} AS {})", e.args.empty() ? "" : describe(e.args[0]),
                         type_text(e.type));
    default:
      return call(function_name(e.op), e);
  }
}

bool Recipe::passes_through() const {
  if (!std::holds_alternative<Concat>(source) || !steps.empty()) return false;
  if (outputs.size() != inputs.size()) return false;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto index = static_cast<int>(i);
    if (outputs[i].column != index || inputs[i].output != index) return false;
  }
  return true;
}

std::vector<std::string> Recipe::describe(std::size_t streams) const {
  std::vector<std::string> lines;
  const std::string count = streams == 0 ? "" : fmt::format(" {} streams", streams);
  if (const auto* merge = std::get_if<OrderedMerge>(&source))
    lines.push_back(fmt::format("merge{} by {}", count, sort_keys(merge->keys)));
  else
    lines.push_back(fmt::format("concatenate{}", count));
  std::size_t width = inputs.size();
  for (const Step& step : steps) {
    lines.push_back(step_line(step));
    width = width_after(step, width);
  }
  bool unchanged = width == outputs.size();
  for (std::size_t i = 0; i < outputs.size(); ++i)
    unchanged = unchanged && outputs[i].column == static_cast<int>(i);
  if (!unchanged)
    lines.push_back("output " + list(outputs, [](const OutputColumn& output) {
                      return column_name(output.column);
                    }));
  return lines;
}

}  // namespace anabranch::merge
