#include <algorithm>

#include "rewriter/write.h"

/// Column defaults: what a server makes up for a row, and whether that may happen on every shard.
namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

bool counts(const router::Column& column) {
  return column.identity || column.default_sql.find("nextval(") != std::string::npos;
}

bool is_default(const tree::ExprPtr& value) {
  return value->as<tree::SetToDefault>() != nullptr;
}

/// How many values a row has.
std::size_t width_of(const Planning& planning, const tree::Insert& insert, const router::Relation& relation) {
  if (!insert.source) return 0;
  if (!insert.source->values.empty()) return insert.source->values.front().size();
  // The blocks are those of the statement itself, `insert` may be a copy.
  const auto& blocks = planning.query.top->subqueries;
  const auto source = blocks.find(planning.statement->as<tree::Insert>()->source.get());
  const bool known = source != blocks.end() && source->second->outputs_known;
  return known ? source->second->outputs.size() : relation.columns.size();
}

/// For each column of the relation: its place in the rows; -1: left out.
std::vector<int> places(const Planning& planning, const tree::Insert& insert, const router::Relation& relation) {
  std::vector<int> place(relation.columns.size(), -1);
  const std::size_t width = width_of(planning, insert, relation);
  if (insert.columns.empty()) {
    for (std::size_t i = 0; i < width && i < place.size(); ++i) place[i] = static_cast<int>(i);
    return place;
  }
  for (std::size_t i = 0; i < insert.columns.size(); ++i) {
    if (const auto found = relation.find_column(insert.columns[i].name)) {
      place[static_cast<std::size_t>(*found)] = static_cast<int>(i);
    }
  }
  return place;
}

bool left_out(const tree::Insert& insert, int place) {
  if (place < 0) return true;
  if (!insert.source) return true;
  return std::ranges::any_of(insert.source->values, [&](const auto& row) {
    return static_cast<std::size_t>(place) < row.size() &&
           is_default(row[static_cast<std::size_t>(place)]);
  });
}

/// What the statement's moment gives is the same on every shard that is told it.
bool told_moment(const Planning& planning, const router::Column& column) {
  const bool told = !planning.language().asks_shards && column.default_volatility == router::Volatility::stable;
  planning.plan->one_moment |= told;
  return told;
}

tree::ExprPtr evaluated_default(Planning& planning, const router::Column& column,
                                bool per_transaction) {
  if (!planning.language().asks_shards) {
    refuse_clause("INSERT", "each shard would compute the default " + column.default_sql + " of column \"" +
                                column.name + "\" for itself",
                  "Give the column a value in the statement.");
  }
  return evaluation(planning, column.default_sql, column.type_name, per_transaction);
}

bool needs_writing(const router::Column& column, Defaults which, const router::Relation& relation) {
  if (column.generated) return false;
  if (column.default_sql.empty()) {
    if (column.identity && which == Defaults::copies) {
      refuse(make_error(ErrorId::unsupported_clause, "INSERT",
                        "column \"" + column.name + "\" of reference table \"" + relation.name +
                            "\" is an identity column: its copies would count for themselves",
                        "Give the column a value."),
             false);
    }
    return false;
  }
  if (column.default_volatility == router::Volatility::stable) return true;
  return which == Defaults::copies && column.default_volatility == router::Volatility::volatile_;
}

}  // namespace

bool is_fresh_per_row(const router::Column& column) {
  const std::string& sql = column.default_sql;
  return sql == "uuid()" || sql == "rand()" || sql == "gen_random_uuid()" || sql == "random()" || sql == "clock_timestamp()" ||
         sql == "uuid_generate_v4()";
}

void check_defaults(const Planning& planning, const tree::Insert& insert, const router::Relation& relation) {
  const auto place = places(planning, insert, relation);
  for (std::size_t i = 0; i < place.size(); ++i) {
    const router::Column& column = relation.columns[i];
    if (column.generated || !left_out(insert, place[i]) || told_moment(planning, column)) continue;
    const bool volatile_default = !column.default_sql.empty() &&
                                  column.default_volatility == router::Volatility::volatile_ &&
                                  !is_fresh_per_row(column);
    if (!counts(column) && !volatile_default) continue;
    refuse(make_error(ErrorId::unsupported_clause, "INSERT",
                      "column \"" + column.name + "\" is filled by " +
                          (column.default_sql.empty() ? "an identity" : column.default_sql) +
                          ", which every shard would count for itself",
                      "Give the column a value in the statement."),
           false);
  }
}

