#include "rewriter/workspace.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "rewriter/copied_blocks.h"
#include "rewriter/mysql/merging.h"
#include "rewriter/mysql/quote.h"
#include "values/mysql_type.h"

/// The workspace's temporary tables are made LIKE those whose rows they take: with their names and types, defaults and
/// indexes a statement means there what it means on one server.
namespace anabranch::rewriter::mysql {
namespace {

using values::MysqlCode;
using Form = Finish::Column::Form;

constexpr std::string_view kRows = "anabranch rows ";

/// Whatever the session's own are: each value is taken as it was, at the moment that it was.
constexpr std::string_view kAsTheyWere =
    "SET STATEMENT sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00',"
    " check_constraint_checks = 0 FOR ";

/// How a column's values go to the workspace.
struct Carried {
  tree::ExprPtr expr;
  Form form;
};

tree::ExprPtr called(std::string name, tree::ExprPtr argument) {
  tree::FunctionCall call;
  call.name = {std::move(name)};
  call.args.push_back(std::move(argument));
  return tree::make::expr(std::move(call));
}

Carried carried(const router::Column& column, tree::ExprPtr value) {
  const auto refused = [&] {
    refuse_clause("the column " + column.name + " in a query whose rows are gathered",
                  "values of type " + column.type_name + " cannot be told to another server", "Leave it out.");
  };
  if (!values::is_mysql_type(column.type.oid)) refused();
  switch (values::mysql_code(column.type.oid)) {
    case MysqlCode::tiny:
    case MysqlCode::short_:
    case MysqlCode::int24:
    case MysqlCode::long_:
    case MysqlCode::longlong:
    case MysqlCode::decimal:
    case MysqlCode::newdecimal:
      return {std::move(value), Form::number};
    case MysqlCode::enum_:
      return {tree::make::op("+", std::move(value), tree::make::raw("0")), Form::member};
    case MysqlCode::bit:
    case MysqlCode::set:
      return {tree::make::op("+", std::move(value), tree::make::raw("0")), Form::number};
    case MysqlCode::float_:
    case MysqlCode::double_:
      // As a DOUBLE of no fixed decimals its text has all its digits; the sign of zero stays.
      return {tree::make::op("*", std::move(value), tree::make::raw("1e0")), Form::real};
    case MysqlCode::date:
    case MysqlCode::time:
    case MysqlCode::datetime:
    case MysqlCode::year:
      return {std::move(value), Form::moment};
    case MysqlCode::timestamp:
      return {called("UNIX_TIMESTAMP", std::move(value)), Form::timestamp};
    case MysqlCode::varchar:
    case MysqlCode::var_string:
    case MysqlCode::string:
    case MysqlCode::tiny_blob:
    case MysqlCode::medium_blob:
    case MysqlCode::long_blob:
    case MysqlCode::blob:
    case MysqlCode::json:
      return {tree::make::cast(std::move(value), "binary"), Form::bytes};
    case MysqlCode::null:
    case MysqlCode::geometry:
      break;
  }
  refused();
  return {nullptr, Form::bytes};
}

class Workspace {
 public:
  explicit Workspace(Scatter& scatter) : scatter_(scatter), planning_(scatter.planning) {}

  Outcome plan() {
    check_whole_tables(scatter_);
    check();
    settle_names(planning_, scatter_.select);
    pieces_ = pieces_of(planning_, Rest::whole);
    if (!planning_.plan->described) return ask_original(planning_);
    lay_out();
    for (std::size_t i = 0; i < pieces_.list.size(); ++i) add_rows(i);
    add_rest();
    auto plan = gather_plan(scatter_, std::move(gather_));
    plan->into = scatter_.select.into;
    plan->residue = Residue::none;
    return std::shared_ptr<const Plan>(std::move(plan));
  }

 private:
  void check() const {
    check_gathered(scatter_);
    const Mode& mode = planning_.request->context->mysql;
    constexpr int first_that_reopens = 100201;  // MDEV-5535
    if (!mode.mariadb || mode.version < first_that_reopens || !mode.weighs) {
      refuse_clause("a query whose rows are gathered",
                    "they are taken to a MariaDB server of 10.2.1 or later, under modes in which '' is a text",
                    "Join by the key, or ask for one key.");
    }
    check_into(scatter_.select);
    if (planning_.query.uses_views) {
      refuse_clause("a view in a query whose rows are gathered", "its tables stand behind its name",
                    "Write its query into the statement.");
    }
    check_tables();
  }

  void check_tables() const {
    for (const auto& block : planning_.query.blocks) {
      for (const auto& item : block->of_item | std::views::keys) {
        const auto* table = item->as<tree::TableRef>();
        if (table == nullptr || table->qualifier.empty()) continue;
        refuse_clause(table->qualifier + " of " + table->name, "its rows are gathered into one table", "Leave it out.");
      }
    }
  }

