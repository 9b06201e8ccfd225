#include <algorithm>
#include <string_view>

#include "rewriter/facts.h"
#include "rewriter/key_parts.h"
#include "values/collation.h"
#include "values/mysql_type.h"

/// From conditions to shards: the part of a statement's WHERE that speaks of one table's key.
namespace anabranch::rewriter {
namespace {

using Kind = KeyCondition::Kind;

KeyCondition combine(Kind kind, std::vector<KeyCondition> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  KeyCondition condition;
  condition.kind = kind;
  condition.parts = std::move(parts);
  return condition;
}

std::string_view swapped(std::string_view comparison) {
  if (comparison == "<") return ">";
  if (comparison == "<=") return ">=";
  if (comparison == ">") return "<";
  if (comparison == ">=") return "<=";
  return comparison;
}

std::optional<Kind> kind_of(std::string_view comparison) {
  if (comparison == "=") return Kind::equals;
  if (comparison == "<") return Kind::less;
  if (comparison == "<=") return Kind::less_equal;
  if (comparison == ">") return Kind::greater;
  if (comparison == ">=") return Kind::greater_equal;
  return std::nullopt;
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::less:
      return "<";
    case Kind::less_equal:
      return "<=";
    case Kind::greater:
      return ">";
    case Kind::greater_equal:
      return ">=";
    default:
      return "=";
  }
}

class Reader {
 public:
  Reader(const Query& query, const Facts& facts, int instance, const ValueContext& context)
      : query_(query),
        facts_(facts),
        instance_(instance),
        key_(key_of(query, instance)),
        context_(context) {
    for (const Ident column : key_.columns) equal_.push_back(facts.equal_to(column));
    const router::MappedTable* table = query.mapped(query.at(instance));
    expression_ = table != nullptr && table->expression.has_value();
    composite_ = equal_.size() > 1 && !expression_;
  }

  KeyCondition read() {
    std::vector<KeyCondition> parts;
    for (const tree::Expr* condition : facts_.conditions) add(parts, read(*condition));
    if (equal_.size() > 1 && expression_) add(parts, whole_key());
    if (parts.empty()) return anything();
    KeyCondition condition = combine(Kind::all_of, std::move(parts));
    return composite_ && !limits_every_part(condition, equal_.size()) ? anything() : condition;
  }

 private:
  KeyCondition anything() const {
    KeyCondition condition;
    condition.table = key_.table;
    return condition;
  }

  static void add(std::vector<KeyCondition>& parts, KeyCondition part) {
    if (part.kind != Kind::anything) parts.push_back(std::move(part));
  }

  /// Whether the expression is a key column, or one that equals it. An expression of several is known as a whole only.
  bool is_key(const tree::Expr& expr) const {
    const Ident ident = ident_of(expr);
    return (equal_.size() == 1 || composite_) && ident.known() &&
           std::ranges::any_of(equal_, [&](const std::set<Ident>& part) { return part.contains(ident); });
  }

  KeyCondition read(const tree::Expr& expr) {
    if (const auto* logic = expr.as<tree::BoolOp>()) return read(*logic);
    if (const auto* call = expr.as<tree::OperatorCall>()) return read(*call);
    if (const auto* list = expr.as<tree::InList>()) return read(*list);
    if (const auto* any = expr.as<tree::AnyAll>()) return read(*any);
    if (const auto* between = expr.as<tree::Between>()) return read(*between);
    if (const auto* test = expr.as<tree::NullTest>()) return read(*test);
    return anything();
  }

  KeyCondition read(const tree::BoolOp& logic) {
    if (logic.kind == tree::BoolOp::Kind::not_) return anything();
    std::vector<KeyCondition> parts;
    for (const tree::ExprPtr& arg : logic.args) {
      KeyCondition part = read(*arg);
      if (part.kind != Kind::anything) {
        parts.push_back(std::move(part));
      } else if (logic.kind == tree::BoolOp::Kind::or_) {
        return anything();
      }
    }
    if (parts.empty()) return anything();
    return combine(logic.kind == tree::BoolOp::Kind::or_ ? Kind::any_of : Kind::all_of,
                   std::move(parts));
  }

