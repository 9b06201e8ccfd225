#include <algorithm>
#include <set>

#include "rewriter/column_types.h"
#include "rewriter/fed_reads.h"
#include "rewriter/fed_rows.h"
#include "rewriter/piece_indexes.h"
#include "rewriter/pieces.h"
#include "rewriter/write.h"
#include "values/type.h"

/// UPDATE and DELETE that read rows of other shards than they write to: each shard is given the others' in temporary
/// tables; over these the statement is planned like any other.
namespace anabranch::rewriter {
namespace {

constexpr std::string_view kSchema = "pg_temp";
constexpr std::string_view kRows = "anabranch_fed_";
constexpr FedRows::Why kWhy = {"rows of other shards", "Read the rows first, and give their values as constants."};

class FedWrite {
 public:
  explicit FedWrite(Planning& planning)
      : planning_(planning), query_(planning.query), fed_(planning, ask_original(planning), kWhy) {}

  Outcome plan(std::vector<FedRead> reads) {
    check();
    if (planning_.must_describe()) return ask_original(planning_);
    if (std::ranges::any_of(reads, [&](const FedRead& read) { return is_table(read); })) {
      pieces_ = pieces_of(planning_, Rest::whole);
    }
    for (const FedRead& read : reads) {
      if (auto need = add(read)) return std::move(*need);
    }
    return finish();
  }

 private:
  struct Fed {
    FedRead read;
    router::Relation table;
    std::vector<std::string> names;  ///< what the statement calls its columns
    Feed feed;
  };

  void check() const {
    check_system_columns(planning_);
    check_impure(planning_);
    if (!planning_.traits.locking) return;
    refuse_clause("FOR UPDATE in a subquery", "the rows that would be locked are on other shards",
                  "Leave it out, or select and lock the keys first.");
  }

  bool is_table(const FedRead& read) const {
    return read.instance >= 0 && query_.at(read.instance).kind == Instance::Kind::table;
  }

  // --------------------------------------------------------------------------------- what is read

  /// What must be described first; nothing: it has been added.
  std::optional<NeedDescribe> add(const FedRead& read) {
    const tree::Statement query{std::move(*query_of(read))};
    const auto rows = fed_.plan(query);
    if (rows == nullptr) return fed_.need();
    Fed& fed = all_.emplace_back();
    fed.read = read;
    fed.table.schema = kSchema;
    fed.table.name = std::string(kRows) + std::to_string(all_.size());
    for (std::size_t i = 0; i < rows->result->size(); ++i) add_column(fed, (*rows->result)[i], i);
    fed.feed.rows = rows;
    fed.feed.table = std::string(kSchema) + "." + fed.table.name;
    fed.feed.definition = definition(fed.table);
    // What copies compute must not depend on the order of rows, which is the same where all are given.
    if (is_table(read) && !query_.reference(query_.at(query_.target))) add_owners(fed);
    return std::nullopt;
  }

  void add_owners(Fed& fed) const {
    const Instance& instance = query_.at(fed.read.instance);
    const router::MappedTable* table = query_.mapped(instance);
    fed.feed.owners = table == nullptr ? router::ShardSet::of(planning_.map().default_shard()) : planning_.map().shards_of(*table);
    std::string columns;
    for (const router::Column& column : fed.table.columns) columns += (columns.empty() ? "" : ", ") + quote_identifier(column.name);
    if (piece_of(fed.read.instance).columns.empty()) columns = "1";
    const auto* named = piece_of(fed.read.instance).tables.front()->as<tree::TableRef>();
    fed.feed.own_rows = "SELECT " + columns + " FROM " + (named->only ? "ONLY " : "") +
                        quote_name({instance.relation->schema, instance.relation->name});
  }

  tree::SelectPtr query_of(const FedRead& read) const {
    if (is_table(read)) return table_rows(read.instance);
    if (read.instance >= 0) return all_of(read.instance);
    const Block& block = *query_.blocks[static_cast<std::size_t>(read.block)];
    tree::SelectPtr select = tree::clone(*block.select);
    add_with(*select, block);
    if (!select->limit && is_exists(*block.select)) select->limit = tree::make::integer(1);
    return select;
  }

  tree::SelectPtr table_rows(int instance) const {
    const Piece& piece = piece_of(instance);
    tree::SelectPtr rows = rows_of(query_, piece);
    for (const Ident column : piece.columns) rows->targets.push_back(tree::make::target(named(query_, column)));
    if (piece.columns.empty()) rows->targets.push_back(tree::make::target(tree::make::integer(1), "one"));
    return rows;
  }

  const Piece& piece_of(int instance) const { return pieces_.list[pieces_.of_instance.at(instance)]; }

