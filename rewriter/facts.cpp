#include "rewriter/facts.h"

#include <algorithm>
#include <array>
#include <functional>

#include "values/mysql_type.h"

namespace anabranch::rewriter {
namespace {

bool is_integer(values::Oid type) {
  return type == values::oid::int2 || type == values::oid::int4 || type == values::oid::int8 ||
         values::is_mysql_integer(type);
}

bool is_text(values::Oid type) {
  return type == values::oid::text || type == values::oid::varchar;
}

/// Which columns may appear in a join by `=`, seen through derived tables.
const tree::OperatorCall* equality(const tree::Expr& expr) {
  const auto* call = expr.as<tree::OperatorCall>();
  if (call == nullptr || call->name != "=" || !call->left || !call->right) return nullptr;
  if (!call->schema.empty() && call->schema != "pg_catalog") return nullptr;
  return call;
}

void add_equality(Facts& facts, const tree::Expr& left, const tree::Expr& right,
                  const Query& query) {
  const Ident a = ident_of(left);
  const Ident b = ident_of(right);
  if (same_value(query, a, b)) facts.equalities.emplace_back(a, b);
}

const std::vector<tree::ExprPtr>* row_fields(const tree::Expr& expr) {
  const auto* row = expr.as<tree::Row>();
  return row == nullptr ? nullptr : &row->fields;
}

}  // namespace

std::set<Ident> Facts::equal_to(Ident ident) const {
  std::set<Ident> found = {ident};
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& [a, b] : equalities) {
      if (found.contains(a) != found.contains(b)) {
        found.insert(a);
        found.insert(b);
        grown = true;
      }
    }
  }
  return found;
}

values::Oid type_of(const Query& query, Ident ident) {
  for (int depth = 0; depth < 64 && ident.known(); ++depth) {
    if (const router::Column* column = query.column(ident)) return column->type.oid;
    const Instance& instance = query.at(ident.instance);
    if (instance.kind == Instance::Kind::merged) {
      const values::Oid left = type_of(query, instance.merged.front().first);
      return left == type_of(query, instance.merged.front().second) ? left : 0;
    }
    if (instance.kind != Instance::Kind::derived || instance.block == nullptr) return 0;
    const Block* block = instance.block;
    const auto index = static_cast<std::size_t>(ident.column);
    if (block->select != nullptr && block->select->set_op != tree::SetOperation::none) {
      // The arms' common type is known only where both have the same.
      const Block* left = block->left;
      const Block* right = block->right;
      if (index >= left->outputs.size() || index >= right->outputs.size()) return 0;
      const values::Oid type = type_of(query, left->outputs[index].ident);
      return type == type_of(query, right->outputs[index].ident) ? type : 0;
    }
    if (index >= block->outputs.size()) return 0;
    ident = block->outputs[index].ident;
  }
  return 0;
}

bool comparable_keys(values::Oid left, values::Oid right) {
  if (left == 0 || right == 0) return false;
  return left == right || (is_integer(left) && is_integer(right)) ||
         (is_text(left) && is_text(right));
}

namespace {

/// Whether equal strings of this column are the same bytes, as far as its collation goes.
bool deterministic(const Query& query, Ident ident, int depth = 0) {
  if (!ident.known() || depth > 64) return false;
  if (const router::Column* column = query.column(ident)) {
    return column->collation.deterministic();
  }
  const Instance& instance = query.at(ident.instance);
  if (instance.kind == Instance::Kind::merged) {
    return deterministic(query, instance.merged.front().first, depth + 1) &&
           deterministic(query, instance.merged.front().second, depth + 1);
  }
  if (instance.kind != Instance::Kind::derived || instance.block == nullptr) return false;
  const auto index = static_cast<std::size_t>(ident.column);
  const std::function<bool(const Block&)> of_block = [&](const Block& block) {
    if (block.left != nullptr) return of_block(*block.left) && of_block(*block.right);
    return index < block.outputs.size() &&
           deterministic(query, block.outputs[index].ident, depth + 1);
  };
  return of_block(*instance.block);
}

/// MySQL's strings are compared and placed alike under one collation only: of another one, the other padding or
/// character set.
bool same_collation(const Query& query, Ident a, Ident b) {
  const router::Column* left = query.column(a);
  const router::Column* right = query.column(b);
  return left != nullptr && right != nullptr && left->collation_name == right->collation_name;
}

}  // namespace