  KeyCondition read(const tree::OperatorCall& call) {
    if (!call.left || !call.right) return anything();
    if (!call.schema.empty() && call.schema != "pg_catalog") return anything();
    if (KeyCondition shard = shard_column(call); shard.kind != Kind::anything) return shard;
    if (const auto* left = call.left->as<tree::Row>()) {
      const auto* right = call.right->as<tree::Row>();
      return call.name == "=" && right != nullptr ? row_equality(*left, *right) : anything();
    }
    if (is_key(*call.left)) return compare(call.name, *call.left, *call.right);
    if (is_key(*call.right)) return compare(swapped(call.name), *call.right, *call.left);
    return anything();
  }

  KeyCondition compare(std::string_view comparison, const tree::Expr& column,
                       const tree::Expr& value) {
    const auto kind = kind_of(comparison);
    if (!kind) return anything();
    return leaf(*kind, ident_of(column), value);
  }

  /// Of a composite key: the same of each part that the column is or equals.
  KeyCondition leaf(Kind kind, Ident column, const tree::Expr& value) {
    if (!composite_) return plain_leaf(kind, column, value);
    if (kind != Kind::equals && kind != Kind::any_element) return anything();
    const KeyCondition one = plain_leaf(kind, column, value);
    if (one.kind == Kind::anything) return one;
    std::vector<KeyCondition> parts;
    for (std::size_t i = 0; i < equal_.size(); ++i) {
      if (equal_[i].contains(column)) parts.push_back(of_part(one, i, equal_.size()));
    }
    return combine(Kind::all_of, std::move(parts));
  }

  KeyCondition plain_leaf(Kind kind, Ident column, const tree::Expr& value) {
    const values::Oid type = type_of(query_, column);
    if (type == 0) return anything();
    auto operand = key_operand(value, type, context_);
    if (!operand || !builtin(name_of(kind), *operand, type)) return anything();
    if (kind != Kind::equals && kind != Kind::any_element && !ordered(*operand)) {
      return anything();
    }
    KeyCondition condition;
    condition.kind = kind;
    condition.table = key_.table;
    condition.operands.push_back(std::move(*operand));
    if (const router::Column* base = query_.column(column)) {
      condition.operands.back().column_modifier = base->type.typmod;
      condition.byte_order = base->collation.is_bytes();
    }
    return condition;
  }

  /// A constant without a type of its own takes the column's.
  bool builtin(std::string_view name, const KeyOperand& operand, values::Oid column) const {
    values::Oid type = operand.value_type == 0 ? column : operand.value_type;
    const values::TypeInfo* info = values::find_type(type);
    if (info != nullptr && info->element_oid != 0) type = info->element_oid;
    return is_builtin_operator(query_, name, column, type) &&
           is_builtin_operator(query_, swapped(name), type, column);
  }

  /// A range is read only where both sides are of one type, so that the operator is the type's own.
  static bool ordered(const KeyOperand& operand) {
    return operand.value_type == 0 || comparable_keys(operand.value_type, operand.column_type);
  }

  KeyCondition read(const tree::InList& list) {
    if (list.negated) return anything();
    if (const auto* row = list.arg->as<tree::Row>()) return row_in(*row, list.list);
    if (!is_key(*list.arg)) return anything();
    std::vector<KeyCondition> parts;
    for (const tree::ExprPtr& value : list.list) {
      parts.push_back(leaf(Kind::equals, ident_of(*list.arg), *value));
      if (parts.back().kind == Kind::anything) return anything();
    }
    return uniform(pointers(list.list)) ? combine(Kind::any_of, std::move(parts)) : anything();
  }

