#include "proxy/mysql/run_gather.h"

#include <exception>
#include <utility>

#include "backends/exchange.h"
#include "backends/mysql_context.h"
#include "backends/mysql_exchange.h"
#include "backends/mysql_rows.h"
#include "backends/streams.h"
#include "net/mysql/command_messages.h"
#include "proxy/leases.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/relay.h"
#include "proxy/mysql/rest.h"
#include "proxy/mysql/scatter.h"
#include "proxy/mysql/several.h"
#include "proxy/mysql/statement_time.h"
#include "proxy/mysql/transaction.h"
#include "proxy/mysql/variables.h"
#include "proxy/mysql/workspace.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using Stream = backends::MysqlRowStream;
using Enlisted = backends::Transaction::Enlisted;
using Reply = net::mysql::ResultReader::Reply;

class Gathering {
 public:
  Gathering(State& state, Request& request) : state_(state), request_(request), plan_(*request.plan->plan) {}

  net::Task<bool> run() {
    check();
    bound_ = rewriter::bind(bind_request(state_, request_));
    if (must_open(state_)) co_await open_transaction(state_, plan_);
    for (const auto& query : bound_.queries) {
      members_.push_back(co_await enlist(state_, plan_, static_cast<std::uint32_t>(query.shard)));
    }
    // Never the session's own connection: its transaction may be read-only, or prepared later.
    workspace_ = co_await borrow_lease(state_, state_.default_shard());
    // Whatever becomes of the statement, nothing of it is there for the next.
    workspace_->tainted = true;
    std::exception_ptr failure;
    ReplyEnd end;
    try {
      co_await gather();
      end = co_await answer();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) co_await stop();
    running_.clear();
    co_await time_.reset(members_);
    if (failure && state_.explicit_transaction() && co_await has_rolled_back(members_)) co_await roll_back(state_);
    if (failure) std::rethrow_exception(failure);
    co_await finish(end);
    co_return !end.failed;
  }

 private:
  void check() const {
    check_select_limit(state_);
    if (request_.cursor == net::mysql::cursor::none) return;
    throw values::make_error(values::ErrorId::unsupported_clause, "a cursor over a query whose rows are gathered",
                             "the server that has them serves others, too", "Execute the statement without a cursor.");
  }

  net::Task<void> gather() {
    if (plan_.one_moment && !members_.empty()) co_await time_.set(state_, members_);
    keeps_clock_ = time_.moment().empty();
    if (!keeps_clock_) co_await command("SET timestamp = " + time_.moment());
    Workspace tables(state_, workspace_, *plan_.gather);
    const Running running(state_, workspace_);
    co_await tables.create();
    state_.check_cancelled();
    for (std::size_t i = 0; i < members_.size(); ++i) send(*members_[i], bound_.queries[i].sql);
    streams_.send();
    while (const auto next = co_await streams_.next()) {
      take(*next);
      if (next->reply != Stream::Reply::rows) continue;
      merge::Batch rows;
      rows.swap(streams_.stream(next->source).rows);
      co_await tables.take(rows);
    }
    running_.clear();
    co_await tables.finish();
  }

  net::Task<void> command(std::string sql) {
    const auto answer = co_await backends::run_command(workspace_, std::move(sql), state_.token());
    if (!answer) throw workspace_error(answer.error());
  }

  backends::ServerError workspace_error(const net::pg::ErrorFields& fields) const {
    return {fields, workspace_.shard(), workspace_.shard_name()};
  }

  void send(Enlisted& member, std::string_view sql) {
    backends::write_command(member.lease, net::mysql::ComQuery{sql});
    member.lease->expect_ready();
    running_.push_back(std::make_unique<Running>(state_, member.lease));
    streams_.add(member.lease, static_cast<std::size_t>(state_.db->config->limits.query_memory));
  }

