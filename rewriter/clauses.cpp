#include <charconv>

#include "rewriter/distribution.h"
#include "rewriter/language.h"

namespace anabranch::rewriter {

bool contains_aggregate(const tree::Expr& expr, const FunctionContext& functions) {
  bool found = false;
  tree::walk(expr, [&](const tree::Expr& at) {
    const auto* call = at.as<tree::FunctionCall>();
    if (call != nullptr && !call->windowed()) {
      const FunctionInfo info = classify(*call, functions);
      found |= info.kind == FunctionKind::aggregate || call->star || call->within_group ||
               (info.function != nullptr && info.function->kind == 'a');
    }
    found |= at.as<tree::Grouping>() != nullptr;
    return !found;
  });
  return found;
}

bool contains_window(const tree::Expr& expr) {
  bool found = false;
  tree::walk(expr, [&](const tree::Expr& at) {
    const auto* call = at.as<tree::FunctionCall>();
    found |= call != nullptr && call->windowed();
    return !found;
  });
  return found;
}

bool is_aggregated(const tree::Select& select, const FunctionContext& functions) {
  if (!select.group_by.empty()) return true;
  if (select.having && (functions.language->having_groups || contains_aggregate(*select.having, functions))) return true;
  for (const tree::Target& target : select.targets) {
    if (contains_aggregate(*target.expr, functions)) return true;
  }
  for (const tree::SortKey& key : select.order_by) {
    if (contains_aggregate(*key.expr, functions)) return true;
  }
  return false;
}

bool has_windows(const tree::Select& select) {
  for (const tree::Target& target : select.targets) {
    if (contains_window(*target.expr)) return true;
  }
  for (const tree::SortKey& key : select.order_by) {
    if (contains_window(*key.expr)) return true;
  }
  return false;
}

bool has_limit(const tree::Select& select) {
  const auto counts = [](const tree::ExprPtr& expr) {
    if (!expr) return false;
    const auto* literal = expr->as<tree::Literal>();
    return literal == nullptr || literal->kind() != tree::Literal::Kind::null;
  };
  return counts(select.limit) || counts(select.offset);
}

std::vector<Ident> idents_of(const Block& block, const std::vector<const tree::Expr*>& exprs) {
  tree::PinSet ignored;
  std::vector<Ident> idents;
  for (const tree::Expr* expr : exprs) {
    const Ident ident = meaning_of(block, *expr, ignored).ident;
    if (ident.known()) idents.push_back(ident);
  }
  return idents;
}

Meaning meaning_of(const Block& block, const tree::Expr& expr, tree::PinSet& pins) {
  const auto output = [&](std::size_t index) -> Meaning {
    if (index >= block.outputs.size()) return {&expr, -1, {}};
    return {block.outputs[index].expr, static_cast<int>(index), block.outputs[index].ident};
  };
  if (const auto* reference = expr.as<tree::ColumnRef>();
      reference != nullptr && reference->resolved && reference->resolved->relation == kOutputName) {
    return output(static_cast<std::size_t>(reference->resolved->column));
  }
  if (const auto* literal = expr.as<tree::Literal>();
      literal != nullptr && literal->kind() == tree::Literal::Kind::integer) {
    const std::string& text = literal->value(pins);
    std::size_t ordinal = 0;
    std::from_chars(text.data(), text.data() + text.size(), ordinal);
    return output(ordinal - 1);
  }
  return {&expr, -1, ident_of(expr)};
}

std::optional<std::vector<Meaning>> group_items(const Block& block, tree::PinSet& pins) {
  std::vector<Meaning> items;
  for (const tree::GroupItem& item : block.select->group_by) {
    if (item.kind != tree::GroupItem::Kind::expr) return std::nullopt;
    items.push_back(meaning_of(block, *item.expr, pins));
  }
  return items;
}

}  // namespace anabranch::rewriter
