#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "rewriter/language.h"
#include "rewriter/parse.h"
#include "rewriter/planner.h"
#include "rewriter/query.h"
#include "rewriter/scope.h"
#include "values/sql_error.h"

namespace anabranch::rewriter {
namespace {

constexpr int kViewDepth = 32;

struct CteEntry {
  std::string name;
  Block* block = nullptr;  ///< null while a recursive one is being resolved
  std::vector<std::string> columns;
};

/// Of pg_catalog: what they give is one column, called as the function's alias.
bool gives_one_column(std::string_view name) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "generate_series", "generate_subscripts", "json_array_elements", "json_array_elements_text", "json_object_keys",
      "jsonb_array_elements", "jsonb_array_elements_text", "jsonb_object_keys", "regexp_matches", "regexp_split_to_table",
      "string_to_table"};
  return std::ranges::find(kNames, name) != kNames.end();
}

class Resolver {
 public:
  Resolver(Query& query, const PlanningContext& context)
      : query_(query), context_(context), path_(&context.search_path) {}

  void statement(const tree::Statement& statement) {
    query_.top = resolve_statement(statement, nullptr, nullptr);
  }

 private:
  Block* new_block(Block* parent) {
    query_.blocks.push_back(std::make_unique<Block>());
    Block* block = query_.blocks.back().get();
    block->parent = parent;
    block->level = parent == nullptr ? 0 : parent->level + 1;
    block->from_view = view_depth_ > 0;
    return block;
  }

  int new_instance(Block& block, Instance instance) {
    query_.instances.push_back(std::make_unique<Instance>(std::move(instance)));
    const int index = static_cast<int>(query_.instances.size()) - 1;
    block.instances.push_back(index);
    return index;
  }

  std::string column_name(std::string_view name) const { return query_.language->column_name(name); }

  void unresolved(std::string what) { query_.unresolved.push_back(std::move(what)); }

  // ------------------------------------------------------------------------------- statements

  Block* resolve_statement(const tree::Statement& statement, Block* parent, const Scope* outer) {
    if (const auto* select = statement.as<tree::Select>()) return resolve(*select, parent, outer);
    if (const auto* insert = statement.as<tree::Insert>()) return resolve(*insert, parent, outer);
    if (const auto* update = statement.as<tree::Update>()) return resolve(*update, parent, outer);
    if (const auto* remove = statement.as<tree::Delete>()) return resolve(*remove, parent, outer);
    return new_block(parent);
  }

  void set_target(const Block& block, int instance) {
    if (block.parent == nullptr) query_.target = instance;
  }

  Block* resolve(const tree::Insert& insert, Block* parent, const Scope* outer) {
    Block* block = new_block(parent);
    block->writes = true;
    block->insert = &insert;
    const std::size_t ctes = ctes_.size();
    resolve_with(insert.with, *block, outer);
    Names target = base_table(*block, insert.table, false);
    if (!target.relations.empty()) set_target(*block, target.relations.front().instance);
    if (insert.source) {
      // The source does not see the target.
      Block* source = resolve(*insert.source, block, outer);
      block->subqueries[insert.source.get()] = source;
    }
    Names conflict = target;
    if (!target.relations.empty()) {
      Names::Relation excluded = target.relations.front();
      excluded.name = insert.row_alias.name.empty() ? "excluded" : insert.row_alias.name;
      for (std::size_t i = 0; i < insert.row_alias.columns.size() && i < excluded.columns.size(); ++i) {
        excluded.columns[i].name = column_name(insert.row_alias.columns[i]);
      }
      excluded.schema.clear();
      conflict.relations.push_back(excluded);
    }
    Scope scope{&conflict, outer, block};
    if (insert.on_conflict) resolve_on_conflict(*insert.on_conflict, scope);
    scope.names = &target;
    resolve_targets(insert.returning, scope);
    ctes_.resize(ctes);
    return block;
  }

  void resolve_on_conflict(const tree::OnConflict& clause, const Scope& scope) {
    for (const auto& element : clause.target) resolve(element.expr.get(), scope);
    resolve(clause.target_where.get(), scope);
    for (const tree::Assignment& assignment : clause.set) resolve(assignment, scope);
    resolve(clause.where.get(), scope);
  }

