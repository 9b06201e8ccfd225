#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

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
    begin_turns();
    co_await take_leases();
    WorkspaceTables tables(workspace_, *plan_.gather, state_.db->config->limits.spill);
    std::exception_ptr failure;
    try {
      // A cancel that came before has found idle servers.
      state_.check_cancelled();
      const Running running(state_, workspace_);
      co_await tables.create(one_moment_, state_.token());
      co_await (in_turns_ ? gather_in_turns(tables) : gather(tables, bound_.queries));
      co_await tables.index(state_.token());
      if (began_) (void)co_await state_.transaction.commit(state_.token());
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

  /// What comes later must be as of the same moment: in a transaction of its own it is, elsewhere it must prove to be.
  void begin_turns() {
    if (bound_.pieces.empty()) return;
    in_turns_ = true;
    shares_ = !state_.keeps_all() && state_.transaction.find(state_.default_shard()) == nullptr;
    began_ = execution_.standalone && state_.transaction.begin_one_moment();
    one_moment_ = state_.transaction.is_of_one_moment() || state_.transaction.has_snapshots();
  }

  /// In shard order, the workspace's among them. That is never the transaction's own, which may be read-only, and
  /// could not be prepared after it had temporary tables; but where there is no transaction one lease does for both.
  net::Task<void> take_leases() {
    const std::uint32_t workspace = state_.default_shard();
    if (!began_) {
      shares_ = !in_transaction() && !state_.keeps_all() && state_.transaction.find(workspace) == nullptr;
      if (!in_transaction() && !execution_.standalone) {
        state_.transaction.begin_implicit();
        shares_ = false;
      }
    }
    for (const auto& query : bound_.queries) {
      const auto shard = static_cast<std::uint32_t>(query.shard);
      if (!workspace_ && shard >= workspace) workspace_ = co_await borrow_lease(state_, workspace);
      if (shares_ && shard == workspace) continue;
      members_[query.shard] = co_await state_.transaction.enlist(shard, state_.target(shard), state_.token());
    }
    if (!workspace_) workspace_ = co_await borrow_lease(state_, workspace);
  }

  /// Small pieces first: their keys leave out what is not needed of large ones.
  net::Task<void> gather_in_turns(WorkspaceTables& tables) {
    const std::vector<int> turns = rewriter::turns_of(*plan_.gather, co_await estimates());
    const int last = *std::ranges::max_element(turns);
    if (last == 0) co_return co_await gather(tables, bound_.queries);
    std::vector<rewriter::KeySet> keys;
    for (int turn = 0; turn < last; ++turn) {
      co_await gather(tables, rewriter::queries_of_turn(*plan_.gather, bound_, turns, turn, keys));
      for (auto& set : co_await tables.keys(leading_on(turns, turn), state_.token())) keys.push_back(std::move(set));
    }
    if (one_moment_) co_return co_await gather(tables, rewriter::queries_of_turn(*plan_.gather, bound_, turns, last, keys));
    co_await gather_again(tables, keys);
  }

  /// By which keys of a turn's pieces later ones are asked for.
  std::vector<std::size_t> leading_on(const std::vector<int>& turns, int turn) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < plan_.gather->restrictions.size(); ++i) {
      const auto& by = plan_.gather->restrictions[i];
      const bool later = turns[static_cast<std::size_t>(by.piece)] > turn;
      if (turns[static_cast<std::size_t>(by.source)] == turn && later) found.push_back(i);
    }
    return found;
  }

  /// All of each shard by one statement, and so of one moment: right where its keys are those that it was asked by.
  net::Task<void> gather_again(WorkspaceTables& tables, const std::vector<rewriter::KeySet>& keys) {
    const std::vector<int> together(plan_.gather->pieces.size(), 0);
    std::vector<std::size_t> asked_by;
    for (const rewriter::KeySet& set : keys) asked_by.push_back(set.restriction);
    co_await tables.clear(state_.token());
    co_await gather(tables, rewriter::queries_of_turn(*plan_.gather, bound_, together, 0, keys));
    if (keys == co_await tables.keys(asked_by, state_.token())) co_return;
    co_await tables.clear(state_.token());
    co_await gather(tables, bound_.queries);
  }

  /// What the default shard expects of each piece there, times the shards that have it.
  net::Task<std::vector<rewriter::PieceEstimate>> estimates() {
    std::vector<rewriter::PieceEstimate> found(plan_.gather->pieces.size());
    std::vector<int> shards(found.size(), 0);
    for (const auto& query : bound_.pieces) ++shards[static_cast<std::size_t>(query.piece)];
    for (const auto& query : bound_.pieces) {
      if (query.shard != static_cast<int>(workspace_.shard())) continue;
      const auto piece = static_cast<std::size_t>(query.piece);
      const rewriter::PieceEstimate there = co_await estimate(query.sql);
      found[piece] = {shards[piece] * there.rows, there.width, shards[piece] * there.cost};
    }
    co_return found;
  }

  net::Task<rewriter::PieceEstimate> estimate(const std::string& sql) {
    const std::string explain = "EXPLAIN (FORMAT JSON) " + sql;
    PartialRequest asked(state_, execution_, {}, workspace_.shard(), explain, PartialRequest::Naming::unnamed);
    asked.request.describe = false;
    std::string plan;
    co_await ask_workspace(asked, [&](const merge::Batch& rows) -> net::Task<void> {
      if (!rows.empty()) plan = backends::texts_of(rows.row(0)).at(0).value_or("");
      co_return;
    });
    co_return rewriter::PieceEstimate{number_in(plan, "\"Plan Rows\": "), number_in(plan, "\"Plan Width\": "),
                                      number_in(plan, "\"Total Cost\": ")};
  }

  /// The outermost step's, which comes first.
  static double number_in(std::string_view json, std::string_view label) {
    const std::size_t at = json.find(label);
    double number = 0;
    if (at != std::string_view::npos) std::from_chars(json.data() + at + label.size(), json.data() + json.size(), number);
    return number;
  }

  net::Task<void> gather(WorkspaceTables& tables, const std::vector<rewriter::ShardQuery>& queries) {
    const rewriter::ShardQuery* own = nullptr;
    std::vector<const rewriter::ShardQuery*> others;
    for (const rewriter::ShardQuery& query : queries) {
      if (members_.contains(query.shard)) {
        others.push_back(&query);
      } else {
        own = &query;
      }
    }
    if (!others.empty()) co_await gather_from(tables, others);
    // Last, as nobody listens to the other shards meanwhile.
    if (own != nullptr) co_await insert_own(tables, own->sql);
  }

  net::Task<void> gather_from(WorkspaceTables& tables, std::vector<const rewriter::ShardQuery*> queries) {
    backends::Exchange exchange{net::CancelToken{}};
    std::vector<std::unique_ptr<Running>> running;
    std::vector<bool> unparsed;
    std::exception_ptr failure;
    row_oids_.clear();
    for (const rewriter::ShardQuery* query : queries) {
      running.push_back(std::make_unique<Running>(state_, members_[query->shard]->lease));
      unparsed.push_back(send(exchange, *query));
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

  net::Task<void> insert_own(WorkspaceTables& tables, const std::string& rows) {
    const std::string sql = fmt::format("INSERT INTO {} {}", plan_.gather->table, rows);
    PartialRequest insert(state_, execution_, {}, workspace_.shard(), sql, PartialRequest::Naming::unnamed);
    insert.request.describe = false;
    co_await tables.insert(insert.request, state_.token());
  }

  /// Queues a shard's request: all that it has to give, in binary form. True: a Parse was sent.
  bool send(backends::Exchange& exchange, const rewriter::ShardQuery& query) {
    backends::Transaction::Enlisted& member = *members_[query.shard];
    const std::size_t added = exchange.add(member.lease);
    exchange.stream(added).longest_row = state_.db->config->limits.query_memory;
    const std::uint32_t shard = member.shard;
    const PartialRequest partial(state_, execution_, net::pg::Formats{1}, shard, query.sql, PartialRequest::Naming::unnamed);
    RowOids oids;
    const std::vector<values::Oid>& types = plan_.gather->types;
    for (std::size_t i = 0; i < types.size(); ++i) {
      constexpr std::int16_t any_size = -1;
      if (may_name_oids(types[i], any_size)) oids.add(*state_.db, shard, i, types[i], any_size);
    }
    row_oids_.push_back(std::move(oids));
    return send_request(exchange.lease(added), partial.request);
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
    co_await taker_.begin(workspace_);
    const PartialRequest rest(state_, execution_, std::move(taker_.formats), workspace_.shard(), bound_.rest,
                              PartialRequest::Naming::unnamed);
    co_await ask_workspace(rest, taker_.take);
  }

  net::Task<void> ask_workspace(const PartialRequest& partial, std::function<net::Task<void>(const merge::Batch&)> take) {
    backends::Exchange exchange{net::CancelToken{}};
    const std::size_t source = exchange.add(workspace_);
    exchange.stream(source).longest_row = state_.db->config->limits.query_memory;
    (void)send_request(workspace_, partial.request);
    exchange.send();
    std::optional<backends::ServerError> error;
    while (auto next = co_await exchange.next()) {
      if (next->reply.kind == Reply::Kind::rows) co_await take(exchange.stream(source).rows);
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
  bool in_turns_ = false;
  bool one_moment_ = false;  ///< however often a shard is asked
  bool began_ = false;   ///< the transaction is this query's
  bool shares_ = false;  ///< the workspace's lease gives its own shard's rows, too
  std::map<int, backends::Transaction::Enlisted*> members_;  ///< of the other shards
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
