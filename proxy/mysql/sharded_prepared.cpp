#include <fmt/format.h>

#include "backends/mysql_exchange.h"
#include "net/mysql/result_messages.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/sharded.h"
#include "proxy/mysql/statements.h"

/// The protocol's prepared statements.
namespace anabranch::proxy::mysql {

using Reply = net::mysql::ResultReader::Reply;
using rewriter::PlanKind;
using Enlisted = backends::Transaction::Enlisted;

net::Task<void> Sharded::prepare(std::string_view text) {
  auto made = std::make_unique<Statement>();
  set_text(*made, text, state_.planning.mysql);
  co_await take_plan(*made);
  const rewriter::Plan& plan = *made->plan->plan;
  const bool may_change = plan.needs_values || plan.asks_counts == rewriter::Plan::AsksCounts::in_place;
  if (plan.kind == PlanKind::refuse && !may_change) co_await refuse(*made, made->plan);
  (void)co_await prepared_.prepare(state_, std::move(made));
}

net::Task<void> Sharded::execute(std::string_view payload) {
  const auto head = net::mysql::ComStmtExecute::decode(payload);
  if (!head) malformed(head.error());
  PreparedStatement& prepared = prepared_.find(head->statement, "mysqld_stmt_execute");
  if (const auto read = prepared.bound.read(head->parameters); !read) {
    throw server_error(1210, "HY000", "Incorrect arguments to mysqld_stmt_execute");
  }
  carried_out_ = prepared.statement.get();
  co_await take_plan(*prepared.statement);
  Request request;
  request.statement = prepared.statement.get();
  request.plan = prepared.statement->plan;
  request.values = prepared.values.read(prepared.bound, prepared.ahead);
  request.prepared = &prepared;
  request.cursor = head->flags;
  prepared.rows.reset();
  std::exception_ptr failure;
  try {
    (void)co_await run(request);
  } catch (...) {
    failure = std::current_exception();
  }
  prepared_.forget_ahead(prepared);
  if (failure) std::rethrow_exception(failure);
}

net::Task<void> Sharded::fetch(std::string_view payload) {
  auto fetch = net::mysql::ComStmtFetch::decode(payload);
  if (!fetch) malformed(fetch.error());
  PreparedStatement& prepared = prepared_.find(fetch->statement, "mysqld_stmt_fetch");
  if (prepared.rows != nullptr) {
    if (!co_await prepared.rows->fetch(fetch->rows)) prepared.rows.reset();
    co_return;
  }
  Enlisted* member = prepared.cursor ? state_.transaction.find(*prepared.cursor) : nullptr;
  if (member == nullptr) {
    throw server_error(1421, "HY000", fmt::format("The statement ({}) has no open cursor.", prepared.id));
  }
  fetch->statement = prepared.cursor_number;
  backends::write_command(member->lease, *fetch);
  const ReplyEnd end = co_await pass_reply(state_, member->lease, Reply::fetch);
  if (end.failed || (end.status & net::mysql::status::last_row_sent) != 0) (void)prepared_.forget_cursor(state_, prepared);
}

}  // namespace anabranch::proxy::mysql
