#include "rewriter/rest.h"

#include <algorithm>
#include <utility>

#include "rewriter/copied_blocks.h"
#include "rewriter/inner_joins.h"

namespace anabranch::rewriter {
namespace {

void each_below(tree::ExprPtr& slot, const std::function<void(tree::ExprPtr&)>& visit) {
  if (slot) tree::transform(slot, visit);
}

class Replacing {
 public:
  Replacing(Planning& planning, const Pieces& pieces, const std::vector<GatheredTable>& gathered)
      : planning_(planning), query_(planning.query), pieces_(pieces), gathered_(gathered) {}

  void replace(const tree::Select& original, tree::Select& copy, const Block& block) const {
    each_copied_block(query_, original, copy, block, pieces_.gone,
                      [&](const tree::Select& was, tree::Select& at, const Block& of) { replace_block(was, at, of); });
  }

 private:
  void replace_block(const tree::Select& original, tree::Select& copy, const Block& block) const {
    if (pieces_.unseen.contains(&original)) {
      copy.targets.clear();
      copy.targets.push_back(tree::make::target(tree::make::integer(1)));
    }
    if (!copy.group_by.empty()) write_out_groups(copy, block);
    replace_from(original, copy, block);
    const bool joined = std::ranges::any_of(block.instances, [&](int instance) { return is_joined(instance); });
    if (joined && !pieces_.unseen.contains(&original)) write_out_stars(copy, block);
    join_again(original, copy, block);
    rename_columns(copy);
  }