  const router::Relation& relation_of(const Piece& piece) const {
    return *planning_.query.at(piece.instances.front()).relation;
  }

  /// Those that are named, and those without which a row might not be taken: of unique keys, or from which others are
  /// generated.
  std::vector<int> columns_of(const Piece& piece) const {
    const router::Relation& relation = relation_of(piece);
    const bool all = std::ranges::any_of(relation.columns, [](const router::Column& column) { return column.generated; });
    std::set<int> wanted;
    for (const Ident ident : piece.columns) wanted.insert(ident.column);
    for (const router::UniqueKey& key : relation.unique_keys) wanted.insert(key.columns.begin(), key.columns.end());
    std::vector<int> found;
    for (int i = 0; i < static_cast<int>(relation.columns.size()); ++i) {
      const bool generated = relation.columns[static_cast<std::size_t>(i)].generated;
      if (!generated && (all || wanted.contains(i))) found.push_back(i);
    }
    return found;
  }

  void lay_out() {
    for (const Piece& piece : pieces_.list) {
      first_.push_back(width_);
      columns_.push_back(columns_of(piece));
      width_ += columns_.back().size();
    }
  }

  std::string table_of(std::size_t piece) const { return std::string(kRows) + std::to_string(piece + 1); }

  /// SELECT 2, NULL, t.a … FROM t WHERE …
  void add_rows(std::size_t number) {
    const Piece& piece = pieces_.list[number];
    const router::Relation& relation = relation_of(piece);
    const std::vector<int>& columns = columns_[number];
    const std::string table = quote_identifier(table_of(number));
    Gather::Piece& made = gather_.pieces.emplace_back();
    tree::SelectPtr rows = rows_of(planning_.query, piece);
    rows->targets.push_back(tree::make::target(tree::make::integer(static_cast<std::int64_t>(number) + 1)));
    const auto add_nulls = [&](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) rows->targets.push_back(tree::make::target(tree::make::null()));
    };
    add_nulls(first_[number]);
    std::string names;
    for (const int index : columns) {
      const router::Column& column = relation.columns[static_cast<std::size_t>(index)];
      Carried value = carried(column, named(planning_.query, {piece.instances.front(), index}));
      rows->targets.push_back(tree::make::target(std::move(value.expr)));
      made.columns.push_back({value.form});
      names += (names.empty() ? "" : ", ") + quote_identifier(column.name);
    }
    add_nulls(width_ - first_[number] - columns.size());
    tree::Statement statement{std::move(*rows)};
    made.rows = template_of(planning_, statement);
    made.first_column = first_[number];
    made.defaults = defaults_of(relation, columns);
    made.insert = fmt::format("{}INSERT INTO {} ({}) VALUES (", kAsTheyWere, table, names);
    place_piece(planning_, piece, made);
    gather_.definitions.push_back(fmt::format("SET STATEMENT sql_mode = '' FOR CREATE TEMPORARY TABLE {} LIKE {}",
                                              table, quote_identifier(relation.name)));
    gather_.tables.push_back(table);
  }

  static int defaults_of(const router::Relation& relation, const std::vector<int>& columns) {
    int count = 0;
    for (int i = 0; i < static_cast<int>(relation.columns.size()); ++i) {
      const router::Column& column = relation.columns[static_cast<std::size_t>(i)];
      const bool told = std::ranges::find(columns, i) != columns.end();
      if (!told && column.not_null && column.default_sql.empty() && !column.generated) ++count;
    }
    return count;
  }

  void add_rest() {
    tree::SelectPtr rest = tree::clone(scatter_.select);
    const std::set<const tree::Select*> none;
    each_copied_block(planning_.query, scatter_.select, *rest, *planning_.query.top, none,
                      [&](const tree::Select& original, tree::Select& copy, const Block& block) {
                        each_copied_item(original, copy, [&](const tree::FromItem& was, tree::FromPtr& item) {
                          replace(was, *item, block);
                        });
                      });
    tree::Statement statement{std::move(*rest)};
    gather_.rest = template_of(planning_, statement);
  }

  void replace(const tree::FromItem& was, tree::FromItem& item, const Block& block) const {
    auto* table = item.as<tree::TableRef>();
    if (table == nullptr) return;
    const auto piece = pieces_.of_instance.find(block.of_item.at(&was));
    if (piece == pieces_.of_instance.end()) return;
    if (table->alias.name.empty()) table->alias.name = table->name;
    // The database stays: columns may be named by it.
    table->name = table_of(piece->second);
  }

  Scatter& scatter_;
  Planning& planning_;
  Gather gather_;
  Pieces pieces_;
  std::vector<std::vector<int>> columns_;  ///< of each piece
  std::vector<std::size_t> first_;         ///< the place of a piece's first among the columns of all
  std::size_t width_ = 0;
};

}  // namespace

Outcome gather_tables(Scatter& scatter) {
  return Workspace(scatter).plan();
}

}  // namespace anabranch::rewriter::mysql