  Block* resolve(const tree::Update& update, Block* parent, const Scope* outer) {
    Block* block = new_block(parent);
    block->writes = true;
    block->update = &update;
    const std::size_t ctes = ctes_.size();
    resolve_with(update.with, *block, outer);
    Names names;
    if (!update.table.name.empty()) names = base_table(*block, update.table, false);
    if (!names.relations.empty()) set_target(*block, names.relations.front().instance);
    resolve_from_list(update.from, *block, outer, names);
    const Scope scope{&names, outer, block};
    for (const tree::Assignment& assignment : update.set) resolve(assignment, scope);
    resolve(update.where.get(), scope);
    resolve_targets(update.returning, scope);
    ctes_.resize(ctes);
    return block;
  }

  Block* resolve(const tree::Delete& remove, Block* parent, const Scope* outer) {
    Block* block = new_block(parent);
    block->writes = true;
    block->remove = &remove;
    const std::size_t ctes = ctes_.size();
    resolve_with(remove.with, *block, outer);
    Names names;
    if (!remove.table.name.empty()) names = base_table(*block, remove.table, false);
    if (!names.relations.empty()) set_target(*block, names.relations.front().instance);
    resolve_from_list(remove.using_, *block, outer, names);
    const Scope scope{&names, outer, block};
    resolve(remove.where.get(), scope);
    resolve_targets(remove.returning, scope);
    ctes_.resize(ctes);
    return block;
  }

  void resolve(const tree::Assignment& assignment, const Scope& scope) {
    for (const tree::ExprPtr& step : assignment.indirection) resolve(step.get(), scope);
    resolve(assignment.value.get(), scope);
  }

  // ---------------------------------------------------------------------------------- queries

  Block* resolve(const tree::Select& select, Block* parent, const Scope* outer) {
    Block* block = new_block(parent);
    block->select = &select;
    const std::size_t ctes = ctes_.size();
    resolve_with(select.with, *block, outer);
    if (select.set_op != tree::SetOperation::none) {
      resolve_set_operation(select, *block, outer);
    } else {
      resolve_plain(select, *block, outer);
    }
    ctes_.resize(ctes);
    return block;
  }

  void resolve_set_operation(const tree::Select& select, Block& block, const Scope* outer) {
    block.left = resolve(*select.left, &block, outer);
    block.right = resolve(*select.right, &block, outer);
    block.outputs_known = block.left->outputs_known;
    for (const OutputColumn& output : block.left->outputs) {
      block.outputs.push_back({output.name, {}, nullptr});
    }
    const Names none;
    const Scope scope{&none, outer, &block};
    for (const tree::SortKey& key : select.order_by) {
      if (!resolve_output_name(*key.expr, block)) resolve(key.expr.get(), scope);
    }
    resolve(select.limit.get(), scope);
    resolve(select.offset.get(), scope);
  }

  void resolve_plain(const tree::Select& select, Block& block, const Scope* outer) {
    Names names;
    resolve_from_list(select.from, block, outer, names);
    const Scope scope{&names, outer, &block};
    resolve_targets(select.targets, scope);
    for (const auto& row : select.values) {
      for (const tree::ExprPtr& value : row) resolve(value.get(), scope);
    }
    if (!select.values.empty()) {
      for (std::size_t i = 0; i < select.values.front().size(); ++i) {
        block.outputs.push_back({"column" + std::to_string(i + 1), {}, nullptr});
      }
    }
    resolve(select.where.get(), scope);
    for (const tree::GroupItem& item : select.group_by) resolve_group(item, scope);
    resolve(select.having.get(), scope);
    for (const tree::WindowDef& window : select.windows) resolve(window, scope);
    for (const tree::ExprPtr& expr : select.distinct_on) {
      if (!resolve_output_name(*expr, block)) resolve(expr.get(), scope);
    }
    for (const tree::SortKey& key : select.order_by) {
      if (!resolve_output_name(*key.expr, block)) resolve(key.expr.get(), scope);
    }
    resolve(select.limit.get(), scope);
    resolve(select.offset.get(), scope);
  }

  /// A bare name in ORDER BY is an output column's, if there is one of that name.
  bool resolve_output_name(const tree::Expr& expr, const Block& block) const {
    const auto* reference = expr.as<tree::ColumnRef>();
    return reference != nullptr && resolve_output_name(*reference, block);
  }

