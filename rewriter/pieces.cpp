#include "rewriter/pieces.h"

#include <algorithm>
#include <ranges>

#include "rewriter/inner_joins.h"
#include "rewriter/piece_joins.h"

namespace anabranch::rewriter {
namespace {

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

template <class Select>
std::vector<Select*> below_select(Select& select) {
  std::vector<Select*> found;
  tree::for_each_expr(select, [&](auto& expr) -> void { add_subqueries(below(expr), found); });
  return found;
}

using Conditions = std::vector<const tree::Expr*>;

class Reader {
 public:
  Reader(const Planning& planning, Rest rest) : planning_(planning), query_(planning.query), rest_(rest) {}

  Pieces read() {
    keeps_conditions_ = rest_ == Rest::whole || std::ranges::any_of(query_.blocks, [](const auto& block) {
                          return has_grouping_sets(*block);
                        });
    for (const auto& block : query_.blocks) add_pieces(*block);
    drop_gone();
    for (const auto& block : query_.blocks) find_unseen(*block);
    for (const auto& block : query_.blocks) {
      if (!is_gone(*block)) check_tables(*block);
    }
    for (const auto& block : query_.blocks) {
      if (!is_gone(*block)) add_columns(*block);
    }
    for (Piece& piece : pieces_.list) piece.distinct = planning_.traits.random.empty() && is_set(piece);
    return std::move(pieces_);
  }

 private:
  void add_pieces(const Block& block) {
    if (block.select == nullptr) return add_write(block);
    for (Piece& piece : join_pieces(planning_, block, rest_)) {
      if (!keeps_conditions_) settle(piece);
      pieces_.list.push_back(std::move(piece));
    }
    const InnerJoins joins = inner_joins(*block.select);
    for (const tree::FromItem* item : joins.items) {
      if (const auto* join = item->as<tree::Join>()) push(block, *join, joins.conditions);
    }
  }

  /// What an UPDATE or DELETE joins its table with.
  void add_write(const Block& block) {
    const auto of = [&](const std::vector<tree::FromPtr>& from, const tree::ExprPtr& where) {
      for (const tree::FromPtr& item : from) push(block, *item, tree::conjuncts(where.get()));
    };
    if (block.update != nullptr) of(block.update->from, block.update->where);
    if (block.remove != nullptr) of(block.remove->using_, block.remove->where);
  }

  /// Servers (PostgreSQL before 18) take columns that are equal, or constant, for such in ORDER BY, too, where grouping
  /// sets have made NULLs of them: they must see the conditions, of
  /// subqueries too, to do the same.
  static bool has_grouping_sets(const Block& block) {
    return block.select != nullptr && std::ranges::any_of(block.select->group_by, [](const tree::GroupItem& item) {
      return item.kind != tree::GroupItem::Kind::expr;
    });
  }

  void settle(const Piece& piece) {
    pieces_.settled.insert(piece.filters.begin(), piece.filters.end());
    for (const tree::Expr* filter : piece.filters) {
      for (const tree::Select* subquery : subqueries_of(*filter)) pieces_.gone.insert(subquery);
    }
  }

  bool is_gone(const Block& block) const {
    for (const Block* at = &block; at != nullptr; at = at->parent) {
      if (at->select != nullptr && pieces_.gone.contains(at->select)) return true;
    }
    return false;
  }

  /// What is read only where a shard decides for itself.
  void drop_gone() {
    std::set<int> gone;
    for (const auto& block : query_.blocks) {
      if (is_gone(*block)) gone.insert(block->instances.begin(), block->instances.end());
    }
    std::erase_if(pieces_.list, [&](const Piece& piece) { return gone.contains(piece.instances.front()); });
    std::ranges::sort(pieces_.list, {}, [](const Piece& piece) { return *std::ranges::min_element(piece.instances); });
    for (std::size_t i = 0; i < pieces_.list.size(); ++i) {
      for (const int instance : pieces_.list[i].instances) pieces_.of_instance[instance] = i;
    }
  }

  void find_unseen(const Block& block) {
    each_expression(block, [&](const tree::Expr& expr) {
      tree::walk(expr, [&](const tree::Expr& at) {
        const auto* exists = at.as<tree::Exists>();
        if (exists != nullptr && is_unseen(*exists->query)) pieces_.unseen.insert(exists->query.get());
        return true;
      });
    });
  }

