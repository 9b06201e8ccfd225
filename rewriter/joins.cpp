#include <algorithm>
#include <utility>

#include "rewriter/distribution.h"

/// Joins: of rows that lie together, or with what is the same on every shard.
namespace anabranch::rewriter {
namespace {

using Kind = Distribution::Kind;

const char* const kUnstableHint =
    "Give the subquery an order that has no ties, or leave out what depends on the order of rows.";

}  // namespace

/// `a <=> b` of columns that are never NULL is `a = b`.
void Analysis::null_safe_facts(const tree::Join& join, Facts& facts) const {
  const auto* same = join.on ? join.on->as<tree::DistinctFrom>() : nullptr;
  if (same == nullptr || !same->negated) return;
  const Ident left = ident_of(*same->left);
  const Ident right = ident_of(*same->right);
  if (not_null(left) && not_null(right) && same_value(query_, left, right)) facts.equalities.emplace_back(left, right);
}

void Analysis::join_facts(const Block& block, const tree::Join& join, Facts& facts) const {
  add_condition(facts, join.on.get(), query_, block.from_view);
  null_safe_facts(join, facts);
  const auto pairs = block.using_pairs.find(&join);
  if (pairs == block.using_pairs.end()) return;
  for (const auto& [left, right] : pairs->second) {
    if (same_value(query_, left, right)) facts.equalities.emplace_back(left, right);
  }
}

/// What a FROM item says of all its rows that are not NULL-extended.
void Analysis::item_facts(const Block& block, const tree::FromItem& item, Facts& facts) const {
  const auto* join = item.as<tree::Join>();
  if (join == nullptr) return;
  switch (join->kind) {
    case tree::Join::Kind::inner:
    case tree::Join::Kind::cross:
      item_facts(block, *join->left, facts);
      item_facts(block, *join->right, facts);
      join_facts(block, *join, facts);
      return;
    case tree::Join::Kind::left:
      item_facts(block, *join->left, facts);
      return;
    case tree::Join::Kind::right:
      item_facts(block, *join->right, facts);
      return;
    case tree::Join::Kind::full:
      return;
  }
}

Distribution Analysis::join(const Block& block, const tree::Join& join, const Facts& facts,
                            const std::vector<KeyTuple>& siblings) {
  using JoinKind = tree::Join::Kind;
  if (join.kind == JoinKind::inner || join.kind == JoinKind::cross) {
    From left = from_item(block, *join.left, facts, siblings);
    std::vector<KeyTuple> visible = siblings;
    visible.insert(visible.end(), left.anchors.begin(), left.anchors.end());
    From right = from_item(block, *join.right, facts, visible);
    return inner_join(std::move(left), std::move(right), facts);
  }
  // The condition of an outer join holds of the rows on its nullable side that match, and of
  // nothing on the preserved side.
  Facts on = facts;
  join_facts(block, join, on);
  Facts nullable = on;
  nullable.null_extended = true;
  Facts preserved = facts;
  const bool left_preserved = join.kind == JoinKind::left;
  const bool right_preserved = join.kind == JoinKind::right;
  if (join.kind == JoinKind::full) {
    Facts both = facts;
    both.null_extended = true;
    From left = from_item(block, *join.left, both, siblings);
    From right = from_item(block, *join.right, both, siblings);
    item_facts(block, *join.left, on);
    item_facts(block, *join.right, on);
    return full_join(block, join, std::move(left), std::move(right), on);
  }
  item_facts(block, left_preserved ? *join.left : *join.right, nullable);
  From left = from_item(block, *join.left, left_preserved ? preserved : nullable, siblings);
  std::vector<KeyTuple> visible = siblings;
  visible.insert(visible.end(), left.anchors.begin(), left.anchors.end());
  From right = from_item(block, *join.right, right_preserved ? preserved : nullable, visible);
  Facts both = nullable;
  item_facts(block, left_preserved ? *join.right : *join.left, both);
  return left_preserved ? left_join(std::move(left), std::move(right), both)
                        : left_join(std::move(right), std::move(left), both);
}

Distribution Analysis::sharded_pair(From left, From right, const Facts& facts,
                                    bool keep_right) const {
  for (const KeyTuple& a : left.anchors) {
    for (const KeyTuple& b : right.anchors) {
      if (!same_place(query_, facts, a, b)) continue;
      if (keep_right) {
        left.keys.insert(left.keys.end(), right.keys.begin(), right.keys.end());
      }
      left.anchors.insert(left.anchors.end(), right.anchors.begin(), right.anchors.end());
      return left;
    }
  }
  const auto& tables = query_.map->tables();
  const router::MappedTable& a = tables[static_cast<std::size_t>(left.table)];
  const router::MappedTable& b = tables[static_cast<std::size_t>(right.table)];
  if (a.scheme != b.scheme) {
    return Distribution::refuse(
        "\"" + a.name.name + "\" and \"" + b.name.name + "\" are placed by different schemes",
        "Tables that are joined need the same scheme, or one of them must "
        "be a reference table.");
  }
  return Distribution::refuse(
      "nothing says that the keys of \"" + a.name.name + "\" and \"" + b.name.name + "\" are equal",
      "Join them by their keys, or make the smaller one a reference table.");
}

/// Not both are sharded, and `left` is not the one that is the same everywhere, if there is one.
Distribution Analysis::beside(From left, const From& right) {
  if (right.neutral()) {
    if (!right.unstable.empty() && left.kind == Kind::sharded) {
      return Distribution::refuse(right.unstable, kUnstableHint);
    }
    return left;
  }
  if (left.kind == Kind::whole && right.kind == Kind::whole && left.shard == right.shard) {
    return left;
  }
  return Distribution::refuse("a table that is whole on one shard is joined with rows elsewhere",
                              "Make the table that is on one shard a reference table.");
}

Distribution Analysis::inner_join(From left, From right, const Facts& facts) const {
  if (left.kind == Kind::split_up) return left;
  if (right.kind == Kind::split_up) return right;
  if (left.neutral() && right.neutral()) return merge_neutral(std::move(left), right);
  if (left.kind == Kind::sharded && right.kind == Kind::sharded) {
    return sharded_pair(std::move(left), std::move(right), facts, true);
  }
  if (left.neutral()) std::swap(left, right);
  return beside(std::move(left), right);
}

/// `left` is the preserved side.
Distribution Analysis::left_join(From left, From right, const Facts& on) const {
  if (left.kind == Kind::split_up) return left;
  if (right.kind == Kind::split_up) return right;
  if (left.neutral() && right.neutral()) return merge_neutral(std::move(left), right);
  if (left.kind == Kind::sharded && right.kind == Kind::sharded) {
    return sharded_pair(std::move(left), std::move(right), on, false);
  }
  if (right.kind == Kind::sharded && left.neutral()) {
    return Distribution::refuse(
        "the preserved side of an outer join is on every shard, its other side is sharded",
        "Let the sharded table be the preserved side, or use an inner join.");
  }
  return beside(std::move(left), right);
}

Distribution Analysis::full_join(const Block& block, const tree::Join& join, From left, From right,
                                 const Facts& on) const {
  if (left.kind == Kind::split_up) return left;
  if (right.kind == Kind::split_up) return right;
  if (left.neutral() && right.neutral()) return merge_neutral(std::move(left), right);
  if (left.kind == Kind::whole && right.kind == Kind::whole && left.shard == right.shard) {
    return left;
  }
  if (left.kind != Kind::sharded || right.kind != Kind::sharded) {
    return Distribution::refuse("a FULL JOIN needs both sides sharded by the joined key",
                                "Use LEFT JOIN with the sharded table on the left.");
  }
  From joined = sharded_pair(left, right, on, false);
  if (joined.kind == Kind::split_up) return joined;
  // Either side may be NULL: only what USING makes of both is a key of the rows.
  joined.keys.clear();
  const auto pairs = block.using_pairs.find(&join);
  if (pairs == block.using_pairs.end()) return joined;
  for (const KeyTuple& key : left.keys) {
    KeyTuple merged{key.table, {}};
    for (const Ident column : key.columns) {
      for (const int instance : block.instances) {
        const Instance& at = query_.at(instance);
        if (at.kind != Instance::Kind::merged || at.merged.front().first != column) continue;
        const Ident other = at.merged.front().second;
        const bool is_key = std::ranges::any_of(right.keys, [&](const KeyTuple& candidate) {
          return std::ranges::find(candidate.columns, other) != candidate.columns.end();
        });
        if (is_key) merged.columns.push_back({instance, 0});
      }
    }
    if (merged.columns.size() == key.columns.size()) joined.keys.push_back(std::move(merged));
  }
  return joined;
}

}  // namespace anabranch::rewriter
