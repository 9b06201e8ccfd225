#include "proxy/mysql/table_locks.h"

#include <utility>

#include "backends/exchange.h"
#include "proxy/execute.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/transaction.h"

namespace anabranch::proxy::mysql {

namespace {

net::Task<void> run_on(State& state, std::uint32_t shard, std::string sql) {
  auto* member = co_await state.attach(shard);
  const Running running(state, member->lease);
  state.check_cancelled();
  auto answer = co_await backends::run_command(member->lease, std::move(sql));
  if (!answer) throw backends::ServerError(answer.error(), shard, member->lease.shard_name());
}

net::Task<void> release(State& state) {
  state.tables_locked = false;
  std::vector<std::uint32_t> touched;
  for (const auto& member : state.transaction.enlisted()) touched.push_back(member->shard);
  for (const std::uint32_t shard : touched) co_await run_on(state, shard, "UNLOCK TABLES");
}

}  // namespace

net::Task<void> lock_tables(State& state, const rewriter::Plan& plan) {
  if (state.tables_locked && plan.command != "LOCK TABLES") {
    throw server_error(1192, "HY000",
                       "Can't execute the given command because you have active locked tables or an active transaction");
  }
  if (state.transaction.state() != backends::TransactionState::none) co_await commit(state);
  co_await release(state);
  state.tables_locked = true;
  std::exception_ptr failure;
  try {
    // Shard after shard, so that two that lock the same tables wait for each other on the first.
    for (const auto& [shard, sql] : plan.subquery_of) {
      co_await run_on(state, static_cast<std::uint32_t>(shard), sql);
      state.linger(static_cast<std::uint32_t>(shard));
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  co_await release(state);
  std::rethrow_exception(failure);
}

net::Task<void> unlock_tables(State& state) {
  // It ends a transaction only where LOCK TABLES has been before it.
  if (state.tables_locked && state.transaction.state() != backends::TransactionState::none) co_await commit(state);
  co_await release(state);
}

net::Task<void> unlock_for_transaction(State& state) {
  if (state.tables_locked) co_await release(state);
}

}  // namespace anabranch::proxy::mysql
