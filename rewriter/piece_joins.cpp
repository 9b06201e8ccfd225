#include "rewriter/piece_joins.h"

#include <algorithm>

#include "rewriter/inner_joins.h"

namespace anabranch::rewriter {
namespace {

bool is_same_everywhere(const Planning& planning, const tree::Expr& at) {
  const auto* call = at.as<tree::FunctionCall>();
  if (call == nullptr) return true;
  const FunctionKind kind = classify(*call, planning.functions).kind;
  return kind == FunctionKind::pure || kind == FunctionKind::ambient;
}

bool has_instance(const Piece& piece, int instance) {
  return std::ranges::find(piece.instances, instance) != piece.instances.end();
}

/// Of the piece's columns, if of any; what is inside of subqueries does not count.
bool is_known(const Planning& planning, const tree::Expr& expr, const Piece& piece, bool must_name) {
  bool own = true;
  bool named = !must_name;
  tree::walk(expr, [&](const tree::Expr& at) {
    if (at.as<tree::Verbatim>() != nullptr) own = false;
    if (const auto* reference = at.as<tree::ColumnRef>()) {
      const Ident ident = ident_of(*reference);
      own &= ident.known() && has_instance(piece, ident.instance);
      named = true;
    }
    own &= is_same_everywhere(planning, at);
    return own;
  });
  return own && named;
}

class Joiner {
 public:
  Joiner(const Planning& planning, const Block& block)
      : planning_(planning), query_(planning.query), block_(block), joins_(inner_joins(*block.select)) {
    for (const tree::Expr* condition : joins_.conditions) add_condition(facts_, condition, query_);
  }

  std::vector<Piece> join(Rest rest) {
    add_tables(true);
    add_tables(false);
    if (rest == Rest::less && can_join()) {
      for (std::size_t i = 0; i < pieces_.size() && sharded(pieces_[i]); ++i) add_sharded(i);
      for (std::size_t i = 0; i < pieces_.size() && sharded(pieces_[i]); ++i) add_lookups(i);
    }
    for (Piece& piece : pieces_) {
      add_filters(piece);
      add_subqueries(piece);
    }
    return std::move(pieces_);
  }

 private:
  const Instance& at(int instance) const { return query_.at(instance); }

  void add_tables(bool of_shards) {
    for (const tree::FromItem* item : joins_.items) {
      const auto found = block_.of_item.find(item);
      if (found == block_.of_item.end() || item->as<tree::TableRef>() == nullptr) continue;
      const Instance& instance = at(found->second);
      if (instance.kind != Instance::Kind::table || instance.relation == nullptr) continue;
      if (query_.sharded(instance) != of_shards) continue;
      Piece& piece = pieces_.emplace_back();
      piece.instances = {found->second};
      piece.tables = {item};
      piece.in_view = block_.from_view;
    }
  }

  /// The columns that a star stands for are written out where tables become one: they must be known.
  bool can_join() const {
    std::set<std::string> names;
    for (const int instance : block_.instances) {
      if (at(instance).kind == Instance::Kind::merged) return false;
      if (!names.insert(at(instance).name).second) return false;
    }
    return block_.outputs_known && std::ranges::all_of(block_.outputs, [](const OutputColumn& output) {
      return output.expr != nullptr || output.ident.known();
    });
  }

  bool sharded(const Piece& piece) const { return query_.sharded(at(piece.instances.front())); }

  void add_sharded(std::size_t first) {
    for (std::size_t i = first + 1; i < pieces_.size() && sharded(pieces_[i]);) {
      if (!multiplies(pieces_[first], pieces_[i]) && try_join(first, i)) {
        i = first + 1;
      } else {
        ++i;
      }
    }
  }

  /// Reference tables that leave rows out, themselves or by others behind them.
  void add_lookups(std::size_t first) {
    for (std::size_t i = first + 1; i < pieces_.size();) {
      const bool joins = is_reference(pieces_[i]) && is_unique_for(pieces_[i], pieces_[first]) && restricts(i, {}) &&
                         try_join(first, i);
      i = joins ? first + 1 : i + 1;
    }
  }

