#include <algorithm>

#include "proxy/planning.h"
#include "proxy/prepared.h"
#include "proxy/replies.h"
#include "proxy/session.h"
#include "proxy/transaction_end.h"
#include "rewriter/parse.h"
#include "values/errors.h"

/// The simple query protocol: one string of any number of statements.
namespace anabranch::proxy {

namespace {

/// More text than this is parsed on a worker thread.
constexpr std::size_t long_text_bytes = 64 * 1024;

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

struct ParserCall {
  const Statement* statement;
  bool standard_conforming_strings;
  bool operator()() const {
    return std::holds_alternative<std::vector<rewriter::tree::StatementPtr>>(
        rewriter::parse(statement->text, statement->shape, standard_conforming_strings));
  }
};

}  // namespace

/// Throws the server's syntax error, if it has one. What our parser takes is not asked about.
net::Task<void> Session::check_syntax(std::string_view text) {
  Statement statement;
  set_text(state_, statement, text);
  rewriter::shape_as_written(statement.text, state_.planning, statement.shape);
  const ParserCall parses{&statement, state_.planning.standard_conforming_strings};
  bool known = false;
  if (text.size() <= long_text_bytes) {
    known = parses();
  } else {
    known = co_await net::run_on_worker(parses);
  }
  if (known) co_return;
  co_await ensure_plan(state_, statement);
  if (statement.plan->plan->kind != rewriter::PlanKind::refuse) co_return;
  try {
    co_await throw_refusal(state_, statement, statement.plan);
  } catch (const values::SqlError& error) {
    if (error.sqlstate == "42601") throw;
  }
}

/// One statement of the string.
struct Session::SimpleRun {
  Execution execution;
  std::unique_ptr<PreparedCall> call;  ///< of EXECUTE; `execution` views it
};

/// No coroutine itself where the plan is known. An empty task: there is nothing to run.
net::Task<Outcome> Session::run_simple(std::string_view text, SimpleRun& run) {
  begin_statement();
  set_text(state_, simple_, text);
  carried_out_ = &simple_;
  if (simple_.shape.blank()) {
    net::pg::EmptyQueryResponse{}.encode(state_.out());
    return {};
  }
  run.execution.statement = &simple_;
  if (!take_cached_plan(state_, simple_) || executes_prepared(*simple_.plan->plan)) return plan_and_run_simple(run);
  run.execution.plan = simple_.plan;
  return run_planned_simple(run);
}

net::Task<Outcome> Session::plan_and_run_simple(SimpleRun& run) {
  co_await ensure_plan(state_, simple_);
  run.execution.plan = simple_.plan;
  if (executes_prepared(*simple_.plan->plan)) {
    run.call = std::make_unique<PreparedCall>();
    co_await look_up_call(state_, run.execution, simple_.text, *run.call);
    fill_from_call(*run.call, run.execution);
  }
  co_return co_await run_planned_simple(run);
}

net::Task<Outcome> Session::run_planned_simple(SimpleRun& run) {
  // Several statements in one string are one transaction, until one of them says otherwise.
  const bool joins = !run.execution.standalone && joins_transaction(*run.execution.plan->plan);
  if (joins && state_.transaction.state() == backends::TransactionState::none) state_.transaction.begin_implicit();
  return execute(state_, run.execution);
}

/// `text` is owned: it outlives what is read from the client meanwhile (COPY).
net::Task<void> Session::run_several(std::string text) {
  const auto statements = rewriter::split_statements(text, state_.planning.standard_conforming_strings);
  if (statements.empty()) net::pg::EmptyQueryResponse{}.encode(state_.out());
  const auto begin = [&](const rewriter::StatementSpan& span) {
    statement_begin_ = characters(std::string_view(text).substr(0, span.offset));
    return std::string_view(text).substr(span.offset, span.length);
  };
  // A server parses the whole string before it runs the first of its statements.
  const bool several = statements.size() > 1;
  for (std::size_t i = 0; several && i < statements.size(); ++i) co_await check_syntax(begin(statements[i]));
  for (const auto& span : statements) {
    SimpleRun run;
    run.execution.standalone = !several;
    if (net::Task<Outcome> ran = run_simple(begin(span), run)) {
      (void)co_await std::move(ran);
      count_execution(state_, run.execution);
    }
  }
}

net::Task<void> Session::simple_query(std::string_view payload) {
  const auto query = net::pg::Query::decode(payload);
  if (!query) throw values::make_error(values::ErrorId::protocol_violation, query.error().message);
  if (state_.must_wait()) co_await wait_for_turn(state_, ended_);
  if (!state_.portals.empty()) retire_unnamed_portal();
  if (const auto only = rewriter::only_statement(query->sql)) {
    SimpleRun run;
    if (net::Task<Outcome> ran = run_simple(*only, run)) {
      (void)co_await std::move(ran);
      count_execution(state_, run.execution);
    }
  } else {
    co_await run_several(std::string(query->sql));
  }
  if (simple_.text.capacity() > kept_bytes) simple_ = Statement();
  if (!end_at_once(state_)) co_await end_statement_transaction(state_);
  if (!state_.explicit_transaction()) drop_portals();
  ready();
}

}  // namespace anabranch::proxy
