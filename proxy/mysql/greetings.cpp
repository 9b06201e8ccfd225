#include "proxy/mysql/greetings.h"

#include <algorithm>

#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using values::ErrorId;
using values::make_error;

const conf::Shard& first_server(const conf::Config& config) {
  const auto found = std::ranges::find(config.databases, conf::Kind::mysql, &conf::Database::kind);
  if (found == config.databases.end()) throw make_error(ErrorId::no_such_database, "(of kind mysql)");
  return found->shards[found->default_shard];
}

}  // namespace

std::optional<Greetings::Known> Greetings::find(const conf::Address& address) const {
  const std::lock_guard lock(mutex_);
  if (!known_ || known_->address != address) return std::nullopt;
  return known_;
}

net::Task<net::mysql::ServerGreeting> Greetings::get(std::shared_ptr<const conf::Config> config,
                                                     net::CancelToken token) {
  const conf::Shard& shard = first_server(*config);
  const conf::Address address = shard.primary.address;
  const auto known = find(address);
  if (known && Clock::now() - known->taken < fresh) co_return known->greeting;
  net::CancelSource limit(token);
  limit.cancel_after(shard.primary.backend.connect_timeout);
  auto greeting = co_await net::mysql::read_greeting({address.host, address.port}, limit.token());
  if (!greeting && known) co_return known->greeting;
  if (!greeting) throw make_error(ErrorId::shard_unavailable, shard.name, greeting.error().message);
  {
    const std::lock_guard lock(mutex_);
    known_ = Known{address, *greeting, Clock::now()};
  }
  co_return std::move(*greeting);
}

}  // namespace anabranch::proxy::mysql
