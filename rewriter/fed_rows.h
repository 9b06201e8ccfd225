#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rewriter/plan_steps.h"

/// Queries whose rows a statement stores, or reads where it writes (Feed). Internal to rewriter/.
namespace anabranch::rewriter {

/// Plans them, each by itself. What must be described for them stands behind what the statement has asked for.
class FedRows {
 public:
  /// Of a refusal.
  struct Why {
    std::string_view clause;
    std::string_view hint;
  };
  static constexpr Why stored = {"storing the rows of a query", "Read the rows first, then insert them as VALUES."};

  /// `asked`: by the statement itself, and answered.
  FedRows(Planning& planning, NeedDescribe asked, Why why = stored)
      : planning_(planning), steps_(planning.request->descriptions, std::move(asked)), why_(why) {}

  /// A scatter or gather with a recipe and columns; null: more must be described first, see need(). Refuses what does
  /// more than read.
  std::shared_ptr<const Plan> plan(const tree::Statement& query);
  NeedDescribe need() { return steps_.need(); }

 private:
  std::shared_ptr<const Plan> plan_query(const tree::Statement& query, bool several);
  std::shared_ptr<const Plan> as_rows(const Plan& relay, const tree::Statement& query);
  void check(const Plan& plan);

  Planning& planning_;
  PlanSteps steps_;
  Why why_;
};

}  // namespace anabranch::rewriter
