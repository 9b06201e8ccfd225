#include "rewriter/workspace.h"

#include <algorithm>

#include "rewriter/piece_indexes.h"
#include "rewriter/piece_keys.h"

namespace anabranch::rewriter {
namespace {

constexpr std::string_view kSchema = "pg_temp";
constexpr std::string_view kRows = "anabranch_rows";
constexpr std::string_view kTag = "piece";

class Workspace {
 public:
  explicit Workspace(Scatter& scatter) : scatter_(scatter), planning_(scatter.planning) {}

  Outcome plan() {
    check_gathered(scatter_);
    if (!planning_.plan->described && table_elsewhere(planning_.query) != nullptr) return ask_about_stand_ins();
    pieces_ = pieces_of(planning_, Rest::less);
    if (!planning_.plan->described) return ask_original(planning_);
    if (!planning_.plan->result) refuse_statement("a SELECT without columns", "Select a column.");
    for (const Piece& piece : pieces_.list) lay_out(piece);
    for (std::size_t i = 0; i < pieces_.list.size(); ++i) add_rows(i);
    define_tables();
    tree::Statement rest{std::move(*rest_of(planning_, scatter_.select, pieces_, gathered_))};
    gather_.rest = template_of(planning_, rest);
    gather_.indexes = indexes_of(planning_, pieces_, gathered_);
    gather_.restrictions = restrictions_of(planning_, pieces_, gathered_);
    return finish();
  }

 private:
  /// One that all pieces share which have such values.
  struct Column {
    std::string name;
    const router::Column* type = nullptr;
    std::map<std::size_t, Ident> of_piece;
  };

  /// The default shard describes the statement over tables that it has not: over columns of their types.
  Outcome ask_about_stand_ins() {
    pieces_ = pieces_of(planning_, Rest::whole);
    std::string tables;
    for (std::size_t i = 0; i < pieces_.list.size(); ++i) {
      const Piece& piece = pieces_.list[i];
      GatheredTable& stand_in = gathered_.emplace_back();
      for (const Ident ident : piece.columns) stand_in.columns[ident] = column_of(ident).name;
      const Instance& instance = planning_.query.at(piece.instances.front());
      if (!is_elsewhere(planning_.query, instance) && !planning_.query.in_buckets(instance)) {
        stand_in.name = {instance.relation->schema, instance.relation->name};
        continue;
      }
      stand_in.name = {{}, table_of(i)};
      tables += (tables.empty() ? "WITH " : ", ") + table_of(i) + " AS (SELECT " + typed_nulls(piece) + ")";
    }
    tree::Statement rest{std::move(*rest_of(planning_, scatter_.select, pieces_, gathered_))};
    planning_.original = tables + " SELECT * FROM (" + fill(planning_.print(rest), planning_.shape()) + ") AS described";
    return ask_original(planning_);
  }

  std::string typed_nulls(const Piece& piece) const {
    std::string nulls = "1";
    for (const Ident ident : piece.columns) {
      nulls += ", NULL::" + typed(column_of(ident)) + " AS " + quote_identifier(column_of(ident).name);
    }
    return nulls;
  }

  static std::string typed(const router::Column& column) {
    return column.type_name + (column.collation_name.empty() ? "" : " COLLATE " + column.collation_name);
  }

  const router::Column& column_of(Ident ident) const {
    return planning_.query.at(ident.instance).relation->columns[static_cast<std::size_t>(ident.column)];
  }

  std::string table_of(std::size_t piece) const {
    return pieces_.list.size() == 1 ? std::string(kRows) : std::string(kRows) + "_" + std::to_string(piece + 1);
  }

  void lay_out(const Piece& piece) {
    const std::size_t number = gathered_.size();
    GatheredTable& gathered = gathered_.emplace_back();
    for (const Ident ident : piece.columns) {
      Column& column = free_column(number, column_of(ident));
      column.of_piece[number] = ident;
      gathered.columns[ident] = column.name;
    }
  }

  Column& free_column(std::size_t piece, const router::Column& type) {
    for (Column& column : columns_) {
      const bool alike = column.type->type_name == type.type_name && column.type->type.oid == type.type.oid &&
                         column.type->collation_name == type.collation_name;
      if (alike && !column.of_piece.contains(piece)) return column;
    }
    return columns_.emplace_back("c" + std::to_string(columns_.size() + 1), &type);
  }

  /// SELECT 2, NULL::bigint, t.a … FROM t WHERE …
  void add_rows(std::size_t number) {
    const Piece& piece = pieces_.list[number];
    tree::SelectPtr rows = rows_of(planning_.query, piece);
    rows->distinct = piece.distinct;
    rows->targets.push_back(tree::make::target(tree::make::raw(std::to_string(number + 1) + "::int2")));
    for (const Column& column : columns_) {
      const auto own = column.of_piece.find(number);
      rows->targets.push_back(tree::make::target(own != column.of_piece.end()
                                                     ? named(planning_.query, own->second)
                                                     : tree::make::raw("NULL::" + column.type->type_name)));
    }
    Gather::Piece& made = gather_.pieces.emplace_back();
    made.filtered = rows->where != nullptr;
    if (made.filtered) rows->where = one_of_several(std::move(rows->where));
    tree::Statement statement{std::move(*rows)};
    made.rows = template_of(planning_, statement);
    place_piece(planning_, piece, made);
  }

  /// Printed so that AND can follow.
  static tree::ExprPtr one_of_several(tree::ExprPtr condition) {
    const auto* any = condition->as<tree::BoolOp>();
    if (any == nullptr || any->kind != tree::BoolOp::Kind::or_) return condition;
    tree::BoolOp all{tree::BoolOp::Kind::and_, {}};
    all.args.push_back(std::move(condition));
    return tree::make::expr(std::move(all));
  }

  /// The rows come in one stream, which the server itself sorts into the pieces' tables.
  void define_tables() {
    gather_.table = in_schema(std::string(kRows));
    std::string definition = "CREATE TEMPORARY TABLE " + std::string(kRows) + " (" + std::string(kTag) + " int2";
    gather_.types.push_back(values::oid::int2);
    for (const Column& column : columns_) {
      definition += ", " + column.name + " " + typed(*column.type);
      gather_.types.push_back(column.type->type.oid);
    }
    definition += ")";
    const bool several = pieces_.list.size() > 1;
    if (several) definition += " PARTITION BY LIST (" + std::string(kTag) + ")";
    gather_.definitions.push_back(definition + " ON COMMIT DROP");
    for (std::size_t i = 0; i < pieces_.list.size(); ++i) {
      const std::string table = table_of(i);
      gathered_[i].name = {std::string(kSchema), table};
      gather_.tables.push_back(in_schema(table));
      if (!several) continue;
      gather_.definitions.push_back("CREATE TEMPORARY TABLE " + table + " PARTITION OF " + in_schema(std::string(kRows)) +
                                    " FOR VALUES IN (" + std::to_string(i + 1) + ") ON COMMIT DROP");
    }
  }

  static std::string in_schema(const std::string& table) { return std::string(kSchema) + "." + table; }

  Outcome finish() {
    auto plan = gather_plan(scatter_, std::move(gather_));
    plan->recipe = rows_as_they_come(planning_, *plan->result);
    return std::shared_ptr<const Plan>(plan);
  }

  Scatter& scatter_;
  Planning& planning_;
  Gather gather_;
  Pieces pieces_;
  std::vector<Column> columns_;
  std::vector<GatheredTable> gathered_;  ///< of each piece
};

}  // namespace

Outcome gather_tables(Scatter& scatter) {
  return Workspace(scatter).plan();
}

}  // namespace anabranch::rewriter