  bool resolve_output_name(const tree::ColumnRef& reference, const Block& block) const {
    if (reference.star || reference.parts.size() != 1) return false;
    const std::string name = column_name(reference.parts.front());
    for (std::size_t i = 0; i < block.outputs.size(); ++i) {
      if (block.outputs[i].name != name) continue;
      reference.resolved = tree::ResolvedColumn{kOutputName, static_cast<int>(i), 0};
      return true;
    }
    return false;
  }

  /// A bare name in GROUP BY is a column of the FROM list first, an output's name second.
  void resolve_group(const tree::GroupItem& item, const Scope& scope) {
    for (const tree::GroupItem& inner : item.items) resolve_group(inner, scope);
    if (!item.expr) return;
    const auto* reference = item.expr->as<tree::ColumnRef>();
    if (reference != nullptr && !reference->star && reference->parts.size() == 1 &&
        look_up(query_, scope, reference->parts, true).answer == Lookup::Answer::missing &&
        resolve_output_name(*item.expr, *scope.block)) {
      return;
    }
    resolve(item.expr.get(), scope);
  }

  void resolve_targets(const std::vector<tree::Target>& targets, const Scope& scope) {
    for (const tree::Target& target : targets) {
      const auto* reference = target.expr->as<tree::ColumnRef>();
      if (reference != nullptr && reference->star) {
        expand_star(*reference, scope);
        continue;
      }
      if (const auto* field = target.expr->as<tree::FieldSelect>();
          field != nullptr && field->star) {
        scope.block->outputs_known = false;
      }
      resolve(target.expr.get(), scope);
      scope.block->outputs.push_back(
          {column_name(target.alias.empty() ? implicit_name(*target.expr) : target.alias),
           ident_of(*target.expr), target.expr.get()});
    }
  }

  void expand_star(const tree::ColumnRef& reference, const Scope& scope) {
    Block& block = *scope.block;
    const std::vector<NamedColumn>* columns = &scope.names->columns;
    std::vector<int> sources;
    if (reference.parts.empty()) {
      for (const auto& relation : scope.names->relations) sources.push_back(relation.instance);
    } else {
      const Names::Relation* relation = look_up_relation(scope, reference.parts);
      if (relation == nullptr) {
        unresolved("relation of " + reference.parts.back() + ".*");
        block.outputs_known = false;
        return;
      }
      columns = &relation->columns;
      sources.push_back(relation->instance);
      reference.resolved = tree::ResolvedColumn{relation->instance, kWholeRow, 0};
    }
    for (const int source : sources) {
      if (source >= 0 && query_.at(source).open) block.outputs_known = false;
    }
    for (const NamedColumn& column : *columns) {
      block.outputs.push_back({column.name, column.ident, nullptr});
    }
  }

  void resolve_with(const tree::With& with, Block& block, const Scope* outer) {
    for (const tree::Cte& cte : with.ctes) {
      const auto* body = cte.statement->as<tree::Select>();
      const bool self =
          with.recursive && body != nullptr && body->set_op != tree::SetOperation::none;
      if (self) ctes_.push_back({cte.name, nullptr, cte.columns});
      Block* inner = resolve_statement(*cte.statement, &block, outer);
      if (self) {
        ctes_.back().block = inner;
      } else {
        ctes_.push_back({cte.name, inner, cte.columns});
      }
      // SEARCH and CYCLE add columns.
      if (!cte.tail.empty()) {
        inner->recursive = true;
        inner->outputs_known = false;
      }
      block.ctes.push_back(inner);
      if (inner->writes) block.writes = true;
    }
  }

  // ------------------------------------------------------------------------------- FROM items

  void resolve_from_list(const std::vector<tree::FromPtr>& items, Block& block, const Scope* outer,
                         Names& names) {
    for (const tree::FromPtr& item : items) names.append(from_item(*item, block, outer, names));
  }

  /// `siblings`: what stands to the left, for LATERAL.
  Names from_item(const tree::FromItem& item, Block& block, const Scope* outer,
                  const Names& siblings) {
    Names names;
    if (const auto* table = item.as<tree::TableRef>()) {
      names = base_table(block, *table, true);
    } else if (const auto* query = item.as<tree::SubqueryRef>()) {
      const Scope lateral{&siblings, outer, &block};
      Block* inner = resolve(*query->query, &block, query->lateral ? &lateral : outer);
      names = derived(block, inner, query->alias.name, query->alias.columns, query->lateral);
    } else if (const auto* join = item.as<tree::Join>()) {
      return join_item(*join, block, outer, siblings);
    } else {
      names = function_item(item, block, outer, siblings);
    }
    if (!names.relations.empty()) block.of_item[&item] = names.relations.front().instance;
    return names;
  }