  /// Of a view or a CTE.
  tree::SelectPtr all_of(int index) const {
    const Instance& instance = query_.at(index);
    auto rows = std::make_unique<tree::Select>();
    rows->targets.push_back(tree::make::target(tree::make::star()));
    const bool cte = !instance.cte.empty();
    rows->from.push_back(tree::make::table(cte ? "" : instance.relation->schema, cte ? instance.cte : instance.relation->name));
    if (cte) take_with(*rows, {instance.cte});
    return rows;
  }

  /// CTEs of the statement that are named inside.
  void add_with(tree::Select& select, const Block& block) const {
    const std::set<std::string> needed = outer_ctes(query_, block);
    if (!needed.empty()) take_with(select, needed);
  }

  void take_with(tree::Select& select, const std::set<std::string>& needed) const {
    tree::With with = tree::clone(with_of(*planning_.statement));
    const bool known = std::ranges::all_of(needed, [&](const std::string& name) {
      return std::ranges::find(with.ctes, name, &tree::Cte::name) != with.ctes.end();
    });
    if (!known || !select.with.ctes.empty()) {
      refuse_clause(kWhy.clause, "a subquery reads from a WITH around it", "Write the WITH ahead of the whole statement.");
    }
    select.with = std::move(with);
  }

  static const tree::With& with_of(const tree::Statement& statement) {
    const auto* update = statement.as<tree::Update>();
    return update != nullptr ? update->with : statement.as<tree::Delete>()->with;
  }
  static tree::With& with_of(tree::Statement& statement) {
    auto* update = statement.as<tree::Update>();
    return update != nullptr ? update->with : statement.as<tree::Delete>()->with;
  }

  bool is_exists(const tree::Select& select) const {
    bool found = false;
    for (const auto& block : query_.blocks) {
      each_expression(*block, [&](const tree::Expr& expr) {
        tree::walk(expr, [&](const tree::Expr& at) {
          const auto* exists = at.as<tree::Exists>();
          found |= exists != nullptr && exists->query.get() == &select;
          return !found;
        });
      });
    }
    return found;
  }

  // ------------------------------------------------------------------------------- the fed tables

  void add_column(Fed& fed, const ResultColumn& result, std::size_t output) {
    const router::Column* source = source_of(fed.read, output);
    const values::TypeInfo* type = values::find_type(result.type);
    if (type == nullptr && source == nullptr) {
      refuse_clause(kWhy.clause, "the type of column \"" + result.name + "\" is not known", "Cast it to another type.");
    }
    router::Column& column = fed.table.columns.emplace_back();
    // Those of a subquery may have no name, or several the same.
    column.name = fed.read.block >= 0                            ? "c" + std::to_string(output + 1)
                  : is_table(fed.read) && source != nullptr ? source->name
                                                                 : result.name;
    const bool known = std::ranges::count(fed.table.columns, column.name, &router::Column::name) > 1;
    if (known) refuse_clause(kWhy.clause, "two columns called \"" + column.name + "\"", "Name them otherwise.");
    column.number = static_cast<std::int16_t>(output + 1);
    fed.names.push_back(result.name);
    if (source != nullptr) {
      column.type = source->type;
      column.type_name = source->type_name;
    } else {
      column.type = column_type(planning_, result);
      column.type_name = without_modifier(*type);
    }
    const auto collation = collation_of_output(fed.read, output);
    if (!collation || (type != nullptr && !type->is_collatable)) return;
    column.collation = collation->collation;
    column.collation_name = collation->name == "default" ? "pg_catalog.\"default\"" : collation->name;
    if (collation->explicit_ || column.collation_name.empty()) {
      refuse_clause(kWhy.clause, "the collation of column \"" + result.name + "\" is not known", "Write the COLLATE outside of the subquery.");
    }
  }

  Ident ident_of_output(const FedRead& read, std::size_t output) const {
    if (read.block >= 0) {
      const Block& block = *query_.blocks[static_cast<std::size_t>(read.block)];
      return block.left == nullptr && output < block.outputs.size() ? block.outputs[output].ident : Ident{};
    }
    if (!is_table(read)) return {read.instance, static_cast<int>(output)};
    const auto& columns = piece_of(read.instance).columns;
    return output < columns.size() ? *std::next(columns.begin(), static_cast<std::ptrdiff_t>(output)) : Ident{};
  }

  const router::Column* source_of(const FedRead& read, std::size_t output) const {
    return query_.column(ident_of_output(read, output));
  }

  std::optional<CollationOf> collation_of_output(const FedRead& read, std::size_t output) const {
    if (read.block < 0) return collation_of(planning_, ident_of_output(read, output));
    return collation_of(planning_, *query_.blocks[static_cast<std::size_t>(read.block)], static_cast<int>(output));
  }

