#include "rewriter/distribution.h"

#include <algorithm>
#include <iterator>

namespace anabranch::rewriter {
namespace {

using Kind = Distribution::Kind;

constexpr int kMaxSteps = 20'000;
constexpr int kSubqueryInstance = 1'000'000'000;

std::string name_of(const tree::Select& select) {
  switch (select.set_op) {
    case tree::SetOperation::intersect:
      return "INTERSECT";
    case tree::SetOperation::except:
      return "EXCEPT";
    default:
      return select.set_all ? "UNION ALL" : "UNION";
  }
}

}  // namespace

Distribution Distribution::refuse(std::string reason, std::string hint, std::string clause) {
  Distribution made;
  made.kind = Kind::split_up;
  made.reason = std::move(reason);
  made.hint = std::move(hint);
  made.clause = std::move(clause);
  return made;
}

Distribution merge_neutral(Distribution left, const Distribution& right) {
  left.kind = std::max(left.kind, right.kind);
  if (left.unstable.empty()) left.unstable = right.unstable;
  if (left.kind == Kind::local) left.unstable.clear();
  return left;
}

// ------------------------------------------------------------------------------------ FROM items

Distribution Analysis::table_rows(int instance, const Facts& facts) {
  visits_.push_back({instance, facts});
  const Instance& at = query_.at(instance);
  Distribution rows;
  const router::MappedTable* table = query_.mapped(at);
  if (query_.reference(at)) {
    rows.kind = Kind::reference;
    return rows;
  }
  if (table == nullptr || table->kind == conf::TableKind::whole) {
    rows.kind = Kind::whole;
    rows.shard = static_cast<int>(table == nullptr ? query_.map->default_shard() : table->shard);
    return rows;
  }
  const KeyTuple key = key_of(query_, instance);
  rows.table = at.table;
  rows.kind = Kind::sharded;
  if (key.columns.empty() || query_.map->schemes()[table->scheme].random()) return rows;
  if (anchored(key, facts)) {
    rows.kind = Kind::local;
    return rows;
  }
  rows.keys = {key};
  rows.anchors = {key};
  return rows;
}

bool Analysis::anchored(const KeyTuple& key, const Facts& facts) const {
  return std::ranges::any_of(facts.anchors, [&](const KeyTuple& anchor) {
    return same_place(query_, facts, key, anchor);
  });
}

/// Outputs of a derived table that are plainly columns of it carry conditions from outside in.
void Analysis::pass_through(const Block& block, int as_instance, Facts& facts) const {
  if (block.recursive || block.writes) return;
  if (block.left != nullptr) {
    if (has_limit(*block.select)) return;
    pass_through(*block.left, as_instance, facts);
    pass_through(*block.right, as_instance, facts);
    return;
  }
  if (block.select == nullptr || has_limit(*block.select) || has_windows(*block.select) ||
      !block.select->distinct_on.empty()) {
    return;
  }
  std::vector<Ident> groups;
  const bool aggregated = is_aggregated(*block.select, functions_);
  if (aggregated) {
    tree::PinSet ignored;
    const auto items = group_items(block, ignored);
    if (!items) return;
    for (const Meaning& item : *items) groups.push_back(item.ident);
  }
  for (std::size_t i = 0; i < block.outputs.size(); ++i) {
    const Ident ident = block.outputs[i].ident;
    if (!ident.known()) continue;
    if (aggregated && std::ranges::find(groups, ident) == groups.end()) continue;
    facts.equalities.emplace_back(Ident{as_instance, static_cast<int>(i)}, ident);
  }
}

Distribution Analysis::derived_rows(int instance, const Facts& facts,
                                    const std::vector<KeyTuple>& siblings) {
  const Instance& at = query_.at(instance);
  if (at.block == nullptr) return Distribution::refuse("view " + at.name);
  Facts inner = facts;
  if (at.lateral) inner.anchors.insert(inner.anchors.end(), siblings.begin(), siblings.end());
  if (at.block->left == nullptr) pass_through(*at.block, instance, inner);
  Distribution rows = of(*at.block, inner, instance);
  if (rows.kind == Kind::split_up && rows.clause.empty()) {
    rows.clause = at.relation != nullptr ? "view \"" + at.relation->name + "\""
                  : at.lateral           ? "a LATERAL subquery"
                  : !at.cte.empty()      ? "CTE \"" + at.cte + "\""
                                         : "a subquery in FROM";
  }
  return rows;
}

Distribution Analysis::instance_rows(int instance, const Facts& facts,
                                     const std::vector<KeyTuple>& siblings) {
  if (++steps_ > kMaxSteps) return Distribution::refuse("its subqueries are nested too often");
  const Instance& at = query_.at(instance);
  if (at.fed && at.kind == Instance::Kind::derived) {
    Distribution rows;
    rows.kind = Kind::reference;
    return rows;
  }
  switch (at.kind) {
    case Instance::Kind::table:
      return table_rows(instance, facts);
    case Instance::Kind::derived:
      return derived_rows(instance, facts, siblings);
    default:
      return {};
  }
}

Distribution Analysis::from_item(const Block& block, const tree::FromItem& item, const Facts& facts,
                                 const std::vector<KeyTuple>& siblings) {
  if (const auto* joined = item.as<tree::Join>()) return join(block, *joined, facts, siblings);
  const auto at = block.of_item.find(&item);
  if (at == block.of_item.end()) return Distribution::refuse("an item of FROM");
  From rows = instance_rows(at->second, facts, siblings);
  if (const auto* table = item.as<tree::TableRef>();
      table != nullptr && !table->tablesample.empty() && rows.same_everywhere()) {
    rows.unstable = "TABLESAMPLE of a reference table";
  }
  return rows;
}

Distribution Analysis::from_list(const Block& block, const std::vector<tree::FromPtr>& items,
                                 const Facts& facts, From so_far) {
  for (const tree::FromPtr& item : items) {
    From right = from_item(block, *item, facts, so_far.anchors);
    so_far = inner_join(std::move(so_far), std::move(right), facts);
  }
  return so_far;
}

// ---------------------------------------------------------------------------------------- blocks

Analysis::Rows Analysis::rows_of(const Block& block, Facts facts) {
  Rows rows;
  for (const Block* cte : block.ctes) visit_writes(*cte);
  const tree::Select& select = *block.select;
  for (const tree::FromPtr& item : select.from) item_facts(block, *item, facts);
  add_condition(facts, select.where.get(), query_, block.from_view);
  rows.distribution = from_list(block, select.from, facts, {});
  rows.facts = std::move(facts);
  check_subqueries(block, rows);
  return rows;
}

Analysis::Rows Analysis::rows_of_write(const Block& block) {
  Rows rows;
  for (const Block* cte : block.ctes) visit_writes(*cte);
  const auto& from = block.update != nullptr ? block.update->from : block.remove->using_;
  const tree::Expr* where =
      block.update != nullptr ? block.update->where.get() : block.remove->where.get();
  Facts facts;
  for (const tree::FromPtr& item : from) item_facts(block, *item, facts);
  add_condition(facts, where, query_);
  const bool one_target =
      !(block.update != nullptr ? block.update->table : block.remove->table).name.empty();
  if (one_target) rows.distribution = table_rows(block.instances.front(), facts);
  rows.distribution = from_list(block, from, facts, std::move(rows.distribution));
  rows.facts = std::move(facts);
  if (where != nullptr) check_expression(block, *where, rows, true);
  if (block.update != nullptr) {
    for (const tree::Assignment& assignment : block.update->set) {
      check_expression(block, *assignment.value, rows, false);
    }
  }
  const auto& returning =
      block.update != nullptr ? block.update->returning : block.remove->returning;
  for (const tree::Target& target : returning) check_expression(block, *target.expr, rows, false);
  return rows;
}

/// A data-modifying CTE is carried out whether it is referred to or not.
void Analysis::visit_writes(const Block& block) {
  if (block.update != nullptr || block.remove != nullptr) {
    rows_of_write(block);
  } else if (block.insert != nullptr) {
    visits_.push_back({block.instances.front(), {}});
    for (const auto& [select, inner] : block.subqueries) of(*inner, {}, kSubqueryInstance);
  }
}

Distribution Analysis::of(const Block& block, const Facts& outer, int as_instance) {
  if (++steps_ > kMaxSteps) return Distribution::refuse("its subqueries are nested too often");
  if (block.select == nullptr) return Distribution::refuse("it modifies data");
  if (block.fed) {
    Distribution rows;
    rows.kind = Kind::reference;
    return rows;
  }
  return block.left != nullptr ? set_operation(block, outer, as_instance)
                               : plain(block, outer, as_instance);
}

Distribution Analysis::of_top(const Block& block, int as_instance) {
  top_ = &block;
  return of(block, {}, as_instance);
}

Distribution Analysis::plain(const Block& block, const Facts& outer, int as_instance) {
  Rows rows = rows_of(block, outer);
  Distribution& at = rows.distribution;
  if (at.same_everywhere() && at.unstable.empty()) at.unstable = order_dependent(block);
  if (at.kind != Kind::sharded) return at;
  const tree::Select& select = *block.select;
  if (has_limit(select)) return Distribution::refuse("it has a LIMIT over rows of several shards");
  if (const auto window = incomplete_window(block, rows)) {
    return Distribution::refuse(*window, "Put the key into its PARTITION BY.");
  }
  if (is_aggregated(select, functions_)) {
    tree::PinSet ignored;
    const auto items = group_items(block, ignored);
    std::vector<Ident> groups;
    if (items) {
      for (const Meaning& item : *items) groups.push_back(item.ident);
    }
    if (!items || !completes(rows, groups)) {
      return Distribution::refuse("it aggregates rows of several shards", "Group it by the key.");
    }
  }
  std::vector<Ident> outputs;
  for (const OutputColumn& output : block.outputs) outputs.push_back(output.ident);
  if (select.distinct && !completes(rows, outputs)) {
    return Distribution::refuse("it has DISTINCT without the key", "Select the key too.");
  }
  if (!select.distinct_on.empty()) {
    std::vector<const tree::Expr*> exprs;
    for (const tree::ExprPtr& expr : select.distinct_on) exprs.push_back(expr.get());
    if (!completes(rows, idents_of(block, exprs))) {
      return Distribution::refuse("it has DISTINCT ON without the key",
                                  "Use the key in DISTINCT ON.");
    }
  }
  Distribution result;
  result.kind = Kind::sharded;
  result.table = at.table;
  for (const KeyTuple& key : at.keys) {
    KeyTuple outside{key.table, {}};
    for (const Ident column : key.columns) {
      const auto same = rows.facts.equal_to(column);
      const auto found = std::ranges::find_if(
          outputs, [&](Ident output) { return output.known() && same.contains(output); });
      if (found == outputs.end()) break;
      outside.columns.push_back({as_instance, static_cast<int>(found - outputs.begin())});
    }
    if (outside.columns.size() == key.columns.size()) {
      result.keys.push_back(outside);
      result.anchors.push_back(std::move(outside));
      break;
    }
  }
  return result;
}

/// Equal values of both branches' columns are placed alike.
bool Analysis::comparable_outputs(const Block& left, const Block& right,
                                  const KeyTuple& key) const {
  return std::ranges::all_of(key.columns, [&](Ident column) {
    const auto index = static_cast<std::size_t>(column.column);
    const auto type_in = [&](const Block& side) {
      const Block* at = &side;
      while (at->left != nullptr) at = at->left;
      return index < at->outputs.size() ? type_of(query_, at->outputs[index].ident) : 0;
    };
    return comparable_keys(type_in(left), type_in(right));
  });
}

Distribution Analysis::set_operation(const Block& block, const Facts& outer, int as_instance) {
  for (const Block* cte : block.ctes) visit_writes(*cte);
  const bool cut = has_limit(*block.select) && &block != top_;
  const std::string clause = name_of(*block.select);
  const auto arm = [&](const Block& side) {
    Facts facts = outer;
    if (as_instance != kSubqueryInstance && side.left == nullptr && !has_limit(*block.select) &&
        !block.recursive) {
      pass_through(side, as_instance, facts);
    }
    return of(side, facts, as_instance);
  };
  Distribution left = arm(*block.left);
  Distribution right = arm(*block.right);
  for (Distribution* side : {&left, &right}) {
    if (side->kind != Kind::split_up) continue;
    if (side->clause.empty()) side->clause = "a branch of " + clause;
    return *side;
  }
  if (left.neutral() && right.neutral()) {
    Distribution both = merge_neutral(std::move(left), right);
    if (both.same_everywhere() && both.unstable.empty() && cut) {
      both.unstable = "LIMIT in a subquery over reference tables";
    }
    return both;
  }
  if (left.kind == Kind::whole || right.kind == Kind::whole) {
    const bool together = left.kind == Kind::whole && right.kind == Kind::whole
                              ? left.shard == right.shard
                              : left.same_everywhere() || right.same_everywhere();
    if (together) return left.kind == Kind::whole ? left : right;
    return Distribution::refuse("a branch reads a table on one shard, the other rows elsewhere", {},
                                clause);
  }
  if (left.kind != Kind::sharded || right.kind != Kind::sharded) {
    return Distribution::refuse(
        "a branch of the set operation is the same on every shard, the other is sharded",
        "Join the reference table with a sharded one in its branch.", clause);
  }
  if (block.recursive) {
    return Distribution::refuse("it reads sharded tables", {}, "WITH RECURSIVE");
  }
  if (cut) return Distribution::refuse("it has a LIMIT over rows of several shards", {}, clause);
  const auto& tables = query_.map->tables();
  const auto& a = tables[static_cast<std::size_t>(left.table)];
  const auto& b = tables[static_cast<std::size_t>(right.table)];
  Distribution result;
  result.kind = Kind::sharded;
  result.table = left.table;
  result.mixed = left.mixed || right.mixed || a.scheme != b.scheme;
  const bool known = block.left->outputs_known && block.right->outputs_known;
  for (const KeyTuple& key : left.keys) {
    for (const KeyTuple& other : right.keys) {
      Facts none;
      if (!known) continue;
      if (key.columns == other.columns && !result.mixed && same_place(query_, none, key, other) &&
          comparable_outputs(*block.left, *block.right, key)) {
        result.keys.push_back(key);
        result.anchors.push_back(key);
      }
    }
  }
  const bool union_all =
      block.select->set_op == tree::SetOperation::union_ && block.select->set_all;
  if (!union_all && result.keys.empty()) {
    return Distribution::refuse(
        "it compares the rows of both branches, without the key in its columns",
        "Put the key at the same place into both branches.", clause);
  }
  if (result.mixed && query_.map->shards_of(a) != query_.map->shards_of(b)) {
    return Distribution::refuse("its tables are on different shards", {}, clause);
  }
  return result;
}

bool Analysis::completes(const Rows& rows, const std::vector<Ident>& columns) {
  return std::ranges::any_of(rows.distribution.keys, [&](const KeyTuple& key) {
    return std::ranges::all_of(key.columns, [&](Ident part) {
      const auto same = rows.facts.equal_to(part);
      return std::ranges::any_of(
          columns, [&](Ident column) { return column.known() && same.contains(column); });
    });
  });
}

std::optional<std::string> Analysis::incomplete_window(const Block& block, const Rows& rows) const {
  const tree::Select& select = *block.select;
  std::optional<std::string> reason;
  const auto partition_of = [&](const tree::FunctionCall& call) {
    const tree::WindowDef* window = call.over.get();
    std::string next = window != nullptr ? window->ref_name : call.over_name;
    for (std::size_t depth = 0; depth <= select.windows.size(); ++depth) {
      if (window != nullptr && (!window->partition_by.empty() || next.empty())) break;
      const auto at = std::ranges::find(select.windows, next, &tree::WindowDef::name);
      if (at == select.windows.end()) break;
      window = &*at;
      next = at->ref_name;
    }
    std::vector<const tree::Expr*> exprs;
    if (window != nullptr) {
      for (const tree::ExprPtr& expr : window->partition_by) exprs.push_back(expr.get());
    }
    std::vector<Ident> idents;
    for (const tree::Expr* expr : exprs) idents.push_back(ident_of(*expr));
    return idents;
  };
  const auto check = [&](const tree::Expr& expr) {
    tree::walk(expr, [&](const tree::Expr& at) {
      const auto* call = at.as<tree::FunctionCall>();
      if (call != nullptr && call->windowed() && !completes(rows, partition_of(*call))) {
        reason = "window function " + call->name.back() + " over rows of several shards";
      }
      return true;
    });
  };
  for (const tree::Target& target : select.targets) check(*target.expr);
  for (const tree::SortKey& key : select.order_by) check(*key.expr);
  return reason;
}

/// Why the answer of a block over the same rows could differ from one server to another.
std::string Analysis::order_dependent(const Block& block) const {
  if (block.select == nullptr) return {};
  const tree::Select& select = *block.select;
  if (has_limit(select)) return "LIMIT in a subquery over reference tables";
  if (!select.distinct_on.empty()) return "DISTINCT ON in a subquery over reference tables";
  if (has_windows(select)) return "a window function in a subquery over reference tables";
  std::string reason;
  tree::for_each_expr(select, [&](const tree::Expr& expr) {
    tree::walk(expr, [&](const tree::Expr& at) {
      if (const auto* call = at.as<tree::FunctionCall>()) {
        static const std::vector<std::string> free_of_order = {
            "count",   "sum",   "min",     "max",    "avg",    "bool_and",
            "bool_or", "every", "bit_and", "bit_or", "bit_xor"};
        const FunctionInfo info = classify(*call, functions_);
        if (info.kind == FunctionKind::random || info.kind == FunctionKind::shared) {
          reason = call->name.back() + "() in a subquery over reference tables";
        } else if (info.kind == FunctionKind::aggregate &&
                   std::ranges::find(free_of_order, call->name.back()) == free_of_order.end()) {
          reason = "aggregate " + call->name.back() + " in a subquery over reference tables";
        }
      }
      return true;
    });
  });
  return reason;
}

}  // namespace anabranch::rewriter
