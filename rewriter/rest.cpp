#include "rewriter/rest.h"

#include <algorithm>
#include <utility>

namespace anabranch::rewriter {
namespace {

void each_below(tree::ExprPtr& slot, const std::function<void(tree::ExprPtr&)>& visit) {
  if (slot) tree::transform(slot, visit);
}

tree::Expr& below(tree::ExprPtr& slot) {
  return *slot;
}
const tree::Expr& below(const tree::Expr& expr) {
  return expr;
}

template <class Expr, class Select>
void add_subqueries(Expr& expr, std::vector<Select*>& found) {
  tree::for_each_subquery(expr, [&](Select& query) { found.push_back(&query); });
  tree::for_each_child(expr, [&](auto& child) -> void { add_subqueries(below(child), found); });
}

/// The subqueries of a block's expressions, in an order that is the same for a clone.
template <class Select>
std::vector<Select*> subqueries_of(Select& select) {
  std::vector<Select*> found;
  tree::for_each_expr(select, [&](auto& expr) -> void { add_subqueries(below(expr), found); });
  return found;
}

std::vector<const tree::FromItem*> items_of(const tree::Select& select) {
  std::vector<const tree::FromItem*> found;
  tree::for_each_from(select, [&](const tree::FromItem& item) { found.push_back(&item); });
  return found;
}

/// Follows the statement and its copy, block by block.
class Replacing {
 public:
  Replacing(Planning& planning, const std::map<int, GatheredTable>& gathered)
      : planning_(planning), query_(planning.query), gathered_(gathered) {}

  void replace(const tree::Select& original, tree::Select& copy, const Block& block) const {
    for (std::size_t i = 0; i < copy.with.ctes.size(); ++i) {
      auto* inner = copy.with.ctes[i].statement->as<tree::Select>();
      const auto* before = std::as_const(*original.with.ctes[i].statement).as<tree::Select>();
      if (inner == nullptr || before == nullptr) {
        refuse_clause("a writing WITH", "its rows are on several shards", "Write one statement each.");
      }
      replace(*before, *inner, *block.ctes[i]);
    }
    if (copy.left) {
      replace(*original.left, *copy.left, *block.left);
      replace(*original.right, *copy.right, *block.right);
    }
    replace_subqueries(original, copy, block);
    if (!copy.group_by.empty()) write_out_groups(copy, block);
    replace_from(original, copy, block);
    tree::for_each_expr(copy, [](tree::ExprPtr& slot) { each_below(slot, shorten_name); });
  }

 private:
  void replace_subqueries(const tree::Select& original, tree::Select& copy, const Block& block) const {
    const std::vector<const tree::Select*> before = subqueries_of(original);
    const std::vector<tree::Select*> after = subqueries_of(copy);
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto inner = block.subqueries.find(before[i]);
      if (inner == block.subqueries.end()) {
        refuse_clause("a subquery", "it stands where it cannot be followed", "Write it into WITH.");
      }
      replace(*before[i], *after[i], *inner->second);
    }
  }

  void replace_from(const tree::Select& original, tree::Select& copy, const Block& block) const {
    const std::vector<const tree::FromItem*> before = items_of(original);
    check_names(block);
    std::size_t i = 0;
    tree::for_each_from(copy, [&](tree::FromPtr& item) {
      const tree::FromItem& was = *before[i++];
      if (auto* query = item->as<tree::SubqueryRef>()) {
        const Block& inner = *query_.at(block.of_item.at(&was)).block;
        replace(*was.as<tree::SubqueryRef>()->query, *query->query, inner);
      } else if (auto* function = item->as<tree::FunctionRef>()) {
        check(*function);
      } else if (const auto* table = item->as<tree::TableRef>()) {
        replace_table(item, *table, block.of_item.at(&was));
      }
    });
  }

  /// Their schemas would tell them apart, and gathered rows have none.
  void check_names(const Block& block) const {
    std::set<std::string> names;
    for (const auto& [item, index] : block.of_item) {
      const Instance& instance = query_.at(index);
      if (instance.kind == Instance::Kind::merged || names.insert(instance.name).second) continue;
      refuse_clause("two tables called " + instance.name, "their rows are gathered", "Give them aliases.");
    }
  }

  /// Of others the text is printed as it stands.
  static void check(const tree::FunctionRef& function) {
    if (function.call) return;
    refuse_clause("ROWS FROM, or a function with a column definition list", "its text cannot be taken apart",
                  "Call the function in a subquery of its own.");
  }

  void replace_table(tree::FromPtr& item, const tree::TableRef& table, int index) const {
    const Instance& instance = query_.at(index);
    if (instance.kind == Instance::Kind::recursive || !instance.cte.empty()) return;
    tree::Alias alias = table.alias;
    if (alias.name.empty()) alias.name = table.name;
    tree::SelectPtr rows = instance.kind == Instance::Kind::table ? rows_of(index) : view(instance);
    item = tree::make::subquery(std::move(rows), alias.name);
    item->as<tree::SubqueryRef>()->alias.columns = std::move(alias.columns);
  }

  tree::SelectPtr rows_of(int index) const {
    const GatheredTable& gathered = gathered_.at(index);
    auto rows = std::make_unique<tree::Select>();
    for (const auto& [column, name] : gathered.columns) {
      const auto& columns = query_.at(index).relation->columns;
      rows->targets.push_back(tree::make::target(tree::make::column({name}), columns[static_cast<std::size_t>(column)].name));
    }
    rows->from.push_back(tree::make::table(gathered.name.front(), gathered.name.back()));
    return rows;
  }