  /// Only that there is such a row counts, and equal rows are likely: no key is among the few columns that are looked at.
  bool is_set(const Piece& piece) const {
    constexpr std::size_t most_columns = 2;
    const int first = piece.instances.front();
    const auto in_unseen = [&](const auto& block) {
      return block->select != nullptr && pieces_.unseen.contains(block->select) && !has_limit(*block->select) &&
             std::ranges::find(block->instances, first) != block->instances.end();
    };
    if (piece.columns.size() > most_columns || std::ranges::none_of(query_.blocks, in_unseen)) return false;
    const bool exact = std::ranges::all_of(piece.columns, [&](Ident ident) {
      const values::Oid type = query_.column(ident)->type.oid;
      return type == values::oid::int2 || type == values::oid::int4 || type == values::oid::int8 || type == values::oid::uuid;
    });
    const auto is_key = [&](const router::UniqueKey& key) {
      return !key.columns.empty() && std::ranges::all_of(key.columns, [&](int column) {
        return piece.columns.contains({first, column});
      });
    };
    return exact && std::ranges::none_of(query_.at(first).relation->unique_keys, is_key);
  }

  /// Its select list could be any other that makes one row of each.
  static bool is_unseen(const tree::Select& select) {
    const bool plain = select.set_op == tree::SetOperation::none && select.values.empty() && !select.distinct &&
                       select.distinct_on.empty() && select.group_by.empty() && !select.having && select.order_by.empty();
    return plain && std::ranges::all_of(select.targets, [](const tree::Target& target) {
      return target.expr->as<tree::ColumnRef>() != nullptr || target.expr->as<tree::Literal>() != nullptr;
    });
  }

  void check_tables(const Block& block) {
    for (const auto& [item, index] : block.of_item) {
      if (const auto* from = item->as<tree::VerbatimFrom>()) {
        refuse_clause(from->node, "its text cannot be taken apart", "Write it as a subquery of its own.");
      }
      const Instance& instance = query_.at(index);
      const auto* table = item->as<tree::TableRef>();
      if (instance.kind != Instance::Kind::table || table == nullptr) continue;
      if (instance.relation == nullptr) {
        refuse_clause("\"" + instance.name + "\" beside rows of several shards", "its columns are not known",
                      "Make it a table of the database, and RELOAD.");
      }
      if (!table->tablesample.empty()) {
        refuse_clause("TABLESAMPLE in a query whose rows are gathered", "the sample would be one of each shard",
                      "Use a condition on random().");
      }
      if (!table->alias.columns.empty() || needs_all(block)) add_all(index);
    }
  }

  /// NATURAL joins look at all columns, and an alias of a join names them by their positions.
  static bool needs_all(const Block& block) {
    bool found = false;
    if (block.select == nullptr) return returns_all(block);
    tree::for_each_from(*block.select, [&](const tree::FromItem& item) {
      const auto* join = item.as<tree::Join>();
      found |= join != nullptr && (join->natural || !join->alias.columns.empty());
    });
    return found;
  }

  static bool returns_all(const Block& block) {
    const auto is_star = [](const tree::Target& target) {
      const auto* column = target.expr->as<tree::ColumnRef>();
      return column != nullptr && column->star && column->parts.empty();
    };
    return (block.update != nullptr && std::ranges::any_of(block.update->returning, is_star)) ||
           (block.remove != nullptr && std::ranges::any_of(block.remove->returning, is_star));
  }

  void add_all(int instance) {
    const auto count = static_cast<int>(query_.at(instance).relation->columns.size());
    for (int i = 0; i < count; ++i) add(Ident{instance, i});
  }

  void add_columns(const Block& block) {
    const bool unseen = block.select != nullptr && pieces_.unseen.contains(block.select);
    const auto is_target = [&](const tree::Expr& expr) {
      return std::ranges::any_of(block.select->targets, [&](const tree::Target& target) { return target.expr.get() == &expr; });
    };
    each_expression(block, [&](const tree::Expr& expr) {
      if (unseen && is_target(expr)) return;
      tree::walk(expr, [&](const tree::Expr& at) {
        if (pieces_.settled.contains(&at)) return false;
        if (const auto* reference = at.as<tree::ColumnRef>()) add(*reference);
        check_verbatim(at);
        return true;
      });
    });
    for (const OutputColumn& output : block.outputs) {
      if (output.expr == nullptr && !unseen) add(output.ident);
    }
    for (const auto& pairs : block.using_pairs | std::views::values) {
      for (const auto& [left, right] : pairs) {
        add(left);
        add(right);
      }
    }
  }

  static void check_verbatim(const tree::Expr& at) {
    const auto* verbatim = at.as<tree::Verbatim>();
    if (verbatim == nullptr) return;
    bool subquery = false;
    for (const tree::ExprPtr& child : verbatim->children) {
      tree::walk(*child, [&](const tree::Expr& below) {
        tree::for_each_subquery(below, [&](const tree::Select&) { subquery = true; });
        return !subquery;
      });
    }
    if (subquery) refuse_clause(verbatim->node, "a subquery stands inside", "Write the subquery outside of it.");
  }

  void add(const tree::ColumnRef& reference) {
    const Ident ident = ident_of(reference);
    const bool of_relation = ident.instance >= 0 && query_.at(ident.instance).relation != nullptr;
    if (ident.column == kWholeRow && !reference.star && of_relation) {
      refuse_clause("a table's row as a value", "the rows are gathered without their type",
                    "Name its columns: ROW(a, b), or json_build_object().");
    }
    add(ident);
  }

