#include <algorithm>
#include <set>

#include "rewriter/column_types.h"
#include "rewriter/fed_reads.h"
#include "rewriter/plan_steps.h"
#include "values/type.h"

/// Subqueries that are answered ahead of the statement (Plan::alone): x > (SELECT avg(x) FROM t) then is a condition like
/// any other, and the rows of which the subquery speaks are not gathered for it.
namespace anabranch::rewriter {
namespace {

/// Its text is the same whatever the session's settings are, and says all of it.
bool has_plain_text(values::Oid type) {
  const values::TypeInfo* info = values::find_type(type);
  return info != nullptr && info->text_is_canonical && !info->is_collatable;
}

class Answering {
 public:
  Answering(const PlanRequest& request, const tree::Statement& statement, const std::string& original)
      : request_(request),
        statement_(statement),
        original_(original),
        steps_(request.descriptions),
        functions_{&language_of(request.context->dialect), request.catalog, request.database, &request.context->search_path,
                   request.context->mysql.fixed_clock} {}

  PlanResult plan() {
    const auto plain = steps_.plan(request_, statement_, original_);
    if (plain == nullptr) return steps_.need();
    if (plain->kind != PlanKind::gather || !plain->result) return plain;
    types_ = plain->parameters;
    own_parameters_ = types_.size();
    try {
      const auto alone = plan_alone(*plain);
      if (waits_) return steps_.need();
      return alone == nullptr ? plain : with_alone(*plain, *alone);
    } catch (const Refusal&) {
      return plain;  // what cannot be answered ahead is gathered
    }
  }

 private:
  /// Null: there is none, or more must be described first (`waits_`).
  std::shared_ptr<const Plan> plan_alone(const Plan& plain) {
    const tree::StatementPtr copy = tree::clone(statement_);
    const Query query = resolve(*copy, *request_.catalog, *request_.map, *request_.context);
    if (!scan(query, functions_).random.empty()) return nullptr;
    for (std::size_t i = 0; i < query.blocks.size() && !waits_; ++i) {
      if (!query.blocks[i]->from_view && !query.blocks[i]->recursive) answer_those_of(query, *query.blocks[i], *copy);
    }
    if (waits_ || answers_.empty()) return nullptr;
    PlanRequest request = request_;
    request.parameter_types = types_;
    request.answers = answers_;
    request.several = true;
    const tree::Statement& rewritten = *copy;
    auto alone = steps_.plan(request, rewritten, to_text(rewritten, *request_.shape));
    waits_ = alone == nullptr;
    if (waits_ || (alone->kind != PlanKind::scatter && alone->kind != PlanKind::gather) || !tells_the_same(plain, *alone)) return nullptr;
    return alone;
  }

  static bool tells_the_same(const Plan& plain, const Plan& alone) {
    return alone.result && std::ranges::equal(*plain.result, *alone.result, [](const ResultColumn& a, const ResultColumn& b) {
      return a.name == b.name && a.type == b.type && a.typmod == b.typmod && a.table == b.table && a.attribute == b.attribute;
    });
  }

  /// In conditions: elsewhere a value's own text may count, its name or its place in GROUP BY.
  void answer_those_of(const Query& query, const Block& block, tree::Statement& copy) {
    auto* select = block.select == nullptr ? nullptr : find(copy, *block.select);
    if (select == nullptr) return;
    for (tree::ExprPtr* slot : {&select->where, &select->having}) {
      if (!*slot) continue;
      tree::transform(*slot, [&](tree::ExprPtr& at) {
        const auto* scalar = at->as<tree::ScalarSubquery>();
        if (scalar == nullptr || waits_) return;
        const auto inner = block.subqueries.find(scalar->query.get());
        if (inner == block.subqueries.end() || !answer(query, *inner->second)) return;
        answered_.push_back(std::move(at));
        at = tree::make::param(static_cast<int>(types_.size()));
      });
    }
  }

  /// A block's own tree, to be changed. Null: it is not where it can be found.
  static tree::Select* find(tree::Statement& statement, const tree::Select& wanted) {
    auto* select = statement.as<tree::Select>();
    return select == nullptr ? nullptr : find(*select, wanted);
  }

