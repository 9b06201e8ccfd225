#include "proxy/mysql/several.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backends/exchange.h"
#include "backends/mysql_exchange.h"
#include "net/mysql/command_messages.h"
#include "net/mysql/result_messages.h"
#include "proxy/execute.h"
#include "proxy/mysql/ask_all.h"
#include "proxy/mysql/load_split.h"
#include "proxy/mysql/relay.h"
#include "proxy/mysql/returned_rows.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/statement_time.h"
#include "proxy/mysql/transaction.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using backends::CommandResult;
using backends::TransactionState;
using Enlisted = backends::Transaction::Enlisted;
using Answer = std::expected<CommandResult, net::pg::ErrorFields>;

/// What a server says of an INSERT of several rows, of a shard's only one: it said nothing of that itself.
std::string words_of_one_row(const rewriter::InsertSplit& insert, const CommandResult& one) {
  const bool ignored = insert.ignores && one.affected == 0;
  // A row that takes the place of others, or updates one, counts each of them, too.
  const std::uint64_t others = insert.ignores || one.affected == 0 ? 0 : one.affected - 1;
  return fmt::format("Records: 1  Duplicates: {}  Warnings: {}", ignored ? 1 : others, one.warnings);
}

class SeveralWrites {
 public:
  SeveralWrites(State& state, Request& request) : state_(state), request_(request), plan_(*request.plan->plan) {}

  net::Task<void> run() {
    if (request_.cursor != net::mysql::cursor::none && plan_.returns_rows) {
      throw values::make_error(values::ErrorId::unsupported_clause, "RETURNING into a cursor",
                               "its rows are on several shards", "Execute the statement without a cursor.");
    }
    bound_ = rewriter::bind(bind_request(state_, request_));
    check_counts();
    co_await open_transaction(state_, plan_);
    if (commits_implicitly(plan_)) {
      co_await run_in_order();
    } else {
      co_await run_at_once();
    }
    state_.note_done(State::Counts{rows_ ? -1 : static_cast<std::int64_t>(total_.affected), std::nullopt});
    state_.note_warned(std::move(warned_));
    if (rows_) {
      co_await rows_->send(bound_.query_of_row, !plan_.sum_counts);
    } else {
      answer();
    }
  }

 private:
  /// A row that is found as it should be then counts as one that is inserted.
  void check_counts() const {
    const bool found_rows = net::mysql::has(state_.capabilities, net::mysql::capability::found_rows);
    if (!plan_.insert || !plan_.insert->updates || !found_rows || bound_.queries.size() < 2) return;
    throw values::make_error(values::ErrorId::unsupported_clause, "ON DUPLICATE KEY UPDATE",
                             "a client with CLIENT_FOUND_ROWS is not told which of its rows were there",
                             "Insert the rows of each key in a statement.");
  }

  /// Definitions: MySQL has no way back.
  net::Task<void> run_in_order() {
    std::vector<std::string> done;
    std::exception_ptr failure;
    for (const auto& query : bound_.queries) {
      const auto shard = static_cast<std::uint32_t>(query.shard);
      try {
        Enlisted* member = co_await enlist(state_, plan_, shard);
        const Running running(state_, member->lease);
        Answer answer = co_await backends::run_command(member->lease, query.sql);
        if (!answer) throw backends::ServerError(answer.error(), shard, member->lease.shard_name());
        take(*answer, shard);
        done.push_back(member->lease.shard_name());
      } catch (const values::SqlError& error) {
        values::SqlError told = error;
        if (!done.empty()) told.message += fmt::format(" (carried out on {}, and not undone there)", fmt::join(done, ", "));
        failure = std::make_exception_ptr(told);
      }
      if (failure) break;
    }
    if (changes_definitions(plan_)) state_.change_definitions();
    if (!done.empty()) co_await publish();
    if (failure) std::rethrow_exception(failure);
  }

  net::Task<void> publish() { co_await commit(state_); }

  net::Task<void> run_at_once() {
    const bool several = bound_.queries.size() > 1;
    const bool alone = several && state_.transaction.state() == TransactionState::none;
    // START TRANSACTION would release the tables.
    const bool unspoken = alone && state_.tables_locked;
    if (alone) state_.transaction.begin_implicit(unspoken);
    std::exception_ptr failure;
    try {
      co_await enlist_all(alone);
      if (unspoken) {
        for (Enlisted* member : members_) member->lingers = true;
        co_await on_all("SET autocommit = 0");
      }
      guarded_ = several && state_.explicit_transaction();
      if (guarded_) co_await on_all(fmt::format("SAVEPOINT {}", statement_guard));
      if (plan_.one_moment && members_.size() > 1) co_await time_.set(state_, members_);
      co_await (plan_.returns_rows ? collect_rows() : send_all());
    } catch (...) {
      failure = std::current_exception();
    }
    co_await time_.reset(members_);
    if (state_.transaction.state() == TransactionState::implicit) {
      co_await (failure ? roll_back(state_) : commit(state_));
    } else if (failure && state_.explicit_transaction()) {
      co_await undo();
    } else if (guarded_) {
      co_await on_all(fmt::format("RELEASE SAVEPOINT {}", statement_guard));
    }
    if (unspoken) co_await on_all("SET autocommit = 1");
    if (failure) std::rethrow_exception(failure);
  }

  /// Leases are taken in the shards' order. A transaction that is the statement's own is then begun everywhere at once.
  net::Task<void> enlist_all(bool at_once) {
    std::vector<net::Task<Enlisted*>> tasks;
    for (const auto& query : bound_.queries) {
      const auto shard = static_cast<std::uint32_t>(query.shard);
      if (at_once) (void)co_await state_.attach(shard);
      tasks.push_back(enlist(state_, plan_, shard));
      if (!at_once) members_.push_back(co_await std::move(tasks.back()));
    }
    if (at_once) members_ = co_await net::when_all(std::move(tasks));
  }