  /// (a, b) IN ((1, 2), (3, 4))
  KeyCondition row_in(const tree::Row& arg, const std::vector<tree::ExprPtr>& list) {
    std::vector<KeyCondition> rows;
    std::vector<std::vector<const tree::Expr*>> columns(arg.fields.size());
    for (const tree::ExprPtr& value : list) {
      const auto* row = value->as<tree::Row>();
      if (row == nullptr) return anything();
      rows.push_back(row_equality(arg, *row));
      if (rows.back().kind == Kind::anything) return anything();
      for (std::size_t i = 0; i < columns.size(); ++i) columns[i].push_back(row->fields[i].get());
    }
    if (rows.empty()) return anything();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (is_key(*arg.fields[i]) && !uniform(columns[i])) return anything();
    }
    return combine(Kind::any_of, std::move(rows));
  }

  static std::vector<const tree::Expr*> pointers(const std::vector<tree::ExprPtr>& list) {
    std::vector<const tree::Expr*> found;
    for (const tree::ExprPtr& expr : list) found.push_back(expr.get());
    return found;
  }

  /// The members of a list take a common type first: only lists of one kind are read.
  static bool uniform(const std::vector<const tree::Expr*>& list) {
    const auto kind_of_literal = [](const tree::Expr& expr) {
      const auto literal = tree::signed_literal(expr);
      return literal ? literal->literal->kind() : tree::Literal::Kind::null;
    };
    bool strings = false;
    bool others = false;
    for (const tree::Expr* value : list) {
      const auto* literal = value->as<tree::Literal>();
      if (literal != nullptr && literal->kind() == tree::Literal::Kind::null) continue;
      if (literal != nullptr && literal->kind() == tree::Literal::Kind::string) {
        strings = true;
      } else if (kind_of_literal(*value) == tree::Literal::Kind::numeric) {
        return list.size() == 1;
      } else if (value->as<tree::Param>() == nullptr) {
        others = true;
      }
    }
    return !(strings && others);
  }

  KeyCondition read(const tree::AnyAll& any) {
    if (any.all || any.query || any.op != "=" || !is_key(*any.arg)) return anything();
    if (const auto* array = any.array->as<tree::ArrayLiteral>()) {
      std::vector<KeyCondition> parts;
      for (const tree::ExprPtr& value : array->elements) {
        parts.push_back(leaf(Kind::equals, ident_of(*any.arg), *value));
        if (parts.back().kind == Kind::anything) return anything();
      }
      if (parts.empty() || !uniform(pointers(array->elements))) return anything();
      return combine(Kind::any_of, std::move(parts));
    }
    return leaf(Kind::any_element, ident_of(*any.arg), *any.array);
  }

  KeyCondition read(const tree::Between& between) {
    if (between.negated || between.symmetric || !is_key(*between.arg)) return anything();
    std::vector<KeyCondition> parts;
    add(parts, leaf(Kind::greater_equal, ident_of(*between.arg), *between.low));
    add(parts, leaf(Kind::less_equal, ident_of(*between.arg), *between.high));
    return parts.empty() ? anything() : combine(Kind::all_of, std::move(parts));
  }

  /// Only of the table's own column: an equal column is not NULL by that very equality.
  KeyCondition read(const tree::NullTest& test) {
    const auto own = std::ranges::find(key_.columns, ident_of(*test.arg));
    if (test.negated || expression_ || own == key_.columns.end() || facts_.null_extended) {
      return anything();
    }
    // To some clients MySQL's `counted IS NULL` is the row inserted last.
    const router::Column* column = query_.column(*own);
    if (column == nullptr || (values::is_mysql_type(column->type.oid) && column->not_null)) return anything();
    KeyCondition condition;
    condition.kind = Kind::is_null;
    condition.table = key_.table;
    if (!composite_) return condition;
    condition.operands.emplace_back().value.from = ValueRef::From::is_null;
    return of_part(condition, static_cast<std::size_t>(own - key_.columns.begin()), equal_.size());
  }

