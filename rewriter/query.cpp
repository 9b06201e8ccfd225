#include "rewriter/query.h"

namespace anabranch::rewriter {

bool Query::sharded(const Instance& instance) const {
  const router::MappedTable* table = mapped(instance);
  return !instance.fed && table != nullptr && table->kind == conf::TableKind::sharded;
}

bool Query::in_buckets(const Instance& instance) const {
  return sharded(instance) && !mapped(instance)->physical.empty();
}

bool Query::reference(const Instance& instance) const {
  const router::MappedTable* table = mapped(instance);
  return instance.fed || (table != nullptr && table->kind == conf::TableKind::reference);
}

const router::Column* Query::column(Ident ident) const {
  if (!ident.known()) return nullptr;
  const Instance& instance = at(ident.instance);
  if (instance.kind != Instance::Kind::table || instance.relation == nullptr) return nullptr;
  const auto index = static_cast<std::size_t>(ident.column);
  return index < instance.relation->columns.size() ? &instance.relation->columns[index] : nullptr;
}

std::string Query::describe(Ident ident) const {
  if (ident.instance < 0) return "?";
  const Instance& instance = at(ident.instance);
  if (ident.column == kShardNumber) return "_shard_num";
  if (ident.column == kShardName) return "_shard_name";
  const auto index = static_cast<std::size_t>(ident.column);
  if (ident.column < 0 || index >= instance.columns.size()) return instance.name;
  return instance.name + "." + instance.columns[index];
}

Ident ident_of(const tree::Expr& expr) {
  const auto* reference = expr.as<tree::ColumnRef>();
  return reference == nullptr || reference->star ? Ident{-1, kUnknownColumn} : ident_of(*reference);
}

}  // namespace anabranch::rewriter
