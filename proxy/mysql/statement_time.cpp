#include "proxy/mysql/statement_time.h"

#include <utility>

#include "backends/exchange.h"

namespace anabranch::proxy::mysql {

namespace {

using Enlisted = backends::Transaction::Enlisted;

net::Task<void> tell(Enlisted& member, std::string sql, bool& told) {
  const auto answer = co_await backends::run_command(member.lease, std::move(sql));
  told = answer.has_value();
}

net::Task<backends::CommandResult> ask(State& state, Enlisted& member, std::string sql) {
  const Running running(state, member.lease);
  auto answer = co_await backends::run_command(member.lease, std::move(sql));
  if (!answer) throw backends::ServerError(answer.error(), member.shard, member.lease.shard_name());
  co_return std::move(*answer);
}

}  // namespace

net::Task<void> StatementTime::set(State& state, Members members) {
  if (members.size() < 2) co_return;
  for (Enlisted* member : members) co_await set_next(state, *member);
}

net::Task<void> StatementTime::set_next(State& state, Enlisted& member) {
  if (state.settings.find("timestamp") != nullptr) co_return;
  if (moment_.empty()) {
    const backends::CommandResult answer = co_await ask(state, member, "SELECT UNIX_TIMESTAMP(NOW(6))");
    moment_ = answer.rows.at(0).at(0).value_or("");
  }
  (void)co_await ask(state, member, "SET timestamp = " + moment_);
}

net::Task<void> StatementTime::reset(Members members) {
  if (std::exchange(moment_, {}).empty()) co_return;
  for (Enlisted* member : members) {
    if (member->lease->broken()) continue;
    bool told = false;
    std::exception_ptr failure;
    try {
      co_await tell(*member, "SET timestamp = DEFAULT", told);
    } catch (...) {
      failure = std::current_exception();
    }
    if (!told || failure) member->lease->mark_broken();
  }
}

}  // namespace anabranch::proxy::mysql
