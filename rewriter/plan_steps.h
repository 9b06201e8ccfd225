#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rewriter/planning.h"

/// Statements that are planned one after the other for one request. Internal to rewriter/.
namespace anabranch::rewriter {

/// What must be described for a statement stands behind what those before it have asked for.
class PlanSteps {
 public:
  /// `descriptions`: PlanRequest's, of all steps. `asked`: before these, and answered.
  explicit PlanSteps(std::span<const Description> descriptions, NeedDescribe asked = {})
      : descriptions_(descriptions), asks_(std::move(asked.asks)) {}

  /// `request`: its descriptions do not count. Null: more must be described first, see need().
  std::shared_ptr<const Plan> plan(PlanRequest request, const tree::Statement& statement, const std::string& text);
  /// Of a text beside the statements; null likewise.
  const Description* describe(NeedDescribe::Ask ask);
  NeedDescribe need() { return {std::move(asks_)}; }

 private:
  std::span<const Description> descriptions_;
  std::vector<NeedDescribe::Ask> asks_;  ///< so far, in order
};

}  // namespace anabranch::rewriter
