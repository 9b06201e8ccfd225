#include <algorithm>
#include <charconv>

#include "rewriter/clock.h"
#include "rewriter/planning.h"

/// Holes in printed trees: a marker that no statement can contain stands for each until the text
/// is made a template. (Statements with the marker's byte are not planned for several shards.)
namespace anabranch::rewriter {
namespace {

constexpr char kMark = '\x01';

std::string mark(char kind, int index) {
  return std::string(1, kMark) + kind + std::to_string(index) + kMark;
}

tree::ExprPtr marked(char kind, int index) {
  return tree::make::raw(mark(kind, index));
}

SqlTemplate::Piece piece_of(std::string_view marker) {
  int index = 0;
  std::from_chars(marker.data() + 1, marker.data() + marker.size(), index);
  switch (marker.front()) {
    case 'e':
      return SqlTemplate::EvaluatedHole{index};
    case 's':
      return SqlTemplate::SlotHole{index};
    case 'n':
      return SqlTemplate::ShardNumberHole{};
    case 'r':
      return SqlTemplate::RowsHole{};
    case 'f':
      return SqlTemplate::FedHole{index};
    default:
      return SqlTemplate::ShardNameHole{};
  }
}

void each_select(tree::Select& select, const std::function<void(tree::ExprPtr&)>& visit);

void each_statement(tree::Statement& statement, const std::function<void(tree::ExprPtr&)>& visit);

void each_slot(tree::ExprPtr& slot, const std::function<void(tree::ExprPtr&)>& visit) {
  if (!slot) return;
  tree::transform(slot, [&](tree::ExprPtr& at) {
    tree::for_each_subquery(*at, [&](tree::Select& inner) { each_select(inner, visit); });
    visit(at);
  });
}

void each_from(tree::FromItem& item, const std::function<void(tree::ExprPtr&)>& visit) {
  if (auto* join = item.as<tree::Join>()) {
    each_from(*join->left, visit);
    each_from(*join->right, visit);
    each_slot(join->on, visit);
  } else if (auto* query = item.as<tree::SubqueryRef>()) {
    each_select(*query->query, visit);
  } else if (auto* function = item.as<tree::FunctionRef>()) {
    each_slot(function->call, visit);
  }
}

void each_with(tree::With& with, const std::function<void(tree::ExprPtr&)>& visit) {
  for (tree::Cte& cte : with.ctes) each_statement(*cte.statement, visit);
}

void each_select(tree::Select& select, const std::function<void(tree::ExprPtr&)>& visit) {
  each_with(select.with, visit);
  if (select.left) each_select(*select.left, visit);
  if (select.right) each_select(*select.right, visit);
  tree::for_each_from(select, [&](tree::FromPtr& item) {
    if (auto* query = item->as<tree::SubqueryRef>()) each_select(*query->query, visit);
  });
  tree::for_each_expr(select, [&](tree::ExprPtr& slot) { each_slot(slot, visit); });
}

void each_statement(tree::Statement& statement, const std::function<void(tree::ExprPtr&)>& visit) {
  if (auto* select = statement.as<tree::Select>()) {
    each_select(*select, visit);
  } else if (auto* insert = statement.as<tree::Insert>()) {
    each_with(insert->with, visit);
    if (insert->source) each_select(*insert->source, visit);
    if (insert->on_conflict) {
      for (auto& assignment : insert->on_conflict->set) each_slot(assignment.value, visit);
      each_slot(insert->on_conflict->where, visit);
    }
    for (auto& target : insert->returning) each_slot(target.expr, visit);
  } else if (auto* update = statement.as<tree::Update>()) {
    each_with(update->with, visit);
    for (auto& assignment : update->set) each_slot(assignment.value, visit);
    for (auto& item : update->from) each_from(*item, visit);
    each_slot(update->where, visit);
    for (auto& target : update->returning) each_slot(target.expr, visit);
  } else if (auto* remove = statement.as<tree::Delete>()) {
    each_with(remove->with, visit);
    for (auto& item : remove->using_) each_from(*item, visit);
    each_slot(remove->where, visit);
    for (auto& target : remove->returning) each_slot(target.expr, visit);
  }
}

int virtual_column(const tree::Expr& expr) {
  const Ident ident = ident_of(expr);
  return ident.column == kShardNumber || ident.column == kShardName ? ident.column : 0;
}

/// The targets of a block: a virtual column keeps its name.
void keep_names(tree::Select& select) {
  for (tree::Target& target : select.targets) {
    if (target.alias.empty() && virtual_column(*target.expr) != 0) {
      target.alias = implicit_name(*target.expr);
    }
  }
}

}  // namespace

tree::ExprPtr slot_hole(int slot) {
  return marked('s', slot);
}

tree::ExprPtr rows_hole() {
  return marked('r', 0);
}

std::string fed_hole(int feed) {
  return mark('f', feed);
}

tree::ExprPtr evaluation(Planning& planning, std::string sql, std::string type_name,
                         bool per_transaction) {
  auto& evaluations = planning.plan->evaluations;
  if (per_transaction) {
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
      if (evaluations[i].per_transaction && evaluations[i].sql == sql) {
        return marked('e', static_cast<int>(i));
      }
    }
  }
  evaluations.push_back({std::move(sql), std::move(type_name), per_transaction});
  return marked('e', static_cast<int>(evaluations.size()) - 1);
}