  KeyCondition shard_column(const tree::OperatorCall& call) {
    if (call.name != "=") return anything();
    const auto special = [&](const tree::Expr& expr) {
      const Ident ident = ident_of(expr);
      return ident.instance == instance_ &&
                     (ident.column == kShardNumber || ident.column == kShardName)
                 ? ident.column
                 : 0;
    };
    const bool on_left = special(*call.left) != 0;
    const int column = on_left ? special(*call.left) : special(*call.right);
    if (column == 0) return anything();
    const values::Oid type = column == kShardNumber ? values::oid::int4 : values::oid::text;
    auto operand = key_operand(on_left ? *call.right : *call.left, type, context_);
    if (!operand || !builtin("=", *operand, type)) return anything();
    KeyCondition condition;
    condition.kind = column == kShardNumber ? Kind::shard_number : Kind::shard_name;
    condition.table = key_.table;
    condition.operands.push_back(std::move(*operand));
    return condition;
  }

  /// (a, b) = (1, 2)
  KeyCondition row_equality(const tree::Row& left, const tree::Row& right) {
    if (left.fields.size() != right.fields.size()) return anything();
    std::vector<KeyCondition> parts;
    for (std::size_t i = 0; i < left.fields.size(); ++i) {
      if (is_key(*left.fields[i])) add(parts, compare("=", *left.fields[i], *right.fields[i]));
      if (is_key(*right.fields[i])) add(parts, compare("=", *right.fields[i], *left.fields[i]));
    }
    return parts.empty() ? anything() : combine(Kind::all_of, std::move(parts));
  }

  /// A key expression of several columns: an equality for each of them.
  KeyCondition whole_key() {
    KeyCondition condition;
    condition.kind = Kind::equals;
    condition.table = key_.table;
    for (const std::set<Ident>& column : equal_) {
      auto operand = constant_of(column);
      if (!operand) return anything();
      condition.operands.push_back(std::move(*operand));
    }
    return condition;
  }

  std::optional<KeyOperand> constant_of(const std::set<Ident>& column) {
    for (const tree::Expr* condition : facts_.conditions) {
      const auto* call = condition->as<tree::OperatorCall>();
      if (call == nullptr || call->name != "=" || !call->left || !call->right) continue;
      if (!call->schema.empty() && call->schema != "pg_catalog") continue;
      if (auto found = constant_of(column, *call->left, *call->right)) return found;
      if (auto found = constant_of(column, *call->right, *call->left)) return found;
      const auto* left = call->left->as<tree::Row>();
      const auto* right = call->right->as<tree::Row>();
      if (left == nullptr || right == nullptr || left->fields.size() != right->fields.size()) {
        continue;
      }
      for (std::size_t i = 0; i < left->fields.size(); ++i) {
        if (auto found = constant_of(column, *left->fields[i], *right->fields[i])) return found;
      }
    }
    return std::nullopt;
  }

  std::optional<KeyOperand> constant_of(const std::set<Ident>& column, const tree::Expr& reference,
                                        const tree::Expr& value) {
    const Ident ident = ident_of(reference);
    if (!ident.known() || !column.contains(ident)) return std::nullopt;
    const values::Oid type = type_of(query_, ident);
    auto operand = type == 0 ? std::nullopt : key_operand(value, type, context_);
    if (operand && !builtin("=", *operand, type)) return std::nullopt;
    const router::Column* base = query_.column(ident);
    if (operand && base != nullptr) operand->column_modifier = base->type.typmod;
    return operand;
  }

  const Query& query_;
  const Facts& facts_;
  int instance_;
  KeyTuple key_;
  const ValueContext& context_;
  std::vector<std::set<Ident>> equal_;
  bool expression_ = false;
  bool composite_ = false;  ///< several columns, each a part of the key
};

values::Oid cast_type(const tree::TypeName& type) {
  if (type.setof || type.percent_type || !type.array_bounds.empty() || type.names.empty()) return 0;
  if (type.text.find('(') != std::string::npos) return 0;
  if (type.names.size() == 2 && type.names.front() != "pg_catalog") return 0;
  if (type.names.size() > 2) return 0;
  const values::TypeInfo* info = values::find_type_by_name(type.names.back());
  return info == nullptr ? 0 : info->oid;
}

