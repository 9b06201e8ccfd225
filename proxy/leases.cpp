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
  if (taken.member_ == nullptr) taken.borrowed_ = co_await borrow_lease(state, shard);
  co_return taken;
}

net::Task<void> EvaluatingLease::take(SessionState& state) {
  const std::uint32_t shard = state.default_shard();
  if (!state.explicit_transaction()) {
    borrowed_ = co_await borrow_lease(state, shard);
    co_return;
  }
  auto& members = state.transaction.enlisted();
  member_ = members.empty() ? co_await state.transaction.enlist(shard, state.target(shard), state.token())
                            : members.front().get();
}

}  // namespace anabranch::proxy
