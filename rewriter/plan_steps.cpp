#include "rewriter/plan_steps.h"

#include <algorithm>
#include <iterator>

namespace anabranch::rewriter {

std::shared_ptr<const Plan> PlanSteps::plan(PlanRequest request, const tree::Statement& statement, const std::string& text) {
  const auto known = descriptions_.subspan(std::min(asks_.size(), descriptions_.size()));
  request.descriptions = {};
  std::vector<NeedDescribe::Ask> answered;
  while (true) {
    PlanResult result = plan_statement(request, statement, text);
    if (auto* plan = std::get_if<std::shared_ptr<const Plan>>(&result)) {
      std::ranges::move(answered, std::back_inserter(asks_));
      return std::move(*plan);
    }
    auto& asks = std::get<NeedDescribe>(result).asks;
    if (asks.size() > known.size()) {
      std::ranges::move(asks, std::back_inserter(asks_));
      return nullptr;
    }
    if (asks.size() <= answered.size()) refuse(values::make_error(values::ErrorId::internal, "planning does not end"));
    request.descriptions = known.first(asks.size());
    answered = std::move(asks);
  }
}

const Description* PlanSteps::describe(NeedDescribe::Ask ask) {
  const std::size_t place = asks_.size();
  asks_.push_back(std::move(ask));
  return place < descriptions_.size() ? &descriptions_[place] : nullptr;
}

}  // namespace anabranch::rewriter