std::optional<KeyOperand> literal_operand(const tree::Literal& literal) {
  using LiteralKind = tree::Literal::Kind;
  KeyOperand operand;
  if (literal.kind() == LiteralKind::null) {
    operand.value.from = ValueRef::From::is_null;
    return operand;
  }
  if (literal.token() < 0) {
    // What the grammar puts in for what is left out: FETCH FIRST ROW ONLY.
    if (literal.kind() != LiteralKind::integer) return std::nullopt;
    operand.value.text = literal.unpinned_value();
    operand.value_type = values::oid::int4;
    return operand;
  }
  operand.value.from = ValueRef::From::literal;
  operand.value.index = literal.token();
  switch (literal.kind()) {
    case LiteralKind::integer:
      operand.value_type = values::oid::int4;
      return operand;
    case LiteralKind::bigint:
      operand.value_type = values::oid::int8;
      return operand;
    case LiteralKind::numeric:
      operand.value_type = values::oid::numeric;
      return operand;
    case LiteralKind::string:
      return operand;
    default:
      return std::nullopt;
  }
}

}  // namespace

ValueRef value_of(const tree::Param& param, const ValueContext& context) {
  const int own = static_cast<int>(context.parameters.size() - context.answers);
  ValueRef ref;
  ref.from = ValueRef::From::parameter;
  ref.index = param.number - 1;
  if (context.answers == 0 || ref.index < own) return ref;
  ref.from = ValueRef::From::evaluated;
  ref.index -= own;
  return ref;
}

namespace {

std::optional<KeyOperand> parameter_operand(const tree::Param& param, const ValueContext& context) {
  const auto index = static_cast<std::size_t>(param.number - 1);
  if (param.number < 1) return std::nullopt;
  KeyOperand operand;
  operand.value = value_of(param, context);
  operand.value_type = index < context.parameters.size() ? context.parameters[index] : 0;
  if (operand.value_type == 0 && index < context.parameter_uses.size() &&
      context.parameter_uses[index] > 1) {
    // Another place of the statement may give it another type than the key's.
    context.needs_description = true;
  }
  return operand;
}

std::optional<KeyOperand> cast_operand(const tree::TypeCast& cast, const ValueContext& context) {
  const values::Oid type = cast_type(cast.type);
  if (type == 0) return std::nullopt;
  const bool integer =
      type == values::oid::int2 || type == values::oid::int4 || type == values::oid::int8;
  if (const auto* literal = cast.arg->as<tree::Literal>()) {
    auto operand = literal_operand(*literal);
    if (!operand || literal->kind() == tree::Literal::Kind::null) return operand;
    const bool number = literal->kind() == tree::Literal::Kind::integer ||
                        literal->kind() == tree::Literal::Kind::bigint;
    if (literal->kind() != tree::Literal::Kind::string &&
        !(number && (integer || type == values::oid::numeric))) {
      return std::nullopt;
    }
    operand->value_type = type;
    return operand;
  }
  if (const auto* param = cast.arg->as<tree::Param>()) {
    auto operand = parameter_operand(*param, context);
    if (!operand) return std::nullopt;
    if (operand->value_type == 0) operand->value_type = type;
    return operand->value_type == type ? operand : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<KeyOperand> key_operand(const tree::Expr& expr, values::Oid column_type,
                                      const ValueContext& context) {
  std::optional<KeyOperand> operand;
  if (const auto* literal = expr.as<tree::Literal>()) {
    operand = literal_operand(*literal);
  } else if (const auto* param = expr.as<tree::Param>()) {
    operand = parameter_operand(*param, context);
  } else if (const auto* cast = expr.as<tree::TypeCast>()) {
    operand = cast_operand(*cast, context);
  } else if (const auto number = tree::signed_literal(expr)) {
    operand = literal_operand(*number->literal);
    if (!operand || operand->value_type == 0) return std::nullopt;
    operand->value.from = ValueRef::From::constant;
    operand->value.text = (number->negative ? "-" : "") + number->literal->value(*context.pins);
  }
  if (operand) operand->column_type = column_type;
  return operand;
}

KeyCondition key_condition(const Query& query, const Facts& facts, int instance,
                           const ValueContext& context) {
  return Reader(query, facts, instance, context).read();
}

}  // namespace anabranch::rewriter