void write_defaults(Planning& planning, tree::Insert& insert, const router::Relation& relation,
                    Defaults which) {
  if (!insert.source) {
    const bool makes_up = std::ranges::any_of(relation.columns, [&](const router::Column& column) {
      return needs_writing(column, which, relation) && !told_moment(planning, column);
    });
    if (makes_up) {
      refuse_clause("INSERT … DEFAULT VALUES", "a default is computed by every shard for itself",
                    "Write the columns and their values.");
    }
    return;
  }
  const auto place = places(planning, insert, relation);
  const bool values = !insert.source->values.empty();
  const auto name_columns = [&] {
    if (!insert.columns.empty()) return;
    const std::size_t width = width_of(planning, insert, relation);
    for (std::size_t i = 0; i < width && i < relation.columns.size(); ++i) {
      insert.columns.push_back({relation.columns[i].name, {}});
    }
  };
  if (values) name_columns();
  for (std::size_t i = 0; i < place.size(); ++i) {
    const router::Column& column = relation.columns[i];
    if (!left_out(insert, place[i]) || !needs_writing(column, which, relation)) continue;
    if (told_moment(planning, column)) continue;
    const bool per_transaction = column.default_volatility == router::Volatility::stable;
    if (!values) {
      if (place[i] >= 0) continue;
      if (!per_transaction || insert.source->left) {
        refuse_clause(
            "INSERT … SELECT",
            "the default of column \"" + column.name + "\" is computed by every shard for itself",
            "Give the column a value in the statement.");
      }
      name_columns();
      insert.columns.push_back({column.name, {}});
      insert.source->targets.push_back(tree::make::target(evaluated_default(planning, column, true)));
      continue;
    }
    if (place[i] < 0) insert.columns.push_back({column.name, {}});
    for (auto& row : insert.source->values) {
      if (place[i] < 0) {
        row.push_back(evaluated_default(planning, column, per_transaction));
      } else if (auto& value = row[static_cast<std::size_t>(place[i])]; is_default(value)) {
        value = evaluated_default(planning, column, per_transaction);
      }
    }
  }
}

void fill_copies(Planning& planning, tree::Insert& insert) {
  if (!insert.source) return;
  const auto replace = [&](tree::ExprPtr& slot) {
    const auto* call = slot->as<tree::FunctionCall>();
    if (call == nullptr) return;
    const FunctionInfo info = classify(*call, planning.functions);
    if (info.kind != FunctionKind::random && info.kind != FunctionKind::shared) return;
    const values::TypeInfo* type =
        info.function == nullptr ? nullptr : values::find_type(info.function->result);
    bool constant = type != nullptr;
    for (const auto& arg : call->args) {
      const auto* literal = arg->as<tree::Literal>();
      if (literal == nullptr) {
        constant = false;
      } else {
        (void)literal->value(planning.pins);
      }
    }
    if (!constant) {
      refuse_clause("INSERT into a reference table",
                    call->name.back() + "() would differ on every copy",
                    "Compute the value first, and give it as a constant.");
    }
    slot = evaluation(planning, planning.text(*slot), std::string(type->name), false);
  };
  for (auto& row : insert.source->values) {
    for (tree::ExprPtr& value : row) tree::transform(value, replace);
  }
}

std::string difference_of_copies(const Planning& planning) {
  const Traits& traits = planning.traits;
  const std::string& differs = traits.random.empty() ? traits.shared : traits.random;
  if (!differs.empty()) return differs + " would differ on every copy";
  Analysis analysis(planning.query, planning.functions);
  for (const auto& [select, block] : planning.query.top->subqueries) {
    const Distribution rows = analysis.of(*block, {}, -7);
    if (rows.same_everywhere() && rows.unstable.empty()) continue;
    return rows.unstable.empty() ? "its rows are not on every shard" : rows.unstable;
  }
  return {};
}

}  // namespace anabranch::rewriter