  static tree::Select* find(tree::Select& select, const tree::Select& wanted) {
    if (&select == &wanted) return &select;
    tree::Select* found = nullptr;
    const auto look = [&](tree::Select& inner) {
      if (found == nullptr) found = find(inner, wanted);
    };
    for (tree::Cte& cte : select.with.ctes) {
      if (auto* inner = cte.statement->as<tree::Select>()) look(*inner);
    }
    if (select.left) {
      look(*select.left);
      look(*select.right);
    }
    tree::for_each_from(select, [&](tree::FromPtr& item) {
      if (auto* derived = item->as<tree::SubqueryRef>()) look(*derived->query);
    });
    tree::for_each_expr(select, [&](tree::ExprPtr& slot) {
      if (!slot) return;
      tree::transform(slot, [&](tree::ExprPtr& at) { tree::for_each_subquery(*at, look); });
    });
    return found;
  }

  /// Cheap to answer: by merging, or by one shard. Adds it, and its type.
  bool answer(const Query& query, const Block& block) {
    constexpr std::size_t most_answers = 8;  // each is planned, and asked, for itself
    if (answers_.size() == most_answers || is_correlated(query, block) || !outer_ctes(query, block).empty()) return false;
    const tree::Statement subquery{std::move(*tree::clone(*block.select))};
    PlanRequest request = request_;
    request.parameter_types = std::span(types_).first(own_parameters_);
    const auto plan = steps_.plan(request, subquery, to_text(subquery, *request_.shape));
    waits_ = plan == nullptr;
    if (waits_ || plan->kind != PlanKind::scatter || plan->on_one_shard || !plan->result || plan->result->size() != 1 || plan->refusal) return false;
    const bool only_reads = plan->effect == Effect::reads && plan->residue == Residue::none && !plan->advances_sequences;
    const values::Oid type = plan->result->front().type;
    if (!only_reads || !plan->evaluations.empty() || !has_plain_text(type)) return false;
    answers_.push_back({"(" + to_text(subquery, *request_.shape) + ")", without_modifier(*values::find_type(type)), false, plan});
    types_.push_back(type);
    return true;
  }

  PlanResult with_alone(const Plan& plain, const Plan& over_answers) const {
    auto alone = std::make_shared<Plan>(over_answers);
    alone->parameters = plain.parameters;
    auto plan = std::make_shared<Plan>(plain);
    std::set<int> pinned(plain.pinned.begin(), plain.pinned.end());
    pinned.insert(alone->pinned.begin(), alone->pinned.end());
    plan->alone = std::move(alone);
    for (const Plan::Evaluation& answered : answers_) pinned.insert(answered.plan->pinned.begin(), answered.plan->pinned.end());
    plan->pinned.assign(pinned.begin(), pinned.end());
    return std::shared_ptr<const Plan>(std::move(plan));
  }

  const PlanRequest& request_;
  const tree::Statement& statement_;
  const std::string& original_;
  PlanSteps steps_;
  FunctionContext functions_;
  std::vector<values::Oid> types_;  ///< of the parameters, then of the answers
  std::size_t own_parameters_ = 0;
  std::vector<Plan::Evaluation> answers_;
  std::vector<tree::ExprPtr> answered_;  ///< blocks speak of these still
  bool waits_ = false;
};

bool has_scalar_subquery(const tree::Statement& statement) {
  const auto* select = statement.as<tree::Select>();
  if (select == nullptr || !select->locking.empty() || !select->into.empty()) return false;
  bool found = false;
  const std::function<void(const tree::Select&)> look = [&](const tree::Select& inner) {
    tree::for_each_expr(inner, [&](const tree::Expr& expr) {
      tree::walk(expr, [&](const tree::Expr& at) {
        found |= at.as<tree::ScalarSubquery>() != nullptr;
        tree::for_each_subquery(at, look);
        return !found;
      });
    });
    tree::for_each_from(inner, [&](const tree::FromItem& item) {
      if (const auto* derived = item.as<tree::SubqueryRef>()) look(*derived->query);
    });
    for (const tree::Cte& cte : inner.with.ctes) {
      if (const auto* query = std::as_const(*cte.statement).as<tree::Select>()) look(*query);
    }
    if (inner.left) look(*inner.left);
    if (inner.right) look(*inner.right);
  };
  look(*select);
  return found;
}

}  // namespace

PlanResult plan_with_answers(const PlanRequest& request, const tree::Statement& statement, const std::string& original) {
  const bool may = language_of(request.context->dialect).asks_shards && request.map->shards().size() > 1 && has_scalar_subquery(statement);
  return may ? Answering(request, statement, original).plan() : plan_statement(request, statement, original);
}

}  // namespace anabranch::rewriter