  bool is_reference(const Piece& piece) const { return query_.reference(at(piece.instances.front())); }

  bool restricts(std::size_t piece, std::set<std::size_t> seen) const {
    if (!seen.insert(piece).second) return false;
    Piece alone = pieces_[piece];
    add_filters(alone);
    if (!alone.filters.empty() || !alone.implied.empty()) return true;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (is_reference(pieces_[i]) && is_unique_for(pieces_[i], pieces_[piece]) && restricts(i, seen)) return true;
    }
    return false;
  }

  /// Neither has one row at most for each of the other's.
  bool multiplies(const Piece& piece, const Piece& other) const {
    return !is_unique_for(other, piece) && !is_unique_for(piece, other);
  }

  /// `piece` is one table, and has one row at most for each row of `other`.
  bool is_unique_for(const Piece& piece, const Piece& other) const {
    if (piece.joined()) return false;
    const int instance = piece.instances.front();
    return std::ranges::any_of(at(instance).relation->unique_keys, [&](const router::UniqueKey& key) {
      return !key.columns.empty() && std::ranges::all_of(key.columns, [&](int column) {
        return partner({instance, column}, other).known();
      });
    });
  }

  /// The column of the piece that equals this one.
  Ident partner(Ident column, const Piece& piece) const {
    for (const Ident equal : facts_.equal_to(column)) {
      if (equal.column >= 0 && has_instance(piece, equal.instance)) return equal;
    }
    return {};
  }

  /// Makes one piece of two where the shards' joins together are the join.
  bool try_join(std::size_t first, std::size_t second) {
    Piece both = pieces_[first];
    const Piece& other = pieces_[second];
    for (const auto& [left, right] : facts_.equalities) {
      for (const Ident column : {left, right}) {
        if (column.instance == other.instances.front()) add_equality(column, pieces_[first], both.equal);
      }
    }
    both.instances.insert(both.instances.end(), other.instances.begin(), other.instances.end());
    both.tables.insert(both.tables.end(), other.tables.begin(), other.tables.end());
    both.equal.insert(both.equal.end(), other.equal.begin(), other.equal.end());
    Piece filtered = both;
    add_filters(filtered);
    if (!is_proved(filtered)) return false;
    pieces_[first] = std::move(both);
    pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(second));
    return true;
  }

  void add_equality(Ident column, const Piece& piece, std::vector<std::pair<Ident, Ident>>& equal) const {
    const Ident other = partner(column, piece);
    if (!other.known()) return;
    const auto says_so = [&](const std::pair<Ident, Ident>& said) {
      return said == std::pair(column, other) || said == std::pair(other, column);
    };
    if (std::ranges::any_of(facts_.equalities, says_so) || std::ranges::any_of(equal, says_so)) return;
    equal.emplace_back(other, column);
  }

  bool is_proved(const Piece& piece) const {
    tree::SelectPtr rows = rows_of(query_, piece);
    rows->targets.push_back(tree::make::target(tree::make::integer(1)));
    const tree::Statement statement{std::move(*rows)};
    const Query query = resolve(statement, planning_.catalog(), planning_.map(), *planning_.request->context);
    if (!query.unresolved.empty() || query.top == nullptr) return false;
    Analysis analysis(query, planning_.functions);
    const Distribution found = analysis.rows_of(*query.top, {}).distribution;
    return found.kind == Distribution::Kind::sharded && found.unstable.empty();
  }

  // ------------------------------------------------------------------------------------- filters

  void add_filters(Piece& piece) const {
    for (const tree::Expr* condition : joins_.conditions) {
      if (is_own(planning_, *condition, piece)) {
        piece.filters.push_back(condition);
      } else if (auto implied = implied_of(*condition, piece)) {
        piece.implied.push_back(std::move(implied));
      }
    }
  }