bool is_builtin_operator(const Query& query, std::string_view name, values::Oid left,
                         values::Oid right) {
  namespace oid = values::oid;
  static constexpr std::array own = {oid::boolean, oid::text,      oid::bpchar,      oid::uuid,
                                     oid::date,    oid::timestamp, oid::timestamptz, oid::numeric,
                                     oid::bytea,   oid::float4,    oid::float8,      oid::interval};
  const bool exact = (is_integer(left) && is_integer(right)) ||
                     (left == right && std::ranges::find(own, left) != own.end());
  return !query.catalog->may_be_shadowed(query.search_path, name, exact);
}

bool same_value(const Query& query, Ident a, Ident b) {
  if (!a.known() || !b.known()) return false;
  const values::Oid type = type_of(query, a);
  if (!comparable_keys(type, type_of(query, b))) return false;
  if (!is_builtin_operator(query, "=", type, type_of(query, b))) return false;
  if (values::is_mysql_integer(type)) return true;
  const values::TypeInfo* info = values::find_type(type);
  const bool collatable = info == nullptr || info->is_collatable;
  if (!collatable) return true;
  return deterministic(query, a) && deterministic(query, b) &&
         (!values::is_mysql_type(type) || same_collation(query, a, b));
}

namespace {

/// (a AND b) OR (a AND c) is true only where a is.
std::vector<const tree::Expr*> common_conjuncts(const tree::BoolOp& any) {
  std::vector<const tree::Expr*> common = tree::conjuncts(any.args.front().get());
  for (std::size_t i = 1; i < any.args.size() && !common.empty(); ++i) {
    const std::vector<const tree::Expr*> other = tree::conjuncts(any.args[i].get());
    std::erase_if(common, [&](const tree::Expr* one) {
      return std::ranges::none_of(other, [&](const tree::Expr* two) { return tree::equal(*one, *two); });
    });
  }
  return common;
}

std::vector<const tree::Expr*> conditions_in(const tree::Expr* condition) {
  std::vector<const tree::Expr*> found = tree::conjuncts(condition);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto* any = found[i]->as<tree::BoolOp>();
    if (any == nullptr || any->kind != tree::BoolOp::Kind::or_) continue;
    const std::vector<const tree::Expr*> common = common_conjuncts(*any);
    found.insert(found.end(), common.begin(), common.end());
  }
  return found;
}

}  // namespace

void add_condition(Facts& facts, const tree::Expr* condition, const Query& query,
                   bool equalities_only) {
  for (const tree::Expr* conjunct : conditions_in(condition)) {
    if (!equalities_only) facts.conditions.push_back(conjunct);
    const tree::OperatorCall* call = equality(*conjunct);
    if (call == nullptr) continue;
    const auto* left = row_fields(*call->left);
    const auto* right = row_fields(*call->right);
    if (left != nullptr && right != nullptr && left->size() == right->size()) {
      for (std::size_t i = 0; i < left->size(); ++i) {
        add_equality(facts, *(*left)[i], *(*right)[i], query);
      }
    } else {
      add_equality(facts, *call->left, *call->right, query);
    }
  }
}

KeyTuple key_of(const Query& query, int instance) {
  KeyTuple key;
  const Instance& at = query.at(instance);
  const router::MappedTable* table = query.mapped(at);
  if (table == nullptr || at.relation == nullptr) return key;
  key.table = at.table;
  const std::vector<std::string>& names =
      table->expression ? table->expression->columns() : table->key;
  for (const std::string& name : names) {
    const auto column = at.relation->find_column(name);
    if (!column) return {at.table, {}};
    key.columns.push_back({instance, *column});
  }
  return key;
}

bool same_place(const Query& query, const Facts& facts, const KeyTuple& left,
                const KeyTuple& right) {
  if (left.table < 0 || right.table < 0 || left.columns.empty()) return false;
  const auto& tables = query.map->tables();
  const router::MappedTable& a = tables[static_cast<std::size_t>(left.table)];
  const router::MappedTable& b = tables[static_cast<std::size_t>(right.table)];
  if (a.scheme != b.scheme || left.columns.size() != right.columns.size()) return false;
  if (query.map->schemes()[a.scheme].random()) return false;
  if (a.expression.has_value() != b.expression.has_value()) return false;
  if (a.expression && a.expression->text() != b.expression->text()) return false;
  for (std::size_t i = 0; i < left.columns.size(); ++i) {
    if (!facts.equal(left.columns[i], right.columns[i])) return false;
  }
  return true;
}

}  // namespace anabranch::rewriter
