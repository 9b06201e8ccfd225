#pragma once

#include <memory>

#include "net/pg/lists.h"
#include "proxy/session_state.h"
#include "proxy/statement.h"
#include "rewriter/plan.h"

/// SQL-level prepared statements. They are those of the protocol under another grammar: one map of
/// names, the same plans, the same statements on the shards.
namespace anabranch::proxy {

/// An EXECUTE: the statement it names, and its arguments as Bind would have brought them.
struct PreparedCall {
  std::shared_ptr<Statement> statement;
  net::pg::Formats formats;
  net::pg::Fields fields;
  std::vector<rewriter::BoundValue> values;  ///< views of the fields, typed
  PortalState portal;  ///< in the simple protocol
};

inline bool executes_prepared(const rewriter::Plan& plan) {
  return plan.session && plan.session->action == rewriter::SessionAction::execute;
}

/// PREPARE: describes the statement, so that what the server has against it comes now, and keeps it.
/// `outer`: the whole PREPARE.
net::Task<void> prepare(SessionState& state, const Statement& outer, const rewriter::SessionPlan& command);
/// DEALLOCATE.
void deallocate(SessionState& state, const rewriter::SessionPlan& command);

/// EXECUTE, whose plan is in `execution`: finds the statement, plans it and computes the arguments,
/// where need be on a shard. `text`: the EXECUTE alone, from its first word on. Throws what the server
/// would: 26000, 42601 for a wrong number of arguments, 42804 for one of a wrong type …
net::Task<void> look_up_call(SessionState& state, const Execution& execution, std::string_view text,
                             PreparedCall& call);
/// Makes `execution` that of the statement called, instead of the EXECUTE. Refers to `call`.
void fill_from_call(PreparedCall& call, Execution& execution);

}  // namespace anabranch::proxy
