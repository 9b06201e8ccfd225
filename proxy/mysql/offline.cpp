#include "proxy/mysql/offline.h"

#include <memory>
#include <utility>

#include "net/mysql/flags.h"
#include "proxy/mysql/commands.h"
#include "proxy/mysql/description.h"
#include "proxy/mysql/several.h"
#include "proxy/planning.h"
#include "rewriter/mysql/parse.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

/// What every client of today agrees upon.
Agreement usual_agreement() {
  namespace capability = net::mysql::capability;
  Agreement made;
  made.capabilities = capability::protocol_41 | capability::secure_connection | capability::plugin_auth |
                      capability::transactions | capability::connect_with_db | capability::deprecate_eof;
  made.collation = 45;  // utf8mb4_general_ci
  return made;
}

net::Task<std::vector<std::string>> explain(State& state, const std::string& sql) {
  co_await begin_session(state);
  Statement statement;
  statement.text = sql;
  rewriter::mysql::shape(statement.text, state.planning.mysql, {}, statement.shape);
  const auto describer = [&](rewriter::NeedDescribe::Ask ask) { return describe(state, std::move(ask)); };
  Request request;
  request.statement = &statement;
  request.plan = co_await make_plan_by(state, statement, false, describer);
  state.lookups.begin(*state.db);
  co_await look_up_keys(state, request);
  const bool relays = request.plan->plan->kind == rewriter::PlanKind::relay;
  if (relays && rewriter::route(bind_request(state, request), nullptr).size() > 1) {
    request.plan = co_await make_plan_by(state, statement, true, describer);
    co_await look_up_keys(state, request);
  }
  const rewriter::Plan& plan = *request.plan->plan;
  if (plan.refusal) throw values::SqlError(*plan.refusal);
  co_return rewriter::explain(plan, rewriter::bind(bind_request(state, request)), *state.db->map);
}

}  // namespace

net::Task<std::vector<std::string>> explain_offline(Worker& worker, Login login, std::string sql) {
  net::Socket nobody;
  net::mysql::Sequence sequence;
  State state(worker, std::move(login), usual_agreement(), nobody, sequence);
  std::vector<std::string> lines;
  std::exception_ptr failure;
  try {
    lines = co_await explain(state, sql);
  } catch (...) {
    failure = std::current_exception();
  }
  state.end_leases();
  if (failure) std::rethrow_exception(failure);
  co_return lines;
}

}  // namespace anabranch::proxy::mysql