  void replace_from(const tree::Select& original, tree::Select& copy, const Block& block) const {
    check_names(block);
    each_copied_item(original, copy, [&](const tree::FromItem& was, tree::FromPtr& item) {
      if (const auto* function = item->as<tree::FunctionRef>()) {
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
    if (instance.kind == Instance::Kind::recursive || !instance.cte.empty() || is_joined(index)) return;
    tree::Alias alias = table.alias;
    if (alias.name.empty()) alias.name = table.name;
    tree::SelectPtr rows = instance.kind == Instance::Kind::table ? rows_of(index) : view(instance);
    item = tree::make::subquery(std::move(rows), alias.name);
    item->as<tree::SubqueryRef>()->alias.columns = std::move(alias.columns);
  }

  bool is_joined(int instance) const {
    const auto piece = pieces_.of_instance.find(instance);
    return piece != pieces_.of_instance.end() && pieces_.list[piece->second].joined();
  }

  const GatheredTable& gathered(int instance) const { return gathered_[pieces_.of_instance.at(instance)]; }

  tree::SelectPtr rows_of(int index) const {
    auto rows = std::make_unique<tree::Select>();
    for (const auto& [ident, name] : gathered(index).columns) {
      const auto& columns = query_.at(index).relation->columns;
      rows->targets.push_back(
          tree::make::target(tree::make::column({name}), columns[static_cast<std::size_t>(ident.column)].name));
    }
    const tree::Name& name = gathered(index).name;
    rows->from.push_back(tree::make::table(name.front(), name.back()));
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

  // ------------------------------------------------------- tables that their shards have joined

  /// Their columns have other names now, and another order.
  void write_out_stars(tree::Select& copy, const Block& block) const {
    std::vector<tree::Target> written;
    auto output = block.outputs.begin();
    for (tree::Target& target : copy.targets) {
      const auto* reference = target.expr->as<tree::ColumnRef>();
      if (reference == nullptr || !reference->star) {
        written.push_back(std::move(target));
        ++output;
        continue;
      }
      for (; output != block.outputs.end() && output->expr == nullptr; ++output) {
        written.push_back(tree::make::target(named(query_, output->ident), output->name));
      }
    }
    copy.targets = std::move(written);
  }

  /// What the shards have joined is one table; what they have made sure of is not asked again.
  void join_again(const tree::Select& original, tree::Select& copy, const Block& block) const {
    const InnerJoins before = inner_joins(original);
    const auto piece_of = [&](const tree::FromItem* item) -> std::optional<std::size_t> {
      const auto at = block.of_item.find(item);
      if (at == block.of_item.end() || !is_joined(at->second)) return std::nullopt;
      return pieces_.of_instance.at(at->second);
    };
    const bool as_it_was =
        std::ranges::none_of(before.items, [&](const tree::FromItem* item) { return piece_of(item).has_value(); }) &&
        std::ranges::none_of(before.conditions, [&](const tree::Expr* at) { return pieces_.settled.contains(at); });
    if (as_it_was) return;
    TakenJoins after = take_inner_joins(copy);
    std::set<std::size_t> placed;
    for (std::size_t i = 0; i < after.items.size(); ++i) {
      const auto piece = piece_of(before.items[i]);
      if (!piece) {
        copy.from.push_back(std::move(after.items[i]));
      } else if (placed.insert(*piece).second) {
        const tree::Name& name = gathered_[*piece].name;
        copy.from.push_back(tree::make::table(name.front(), name.back()));
      }
    }
    std::vector<tree::ExprPtr> conditions;
    for (std::size_t i = 0; i < after.conditions.size(); ++i) {
      if (!pieces_.settled.contains(before.conditions[i])) conditions.push_back(std::move(after.conditions[i]));
    }
    copy.where = tree::make::all_of(std::move(conditions));
  }

  /// What the columns were called, the outputs still are.
  void rename_columns(tree::Select& copy) const {
    std::vector<std::string> names;
    for (const tree::Target& target : copy.targets) names.push_back(implicit_name(*target.expr));
    tree::for_each_expr(copy, [&](tree::ExprPtr& slot) { each_below(slot, [&](tree::ExprPtr& at) { rename(at); }); });
    for (std::size_t i = 0; i < names.size(); ++i) {
      tree::Target& target = copy.targets[i];
      if (target.alias.empty() && implicit_name(*target.expr) != names[i]) target.alias = names[i];
    }
  }

  void rename(tree::ExprPtr& at) const {
    auto* reference = at->as<tree::ColumnRef>();
    if (reference == nullptr) return;
    const Ident ident = ident_of(*reference);
    if (!reference->star && ident.known() && is_joined(ident.instance)) {
      const GatheredTable& table = gathered(ident.instance);
      reference->parts = {table.name.back(), table.columns.at(ident)};
      return;
    }
    leave_out_schema(*reference);
  }

  // GROUP BY of a primary key lets the table's other columns stand alone; gathered rows have no such key, so that
  // these are grouped by, too.

  void write_out_groups(tree::Select& copy, const Block& block) const {
    const auto items = group_items(block, planning_.pins);
    if (!items) return;
    std::vector<Ident> grouped;
    for (const Meaning& item : *items) grouped.push_back(item.ident);
    std::vector<Ident> missing;
    const auto note = [&](const tree::ColumnRef& reference) {
      const Ident ident = ident_of(reference);
      if (std::ranges::find(grouped, ident) != grouped.end() || !has_key_of(ident, block, grouped)) return;
      // What only shards read, in conditions they have made sure of, is not there.
      if (!gathered(ident.instance).columns.contains(ident)) return;
      grouped.push_back(ident);
      missing.push_back(ident);
    };
    each_ungrouped(block, note);
    for (const Ident ident : missing) copy.group_by.emplace_back().expr = named(query_, ident);
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
  const Pieces& pieces_;
  const std::vector<GatheredTable>& gathered_;
};

}  // namespace

tree::SelectPtr rest_of(Planning& planning, const tree::Select& select, const Pieces& pieces,
                        const std::vector<GatheredTable>& gathered) {
  tree::SelectPtr rest = tree::clone(select);
  Replacing(planning, pieces, gathered).replace(select, *rest, *planning.query.top);
  return rest;
}

}  // namespace anabranch::rewriter
