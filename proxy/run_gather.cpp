#include <fmt/format.h>

#include "backends/exchange.h"
#include "proxy/execute.h"
#include "proxy/leases.h"
#include "proxy/partial_requests.h"
#include "proxy/replies.h"
#include "proxy/row_sink.h"
#include "proxy/transaction_end.h"
#include "proxy/type_identity.h"
#include "proxy/workspace_tables.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using backends::Reply;
using rewriter::Plan;

/// Where the answer goes.
struct Taker {
  net::pg::Formats formats;
  std::function<net::Task<void>(backends::Lease& workspace)> begin;
  std::function<net::Task<void>(const merge::Batch& rows)> take;
};

/// Shards' rows go to the workspace, which answers.
class Gathering {
 public:
  Gathering(SessionState& state, Execution& execution, Taker taker)
      : state_(state), execution_(execution), plan_(*execution.plan->plan), taker_(std::move(taker)) {}

  net::Task<void> run() {
    check_workspace();
    bound_ = rewriter::bind(bind_request(state_, execution_));
    co_await take_leases();
    WorkspaceTables tables(workspace_, *plan_.gather, state_.db->config->limits.spill);
    std::exception_ptr failure;
    try {
      // A cancel that came before has found idle servers.
      state_.check_cancelled();
      const Running running(state_, workspace_);
      co_await tables.create(state_.token());
      if (!members_.empty()) co_await gather(tables);
      // Last, as nobody listens to the other shards meanwhile.
      if (own_ != nullptr) co_await insert_own(tables);
      co_await tables.index(state_.token());
      if (!in_transaction()) state_.transaction.give_back();
      co_await answer();
      co_await tables.close(state_.token());
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      co_await tables.drop();
      std::rethrow_exception(failure);
    }
  }

 private:
  /// The rest is read in another session than the client's own: with the settings of now, and without what is not
  /// committed.
  void check_workspace() const {
    if (read_otherwise(state_, execution_)) throw values::make_error<>(values::ErrorId::reading_changed);
    if (!in_transaction() || !state_.definitions_changed) return;
    throw values::make_error(values::ErrorId::unsupported_clause, "a query whose rows are gathered",
                             "its workspace does not see what this transaction has defined", "COMMIT first.");
  }

  bool in_transaction() const { return state_.transaction.state() != backends::TransactionState::none; }

  /// In shard order, the workspace's among them. That is never the transaction's own, which may be read-only, and
  /// could not be prepared after it had temporary tables; but where there is no transaction one lease does for both.
  net::Task<void> take_leases() {
    if (!in_transaction() && !execution_.standalone) state_.transaction.begin_implicit();
    const std::uint32_t workspace = state_.default_shard();
    const bool shared = !in_transaction() && !state_.keeps_all() && state_.transaction.find(workspace) == nullptr;
    for (const auto& query : bound_.queries) {
      const auto shard = static_cast<std::uint32_t>(query.shard);
      if (!workspace_ && shard >= workspace) workspace_ = co_await borrow_lease(state_, workspace);
      if (shared && shard == workspace) {
        own_ = &query;
        continue;
      }
      queries_.push_back(&query);
      members_.push_back(co_await state_.transaction.enlist(shard, state_.target(shard), state_.token()));
    }
    if (!workspace_) workspace_ = co_await borrow_lease(state_, workspace);
  }

  net::Task<void> gather(WorkspaceTables& tables) {
    backends::Exchange exchange{net::CancelToken{}};
    std::vector<std::unique_ptr<Running>> running;
    std::vector<bool> unparsed;
    std::exception_ptr failure;
    for (std::size_t source = 0; source < members_.size(); ++source) {
      running.push_back(std::make_unique<Running>(state_, members_[source]->lease));
      unparsed.push_back(send(exchange, source));
    }
    exchange.send();
    try {
      co_await tables.begin_rows(state_.token());
      while (auto next = co_await exchange.next()) {
        take(exchange, *next);
        if (next->reply.kind == Reply::Kind::message && next->reply.message.type == '1') unparsed[next->source] = false;
        if (next->reply.kind != Reply::Kind::rows) continue;
        merge::Batch rows;
        rows.swap(exchange.stream(next->source).rows);
        row_oids_[next->source].translate(rows);
        co_await tables.take(rows, state_.token());
      }
      co_await tables.end_rows(state_.token());
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) co_return;
    co_await stop_partials(exchange, std::vector<std::string>(exchange.size()), unparsed, false);
    std::rethrow_exception(failure);
  }

