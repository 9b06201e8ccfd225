#include "rewriter/tree.h"
#include "rewriter/tree_fields.h"
#include "values/sql_error.h"

namespace anabranch::rewriter::tree {
namespace {

/// Calls on(x) for each ExprPtr, SelectPtr and FromPtr (never null) directly in a value's fields,
/// through the lists and small structs that hold them; neither into CTEs nor below what it calls
/// for.
template <class V, class On>
void each(V& value, const On& on) {
  using T = std::remove_const_t<V>;
  using Traits = TypeTraits<T>;
  if constexpr (std::is_same_v<T, ExprPtr> || std::is_same_v<T, SelectPtr> ||
                std::is_same_v<T, FromPtr>) {
    if (value) on(value);
  } else if constexpr (std::is_same_v<T, With> || std::is_same_v<T, StatementPtr>) {
    return;
  } else if constexpr (Traits::is_pointer || Traits::is_optional) {
    if (value) each(*value, on);
  } else if constexpr (Traits::is_vector) {
    if constexpr (!std::is_same_v<T, std::vector<bool>>)
      for (auto& item : value) each(item, on);
  } else if constexpr (Traits::is_variant) {
    std::visit([&](auto& held) { each(held, on); }, value);
  } else if constexpr (HasFields<V>) {
    std::apply([&](auto&... field) { (each(field, on), ...); }, fields(value));
  }
}

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

void from_below(FromPtr& item, const std::function<void(FromPtr&)>& visit, int depth) {
  if (depth > max_depth) throw values::SqlError("54001", "statement is nested too deeply");
  visit(item);
  if (!item) return;
  if (auto* join = item->as<Join>()) {
    if (join->left) from_below(join->left, visit, depth + 1);
    if (join->right) from_below(join->right, visit, depth + 1);
  }
}

void walk_below(const Expr& expr, const std::function<bool(const Expr&)>& visit, int depth) {
  if (depth > max_depth) throw values::SqlError("54001", "statement is nested too deeply");
  if (!visit(expr)) return;
  for_each_child(expr, [&](const Expr& child) { walk_below(child, visit, depth + 1); });
}

void transform_below(ExprPtr& expr, const std::function<void(ExprPtr&)>& visit, int depth) {
  if (depth > max_depth) throw values::SqlError("54001", "statement is nested too deeply");
  for_each_child(*expr, [&](ExprPtr& child) { transform_below(child, visit, depth + 1); });
  visit(expr);
}

}  // namespace

void for_each_child(Expr& expr, const std::function<void(ExprPtr&)>& visit) {
  each(expr.node,
       Overloaded{[&](ExprPtr& child) { visit(child); }, [](SelectPtr&) {}, [](FromPtr&) {}});
}

void for_each_child(const Expr& expr, const std::function<void(const Expr&)>& visit) {
  each(expr.node, Overloaded{[&](const ExprPtr& child) { visit(*child); }, [](const SelectPtr&) {},
                             [](const FromPtr&) {}});
}

void for_each_subquery(Expr& expr, const std::function<void(Select&)>& visit) {
  each(expr.node,
       Overloaded{[](ExprPtr&) {}, [&](SelectPtr& query) { visit(*query); }, [](FromPtr&) {}});
}

void for_each_subquery(const Expr& expr, const std::function<void(const Select&)>& visit) {
  each(expr.node, Overloaded{[](const ExprPtr&) {}, [&](const SelectPtr& query) { visit(*query); },
                             [](const FromPtr&) {}});
}

void walk(const Expr& expr, const std::function<bool(const Expr&)>& visit) {
  walk_below(expr, visit, 0);
}

void transform(ExprPtr& expr, const std::function<void(ExprPtr&)>& visit) {
  transform_below(expr, visit, 0);
}

void for_each_from(Select& select, const std::function<void(FromPtr&)>& visit) {
  for (FromPtr& item : select.from) from_below(item, visit, 0);
}

void for_each_from(const Select& select, const std::function<void(const FromItem&)>& visit) {
  for (const FromPtr& item : select.from) for_each_from(*item, visit);
}

void for_each_from(const FromItem& item, const std::function<void(const FromItem&)>& visit) {
  visit(item);
  const auto* join = item.as<Join>();
  if (!join) return;
  if (join->left) for_each_from(*join->left, visit);
  if (join->right) for_each_from(*join->right, visit);
}

void for_each_expr(Select& select, const std::function<void(ExprPtr&)>& visit) {
  each(select, Overloaded{[&](ExprPtr& expr) { visit(expr); }, [](SelectPtr&) {}, [](FromPtr&) {}});
  for_each_from(select, [&](FromPtr& item) {
    each(item->node,
         Overloaded{[&](ExprPtr& expr) { visit(expr); }, [](SelectPtr&) {}, [](FromPtr&) {}});
  });
}

void for_each_expr(const Select& select, const std::function<void(const Expr&)>& visit) {
  const auto on = Overloaded{[&](const ExprPtr& expr) { visit(*expr); }, [](const SelectPtr&) {},
                             [](const FromPtr&) {}};
  each(select, on);
  for_each_from(select, [&](const FromItem& item) { each(item.node, on); });
}

std::optional<SignedLiteral> signed_literal(const Expr& expr) {
  if (const auto* literal = expr.as<Literal>()) return SignedLiteral{literal, false};
  const auto* op = expr.as<OperatorCall>();
  if (!op || op->left || !op->schema.empty() || (op->name != "-" && op->name != "+"))
    return std::nullopt;
  const auto* literal = op->right->as<Literal>();
  if (!literal || literal->kind() == Literal::Kind::null) return std::nullopt;
  return SignedLiteral{literal, op->name == "-"};
}

std::vector<const Expr*> conjuncts(const Expr* condition) {
  if (!condition) return {};
  const auto* op = condition->as<BoolOp>();
  if (!op || op->kind != BoolOp::Kind::and_) return {condition};
  std::vector<const Expr*> out;
  for (const ExprPtr& arg : op->args)
    for (const Expr* part : conjuncts(arg.get())) out.push_back(part);
  return out;
}

namespace make {

ExprPtr expr(Expr::Node node, int location) {
  return std::make_unique<Expr>(std::move(node), location);
}
ExprPtr column(Name parts) {
  return expr(ColumnRef{std::move(parts), false, {}});
}
ExprPtr star() {
  return expr(ColumnRef{{}, true, {}});
}

ExprPtr integer(std::int64_t value) {
  const bool wide = value > 2147483647 || value < -2147483647;
  std::string text = std::to_string(value);
  const bool negative = text[0] == '-';
  if (negative) text.erase(0, 1);
  ExprPtr number =
      expr(Literal(wide ? Literal::Kind::bigint : Literal::Kind::integer, std::move(text)));
  return negative ? op("-", nullptr, std::move(number)) : std::move(number);
}

ExprPtr string(std::string value) {
  return expr(Literal(Literal::Kind::string, std::move(value)));
}
ExprPtr boolean(bool value) {
  return expr(Literal(Literal::Kind::boolean, value ? "true" : "false"));
}
ExprPtr null() {
  return expr(Literal());
}
ExprPtr param(int number) {
  return expr(Param{number});
}

ExprPtr call(Name name, std::vector<ExprPtr> args) {
  FunctionCall out;
  out.name = std::move(name);
  out.args = std::move(args);
  return expr(std::move(out));
}

ExprPtr call(Name name, ExprPtr arg) {
  std::vector<ExprPtr> args;
  args.push_back(std::move(arg));
  return call(std::move(name), std::move(args));
}

ExprPtr count_star() {
  FunctionCall out;
  out.name = {"pg_catalog", "count"};
  out.star = true;
  return expr(std::move(out));
}

ExprPtr op(std::string name, ExprPtr left, ExprPtr right) {
  return expr(OperatorCall{
      {}, std::move(name), std::move(left), std::move(right), OperatorCall::Syntax::plain});
}

ExprPtr cast(ExprPtr arg, std::string type_text) {
  TypeName type;
  type.names = {type_text};
  type.text = std::move(type_text);
  return expr(TypeCast{std::move(arg), std::move(type)});
}

namespace {
ExprPtr combine(BoolOp::Kind kind, std::vector<ExprPtr> args) {
  std::erase_if(args, [](const ExprPtr& arg) { return !arg; });
  if (args.empty()) return nullptr;
  if (args.size() == 1) return std::move(args[0]);
  return expr(BoolOp{kind, std::move(args)});
}
}  // namespace

ExprPtr all_of(std::vector<ExprPtr> args) {
  return combine(BoolOp::Kind::and_, std::move(args));
}
ExprPtr any_of(std::vector<ExprPtr> args) {
  return combine(BoolOp::Kind::or_, std::move(args));
}

ExprPtr negation(ExprPtr arg) {
  BoolOp out{BoolOp::Kind::not_, {}};
  out.args.push_back(std::move(arg));
  return expr(std::move(out));
}

ExprPtr raw(std::string text) {
  return expr(Verbatim{std::move(text), {}, {}});
}
Target target(ExprPtr value, std::string alias) {
  return {std::move(value), std::move(alias), -1};
}

FromPtr table(std::string schema, std::string name, std::string alias) {
  TableRef out;
  out.schema = std::move(schema);
  out.name = std::move(name);
  out.alias.name = std::move(alias);
  return std::make_unique<FromItem>(std::move(out));
}

FromPtr subquery(SelectPtr query, std::string alias) {
  return std::make_unique<FromItem>(SubqueryRef{std::move(query), {std::move(alias), {}}, false});
}

}  // namespace make

}  // namespace anabranch::rewriter::tree