  void add(Ident ident) {
    if (ident.instance < 0) return;
    const Instance& instance = query_.at(ident.instance);
    if (instance.kind == Instance::Kind::merged && ident.column >= 0) {
      for (const auto& [left, right] : instance.merged) {
        add(left);
        add(right);
      }
      return;
    }
    const auto found = pieces_.of_instance.find(ident.instance);
    if (found == pieces_.of_instance.end()) return;
    if (ident.column == kWholeRow) return add_all(ident.instance);
    if (ident.column >= 0) {
      pieces_.list[found->second].columns.insert(ident);
      return;
    }
    refuse_clause("a column of " + instance.name + " that its rows do not hold", "they are gathered from their shards",
                  "Use the table's own columns.");
  }

  /// `conditions`: without which a row of the item does not count, wherever it is looked at.
  void push(const Block& block, const tree::FromItem& item, const Conditions& conditions) {
    if (const auto* join = item.as<tree::Join>()) return push(block, *join, conditions);
    const auto at = block.of_item.find(&item);
    if (at == block.of_item.end() || item.as<tree::TableRef>() == nullptr) return;
    const Instance& instance = query_.at(at->second);
    if (instance.kind != Instance::Kind::table || instance.relation == nullptr) return;
    Piece& piece = pieces_.list.emplace_back();
    piece.instances = {at->second};
    piece.tables = {&item};
    piece.in_view = block.from_view;
    for (const tree::Expr* condition : conditions) {
      if (is_own(planning_, *condition, piece)) piece.filters.push_back(condition);
    }
  }

  void push(const Block& block, const tree::Join& join, const Conditions& conditions) {
    using enum tree::Join::Kind;
    const Conditions on = tree::conjuncts(join.on.get());
    Conditions both = conditions;
    both.insert(both.end(), on.begin(), on.end());
    const bool preserves_left = join.kind == left || join.kind == full;
    const bool preserves_right = join.kind == right || join.kind == full;
    const Conditions none;
    const auto for_side = [&](bool preserved, bool null_extended) -> const Conditions& {
      if (preserved && null_extended) return none;
      if (preserved) return conditions;
      return null_extended ? on : both;
    };
    push(block, *join.left, for_side(preserves_left, preserves_right));
    push(block, *join.right, for_side(preserves_right, preserves_left));
  }

  const Planning& planning_;
  const Query& query_;
  const Rest rest_;
  Pieces pieces_;
  bool keeps_conditions_ = false;
};

}  // namespace

Pieces pieces_of(const Planning& planning, Rest rest) {
  return Reader(planning, rest).read();
}

std::vector<const tree::Select*> subqueries_of(const tree::Select& select) {
  return below_select(select);
}

std::vector<tree::Select*> subqueries_of(tree::Select& select) {
  return below_select(select);
}

std::vector<const tree::Select*> subqueries_of(const tree::Expr& expr) {
  std::vector<const tree::Select*> found;
  add_subqueries(expr, found);
  return found;
}

void leave_out_schema(tree::ColumnRef& reference) {
  const std::size_t most = reference.star ? 1 : 2;
  if (reference.parts.size() <= most) return;
  reference.parts.erase(reference.parts.begin(), reference.parts.end() - static_cast<std::ptrdiff_t>(most));
}

void detach_literals(tree::ExprPtr& expr) {
  tree::transform(expr, [](tree::ExprPtr& at) {
    const auto* literal = at->as<tree::Literal>();
    if (literal != nullptr) at->node = tree::Literal(literal->kind(), literal->unpinned_value());
  });
}

tree::ExprPtr named(const Query& query, Ident column) {
  const Instance& instance = query.at(column.instance);
  tree::ExprPtr name = tree::make::column({instance.name, instance.columns[static_cast<std::size_t>(column.column)]});
  name->as<tree::ColumnRef>()->resolved = tree::ResolvedColumn{column.instance, column.column, 0};
  return name;
}

tree::SelectPtr rows_of(const Query& query, const Piece& piece) {
  auto rows = std::make_unique<tree::Select>();
  for (const tree::FromItem* table : piece.tables) rows->from.push_back(tree::clone(*table));
  std::vector<tree::ExprPtr> filters;
  for (const auto& [left, right] : piece.equal) {
    filters.push_back(tree::make::op("=", named(query, left), named(query, right)));
  }
  for (const tree::Expr* filter : piece.filters) filters.push_back(tree::clone(*filter));
  for (const auto& filter : piece.implied) filters.push_back(tree::clone(*filter));
  for (tree::ExprPtr& filter : filters) {
    if (piece.in_view) detach_literals(filter);
  }
  rows->where = tree::make::all_of(std::move(filters));
  return rows;
}

}  // namespace anabranch::rewriter