  net::Task<void> insert_own(WorkspaceTables& tables) {
    const std::string sql = fmt::format("INSERT INTO {} {}", plan_.gather->table, own_->sql);
    PartialRequest insert(state_, execution_, {}, workspace_.shard(), sql, PartialRequest::Naming::unnamed);
    insert.request.describe = false;
    co_await tables.insert(insert.request, state_.token());
  }

  /// Queues a shard's request: all that it has to give, in binary form. True: a Parse was sent.
  bool send(backends::Exchange& exchange, std::size_t source) {
    const std::size_t added = exchange.add(members_[source]->lease);
    exchange.stream(added).longest_row = state_.db->config->limits.query_memory;
    const std::uint32_t shard = members_[source]->shard;
    const PartialRequest partial(state_, execution_, net::pg::Formats{1}, shard, queries_[source]->sql,
                                 PartialRequest::Naming::unnamed);
    RowOids oids;
    const std::vector<values::Oid>& types = plan_.gather->types;
    for (std::size_t i = 0; i < types.size(); ++i) {
      constexpr std::int16_t any_size = -1;
      if (may_name_oids(types[i], any_size)) oids.add(*state_.db, shard, i, types[i], any_size);
    }
    row_oids_.push_back(std::move(oids));
    return send_request(exchange.lease(source), partial.request);
  }

  void take(backends::Exchange& exchange, const backends::Exchange::Next& next) {
    if (next.reply.kind != Reply::Kind::message) return;
    const net::pg::Message& message = next.reply.message;
    switch (message.type) {
      case 'T': check_columns(*state_.db, plan_.gather->types, exchange.lease(next.source), message); break;
      case 'E': throw partial_error(exchange.lease(next.source), message);
      case 'N': state_.client.write(message.raw); break;
      default: break;
    }
  }

  /// The rest of the query, in the client's formats.
  net::Task<void> answer() {
    backends::Exchange exchange{net::CancelToken{}};
    const std::size_t source = exchange.add(workspace_);
    exchange.stream(source).longest_row = state_.db->config->limits.query_memory;
    co_await taker_.begin(workspace_);
    const PartialRequest rest(state_, execution_, std::move(taker_.formats), workspace_.shard(), bound_.rest,
                              PartialRequest::Naming::unnamed);
    (void)send_request(workspace_, rest.request);
    exchange.send();
    std::optional<backends::ServerError> error;
    while (auto next = co_await exchange.next()) {
      if (next->reply.kind == Reply::Kind::rows) co_await taker_.take(exchange.stream(source).rows);
      if (next->reply.kind != Reply::Kind::message) continue;
      const net::pg::Message& message = next->reply.message;
      if (message.type == 'T') check_partial_columns(*state_.db, plan_, workspace_, message);
      if (message.type == 'N') state_.client.write(message.raw);
      if (message.type == 'E' && !error) error.emplace(partial_error(workspace_, message));
    }
    if (error) throw std::move(*error);
  }

  SessionState& state_;
  Execution& execution_;
  const Plan& plan_;
  rewriter::BoundPlan bound_;
  Taker taker_;
  backends::Lease workspace_;
  const rewriter::ShardQuery* own_ = nullptr;       ///< of the workspace's own shard, where their lease is the same
  std::vector<const rewriter::ShardQuery*> queries_;  ///< of all others, in shard order
  std::vector<backends::Transaction::Enlisted*> members_;  ///< whose they are
  std::vector<RowOids> row_oids_;                          ///< by source
};

net::Task<void> nothing() {
  co_return;
}

}  // namespace

net::Task<Outcome> run_gather(SessionState& state, Execution& execution) {
  RowSink sink(state, execution);
  Taker taker;
  taker.formats = input_formats(*execution.plan->plan, sink.formats());
  taker.begin = [&](backends::Lease& workspace) -> net::Task<void> {
    return execution.plan->plan->copy_out ? sink.copy().begin_rows(workspace) : nothing();
  };
  taker.take = [&](const merge::Batch& rows) { return sink.take(rows); };
  {
    Gathering gathering(state, execution, std::move(taker));
    co_await gathering.run();
  }
  if (execution.standalone && execution.simple) co_await end_statement_transaction(state);
  const Outcome outcome = co_await sink.finish({});
  state.transaction.give_back();
  co_return outcome;
}

net::Task<void> gather_rows(SessionState& state, Execution& execution, net::pg::Formats formats,
                            std::function<void(const merge::Batch&)> take) {
  Taker taker;
  taker.formats = std::move(formats);
  taker.begin = [](backends::Lease&) { return nothing(); };
  taker.take = [&](const merge::Batch& rows) {
    take(rows);
    return nothing();
  };
  Gathering gathering(state, execution, std::move(taker));
  co_await gathering.run();
}

}  // namespace anabranch::proxy