  void take(const backends::Streams<Stream>::Next& next) {
    if (next.reply != Stream::Reply::end) return;
    const Stream& stream = streams_.stream(next.source);
    const backends::Lease& lease = members_[next.source]->lease;
    if (stream.failure()) throw backends::ServerError(*stream.failure(), lease.shard(), lease.shard_name());
    if (stream.warnings() == 0) return;
    throw values::make_error(values::ErrorId::unsupported_clause, "a query whose rows are gathered",
                             "its conditions give warnings, which " + lease.shard_name() + " alone could tell of",
                             "Compare values of one type.");
  }

  /// The rest of the statement, in the client's protocol.
  net::Task<ReplyEnd> answer() {
    if (request_.prepared == nullptr) {
      backends::write_command(workspace_, net::mysql::ComQuery{bound_.rest});
      co_return co_await pass(Reply::text);
    }
    const auto prepared = co_await backends::prepare_mysql_statement(workspace_, bound_.rest, state_.token());
    if (!prepared) throw workspace_error(prepared.error());
    net::mysql::ComStmtExecute execution;
    execution.statement = prepared->statement;
    backends::write_command(workspace_, execution);
    const ReplyEnd end = co_await pass(Reply::binary);
    backends::write_command(workspace_, net::mysql::ComStmtClose{prepared->statement});
    co_return end;
  }

  net::Task<ReplyEnd> pass(Reply kind) {
    return pass_reply(state_, workspace_, kind, nullptr, nullptr, plan_.result ? &*plan_.result : nullptr);
  }

  net::Task<void> stop() {
    co_await stop_rows(streams_);
    // Its tables go with it.
    workspace_.discard();
  }

  net::Task<void> finish(const ReplyEnd& end) {
    std::optional<std::uint64_t> found = end.failed ? state_.found_before() : plan_.into.empty() ? end.rows : end.affected;
    if (plan_.counts_all_rows && !end.failed) found = co_await count_all_rows();
    if (!plan_.into.empty()) co_await take_variables();
    state_.note_done(State::Counts{changed(end), found});
    if (end.failed || end.warnings > 0) {
      keep_aside(state_, std::move(workspace_));
      co_return;
    }
    state_.client.send_now();
    Workspace tables(state_, workspace_, *plan_.gather);
    try {
      co_await tables.drop();
      workspace_->tainted = !keeps_clock_ || !plan_.into.empty();
    } catch (const values::SqlError&) {
      // The client has its answer; the tables end with the connection.
      workspace_.discard();
    }
  }

  /// Of INTO: it is the session's value, which the workspace alone has so far.
  net::Task<void> take_variables() {
    for (const std::string& name : variables_of(plan_.into, state_.planning.mysql).names) {
      std::string value = co_await variable_literal(state_, workspace_, name);
      state_.local_variables.erase(name);
      if (!value.empty()) backends::put_mysql_setting(state_.settings, variable_setting(name), std::move(value));
    }
  }

  /// ROW_COUNT(): of what has rows it is -1.
  static std::int64_t changed(const ReplyEnd& end) {
    return end.has_rows || end.failed ? -1 : static_cast<std::int64_t>(end.affected);
  }

  net::Task<std::optional<std::uint64_t>> count_all_rows() {
    const auto answer = co_await backends::run_command(workspace_, "SELECT FOUND_ROWS()");
    if (!answer || answer->rows.empty()) co_return std::nullopt;
    co_return leading_number(answer->rows.front().at(0).value_or(""));
  }

  State& state_;
  Request& request_;
  const rewriter::Plan& plan_;
  rewriter::BoundPlan bound_;
  backends::Lease workspace_;
  backends::Streams<Stream> streams_;
  std::vector<Enlisted*> members_;
  std::vector<std::unique_ptr<Running>> running_;
  StatementTime time_;
  bool keeps_clock_ = true;  ///< the workspace has been told no moment
};

}  // namespace

net::Task<bool> run_gather(State& state, Request& request) {
  Gathering gathering(state, request);
  co_return co_await gathering.run();
}

}  // namespace anabranch::proxy::mysql
