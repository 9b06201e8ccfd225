#include "rewriter/planning.h"

namespace anabranch::rewriter {

void refuse(values::SqlError error, bool prepare_only) {
  throw Refusal{std::move(error), prepare_only};
}

void refuse_clause(std::string_view clause, std::string_view reason, std::string_view hint) {
  refuse(values::make_error(values::ErrorId::unsupported_clause, clause, reason, hint));
}

void refuse_statement(std::string_view statement, std::string_view hint) {
  refuse(values::make_error(values::ErrorId::unsupported_statement, statement, hint));
}

void refuse_distribution(std::string_view clause, const Distribution& distribution) {
  refuse_clause(distribution.clause.empty() ? clause : std::string_view(distribution.clause),
                distribution.reason,
                distribution.hint.empty()
                    ? "Tie all sharded tables together by their keys, or ask for one key."
                    : distribution.hint);
}

}  // namespace anabranch::rewriter
