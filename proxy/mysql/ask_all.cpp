#include "proxy/mysql/ask_all.h"

#include <memory>
#include <utility>

#include "backends/exchange.h"

namespace anabranch::proxy::mysql {

net::Task<std::vector<backends::CommandResult>> ask_all(State& state, Members members, std::vector<std::string> texts) {
  std::vector<std::unique_ptr<Running>> running;
  std::vector<net::Task<std::expected<backends::CommandResult, net::pg::ErrorFields>>> tasks;
  for (std::size_t i = 0; i < members.size(); ++i) {
    running.push_back(std::make_unique<Running>(state, members[i]->lease));
    tasks.push_back(backends::run_command(members[i]->lease, std::move(texts[i])));
  }
  auto answers = co_await net::when_all(std::move(tasks));
  std::vector<backends::CommandResult> results;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const backends::Lease& lease = members[i]->lease;
    if (!answers[i]) throw backends::ServerError(answers[i].error(), lease.shard(), lease.shard_name());
    results.push_back(std::move(*answers[i]));
  }
  co_return results;
}

net::Task<std::vector<backends::CommandResult>> ask_all(State& state, Members members, std::string text) {
  co_return co_await ask_all(state, members, std::vector<std::string>(members.size(), std::move(text)));
}

}  // namespace anabranch::proxy::mysql