  static std::string definition(const router::Relation& table) {
    std::string list;
    for (const router::Column& column : table.columns) {
      list += (list.empty() ? "" : ", ") + quote_identifier(column.name) + " " + column.type_name;
      if (!column.collation_name.empty()) list += " COLLATE " + column.collation_name;
    }
    return "CREATE TEMPORARY TABLE " + std::string(kSchema) + "." + table.name + " (" + list + ") ON COMMIT DROP";
  }

  // --------------------------------------------------------------------------- the statement there

  Outcome finish() {
    const tree::StatementPtr written = tree::clone(*planning_.statement);
    const Query copied = resolve(*written, planning_.catalog(), planning_.map(), *planning_.request->context);
    replace(*written, copied);
    drop_unused(*written);
    std::vector<router::Relation> tables;
    for (const Fed& fed : all_) tables.push_back(fed.table);
    PlanningContext context = *planning_.request->context;
    context.fed = tables;
    PlanRequest request = *planning_.request;
    request.context = &context;
    request.several = true;
    request.parameter_types = planning_.plan->parameters;
    request.descriptions = planning_.request->descriptions.first(1);
    PlanResult result = plan_statement(request, *written, planning_.original);
    auto* made = std::get_if<std::shared_ptr<const Plan>>(&result);
    if (made == nullptr) refuse(values::make_error(values::ErrorId::internal, "the statement over fed rows asks again"));
    if ((*made)->refusal) refuse(*(*made)->refusal, (*made)->prepare_only);
    return with_feeds(**made, *written);
  }

  /// What makes large ones quick to read.
  void add_indexes() {
    Pieces pieces = pieces_;
    pieces.of_instance.clear();
    std::vector<GatheredTable> tables(pieces.list.size());
    for (const Fed& fed : all_) {
      if (!is_table(fed.read)) continue;
      const std::size_t number = pieces_.of_instance.at(fed.read.instance);
      pieces.of_instance[fed.read.instance] = number;
      tables[number].name = {fed.table.schema, fed.table.name};
      auto column = fed.table.columns.begin();
      for (const Ident ident : pieces.list[number].columns) tables[number].columns[ident] = quote_identifier((column++)->name);
    }
    const std::vector<std::string> indexes = indexes_of(planning_, pieces, tables);
    for (Fed& fed : all_) {
      std::ranges::copy_if(indexes, std::back_inserter(fed.feed.when_many), [&](const std::string& index) {
        return index.starts_with("CREATE INDEX ON " + fed.feed.table + " ");
      });
      fed.feed.when_many.push_back("ANALYZE " + fed.feed.table);
    }
  }

  Outcome with_feeds(const Plan& over, const tree::Statement& written) {
    auto plan = std::make_shared<Plan>(over);
    for (const int token : over.pinned) planning_.pins.pin(token);
    if (plan->kind == PlanKind::relay) {
      plan->kind = PlanKind::broadcast;
      plan->subquery = with_holes(planning_.print(written));
      if (plan->result) plan->recipe = rows_as_they_come(planning_, *plan->result);
    }
    add_indexes();
    for (Fed& fed : all_) {
      plan->feeds_of_one_moment |= fed.feed.owners.empty();
      fed.feed.first_evaluation = plan->evaluations.size();
      std::ranges::copy(fed.feed.rows->evaluations, std::back_inserter(plan->evaluations));
      plan->feeds.push_back(std::move(fed.feed));
    }
    return std::shared_ptr<const Plan>(std::move(plan));
  }

  // Both have been resolved alike: what stands at a place in one stands there in the other.

  void replace(tree::Statement& written, const Query& copied) {
    for (Fed& fed : all_) {
      if (fed.read.instance >= 0) {
        items_[copied.instances[static_cast<std::size_t>(fed.read.instance)].get()] = &fed;
      } else {
        selects_[copied.blocks[static_cast<std::size_t>(fed.read.block)]->select] = &fed;
      }
    }
    for (std::size_t i = 0; i < copied.blocks.size(); ++i) {
      const tree::Select* original = query_.blocks[i]->select;
      if (original != nullptr && pieces_.unseen.contains(original)) unseen_.insert(copied.blocks[i]->select);
      for (const auto& [item, instance] : copied.blocks[i]->of_item) of_item_[item] = copied.instances[static_cast<std::size_t>(instance)].get();
    }
    replace_in(written);
  }

  void replace_in(tree::Statement& statement) {
    if (auto* select = statement.as<tree::Select>()) return replace_in(*select);
    replace_in(with_of(statement));
    auto* update = statement.as<tree::Update>();
    auto* remove = statement.as<tree::Delete>();
    for (tree::FromPtr& item : update != nullptr ? update->from : remove->using_) replace_in(item);
    replace_in(update != nullptr ? update->where : remove->where);
    if (update != nullptr) {
      for (tree::Assignment& assignment : update->set) replace_in(assignment.value);
    }
    for (tree::Target& target : update != nullptr ? update->returning : remove->returning) replace_in(target.expr);
  }