  Names function_item(const tree::FromItem& item, Block& block, const Scope* outer,
                      const Names& siblings) {
    const Scope scope{&siblings, outer, &block};
    Instance instance;
    instance.kind = Instance::Kind::function;
    instance.open = true;
    instance.lateral = true;
    tree::Alias alias;
    const auto take = [&](const tree::Expr* expr) {
      if (expr == nullptr) return;
      instance.calls.push_back(expr);
      resolve(expr, scope);
    };
    if (const auto* function = item.as<tree::FunctionRef>()) {
      alias = function->alias;
      take(function->call.get());
      for (const auto& child : function->children) take(child.get());
      if (function->call && alias.name.empty()) {
        if (const auto* call = function->call->as<tree::FunctionCall>())
          alias.name = call->name.back();
      }
    } else if (const auto* verbatim = item.as<tree::VerbatimFrom>()) {
      alias = verbatim->alias;
      for (const auto& child : verbatim->children) take(child.get());
    }
    instance.name = alias.name;
    if (has_one_column(item)) {
      instance.columns = {alias.name};
      if (item.as<tree::FunctionRef>()->ordinality) instance.columns.emplace_back("ordinality");
      instance.open = false;
    }
    rename(instance.columns, alias.columns);
    const int index = new_instance(block, std::move(instance));
    return shown(index, alias.name, {});
  }

  /// Its alias is its column's name, and no other name can mean one of its columns.
  bool has_one_column(const tree::FromItem& item) const {
    const auto* function = item.as<tree::FunctionRef>();
    const auto* call = function == nullptr || !function->call ? nullptr : function->call->as<tree::FunctionCall>();
    if (call == nullptr || (call->name.size() > 1 && call->name.front() != "pg_catalog")) return false;
    if (call->name.back() != "unnest") return gives_one_column(call->name.back());
    return call->args.size() == 1 && has_plain_elements(*call->args.front());
  }

  /// A column, of a type that we know: none of those is an array of rows.
  bool has_plain_elements(const tree::Expr& array) const {
    const Ident ident = ident_of(array);
    if (!ident.known()) return false;
    const Instance& instance = query_.at(ident.instance);
    if (instance.kind != Instance::Kind::table || instance.relation == nullptr) return false;
    return values::find_type(instance.relation->columns.at(static_cast<std::size_t>(ident.column)).type.oid) != nullptr;
  }

  Names base_table(Block& block, const tree::TableRef& table, bool may_be_cte) {
    const std::string& name = table.alias.name.empty() ? table.name : table.alias.name;
    if (may_be_cte && table.schema.empty()) {
      for (auto entry = ctes_.rbegin(); entry != ctes_.rend(); ++entry) {
        if (entry->name == table.name) return cte_reference(block, *entry, table, name);
      }
    }
    Instance instance;
    instance.name = name;
    if (const router::Relation* relation = view_depth_ > 0 ? nullptr : fed_table(table)) {
      instance.relation = relation;
      instance.fed = true;
    } else if (view_depth_ > 0 || !is_temporary(context_, *query_.catalog, table.schema, table.name)) {
      instance.relation = find_table(*query_.catalog, *path_, table.schema, table.name);
      instance.table = find_mapped(*query_.map, *query_.catalog, instance.relation, *path_, table.schema,
                                   table.name);
    }
    note_buckets(table, instance);
    if (instance.relation == nullptr) {
      instance.open = true;
    } else {
      for (const router::Column& column : instance.relation->columns) {
        instance.columns.push_back(column_name(column.name));
      }
    }
    rename(instance.columns, table.alias.columns);
    if (instance.relation != nullptr && instance.relation->kind == router::RelationKind::view &&
        instance.table < 0) {
      expand_view(block, instance);
    }
    const int index = new_instance(block, std::move(instance));
    const std::string schema = table.alias.name.empty() && query_.at(index).relation != nullptr
                                   ? query_.at(index).relation->schema
                                   : table.schema;
    return shown(index, name, schema);
  }

