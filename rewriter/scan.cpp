#include <algorithm>

#include "rewriter/planning.h"

namespace anabranch::rewriter {
namespace {

void count_parameter(std::vector<int>& uses, int number) {
  if (number < 1 || number > 65'535) return;
  const auto index = static_cast<std::size_t>(number);
  if (uses.size() < index) uses.resize(index);
  ++uses[index - 1];
}

void note_function(const tree::FunctionCall& call, const FunctionContext& functions, bool nested,
                   Traits& traits) {
  const std::string& name = call.name.back();
  switch (classify(call, functions).kind) {
    case FunctionKind::pure:
    case FunctionKind::aggregate:
    case FunctionKind::window:
      return;
    case FunctionKind::moment:
      traits.moment = true;
      return;
    case FunctionKind::ambient:
      traits.ambient = true;
      return;
    case FunctionKind::random:
      traits.random = name;
      if (nested) traits.nested_random = name;
      return;
    case FunctionKind::shared:
      traits.shared = name + "()";
      if (name == "nextval" || name == "setval") traits.sequence = name;
      return;
    case FunctionKind::settings:
      traits.settings = true;
      traits.shared = name + "()";
      return;
    case FunctionKind::session_value:
      traits.session_value = name;
      traits.shared = name + "()";
      return;
    case FunctionKind::session_call:
      if (traits.session_call.empty() || name != "pg_notify") traits.session_call = name;
      return;
    case FunctionKind::last_insert:
      traits.last_insert = true;
      traits.shared = name + "()";
      return;
    case FunctionKind::previous:
      traits.previous = traits.shared = name + "()";
      return;
    case FunctionKind::opaque:
      traits.opaque = name;
      return;
    case FunctionKind::unknown:
      traits.unknown = name;
      return;
  }
}

void note(const tree::Expr& at, const FunctionContext& functions, bool nested, Traits& traits) {
  if (const auto* call = at.as<tree::FunctionCall>()) {
    note_function(*call, functions, nested, traits);
  } else if (const auto* param = at.as<tree::Param>()) {
    count_parameter(traits.parameter_uses, param->number);
  } else if (const auto* value = at.as<tree::SqlValueFunction>()) {
    const bool moment = functions.language->is_moment(value->name);
    if (!moment || !functions.fixed_clock) (moment ? traits.moment : traits.ambient) = true;
  } else if (at.as<tree::ColumnRef>() != nullptr) {
    const Ident ident = ident_of(at);
    if (ident.column == kSystemColumn) {
      traits.system_column = at.as<tree::ColumnRef>()->parts.back();
    }
    traits.virtual_columns |= ident.column == kShardNumber || ident.column == kShardName;
  } else {
    functions.language->note(at, functions, traits);
  }
}

/// An aggregate belongs to the nearest block whose columns its arguments name.
void note_outer_aggregate(const tree::Expr& at, const FunctionContext& functions, Traits& traits) {
  const auto* call = at.as<tree::FunctionCall>();
  if (call == nullptr || call->windowed() || !contains_aggregate(at, functions)) return;
  int nearest = -1;
  const auto visit = [&](const tree::Expr& arg) {
    const auto* reference = arg.as<tree::ColumnRef>();
    if (reference == nullptr || !reference->resolved) return true;
    const int levels = reference->resolved->levels_up;
    nearest = nearest < 0 ? levels : std::min(nearest, levels);
    return true;
  };
  for (const tree::ExprPtr& arg : call->args) tree::walk(*arg, visit);
  if (call->filter) tree::walk(*call->filter, visit);
  if (nearest > 0) traits.outer_aggregate = call->name.back();
}

/// A function in FROM is evaluated once for all rows, not once a row.
void note_functions_in_from(const tree::Select& select, const FunctionContext& functions,
                            Traits& traits) {
  const auto visit = [&](const tree::Expr& at) {
    const auto* call = at.as<tree::FunctionCall>();
    if (call != nullptr && classify(*call, functions).kind == FunctionKind::random) {
      traits.nested_random = call->name.back();
    }
    return true;
  };
  tree::for_each_from(select, [&](const tree::FromItem& at) {
    const auto* function = at.as<tree::FunctionRef>();
    if (function == nullptr) return;
    if (function->call) tree::walk(*function->call, visit);
    for (const auto& child : function->children) tree::walk(*child, visit);
  });
}

void each_on_conflict(const tree::OnConflict& clause,
                      const std::function<void(const tree::Expr&)>& visit) {
  for (const auto& element : clause.target) visit(*element.expr);
  if (clause.target_where) visit(*clause.target_where);
  for (const tree::Assignment& assignment : clause.set) visit(*assignment.value);
  if (clause.where) visit(*clause.where);
}

void each_in_from(const tree::FromItem& item, const std::function<void(const tree::Expr&)>& visit) {
  tree::for_each_from(item, [&](const tree::FromItem& at) {
    if (const auto* join = at.as<tree::Join>(); join != nullptr && join->on) visit(*join->on);
    if (const auto* function = at.as<tree::FunctionRef>()) {
      if (function->call) visit(*function->call);
      for (const auto& child : function->children) visit(*child);
    }
  });
}

}  // namespace

void each_expression(const Block& block, const std::function<void(const tree::Expr&)>& visit) {
  if (block.select != nullptr) {
    tree::for_each_expr(*block.select, visit);
  } else if (block.insert != nullptr) {
    if (block.insert->on_conflict) each_on_conflict(*block.insert->on_conflict, visit);
    for (const tree::Target& target : block.insert->returning) visit(*target.expr);
  } else if (block.update != nullptr) {
    for (const tree::Assignment& assignment : block.update->set) visit(*assignment.value);
    for (const auto& item : block.update->from) each_in_from(*item, visit);
    if (block.update->where) visit(*block.update->where);
    for (const tree::Target& target : block.update->returning) visit(*target.expr);
  } else if (block.remove != nullptr) {
    for (const auto& item : block.remove->using_) each_in_from(*item, visit);
    if (block.remove->where) visit(*block.remove->where);
    for (const tree::Target& target : block.remove->returning) visit(*target.expr);
  }
}

Traits scan(const Query& query, const FunctionContext& functions) {
  Traits traits;
  for (const auto& block : query.blocks) {
    const bool top = block.get() == query.top;
    const bool ambient_before = traits.ambient;
    if (block->from_view) traits.ambient = false;
    each_expression(*block, [&](const tree::Expr& expr) {
      tree::walk(expr, [&](const tree::Expr& at) {
        note(at, functions, !top, traits);
        if (!top) note_outer_aggregate(at, functions, traits);
        return true;
      });
    });
    if (block->from_view && traits.ambient) {
      // A view is sent by name: what it calls cannot be computed once for all shards.
      traits.shared = "a function of time or session inside a view";
    }
    traits.ambient |= ambient_before;
    if (block->select != nullptr) traits.locking |= !block->select->locking.empty();
    if (block->select != nullptr) note_functions_in_from(*block->select, functions, traits);
    if (block->writes && !top) traits.writing_with = true;
  }
  return traits;
}

}  // namespace anabranch::rewriter