  /// The statement, or the transaction where a server has rolled its part of it back.
  net::Task<void> undo() {
    if (co_await has_rolled_back(members_)) {
      co_await roll_back(state_);
    } else if (guarded_) {
      co_await on_all(fmt::format("ROLLBACK TO SAVEPOINT {}", statement_guard));
    }
  }

  net::Task<void> on_all(std::string sql) {
    (void)co_await ask_all(state_, members_, std::move(sql));
  }

  net::Task<void> send_all() {
    std::vector<std::string> texts;
    for (auto& query : bound_.queries) texts.push_back(std::move(query.sql));
    auto results = co_await ask_all(state_, members_, std::move(texts));
    for (std::size_t i = 0; i < results.size(); ++i) {
      CommandResult& one = results[i];
      if (plan_.insert && results.size() > 1 && one.tag.empty()) one.tag = words_of_one_row(*plan_.insert, one);
      take(one, members_[i]->shard);
    }
    // A server names the number of the row it came to last.
    if (plan_.insert) total_.insert_id = results[bound_.last].insert_id;
  }

  net::Task<void> collect_rows() {
    rows_.emplace(state_, request_.prepared != nullptr);
    co_await rows_->collect(members_, bound_.queries, bound_.query_of_row);
    warned_ = rows_->warned();
    for (const std::uint32_t shard : warned_) state_.linger(shard);
  }

  void take(const CommandResult& one, std::uint32_t shard) {
    if (one.warnings > 0) {
      warned_.push_back(shard);
      state_.linger(shard);
    }
    const bool first = std::exchange(any_, true) == false;
    if (first) {
      total_ = one;
      return;
    }
    total_.warnings = static_cast<std::uint16_t>(std::min(65535, total_.warnings + one.warnings));
    total_.insert_id = std::max(total_.insert_id, one.insert_id);
    total_.advice |= one.advice;
    if (!plan_.sum_counts) return;
    total_.affected += one.affected;
    total_.tag = add_words(total_.tag, one.tag);
  }

  void answer() { send_ok(state_, total_.affected, total_.insert_id, total_.warnings, total_.tag, total_.advice); }

  State& state_;
  Request& request_;
  const rewriter::Plan& plan_;
  rewriter::BoundPlan bound_;
  std::vector<Enlisted*> members_;
  StatementTime time_;
  std::optional<ReturnedRows> rows_;  ///< of RETURNING
  bool guarded_ = false;
  bool any_ = false;
  std::vector<std::uint32_t> warned_;  ///< where there are warnings
  CommandResult total_;
};

}  // namespace

namespace {

std::string payload_of(const net::mysql::ColumnDefinition41& column, net::mysql::Capabilities capabilities) {
  net::Buffer out;
  net::mysql::Sequence numbers;
  column.encode(out, numbers, capabilities);
  return std::string(out.view().substr(net::mysql::header_bytes));
}

}  // namespace

void explain(State& state, const Request& request) {
  const rewriter::Plan& plan = *request.plan->plan;
  if (!plan.explained || plan.explained->analyze || request.prepared != nullptr) {
    throw values::make_error(values::ErrorId::unsupported_statement, "ANALYZE over several shards",
                             "EXPLAIN shows what they would be asked.");
  }
  rewriter::BindRequest bind = bind_request(state, request);
  bind.plan = plan.explained->plan.get();
  const auto lines = rewriter::explain(*bind.plan, rewriter::bind(bind), *state.db->map);
  state.note_done(State::Counts{-1, lines.size()});
  net::mysql::ColumnDefinition41 column;
  column.name = "QUERY PLAN";
  column.collation = 45;  // utf8mb4_general_ci
  column.length = 1024;
  const std::vector<std::string> columns = {payload_of(column, state.capabilities)};
  begin_rows(state, columns);
  for (const std::string& line : lines) net::mysql::PacketWriter(state.out(), state.sequence).field(line);
  end_rows(state);
}

rewriter::BindRequest bind_request(State& state, const Request& request) {
  rewriter::BindRequest bind;
  bind.plan = request.plan->plan.get();
  bind.shape = &request.statement->shape;
  bind.parameters = request.values;
  bind.map = state.db->map.get();
  bind.lookups = &state.lookups;
  bind.mysql = &state.planning.mysql;
  return bind;
}

net::Task<void> look_up_keys(State& state, const Request& request) {
  const rewriter::Plan* plan = request.plan->plan.get();
  if (plan->explained) plan = plan->explained->plan.get();
  const bool has_keys = plan->kind != rewriter::PlanKind::session && plan->kind != rewriter::PlanKind::local &&
                        plan->kind != rewriter::PlanKind::refuse && !plan->load;
  if (!has_keys || !state.db->map->has_lookups()) co_return;
  for (bool known = false; !known;) {
    {
      const LookupReader::Pass pass(state.lookups, true);
      rewriter::BindRequest bind = bind_request(state, request);
      bind.plan = plan;
      rewriter::look_up_keys(bind);
      known = pass.complete();
    }
    co_await answer_lookups(state, false);
  }
}

net::Task<void> run_on_several(State& state, Request& request) {
  if (!request.plan->plan->evaluations.empty()) {
    throw values::make_error(values::ErrorId::unsupported_clause, "a function of the moment",
                             "each shard would compute its own", "Give its value.");
  }
  if (request.plan->plan->load) {
    co_await run_load_split(state, request);
    co_return;
  }
  SeveralWrites writes(state, request);
  co_await writes.run();
}

}  // namespace anabranch::proxy::mysql
