#pragma once

#include <memory>
#include <optional>
#include <string>

#include "rewriter/dialect.h"
#include "rewriter/functions.h"
#include "rewriter/parse.h"
#include "rewriter/planner.h"

/// What a dialect means in its own way, as far as the planner is concerned: one table each. (How it is written:
/// rewriter/print_writer.h.) Internal to rewriter/.
namespace anabranch::rewriter {

struct Planning;
struct Traits;

struct Merging;
struct Scatter;

struct Language {
  Dialect dialect;
  void (*shape)(std::string_view text, const PlanningContext& context, Shape& out);
  ParseResult (*parse)(std::string_view text, const Shape& shape, const PlanningContext& context);

  /// Types of parameters, and of what writes return, come from a shard's Describe, and constant expressions are
  /// computed by a shard, before a statement is planned. Without: what needs either is refused.
  bool asks_shards;
  /// _shard_num, ctid and the like.
  bool hidden_columns;
  /// A name that is no column of the FROM list may be an output's, inside expressions of HAVING and ORDER BY.
  bool outputs_in_expressions;
  /// SELECT … INTO makes a table. Without: it sets variables, or writes a file.
  bool into_makes_table;
  /// HAVING alone makes one group of all rows. Without: it is a condition on rows where nothing is aggregated.
  bool having_groups;
  /// A column's name as names are compared.
  std::string (*column_name)(std::string_view name);

  /// A function written without parentheses depends on nothing but the statement's moment, which a session can be told.
  bool (*is_moment)(std::string_view value_function);
  FunctionInfo (*classify)(const tree::FunctionCall& call, const FunctionContext& context);
  /// What else than a call makes an expression more than a value of its own.
  void (*note)(const tree::Expr& at, const FunctionContext& functions, Traits& traits);
  /// Refuses calls that no plan allows; a plan, where one settles the whole statement.
  std::optional<PlanResult> (*check_calls)(Planning& planning);

  /// Of a finished plan, what it leaves in a server's session; null: that has been noted while planning.
  void (*note_residue)(const Planning& planning, Plan& plan);

  const Merging* merging;

  /// Of what cannot be split: tables' rows are gathered on one server, where the database answers (workspace.h).
  PlanResult (*gather)(Scatter& scatter);

  /// All that is no query and no write.
  PlanResult (*plan_utility)(Planning& planning, const tree::Utility& utility);
  /// In a database without schemes: what the session has to know of a statement, beside its relay.
  void (*note_whole)(const PlanRequest& request, std::shared_ptr<Plan>& plan);
};

extern const Language postgresql_language;
namespace mysql {
extern const Language language;
}

inline const Language& language_of(Dialect dialect) {
  return dialect == Dialect::mysql ? mysql::language : postgresql_language;
}

}  // namespace anabranch::rewriter
