#include "proxy/planning.h"
#include "proxy/replies.h"
#include "proxy/session.h"
#include "proxy/transaction_end.h"
#include "values/errors.h"

/// The simple query protocol: one string of any number of statements.
namespace anabranch::proxy {

net::Task<void> Session::run_simple(std::string_view text, bool alone) {
  begin_statement();
  set_text(state_, simple_, text);
  co_await ensure_plan(state_, simple_);
  Execution execution;
  execution.statement = &simple_;
  execution.plan = simple_.plan;
  execution.simple = true;
  execution.standalone = alone;
  // Several statements in one string are one transaction, until one of them says otherwise.
  const bool control = execution.plan->plan->kind == rewriter::PlanKind::session;
  if (!alone && !control && state_.transaction.state() == backends::TransactionState::none) {
    state_.transaction.begin_implicit();
  }
  (void)co_await execute(state_, execution);
}

net::Task<void> Session::simple_query(std::string_view payload) {
  const auto query = net::pg::Query::decode(payload);
  if (!query) throw values::make_error(values::ErrorId::protocol_violation, query.error().message);
  // The text outlives what is read from the client meanwhile (COPY).
  const std::string text(query->sql);
  const std::vector<rewriter::StatementSpan> statements = rewriter::split_statements(text);
  if (statements.empty()) net::pg::EmptyQueryResponse{}.encode(state_.out());
  for (const auto& span : statements) {
    co_await run_simple(std::string_view(text).substr(span.offset, span.length), statements.size() == 1);
  }
  co_await end_statement_transaction(state_);
  send_ready(state_.out(), state_.transaction.status());
}

}  // namespace anabranch::proxy