namespace {

/// MySQL: a row that the statement changes is stamped with its moment.
bool stamps_rows(const Planning& planning) {
  const auto* insert = planning.statement->as<tree::Insert>();
  const bool changes = planning.statement->as<tree::Update>() != nullptr || (insert != nullptr && insert->on_conflict);
  return changes && std::ranges::any_of(planning.query.instances, [](const auto& instance) {
    return instance->relation != nullptr && std::ranges::any_of(instance->relation->columns, &router::Column::stamped);
  });
}

void check_ambient(const Planning& planning) {
  const Traits& traits = planning.traits;
  planning.plan->one_moment |= traits.moment || stamps_rows(planning);
  if (!traits.ambient && traits.shared.empty()) return;
  refuse_clause(traits.ambient ? "a function of time or session" : std::string_view(traits.shared),
                "each shard would answer for itself",
                "Compute the value first, and give it as a constant.");
}

}  // namespace

/// In what is printed as text: literals are holes of their own, but for those that are baked in.
bool may_print_mark(const Planning& planning) {
  const Shape& shape = planning.shape();
  const std::string_view text = shape.source();
  const auto marked_between = [&](std::size_t first, std::size_t end) {
    return text.substr(first, end - first).find(kMark) != std::string_view::npos;
  };
  if (!marked_between(0, text.size())) return false;
  std::size_t end = 0;
  for (const LiteralToken& literal : shape.literals()) {
    if (marked_between(end, literal.offset)) return true;
    end = literal.offset + literal.length;
  }
  return marked_between(end, text.size()) ||
         std::ranges::any_of(planning.statement->baked, [&](int literal) {
           return shape.spelling(literal).find(kMark) != std::string_view::npos;
         });
}

void fill_holes(Planning& planning, tree::Statement& statement) {
  if (may_print_mark(planning)) {
    refuse(values::SqlError("0A000", "a statement with a control character across shards",
                            "Give the value as a parameter."));
  }
  if (!planning.language().asks_shards) return check_ambient(planning);
  planning.plan->clock_literals = clock_literals(planning);
  planning.plan->clock_parameters = clock_parameters(planning);
  if (auto* select = statement.as<tree::Select>()) keep_names(*select);
  each_statement(statement, [&](tree::ExprPtr& slot) {
    if (const int column = virtual_column(*slot); column != 0) {
      slot = marked(column == kShardNumber ? 'n' : 'm', 0);
      return;
    }
    if (const auto* param = slot->as<tree::Param>()) {
      const ValueRef value = value_of(*param, planning.values);
      if (value.from == ValueRef::From::evaluated) slot = marked('e', value.index);
      return;
    }
    if (const auto* value = slot->as<tree::SqlValueFunction>()) {
      slot = evaluation(planning, planning.text(*slot), std::string(type_of(*value)), true);
      return;
    }
    const auto* call = slot->as<tree::FunctionCall>();
    if (call == nullptr || call->windowed()) return;
    const FunctionInfo info = classify(*call, planning.functions);
    if (info.kind != FunctionKind::ambient) return;
    const values::TypeInfo* type = values::find_type(info.function->result);
    if (type == nullptr) {
      refuse_clause("function " + call->name.back(), "its value belongs to one server",
                    "Give the value as a parameter.");
    }
    slot = evaluation(planning, planning.text(*slot), std::string(type->name),
                      per_transaction(call->name.back()));
  });
}

void typing_form(tree::Statement& statement) {
  if (auto* select = statement.as<tree::Select>()) keep_names(*select);
  each_statement(statement, [](tree::ExprPtr& slot) {
    const int column = virtual_column(*slot);
    if (column == 0) return;
    slot = tree::make::raw(column == kShardNumber ? "(NULL::integer)" : "(NULL::text)");
  });
}

SqlTemplate with_holes(SqlTemplate printed) {
  SqlTemplate made;
  const auto add_text = [&](std::string_view text) {
    if (text.empty()) return;
    if (!made.pieces.empty()) {
      if (auto* last = std::get_if<std::string>(&made.pieces.back())) {
        *last += text;
        return;
      }
    }
    made.pieces.emplace_back(std::string(text));
  };
  for (SqlTemplate::Piece& piece : printed.pieces) {
    const auto* text = std::get_if<std::string>(&piece);
    if (text == nullptr) {
      made.pieces.push_back(std::move(piece));
      continue;
    }
    std::string_view rest = *text;
    for (std::size_t mark = rest.find(kMark); mark != std::string_view::npos;
         mark = rest.find(kMark)) {
      add_text(rest.substr(0, mark));
      const std::size_t end = rest.find(kMark, mark + 1);
      made.pieces.push_back(piece_of(rest.substr(mark + 1, end - mark - 1)));
      rest.remove_prefix(end + 1);
    }
    add_text(rest);
  }
  return made;
}

}  // namespace anabranch::rewriter