  /// Its definition, which the server would read as its owner, is read as the client: who may not is told so.
  tree::SelectPtr view(const Instance& instance) const {
    for (const auto& definition : query_.views) {
      const auto* original = std::as_const(*definition).as<tree::Select>();
      if (original != instance.block->select) continue;
      tree::SelectPtr rows = tree::clone(*original);
      replace(*original, *rows, *instance.block);
      detach(*rows);
      return rows;
    }
    refuse_clause("view " + instance.name, "its definition cannot be followed", "Write its query into the statement.");
  }

  static void detach(tree::Select& select) {
    for (tree::Cte& cte : select.with.ctes) detach(*cte.statement->as<tree::Select>());
    if (select.left) {
      detach(*select.left);
      detach(*select.right);
    }
    for (tree::Select* subquery : subqueries_of(select)) detach(*subquery);
    tree::for_each_from(select, [](tree::FromPtr& item) {
      if (auto* query = item->as<tree::SubqueryRef>()) detach(*query->query);
    });
    tree::for_each_expr(select, [](tree::ExprPtr& slot) {
      if (slot) detach_literals(slot);
    });
  }

  /// A table's schema does not name its gathered rows.
  static void shorten_name(tree::ExprPtr& at) {
    auto* reference = at->as<tree::ColumnRef>();
    if (reference == nullptr) return;
    const std::size_t most = reference->star ? 1 : 2;
    if (reference->parts.size() <= most) return;
    reference->parts.erase(reference->parts.begin(), reference->parts.end() - static_cast<std::ptrdiff_t>(most));
  }

  // GROUP BY of a primary key lets the table's other columns stand alone; gathered rows have no such key, so that
  // these are grouped by, too.

  void write_out_groups(tree::Select& copy, const Block& block) const {
    const auto items = group_items(block, planning_.pins);
    if (!items) return;
    std::vector<Ident> grouped;
    for (const Meaning& item : *items) grouped.push_back(item.ident);
    std::vector<std::pair<Ident, const tree::ColumnRef*>> missing;
    const auto note = [&](const tree::ColumnRef& reference) {
      const Ident ident = ident_of(reference);
      if (std::ranges::find(grouped, ident) != grouped.end() || !has_key_of(ident, block, grouped)) return;
      grouped.push_back(ident);
      missing.emplace_back(ident, &reference);
    };
    each_ungrouped(block, note);
    for (const auto& [ident, reference] : missing) {
      tree::GroupItem& item = copy.group_by.emplace_back();
      const Instance& instance = query_.at(ident.instance);
      item.expr = tree::make::column({instance.name, instance.columns[static_cast<std::size_t>(ident.column)]});
    }
  }

  bool has_key_of(Ident ident, const Block& block, const std::vector<Ident>& grouped) const {
    if (!ident.known() || std::ranges::find(block.instances, ident.instance) == block.instances.end()) return false;
    const Instance& instance = query_.at(ident.instance);
    if (instance.kind != Instance::Kind::table || instance.relation == nullptr) return false;
    return std::ranges::any_of(instance.relation->unique_keys, [&](const router::UniqueKey& key) {
      return key.primary && std::ranges::all_of(key.columns, [&](int column) {
        return std::ranges::find(grouped, Ident{ident.instance, column}) != grouped.end();
      });
    });
  }

  /// Columns that are looked at once a group: outside of aggregates, in this block or in subqueries below it.
  void each_ungrouped(const Block& block, const std::function<void(const tree::ColumnRef&)>& visit) const {
    const auto look = [&](const tree::Expr& expr) {
      tree::walk(expr, [&](const tree::Expr& at) {
        if (const auto* reference = at.as<tree::ColumnRef>()) visit(*reference);
        const auto* call = at.as<tree::FunctionCall>();
        const bool aggregate = call != nullptr && !call->windowed() &&
                               classify(*call, planning_.functions).kind == FunctionKind::aggregate;
        return !aggregate;
      });
    };
    const tree::Select& select = *block.select;
    for (const tree::Target& target : select.targets) look(*target.expr);
    for (const tree::ExprPtr& expr : select.distinct_on) look(*expr);
    if (select.having) look(*select.having);
    for (const tree::SortKey& key : select.order_by) look(*key.expr);
    for (const auto& other : query_.blocks) {
      if (other.get() != &block && is_below(*other, block)) each_expression(*other, look);
    }
    for (const OutputColumn& output : block.outputs) {
      if (output.expr != nullptr || !output.ident.known()) continue;
      tree::ColumnRef of_star;
      of_star.resolved = tree::ResolvedColumn{output.ident.instance, output.ident.column, 0};
      visit(of_star);
    }
  }

  static bool is_below(const Block& block, const Block& above) {
    for (const Block* at = block.parent; at != nullptr; at = at->parent) {
      if (at == &above) return true;
    }
    return false;
  }

  Planning& planning_;
  const Query& query_;
  const std::map<int, GatheredTable>& gathered_;
};

}  // namespace

void detach_literals(tree::ExprPtr& expr) {
  tree::transform(expr, [](tree::ExprPtr& at) {
    const auto* literal = at->as<tree::Literal>();
    if (literal != nullptr) at->node = tree::Literal(literal->kind(), literal->unpinned_value());
  });
}

tree::SelectPtr rest_of(Planning& planning, const tree::Select& select,
                        const std::map<int, GatheredTable>& gathered) {
  tree::SelectPtr rest = tree::clone(select);
  Replacing(planning, gathered).replace(select, *rest, *planning.query.top);
  return rest;
}

}  // namespace anabranch::rewriter