  /// What is printed in its name's place. The default shard describes statements by a bucket of its own.
  void note_buckets(const tree::TableRef& table, const Instance& instance) const {
    table.physical = query_.in_buckets(instance) ? instance.table : -1;
    if (table.physical < 0) return;
    const router::MappedTable& mapped = *query_.mapped(instance);
    const router::ShardSet buckets = query_.map->buckets_on(mapped, query_.map->default_shard());
    const conf::TableName name = mapped.of_bucket(buckets.empty() ? 0 : *buckets.begin());
    table.one_bucket = {name.schema, name.name};
  }

  const router::Relation* fed_table(const tree::TableRef& table) const {
    const auto found = std::ranges::find_if(context_.fed, [&](const router::Relation& relation) {
      return relation.schema == table.schema && relation.name == table.name;
    });
    return found == context_.fed.end() ? nullptr : &*found;
  }

  Names cte_reference(Block& block, const CteEntry& entry, const tree::TableRef& table,
                      const std::string& name) {
    std::vector<std::string> columns;
    rename(columns, entry.columns);
    if (entry.block == nullptr) {
      for (Block* at = &block; at != nullptr; at = at->parent) at->recursive = true;
      Instance instance;
      instance.kind = Instance::Kind::recursive;
      instance.name = name;
      instance.open = true;
      instance.columns = columns;
      rename(instance.columns, table.alias.columns);
      return shown(new_instance(block, std::move(instance)), name, {});
    }
    rename(columns, table.alias.columns);
    Names names = derived(block, entry.block, name, columns, false);
    query_.instances[static_cast<std::size_t>(names.relations.front().instance)]->cte = entry.name;
    return names;
  }

  void expand_view(Block& block, Instance& instance) {
    query_.uses_views = true;
    if (view_depth_ >= kViewDepth) {
      unresolved("view " + instance.name);
      return;
    }
    try {
      Shape view_shape;
      static const PlanningContext plain;
      query_.language->shape(instance.relation->view_sql, plain, view_shape);
      ParseResult parsed = query_.language->parse(instance.relation->view_sql, view_shape, plain);
      auto* statements = std::get_if<std::vector<tree::StatementPtr>>(&parsed);
      if (statements == nullptr || statements->size() != 1 ||
          statements->front()->as<tree::Select>() == nullptr) {
        unresolved("view " + instance.name);
        return;
      }
      query_.views.push_back(std::move(statements->front()));
    } catch (const values::SqlError&) {
      unresolved("view " + instance.name);
      return;
    }
    // A view's definition sees neither the statement's CTEs nor its scope; its names are qualified
    // wherever the catalog loader's empty path would not find them.
    static const std::vector<std::string> qualified_only = {"pg_catalog", "public"};
    const auto saved_ctes = std::exchange(ctes_, {});
    const auto* saved_path = std::exchange(path_, &qualified_only);
    ++view_depth_;
    instance.block = resolve(*query_.views.back()->as<tree::Select>(), &block, nullptr);
    --view_depth_;
    path_ = saved_path;
    ctes_ = saved_ctes;
    instance.kind = Instance::Kind::derived;
  }

  void rename(std::vector<std::string>& columns, const std::vector<std::string>& aliases) const {
    for (std::size_t i = 0; i < aliases.size(); ++i) {
      std::string name = column_name(aliases[i]);
      if (i < columns.size()) {
        columns[i] = std::move(name);
      } else {
        columns.push_back(std::move(name));
      }
    }
  }

  Names derived(Block& block, Block* inner, const std::string& name,
                const std::vector<std::string>& columns, bool lateral) {
    Instance instance;
    instance.kind = Instance::Kind::derived;
    instance.name = name;
    instance.block = inner;
    instance.lateral = lateral;
    instance.open = !inner->outputs_known;
    for (const OutputColumn& output : inner->outputs) instance.columns.push_back(output.name);
    rename(instance.columns, columns);
    return shown(new_instance(block, std::move(instance)), name, {});
  }

  Names shown(int index, const std::string& name, const std::string& schema) const {
    Names names;
    Names::Relation relation{name, schema, index, {}};
    const Instance& instance = query_.at(index);
    for (std::size_t i = 0; i < instance.columns.size(); ++i) {
      relation.columns.push_back({instance.columns[i], {index, static_cast<int>(i)}});
    }
    names.columns = relation.columns;
    names.relations.push_back(std::move(relation));
    return names;
  }

  // ------------------------------------------------------------------------------------ joins