  /// (a.x = 1 AND b.y = 2) OR (a.x = 3 AND …) is true only where a.x = 1 OR a.x = 3 is. Null: it says nothing of the
  /// piece alone.
  std::shared_ptr<const tree::Expr> implied_of(const tree::Expr& condition, const Piece& piece) const {
    const auto* any = condition.as<tree::BoolOp>();
    if (any == nullptr || any->kind != tree::BoolOp::Kind::or_) return nullptr;
    std::vector<tree::ExprPtr> cases;
    for (const tree::ExprPtr& arg : any->args) {
      std::vector<tree::ExprPtr> own;
      for (const tree::Expr* conjunct : tree::conjuncts(arg.get())) {
        if (is_own(planning_, *conjunct, piece)) own.push_back(tree::clone(*conjunct));
      }
      if (own.empty()) return nullptr;
      cases.push_back(tree::make::all_of(std::move(own)));
    }
    return tree::make::any_of(std::move(cases));
  }

  /// What each shard decides by other rows of its own.
  void add_subqueries(Piece& piece) const {
    if (!sharded(piece) || block_.from_view) return;
    for (const tree::Expr* condition : joins_.conditions) {
      const std::vector<const tree::Select*> subqueries = subqueries_of(*condition);
      if (subqueries.empty() || !is_known(planning_, *condition, piece, false)) continue;
      if (!std::ranges::all_of(subqueries, [&](const tree::Select* select) { return reads_own(*select, piece); })) continue;
      piece.filters.push_back(condition);
      if (!is_proved(piece)) piece.filters.pop_back();
    }
  }

  /// A subquery over tables, whose other columns are the piece's.
  bool reads_own(const tree::Select& select, const Piece& piece) const {
    std::set<int> inside;
    std::vector<const Block*> blocks;
    for (const auto& block : query_.blocks) {
      if (!is_within(*block, select)) continue;
      blocks.push_back(block.get());
      inside.insert(block->instances.begin(), block->instances.end());
    }
    for (const Block* block : blocks) {
      if (block->select == nullptr || block->from_view || !block->ctes.empty()) return false;
      for (const int instance : block->instances) {
        if (at(instance).kind == Instance::Kind::recursive || !at(instance).cte.empty()) return false;
        if (at(instance).kind == Instance::Kind::derived && at(instance).relation != nullptr) return false;
      }
      bool known = true;
      each_expression(*block, [&](const tree::Expr& expr) { known = known && is_known_inside(expr, piece, inside); });
      if (!known) return false;
    }
    return !blocks.empty();
  }

  bool is_known_inside(const tree::Expr& expr, const Piece& piece, const std::set<int>& inside) const {
    bool known = true;
    tree::walk(expr, [&](const tree::Expr& at) {
      if (at.as<tree::Verbatim>() != nullptr) known = false;
      if (const auto* reference = at.as<tree::ColumnRef>()) {
        const Ident ident = ident_of(*reference);
        const bool own = has_instance(piece, ident.instance);
        known &= reference->star || ident.instance == kOutputName || inside.contains(ident.instance) ||
                 (own && ident.known());
      }
      if (const auto* call = at.as<tree::FunctionCall>()) {
        known &= is_same_everywhere(planning_, at) || classify(*call, planning_.functions).kind == FunctionKind::aggregate;
      }
      return known;
    });
    return known;
  }

  static bool is_within(const Block& block, const tree::Select& select) {
    for (const Block* at = &block; at != nullptr; at = at->parent) {
      if (at->select == &select) return true;
    }
    return false;
  }

  const Planning& planning_;
  const Query& query_;
  const Block& block_;
  InnerJoins joins_;
  Facts facts_;
  std::vector<Piece> pieces_;
};

}  // namespace

bool is_own(const Planning& planning, const tree::Expr& condition, const Piece& piece) {
  return subqueries_of(condition).empty() && is_known(planning, condition, piece, true);
}

std::vector<Piece> join_pieces(const Planning& planning, const Block& block, Rest rest) {
  return Joiner(planning, block).join(rest);
}

}  // namespace anabranch::rewriter
