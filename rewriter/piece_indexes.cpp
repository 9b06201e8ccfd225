#include "rewriter/piece_indexes.h"

#include <algorithm>

#include "rewriter/inner_joins.h"
#include "values/type.h"

namespace anabranch::rewriter {
namespace {

namespace oid = values::oid;

/// Types whose btree keys are short, whatever they hold.
bool is_short(values::Oid type) {
  constexpr values::Oid types[] = {oid::int2, oid::int4, oid::int8,      oid::date,       oid::boolean,
                                   oid::uuid, oid::time, oid::timestamp, oid::timestamptz};
  return std::ranges::find(types, type) != std::end(types);
}

bool has_hash(values::Oid type) {
  constexpr values::Oid types[] = {oid::text, oid::varchar, oid::bpchar, oid::numeric, oid::bytea};
  return std::ranges::find(types, type) != std::end(types);
}

class Indexes {
 public:
  Indexes(const Planning& planning, const Pieces& pieces, const std::vector<GatheredTable>& gathered)
      : query_(planning.query), pieces_(pieces), gathered_(gathered) {}

  std::vector<std::string> find() {
    for (const auto& block : query_.blocks) {
      each_expression(*block, [&](const tree::Expr& expr) {
        tree::walk(expr, [&](const tree::Expr& at) {
          if (at.as<tree::ScalarSubquery>() == nullptr && at.as<tree::ArraySubquery>() == nullptr) return true;
          tree::for_each_subquery(at, [&](const tree::Select& select) { look_into(*block, select); });
          return true;
        });
      });
    }
    return std::move(found_);
  }

 private:
  void look_into(const Block& outer, const tree::Select& select) {
    const auto at = outer.subqueries.find(&select);
    if (at == outer.subqueries.end() || at->second->select == nullptr) return;
    const Block& block = *at->second;
    std::map<std::size_t, std::vector<Ident>> columns;
    for (const tree::Expr* condition : inner_joins(*block.select).conditions) {
      const auto* call = condition->as<tree::OperatorCall>();
      if (call == nullptr || call->name != "=" || !call->left || !call->right) continue;
      add(block, *call->left, *call->right, columns);
      add(block, *call->right, *call->left, columns);
    }
    for (const auto& [piece, idents] : columns) add_index(piece, idents);
  }

  void add(const Block& block, const tree::Expr& column, const tree::Expr& other,
           std::map<std::size_t, std::vector<Ident>>& columns) const {
    const Ident ident = ident_of(column);
    const auto piece = pieces_.of_instance.find(ident.instance);
    if (!ident.known() || piece == pieces_.of_instance.end() || !is_inside(block, ident) || !is_outside(block, other)) return;
    if (pieces_.list[piece->second].columns.contains(ident)) columns[piece->second].push_back(ident);
  }

  static bool is_inside(const Block& block, Ident ident) {
    return std::ranges::find(block.instances, ident.instance) != block.instances.end();
  }

  /// It changes with the rows of the query around the block, and not with the block's own.
  static bool is_outside(const Block& block, const tree::Expr& expr) {
    bool outside = true;
    bool named = false;
    tree::walk(expr, [&](const tree::Expr& at) {
      tree::for_each_subquery(at, [&](const tree::Select&) { outside = false; });
      if (const auto* reference = at.as<tree::ColumnRef>()) {
        named = true;
        outside &= !is_inside(block, ident_of(*reference));
      }
      return outside;
    });
    return outside && named;
  }

  void add_index(std::size_t piece, const std::vector<Ident>& idents) {
    const GatheredTable& table = gathered_[piece];
    std::string keys;
    std::string hashed;
    for (const Ident ident : idents) {
      const values::Oid type = query_.column(ident)->type.oid;
      const std::string& name = table.columns.at(ident);
      if (is_short(type)) keys += (keys.empty() ? "" : ", ") + name;
      if (has_hash(type) && hashed.empty()) hashed = name;
    }
    std::string index = "CREATE INDEX ON " + table.name.front() + "." + table.name.back();
    if (keys.empty() && hashed.empty()) return;
    index += keys.empty() ? " USING hash (" + hashed + ")" : " (" + keys + ")";
    if (std::ranges::find(found_, index) == found_.end()) found_.push_back(std::move(index));
  }

  const Query& query_;
  const Pieces& pieces_;
  const std::vector<GatheredTable>& gathered_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> indexes_of(const Planning& planning, const Pieces& pieces,
                                    const std::vector<GatheredTable>& gathered) {
  return Indexes(planning, pieces, gathered).find();
}

}  // namespace anabranch::rewriter
