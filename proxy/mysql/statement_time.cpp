#include "proxy/mysql/statement_time.h"

#include <utility>

#include "backends/exchange.h"

namespace anabranch::proxy::mysql {

namespace {

using Enlisted = backends::Transaction::Enlisted;

/// What cannot be told so is closed.
net::Task<void> reset_clock(Enlisted& member) {
  if (member.lease->broken()) co_return;
  bool told = false;
  std::exception_ptr failure;
  try {
    told = (co_await backends::run_command(member.lease, "SET timestamp = DEFAULT")).has_value();
  } catch (...) {
    failure = std::current_exception();
  }
  if (!told || failure) member.lease->mark_broken();
}

}  // namespace

net::Task<void> StatementTime::set(State& state, Members members) {
  if (state.settings.find("timestamp") != nullptr) co_return;
  if (moment_.empty()) {
    const auto answers = co_await ask_all(state, members.first(1), "SELECT UNIX_TIMESTAMP(NOW(6))");
    moment_ = answers.front().rows.at(0).at(0).value_or("");
  }
  (void)co_await ask_all(state, members, "SET timestamp = " + moment_);
}

net::Task<void> StatementTime::reset(Members members) {
  if (std::exchange(moment_, {}).empty()) co_return;
  std::vector<net::Task<void>> tasks;
  for (Enlisted* member : members) tasks.push_back(reset_clock(*member));
  co_await net::when_all(std::move(tasks));
}

}  // namespace anabranch::proxy::mysql
