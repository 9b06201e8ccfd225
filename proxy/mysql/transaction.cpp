#include "proxy/mysql/transaction.h"

#include <algorithm>
#include <array>
#include <utility>

#include "backends/exchange.h"
#include "backends/mysql_exchange.h"
#include "proxy/execute.h"
#include "proxy/transaction_end.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using backends::TransactionState;

/// "Statements That Cause an Implicit Commit", by their first words.
constexpr auto ending_commands = std::to_array<std::string_view>(
    {"ALTER", "ANALYZE TABLE", "CACHE", "CHECK", "CREATE", "DROP", "FLUSH", "GRANT", "INSTALL", "LOAD INDEX", "LOCK",
     "OPTIMIZE", "RENAME", "REPAIR", "RESET", "REVOKE", "SET PASSWORD", "TRUNCATE", "UNINSTALL"});

}  // namespace

bool commits_implicitly(const rewriter::Plan& plan) {
  if (plan.effect == rewriter::Effect::temporary || plan.session) return false;
  if (plan.effect == rewriter::Effect::ddl) return true;
  const std::string_view command = plan.command;
  return std::ranges::any_of(ending_commands, [&](std::string_view ending) {
    return command.starts_with(ending) && (command.size() == ending.size() || command[ending.size()] == ' ');
  });
}

net::Task<bool> has_rolled_back(std::span<backends::Transaction::Enlisted* const> members) {
  bool whole = false;
  for (backends::Transaction::Enlisted* member : members) {
    if (member->lease->broken() || member->lease->transaction_status() != 'T') continue;
    const std::uint16_t now = co_await backends::mysql_status(member->lease);
    whole |= (now & net::mysql::status::in_transaction) == 0;
  }
  co_return whole;
}

net::Task<void> commit(State& state) {
  std::exception_ptr failure;
  try {
    (void)co_await commit_on_shards(state);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await publish_definitions(state);
  if (failure) std::rethrow_exception(failure);
}

net::Task<void> roll_back(State& state) {
  co_await state.transaction.rollback();
  state.see_shared();
}

net::Task<void> open_transaction(State& state, const rewriter::Plan& plan) {
  const bool ends = commits_implicitly(plan);
  if (ends && state.transaction.state() != TransactionState::none) co_await commit(state);
  if (ends || state.autocommit || state.transaction.state() != TransactionState::none) co_return;
  state.transaction.begin_unspoken();
  if (!state.next_options.empty()) state.transaction.add_option(std::exchange(state.next_options, {}));
}

net::Task<backends::Transaction::Enlisted*> enlist_unwritten(State& state, std::uint32_t shard) {
  auto* member = state.transaction.try_enlist(shard, state.target(shard));
  if (member == nullptr) member = co_await state.transaction.enlist(shard, state.target(shard), state.token());
  co_return member;
}

net::Task<backends::Transaction::Enlisted*> enlist(State& state, const rewriter::Plan& plan, std::uint32_t shard) {
  backends::Transaction& transaction = state.transaction;
  auto* member = transaction.try_enlist(shard, state.target(shard));
  if (member == nullptr) member = co_await transaction.enlist(shard, state.target(shard), state.token());
  // Rows that are locked where they are read leave nothing to commit.
  const bool writes_rows = writes(plan) && plan.kind != rewriter::PlanKind::scatter;
  if (transaction.state() != TransactionState::none && writes_rows) transaction.mark_written(shard);
  // The next transaction may be this statement alone.
  if (transaction.state() == TransactionState::none && plan.uses_tables && !state.next_options.empty()) {
    const std::string sql = "SET TRANSACTION " + state.next_options;
    state.options_on.push_back(shard);
    auto answer = co_await backends::run_command(member->lease, sql, state.token());
    if (!answer) throw backends::ServerError(answer.error(), shard, member->lease.shard_name());
  }
  // Something of the session's may be there from now on.
  if (plan.residue != rewriter::Residue::none) member->kept = true;
  if (plan.residue == rewriter::Residue::untracked) member->untracked = true;
  // A cancel that came before has found an idle server.
  state.check_cancelled();
  co_return member;
}

net::Task<void> settle(State& state, backends::Transaction::Enlisted& member, const ReplyEnd& end) {
  if (member.lease->broken()) co_return;
  const bool began = member.lease->transaction_status() == 'T' || state.autocommit;
  if (end.failed) {
    // A deadlock, or a lock that was not to be had, may have rolled the transaction back there.
    const std::uint16_t now = co_await backends::mysql_status(member.lease);
    if (began && (now & net::mysql::status::in_transaction) == 0) co_await roll_back(state);
    co_return;
  }
  const bool over = state.autocommit && member.began && (end.status & net::mysql::status::in_transaction) == 0;
  if (over) co_await commit(state);
}

}  // namespace anabranch::proxy::mysql
