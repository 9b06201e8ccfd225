#include "rewriter/pieces.h"

#include <algorithm>
#include <ranges>

namespace anabranch::rewriter {
namespace {

using Conditions = std::vector<const tree::Expr*>;

class Reader {
 public:
  explicit Reader(const Planning& planning) : planning_(planning), query_(planning.query) {}

  std::map<int, Piece> read() {
    for (const auto& block : query_.blocks) add_tables(*block);
    for (const auto& block : query_.blocks) add_columns(*block);
    for (const auto& block : query_.blocks) add_filters(*block);
    return std::move(pieces_);
  }

 private:
  void add_tables(const Block& block) {
    for (const auto& [item, index] : block.of_item) {
      if (const auto* from = item->as<tree::VerbatimFrom>()) {
        refuse_clause(from->node, "its text cannot be taken apart", "Write it as a subquery of its own.");
      }
      const Instance& instance = query_.at(index);
      if (instance.kind != Instance::Kind::table) continue;
      const auto* table = item->as<tree::TableRef>();
      if (table == nullptr) continue;
      if (instance.relation == nullptr) {
        refuse_clause("\"" + instance.name + "\" beside rows of several shards", "its columns are not known",
                      "Make it a table of the database, and RELOAD.");
      }
      if (!table->tablesample.empty()) {
        refuse_clause("TABLESAMPLE in a query whose rows are gathered", "the sample would be one of each shard",
                      "Use a condition on random().");
      }
      Piece& piece = pieces_[index];
      piece.instance = index;
      piece.table = table;
      piece.in_view = block.from_view;
      if (!table->alias.columns.empty() || needs_all(block)) add_all(piece);
    }
  }

  /// NATURAL joins look at all columns, and an alias of a join names them by their positions.
  static bool needs_all(const Block& block) {
    bool found = false;
    if (block.select == nullptr) return found;
    tree::for_each_from(*block.select, [&](const tree::FromItem& item) {
      const auto* join = item.as<tree::Join>();
      found |= join != nullptr && (join->natural || !join->alias.columns.empty());
    });
    return found;
  }

  void add_all(Piece& piece) const {
    const auto count = static_cast<int>(query_.at(piece.instance).relation->columns.size());
    for (int i = 0; i < count; ++i) piece.columns.insert(i);
  }

  void add_columns(const Block& block) {
    each_expression(block, [&](const tree::Expr& expr) {
      tree::walk(expr, [&](const tree::Expr& at) {
        if (const auto* reference = at.as<tree::ColumnRef>()) add(*reference);
        check_verbatim(at);
        return true;
      });
    });
    for (const OutputColumn& output : block.outputs) {
      if (output.expr == nullptr) add(output.ident);
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
    const auto found = pieces_.find(ident.instance);
    if (found == pieces_.end()) return;
    if (ident.column == kWholeRow) return add_all(found->second);
    if (ident.column >= 0) {
      found->second.columns.insert(ident.column);
      return;
    }
    refuse_clause("a column of " + instance.name + " that its rows do not hold", "they are gathered from their shards",
                  "Use the table's own columns.");
  }

  void add_filters(const Block& block) {
    if (block.select == nullptr) return;
    const Conditions where = tree::conjuncts(block.select->where.get());
    for (const tree::FromPtr& item : block.select->from) push(block, *item, where);
  }

  /// `conditions`: without which a row of the item does not count, wherever it is looked at.
  void push(const Block& block, const tree::FromItem& item, const Conditions& conditions) {
    if (const auto* join = item.as<tree::Join>()) return push(block, *join, conditions);
    const auto at = block.of_item.find(&item);
    if (at == block.of_item.end()) return;
    const auto piece = pieces_.find(at->second);
    if (piece == pieces_.end()) return;
    for (const tree::Expr* condition : conditions) {
      if (is_own(*condition, at->second)) piece->second.filters.push_back(condition);
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

  bool is_own(const tree::Expr& condition, int instance) const {
    bool own = true;
    bool named = false;
    tree::walk(condition, [&](const tree::Expr& at) {
      tree::for_each_subquery(at, [&](const tree::Select&) { own = false; });
      if (at.as<tree::Verbatim>() != nullptr) own = false;
      if (const auto* reference = at.as<tree::ColumnRef>()) {
        const Ident ident = ident_of(*reference);
        own &= ident.known() && ident.instance == instance;
        named = true;
      }
      if (const auto* call = at.as<tree::FunctionCall>()) {
        const FunctionKind kind = classify(*call, planning_.functions).kind;
        own &= kind == FunctionKind::pure || kind == FunctionKind::ambient;
      }
      return own;
    });
    return own && named;
  }

  const Planning& planning_;
  const Query& query_;
  std::map<int, Piece> pieces_;
};

}  // namespace

std::map<int, Piece> pieces_of(const Planning& planning) {
  return Reader(planning).read();
}

}  // namespace anabranch::rewriter
