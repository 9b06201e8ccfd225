#include "rewriter/clock.h"

#include <algorithm>
#include <array>
#include <set>

#include "rewriter/key_binding.h"
#include "values/ascii.h"
#include "values/errors.h"

namespace anabranch::rewriter {
namespace {

namespace oid = values::oid;

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
    if (!is_clock_type(planning_.catalog(), column.type.oid)) exempt(value);
  }
  /// An output of its own: text.
  void shown(const tree::Expr& value) { exempt(value); }

  std::vector<int> take() const {
    std::vector<int> tokens;
    std::ranges::set_difference(found_, exempt_, std::back_inserter(tokens));
    std::ranges::copy(read_late_, std::back_inserter(tokens));
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
    if (type != 0 && !is_clock_type(planning_.catalog(), type)) exempt(value);
  }

  /// ('now'::text)::date is read when it is computed.
  void read_late(const tree::TypeCast& outer) {
    const auto* inner = outer.arg->as<tree::TypeCast>();
    if (inner == nullptr) return;
    if (const int token = string_token(*inner->arg); token >= 0) read_late_.insert(token);
  }

  void cast_to(const tree::TypeCast& cast) {
    if (cast.type.names.empty()) return;
    const values::TypeInfo* info = values::find_type_by_name(cast.type.names.back());
    if (info == nullptr || is_clock_type(planning_.catalog(), info->oid)) read_late(cast);
    if (!cast.type.array_bounds.empty()) return;
    if (info != nullptr && !is_clock_type(planning_.catalog(), info->oid)) exempt(*cast.arg);
  }

  const Planning& planning_;
  std::set<int> found_;
  std::set<int> exempt_;
  std::set<int> read_late_;
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

/// A date in words has fewer: `Mon today 10:00 PM America/Argentina/Buenos_Aires BC`. A sentence is
/// no date.
constexpr int kMostWords = 10;

[[noreturn]] void refuse_clock(std::string_view text) {
  throw values::make_error(values::ErrorId::unsupported_clause,
                           "'" + std::string(text) + "' as a date or time",
                           "every shard would read its own clock",
                           "Use now(), current_date or localtimestamp, computed once for all.");
}

}  // namespace

bool is_clock_type(const router::Catalog& catalog, values::Oid type) {
  const values::TypeInfo* info = values::find_type(type);
  // A user's type may hold one; so may a range.
  if (info == nullptr) return !catalog.is_timeless_type(type) && !catalog.find_enum(type);
  if (info->element_oid != 0) return is_clock_type(catalog, info->element_oid);
  return type == oid::date || type == oid::timestamp || type == oid::timestamptz ||
         type == oid::time || type == oid::timetz;
}

std::vector<int> clock_literals(const Planning& planning) {
  Collector collector(planning);
  for (const auto& block : planning.query.blocks) {
    each_expression(*block, [&](const tree::Expr& expr) { collector.visit(expr); });
    if (block.get() == planning.query.top) note_stored(planning, *block, collector);
  }
  // Only what goes to the client as it is is text: a subquery's output may be cast, a source's is
  // stored, and an arm's takes the type of the other arm's.
  const Block& top = *planning.query.top;
  if (top.select != nullptr && top.left == nullptr) {
    for (const tree::Target& target : top.select->targets) collector.shown(*target.expr);
  }
  return collector.take();
}

std::vector<int> clock_parameters(const Planning& planning) {
  std::vector<int> found;
  const auto& types = planning.plan->parameters;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (is_clock_type(planning.catalog(), types[i])) found.push_back(static_cast<int>(i));
  }
  return found;
}

namespace {

constexpr std::array<std::string_view, 4> kClockWords = {"now", "today", "tomorrow", "yesterday"};

/// How many words there are, and whether one of them is read by the clock. Between the letters of a
/// word stands nothing but what `ignored` lists.
struct Words {
  int count = 0;
  bool clock = false;
};

Words words_of(std::string_view text, std::string_view ignored) {
  Words found;
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? values::lower_case(text[i]) : '\0';
    if (c >= 'a' && c <= 'z') {
      word += c;
      continue;
    }
    if (word.empty() || (i < text.size() && ignored.find(c) != std::string_view::npos)) continue;
    ++found.count;
    found.clock |= std::ranges::find(kClockWords, word) != kClockWords.end();
    word.clear();
  }
  return found;
}

/// An array, a row, a range or a JSON document: any number of values, each perhaps with quotes and
/// escapes inside.
bool has_parts(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n\r\f\v");
  return first != std::string_view::npos &&
         std::string_view("{[(\"").find(text[first]) != std::string_view::npos;
}

}  // namespace

bool may_say_now(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = values::lower_case(text[i]);
    if (c != 'w' && c != 'y') continue;
    if (values::lower_case(text[i - 1]) == (c == 'w' ? 'o' : 'a')) return true;
  }
  return false;
}

bool says_now(std::string_view text) {
  if (has_parts(text)) return words_of(text, "").clock || words_of(text, "\\\"").clock;
  if (!may_say_now(text)) return false;
  const Words words = words_of(text, "");
  return words.clock && words.count <= kMostWords;
}

namespace {

void check_clock_rows(const BindRequest& request, const std::vector<int>& columns) {
  for (std::size_t row = 0; !columns.empty() && row < request.shape->rows()->count(); ++row) {
    for (const int column : columns) {
      const RowList::Value& at = request.shape->rows()->at(row, column);
      if (at.kind != RowList::Kind::string) continue;
      const std::string value = string_value(request.shape->source().substr(at.offset, at.length), request);
      if (says_now(value)) refuse_clock(value);
    }
  }
}

}  // namespace

void check_clock(const BindRequest& request, const BoundPlan& bound) {
  const Plan& plan = *request.plan;
  // The workspace reads a gathered query's literals in a session of its own.
  if (bound.shards.size() < 2 && !plan.gather) return;
  if (plan.insert) check_clock_rows(request, plan.insert->clock_columns);
  for (const int token : plan.clock_literals) {
    const std::string value = request.shape->value(token, request.standard_conforming_strings);
    if (says_now(value)) refuse_clock(value);
  }
  for (const int parameter : plan.clock_parameters) {
    const auto index = static_cast<std::size_t>(parameter);
    if (index >= request.parameters.size()) break;
    const BoundValue& given = request.parameters[index];
    if (given.bytes && given.format == values::Format::text && says_now(*given.bytes)) {
      refuse_clock(*given.bytes);
    }
  }
}

}  // namespace anabranch::rewriter
