#include "rewriter/piece_keys.h"

#include <algorithm>

#include "rewriter/inner_joins.h"

namespace anabranch::rewriter {
namespace {

bool is_in(const Block& block, Ident ident) {
  return std::ranges::find(block.instances, ident.instance) != block.instances.end();
}

/// Their text is the same whatever a session has set for floats, dates and intervals.
bool has_one_text(values::Oid type) {
  namespace oid = values::oid;
  constexpr values::Oid types[] = {oid::int2, oid::int4, oid::int8,    oid::numeric,
                                   oid::text, oid::bpchar, oid::varchar, oid::uuid};
  return std::ranges::find(types, type) != std::end(types);
}

class Keys {
 public:
  Keys(const Planning& planning, const Pieces& pieces, const std::vector<GatheredTable>& gathered)
      : planning_(planning), query_(planning.query), pieces_(pieces), gathered_(gathered) {}

  std::vector<Gather::Restriction> find() {
    for (const auto& block : query_.blocks) {
      if (block->select == nullptr) continue;
      const InnerJoins joins = inner_joins(*block->select);
      Facts facts;
      for (const tree::Expr* condition : joins.conditions) add_condition(facts, condition, query_);
      const std::vector<Ident> joined = columns_of(*block, joins);
      for (const Ident column : joined) {
        for (const Ident other : facts.equal_to(column)) add(*block, column, other, joined);
      }
      for (const tree::Expr* condition : joins.conditions) add_membership(*block, *condition, joined);
      for (const tree::FromItem* item : joins.items) add_left_join(*block, *item);
    }
    return std::move(found_);
  }

 private:
  /// Of the tables that FROM and inner joins list: a row of the block has one of each.
  std::vector<Ident> columns_of(const Block& block, const InnerJoins& joins) const {
    std::vector<Ident> columns;
    for (const tree::FromItem* item : joins.items) {
      const auto at = block.of_item.find(item);
      if (at == block.of_item.end() || !pieces_.of_instance.contains(at->second)) continue;
      const auto count = static_cast<int>(query_.at(at->second).relation->columns.size());
      for (int i = 0; i < count; ++i) columns.push_back({at->second, i});
    }
    return columns;
  }

  static bool contains(const std::vector<Ident>& columns, Ident ident) {
    return std::ranges::find(columns, ident) != columns.end();
  }

  /// `column` equals `other` in each row: of the same block, or of one around it.
  void add(const Block& block, Ident column, Ident other, const std::vector<Ident>& joined) {
    if (is_in(block, other) && !contains(joined, other)) return;
    restrict_by(column, other);
  }

  /// x IN (SELECT y …) where nothing but true counts.
  void add_membership(const Block& block, const tree::Expr& condition, const std::vector<Ident>& joined) {
    const auto* in = condition.as<tree::InSubquery>();
    if (in == nullptr || in->negated) return;
    const Ident left = ident_of(*in->arg);
    const auto inner = block.subqueries.find(in->query.get());
    if (inner == block.subqueries.end() || inner->second->left != nullptr || inner->second->outputs.size() != 1) return;
    const Block& members = *inner->second;
    const Ident right = members.outputs.front().ident;
    if (!left.known() || !right.known() || !same_value(query_, left, right)) return;
    if (contains(joined, left) && pieces_.of_instance.contains(right.instance)) restrict_by(left, right);
    if (!is_plain(*members.select)) return;
    const std::vector<Ident> of_members = columns_of(members, inner_joins(*members.select));
    if (contains(of_members, right)) restrict_by(right, left);
  }

  /// Its rows are those of FROM and WHERE, however many of them there are.
  bool is_plain(const tree::Select& select) const {
    return !select.distinct && select.distinct_on.empty() && select.group_by.empty() && !has_limit(select) &&
           !has_windows(select) && !is_aggregated(select, planning_.functions);
  }

  /// The side that may be missing: its rows that match nothing are not seen.
  void add_left_join(const Block& block, const tree::FromItem& item) {
    const auto* join = item.as<tree::Join>();
    if (join == nullptr || join->kind != tree::Join::Kind::left || join->natural || !join->using_columns.empty()) return;
    add_left_join(block, *join->left);
    const auto at = block.of_item.find(join->right.get());
    if (at == block.of_item.end()) return;
    Facts facts;
    for (const tree::Expr* condition : tree::conjuncts(join->on.get())) add_condition(facts, condition, query_);
    for (const auto& [left, right] : facts.equalities) {
      if (left.instance == at->second && right.instance != at->second) restrict_by(left, right);
      if (right.instance == at->second && left.instance != at->second) restrict_by(right, left);
    }
  }

  void restrict_by(Ident column, Ident other) {
    const auto piece = pieces_.of_instance.find(column.instance);
    const auto source = pieces_.of_instance.find(other.instance);
    if (piece == pieces_.of_instance.end() || source == pieces_.of_instance.end() || piece->second == source->second) return;
    const auto name = gathered_[source->second].columns.find(other);
    if (name == gathered_[source->second].columns.end()) return;
    const router::Column* type = query_.column(other);
    if (!has_one_text(type->type.oid)) return;
    const tree::ExprPtr named_column = named(query_, column);
    Gather::Restriction made{static_cast<int>(piece->second), planning_.text(*named_column),
                             static_cast<int>(source->second), name->second, type->type_name};
    const bool known = std::ranges::any_of(found_, [&](const Gather::Restriction& other_one) {
      return other_one.piece == made.piece && other_one.column == made.column && other_one.source == made.source;
    });
    if (!known) found_.push_back(std::move(made));
  }

  const Planning& planning_;
  const Query& query_;
  const Pieces& pieces_;
  const std::vector<GatheredTable>& gathered_;
  std::vector<Gather::Restriction> found_;
};

}  // namespace

std::vector<Gather::Restriction> restrictions_of(const Planning& planning, const Pieces& pieces,
                                                 const std::vector<GatheredTable>& gathered) {
  return Keys(planning, pieces, gathered).find();
}

}  // namespace anabranch::rewriter