  Names join_item(const tree::Join& join, Block& block, const Scope* outer, const Names& siblings) {
    Names left = from_item(*join.left, block, outer, siblings);
    Names visible = siblings;
    visible.append(left);
    Names right = from_item(*join.right, block, outer, visible);

    std::vector<std::string> common;
    rename(common, join.using_columns);
    if (join.natural) common = natural_columns(left, right);
    Names names;
    names.relations = left.relations;
    names.relations.insert(names.relations.end(), right.relations.begin(), right.relations.end());
    for (const std::string& column : common) {
      names.columns.push_back({column, merge_column(join, block, left, right, column)});
    }
    if (!join.using_alias.empty())
      names.relations.push_back({join.using_alias, {}, -1, names.columns});
    names.append_rest(left, common);
    names.append_rest(right, common);

    if (join.on) {
      const Scope scope{&names, outer, &block};
      resolve(join.on.get(), scope);
    }
    if (!join.alias.name.empty()) names.hide_behind(join.alias);
    return names;
  }

  Ident merge_column(const tree::Join& join, Block& block, const Names& left, const Names& right,
                     const std::string& name) {
    const auto find = [&](const Names& names) -> Ident {
      for (const NamedColumn& column : names.columns) {
        if (column.name == name) return column.ident;
      }
      for (const Names::Relation& relation : names.relations) {
        if (relation.instance >= 0 && query_.at(relation.instance).open) {
          return {relation.instance, kUnknownColumn};
        }
      }
      unresolved("column " + name + " of JOIN USING");
      return {};
    };
    const Ident from_left = find(left);
    const Ident from_right = find(right);
    block.using_pairs[&join].push_back({from_left, from_right});
    if (join.kind == tree::Join::Kind::right) return from_right;
    if (join.kind != tree::Join::Kind::full) return from_left;
    Instance merged;
    merged.kind = Instance::Kind::merged;
    merged.name = name;
    merged.columns = {name};
    merged.merged = {{from_left, from_right}};
    return {new_instance(block, std::move(merged)), 0};
  }

  // ------------------------------------------------------------------------------ expressions

  void resolve(const tree::WindowDef& window, const Scope& scope) {
    for (const tree::ExprPtr& expr : window.partition_by) resolve(expr.get(), scope);
    for (const tree::SortKey& key : window.order_by) resolve(key.expr.get(), scope);
    resolve(window.start_offset.get(), scope);
    resolve(window.end_offset.get(), scope);
  }

  void resolve(const tree::Expr* expr, const Scope& scope) {
    if (expr == nullptr) return;
    if (const auto* reference = expr->as<tree::ColumnRef>()) {
      resolve_reference(*reference, scope);
      return;
    }
    tree::for_each_child(*expr, [&](const tree::Expr& child) { resolve(&child, scope); });
    tree::for_each_subquery(*expr, [&](const tree::Select& select) {
      scope.block->subqueries[&select] = resolve(select, scope.block, &scope);
    });
  }

  void resolve_reference(const tree::ColumnRef& reference, const Scope& scope) {
    if (reference.star) {
      if (reference.parts.empty()) return;  // count(*) and its like
      const Names::Relation* relation = look_up_relation(scope, reference.parts);
      if (relation == nullptr) {
        unresolved("relation " + reference.parts.back());
      } else {
        reference.resolved = tree::ResolvedColumn{relation->instance, kWholeRow, 0};
      }
      return;
    }
    const Lookup found = look_up(query_, scope, reference.parts);
    if (found.answer != Lookup::Answer::found) {
      if (query_.language->outputs_in_expressions && resolve_output_name(reference, *scope.block)) return;
      unresolved("column " + reference.parts.back());
      return;
    }
    reference.resolved =
        tree::ResolvedColumn{found.ident.instance, found.ident.column, found.levels_up};
  }

  Query& query_;
  const PlanningContext& context_;
  const std::vector<std::string>* path_;
  std::vector<CteEntry> ctes_;
  int view_depth_ = 0;
};

}  // namespace

Query resolve(const tree::Statement& statement, const router::Catalog& catalog,
              const router::ShardMap& map, const PlanningContext& context) {
  Query query;
  query.catalog = &catalog;
  query.map = &map;
  query.statement = &statement;
  query.language = &language_of(context.dialect);
  query.search_path = context.search_path;
  Resolver(query, context).statement(statement);
  return query;
}

}  // namespace anabranch::rewriter
