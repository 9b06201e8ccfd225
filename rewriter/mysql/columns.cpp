#include <algorithm>
#include <cstdint>

#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/merging.h"
#include "values/ascii.h"

namespace anabranch::rewriter::mysql {
namespace {

/// Where user variables may stand, of whatever types they are.
enum class Free {
  nowhere,
  columns,  ///< in the outermost columns, which go to the client as they come
  all,
};

/// Reads, and so pins, what decides names and types.
class Settler {
 public:
  Settler(tree::PinSet& pins, Free variables) : pins_(pins), variables_(variables) {}

  /// The outermost query.
  void visit_top(const tree::Select& select) {
    top_ = &select;
    free_ = variables_ == Free::all;
    visit(select);
  }
  /// Types of columns are those of user variables at the moment.
  bool names_variables() const { return names_variables_; }
  /// There are parameters where a value's type counts, and no column is named by them.
  bool needs_values() const { return needs_values_; }

  void visit(const tree::Select& select) {
    if (select.left) visit(*select.left);
    if (select.right) visit(*select.right);
    for (const tree::Cte& cte : select.with.ctes) {
      if (const auto* inner = cte.statement->as<tree::Select>()) visit(*inner);
    }
    for (const tree::Target& target : select.targets) {
      free_ = variables_ == Free::all || (variables_ == Free::columns && &select == top_);
      read(*target.expr);
      free_ = variables_ == Free::all;
    }
    for (const tree::GroupItem& item : select.group_by) read(item);
    takes_values_ = true;
    if (select.having) read(*select.having);
    for (const tree::SortKey& key : select.order_by) {
      // A value alone would be a column's number.
      takes_values_ = key.expr->as<tree::Param>() == nullptr;
      read(*key.expr);
    }
    takes_values_ = false;
    for (const tree::FromPtr& item : select.from) read(*item);
    for (const auto& row : select.values) {
      for (const tree::ExprPtr& value : row) read(*value);
    }
  }

 private:
  void read(const tree::Expr& expr) {
    tree::walk(expr, [&](const tree::Expr& at) {
      if (const auto* literal = at.as<tree::Literal>()) (void)literal->value(pins_);
      needs_values_ |= at.as<tree::Param>() != nullptr;
      if (at.as<tree::Param>() != nullptr && !takes_values_) {
        refuse_clause("a parameter outside WHERE", "the columns' types depend on it",
                      "Write its value into the statement.");
      }
      const auto* variable = at.as<tree::Variable>();
      names_variables_ |= variable != nullptr && !variable->system;
      if (variable != nullptr && !variable->system && !free_) {
        refuse_clause("a user variable outside WHERE", "the columns' types depend on it",
                      "Write its value into the statement.");
      }
      tree::for_each_subquery(at, [&](const tree::Select& inner) { visit(inner); });
      return true;
    });
  }

  void read(const tree::GroupItem& item) {
    if (item.expr) read(*item.expr);
    for (const tree::GroupItem& inner : item.items) read(inner);
  }

  void read(const tree::FromItem& item) {
    if (const auto* subquery = item.as<tree::SubqueryRef>()) visit(*subquery->query);
    if (const auto* join = item.as<tree::Join>()) {
      read(*join->left);
      read(*join->right);
    }
  }

  tree::PinSet& pins_;
  const Free variables_;
  const tree::Select* top_ = nullptr;
  bool free_ = false;  ///< what is read may be a variable
  bool names_variables_ = false;
  bool takes_values_ = false;
  bool needs_values_ = false;
};

bool names_variable(const tree::Expr& expr) {
  bool any = false;
  tree::walk(expr, [&](const tree::Expr& at) {
    const auto* variable = at.as<tree::Variable>();
    any |= variable != nullptr && !variable->system;
    return !any;
  });
  return any;
}

/// Columns with user variables are neither compared nor sorted by.
bool passes_variables_on(const Planning& planning, const tree::Select& select) {
  if (select.set_op != tree::SetOperation::none || select.distinct || is_aggregated(select, planning.functions)) return false;
  return std::ranges::all_of(select.order_by, [&](const tree::SortKey& key) {
    const auto* column = key.expr->as<tree::ColumnRef>();
    return column != nullptr && std::ranges::none_of(select.targets, [&](const tree::Target& target) {
             return values::lower_case(target.alias) == values::lower_case(column->parts.back()) &&
                    names_variable(*target.expr);
           });
  });
}

/// Up to the first FROM that is in no parentheses: the whole text where there is none.
std::string_view head_of(std::string_view text, const Mode& mode) {
  using Kind = Token::Kind;
  Lexer lexer(text, mode);
  int depth = 0;
  while (true) {
    const Token token = lexer.next();
    if (token.kind == Kind::end || token.kind == Kind::bad) return text;
    const std::string_view word = text.substr(token.offset, token.length);
    if (word == "(") ++depth;
    if (word == ")") --depth;
    if (depth == 0 && token.kind == Kind::identifier && same_word(word, "from")) return text.substr(0, token.offset);
  }
}

}  // namespace

namespace {

/// True: the columns' types are those of user variables at the moment.
bool settle(Planning& planning, const tree::Select& select, Free variables) {
  Settler settler(planning.pins, variables);
  settler.visit_top(select);
  if (settler.needs_values()) {
    throw Refusal{values::make_error(values::ErrorId::unsupported_clause, "a parameter outside WHERE",
                                     "how it is compared depends on its value", "Write its value into the statement."),
                  true, true};
  }
  planning.plan->head = head_of(planning.request->text, planning.request->context->mysql);
  return settler.names_variables();
}

}  // namespace

void settle_columns(Planning& planning, const tree::Select& select) {
  const Free variables = passes_variables_on(planning, select) ? Free::columns : Free::nowhere;
  if (settle(planning, select, variables)) planning.plan->cacheable = false;
}

void settle_names(Planning& planning, const tree::Select& select) { (void)settle(planning, select, Free::all); }

}  // namespace anabranch::rewriter::mysql
