#include "rewriter/clock.h"

#include <algorithm>
#include <array>
#include <set>

#include "rewriter/key_binding.h"
#include "values/errors.h"

namespace anabranch::rewriter {
namespace {

namespace oid = values::oid;

bool is_clock_type(values::Oid type) {
  const values::TypeInfo* info = values::find_type(type);
  if (info == nullptr) return true;  // a user's type may hold one
  if (info->element_oid != 0) return is_clock_type(info->element_oid);
  return type == oid::date || type == oid::timestamp || type == oid::timestamptz ||
         type == oid::time || type == oid::timetz;
}

/// Collects string literals, and takes out those that are plainly of another type.
class Collector {
 public:
  explicit Collector(const Planning& planning) : planning_(planning) {}

  void visit(const tree::Expr& expr) {
    tree::walk(expr, [&](const tree::Expr& at) {
      if (const int token = string_token(at); token >= 0) found_.insert(token);
      if (const auto* call = at.as<tree::OperatorCall>()) {
        if (call->left) compared(*call->left, *call->right);
        if (call->left) compared(*call->right, *call->left);
      } else if (const auto* list = at.as<tree::InList>()) {
        for (const tree::ExprPtr& value : list->list) compared(*list->arg, *value);
      } else if (const auto* between = at.as<tree::Between>()) {
        compared(*between->arg, *between->low);
        compared(*between->arg, *between->high);
      } else if (const auto* test = at.as<tree::DistinctFrom>()) {
        compared(*test->left, *test->right);
        compared(*test->right, *test->left);
      } else if (const auto* cast = at.as<tree::TypeCast>()) {
        cast_to(*cast);
      }
      return true;
    });
  }

  /// The value of a column that is written.
  void stored(const tree::Expr& value, const router::Column& column) {
    if (!is_clock_type(column.type.oid)) exempt(value);
  }
  /// An output of its own: text.
  void shown(const tree::Expr& value) { exempt(value); }

  std::vector<int> take() const {
    std::vector<int> tokens;
    std::ranges::set_difference(found_, exempt_, std::back_inserter(tokens));
    return tokens;
  }

 private:
  static int string_token(const tree::Expr& expr) {
    const auto* literal = expr.as<tree::Literal>();
    const bool string = literal != nullptr && literal->kind() == tree::Literal::Kind::string;
    return string ? literal->token() : -1;
  }

  void exempt(const tree::Expr& value) {
    if (const int token = string_token(value); token >= 0) exempt_.insert(token);
  }

  void compared(const tree::Expr& with, const tree::Expr& value) {
    const Ident ident = ident_of(with);
    const values::Oid type = ident.known() ? type_of(planning_.query, ident) : 0;
    if (type != 0 && !is_clock_type(type)) exempt(value);
  }

  void cast_to(const tree::TypeCast& cast) {
    if (cast.type.names.empty() || !cast.type.array_bounds.empty()) return;
    const values::TypeInfo* info = values::find_type_by_name(cast.type.names.back());
    if (info != nullptr && !is_clock_type(info->oid)) exempt(*cast.arg);
  }

  const Planning& planning_;
  std::set<int> found_;
  std::set<int> exempt_;
};

const router::Column* written_column(const Planning& planning, const std::string& name) {
  const router::Relation* relation =
      planning.query.target < 0 ? nullptr : planning.query.at(planning.query.target).relation;
  const auto found = relation == nullptr ? std::nullopt : relation->find_column(name);
  return found ? &relation->columns[static_cast<std::size_t>(*found)] : nullptr;
}

void note_stored(const Planning& planning, const Block& block, Collector& collector) {
  const auto store = [&](const std::string& name, const tree::Expr& value) {
    if (const router::Column* column = written_column(planning, name)) {
      collector.stored(value, *column);
    }
  };
  if (block.update != nullptr) {
    for (const tree::Assignment& at : block.update->set) store(at.column, *at.value);
  }
  if (block.insert == nullptr || !block.insert->source || planning.query.target < 0) return;
  const router::Relation* relation = planning.query.at(planning.query.target).relation;
  if (relation == nullptr) return;
  for (const auto& row : block.insert->source->values) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto& columns = block.insert->columns;
      if (columns.empty() && i < relation->columns.size())
        store(relation->columns[i].name, *row[i]);
      if (i < columns.size()) store(columns[i].name, *row[i]);
    }
  }
}

constexpr std::size_t kLongest = 64;
constexpr int kMostWords = 4;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

[[noreturn]] void refuse_clock(std::string_view text) {
  throw values::make_error(values::ErrorId::unsupported_clause,
                           "'" + std::string(text) + "' as a date or time",
                           "every shard would read its own clock",
                           "Use now(), current_date or localtimestamp, computed once for all.");
}

}  // namespace

std::vector<int> clock_literals(const Planning& planning) {
  Collector collector(planning);
  for (const auto& block : planning.query.blocks) {
    each_expression(*block, [&](const tree::Expr& expr) { collector.visit(expr); });
    if (block.get() == planning.query.top) note_stored(planning, *block, collector);
    if (block->select == nullptr) continue;
    for (const tree::Target& target : block->select->targets) collector.shown(*target.expr);
  }
  return collector.take();
}

bool says_now(std::string_view text) {
  if (text.size() < 3 || text.size() > kLongest) return false;
  static constexpr std::array<std::string_view, 4> words = {"now", "today", "tomorrow",
                                                            "yesterday"};
  int count = 0;
  bool found = false;
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? lower(text[i]) : '\0';
    if (c >= 'a' && c <= 'z') {
      word += c;
      continue;
    }
    if (word.empty()) continue;
    ++count;
    found |= std::ranges::find(words, word) != words.end();
    word.clear();
  }
  return found && count <= kMostWords;
}

void check_clock(const BindRequest& request, const BoundPlan& bound) {
  if (bound.shards.size() < 2) return;
  const Plan& plan = *request.plan;
  for (const int token : plan.clock_literals) {
    const std::string value = request.shape->value(token, request.standard_conforming_strings);
    if (says_now(value)) refuse_clock(value);
  }
  for (std::size_t i = 0; i < request.parameters.size() && i < plan.parameters.size(); ++i) {
    const BoundValue& given = request.parameters[i];
    if (given.bytes && given.format == values::Format::text && is_clock_type(plan.parameters[i]) &&
        says_now(*given.bytes)) {
      refuse_clock(*given.bytes);
    }
  }
}

}  // namespace anabranch::rewriter
