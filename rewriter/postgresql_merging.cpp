#include "rewriter/merging.h"

namespace anabranch::rewriter {
namespace {

void settle(Planning&, const tree::Select&) {}

values::ColumnType type(const Planning& planning, const ResultColumn& column) {
  return column_type(planning, column.type, column.typmod);
}

/// A column whose text depends on settings is compared in binary.
std::optional<KeyForm> key_form(const Planning& planning, const ResultColumn& column, const tree::Expr& expr, bool) {
  if (text_is_canonical(type(planning, column))) return std::nullopt;
  return KeyForm{tree::clone(expr), std::nullopt};
}

bool sorts_groups(const Planning&) {
  return false;
}

tree::ExprPtr exact(const ResultColumn&, const tree::Expr&) {
  return nullptr;
}

std::vector<tree::ExprPtr> composed_of(const tree::FunctionCall&) {
  return {};
}

merge::Expression compute(Planning& planning, const tree::Expr& expr, const Leaf& leaf, Wanted) {
  return after_merge(planning, expr, leaf);
}

bool hides_digits(const Planning&, const tree::Expr&) {
  return false;
}

bool is_sorted_otherwise(const ResultColumn&) {
  return false;
}

}  // namespace

const Merging postgresql_merging{
    .format = values::Format::binary,
    .has_collations = true,
    .truth_is_number = false,
    .bits_of_nothing = false,
    .null_is_least = false,
    .plain_limits = false,
    .names_freely = true,
    .sorts_groups = sorts_groups,
    .settle = settle,
    .type = type,
    .key_form = key_form,
    .exact = exact,
    .read_aggregate = read_aggregate,
    .states = states_of,
    .state_types = state_types,
    .composed_of = composed_of,
    .after_merge = compute,
    .transport = nullptr,
    .averages_are_exact = nullptr,
    .hides_digits = hides_digits,
    .is_sorted_otherwise = is_sorted_otherwise,
};

}  // namespace anabranch::rewriter