  void replace_in(tree::With& with) {
    for (tree::Cte& cte : with.ctes) replace_in(*cte.statement);
  }

  void replace_in(tree::Select& select) {
    if (const auto fed = selects_.find(&select); fed != selects_.end()) return select_rows(select, *fed->second);
    replace_in(select.with);
    if (unseen_.contains(&select)) {
      select.targets.clear();
      select.targets.push_back(tree::make::target(tree::make::integer(1)));
    }
    if (select.left) {
      replace_in(*select.left);
      replace_in(*select.right);
    }
    for (tree::FromPtr& item : select.from) replace_in(item);
    tree::for_each_expr(select, [&](tree::ExprPtr& slot) { replace_in(slot); });
  }

  /// Slots of conditions in joins are replaced with the block's others, or twice: then there is nothing left to replace.
  void replace_in(tree::FromPtr& item) {
    if (auto* join = item->as<tree::Join>()) {
      replace_in(join->left);
      replace_in(join->right);
      replace_in(join->on);
    } else if (auto* derived = item->as<tree::SubqueryRef>()) {
      replace_in(*derived->query);
    } else if (auto* function = item->as<tree::FunctionRef>()) {
      replace_in(function->call);
    } else if (auto* table = item->as<tree::TableRef>()) {
      const auto at = of_item_.find(item.get());
      const auto fed = at == of_item_.end() ? items_.end() : items_.find(at->second);
      if (fed != items_.end()) rename(*table, *fed->second, fed->second - all_.data());
    }
  }

  void replace_in(tree::ExprPtr& slot) {
    if (!slot) return;
    tree::transform(slot, [&](tree::ExprPtr& at) {
      tree::for_each_subquery(*at, [&](tree::Select& inner) { replace_in(inner); });
      auto* reference = at->as<tree::ColumnRef>();
      if (reference != nullptr && is_fed(ident_of(*reference).instance)) leave_out_schema(*reference);
    });
  }

  bool is_fed(int instance) const {
    return instance >= 0 && std::ranges::any_of(all_, [&](const Fed& at) { return at.read.instance == instance; });
  }

  static void select_rows(tree::Select& select, const Fed& fed) {
    tree::Select rows;
    for (std::size_t i = 0; i < fed.names.size(); ++i) {
      rows.targets.push_back(tree::make::target(tree::make::column({fed.table.columns[i].name}), fed.names[i]));
    }
    rows.from.push_back(tree::make::table(fed.table.schema, fed.table.name));
    select = std::move(rows);
  }

  static void rename(tree::TableRef& table, const Fed& fed, std::ptrdiff_t number) {
    if (table.alias.name.empty()) table.alias.name = table.name;
    table.rows = fed_hole(static_cast<int>(number));
    table.only = false;
    table.catalog.clear();
    table.schema = fed.table.schema;
    table.name = fed.table.name;
  }

  /// WITH queries of which all readers have been given their rows.
  void drop_unused(tree::Statement& written) const {
    auto& ctes = with_of(written).ctes;
    while (!ctes.empty()) {
      std::set<std::string> used;
      note_names(written, used);
      const auto gone = std::erase_if(ctes, [&](const tree::Cte& cte) {
        return !used.contains(cte.name) && cte.statement->as<tree::Select>() != nullptr;
      });
      if (gone == 0) return;
    }
  }

  void note_names(const tree::Statement& statement, std::set<std::string>& used) const {
    const Query query = resolve(statement, planning_.catalog(), planning_.map(), *planning_.request->context);
    for (const auto& instance : query.instances) used.insert(instance->cte);
  }

  Planning& planning_;
  const Query& query_;
  FedRows fed_;
  Pieces pieces_;
  std::vector<Fed> all_;
  std::map<const tree::Select*, Fed*> selects_;        ///< of the copy
  std::map<const Instance*, Fed*> items_;              ///< of the copy
  std::map<const tree::FromItem*, const Instance*> of_item_;  ///< of the copy
  std::set<const tree::Select*> unseen_;               ///< of the copy
};

}  // namespace

std::optional<Outcome> plan_fed_write(Planning& planning) {
  const bool fed_already = !planning.request->context->fed.empty();
  if (!planning.language().asks_shards || planning.traits.writing_with || fed_already || planning.query.target < 0) return std::nullopt;
  auto reads = choose_fed_reads(planning);
  if (reads.empty()) return std::nullopt;
  return FedWrite(planning).plan(std::move(reads));
}

}  // namespace anabranch::rewriter
