#include "proxy/leases.h"

#include "backends/exchange.h"

namespace anabranch::proxy {

net::Task<backends::Lease> borrow_lease(SessionState& state, std::uint32_t shard) {
  backends::Lease lease = co_await backends::acquire(state.target(shard), state.holder, state.token());
  co_await backends::apply_context(lease, state.settings);
  co_return lease;
}

net::Task<ShardLease> ShardLease::take(SessionState& state, std::uint32_t shard) {
  ShardLease taken;
  taken.member_ = state.transaction.find(shard);
  if (taken.member_ == nullptr) {
    taken.borrowed_ = co_await borrow_lease(state, shard);
  } else if (!taken.member_->began) {
    co_await backends::apply_context(taken.member_->lease, state.settings);
  }
  co_return taken;
}

net::Task<ShardLease> ShardLease::take_to_evaluate(SessionState& state) {
  const std::uint32_t shard = state.default_shard();
  if (!state.explicit_transaction()) co_return co_await take(state, shard);
  ShardLease taken;
  taken.member_ = state.transaction.first_begun();
  if (taken.member_ == nullptr) {
    taken.member_ = co_await state.transaction.enlist(shard, state.target(shard), state.token());
  }
  co_return taken;
}

}  // namespace anabranch::proxy
