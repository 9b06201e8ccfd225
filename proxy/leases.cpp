#include "proxy/leases.h"

#include "backends/exchange.h"
#include "values/errors.h"

namespace anabranch::proxy {

net::Task<backends::Lease> borrow_lease(SessionCore& state, std::uint32_t shard) {
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

void note_sequences(SessionState& state, const rewriter::Plan& plan, backends::Lease& lease) {
  if (plan.asks_sequences && state.advanced_elsewhere) {
    throw values::make_error(values::ErrorId::unsupported_statement,
                             "currval() or lastval() after a write to a table of another shard than the default one",
                             "Use INSERT … RETURNING.");
  }
  if (!plan.advances_sequences) return;
  if (lease.shard() != state.default_shard()) {
    state.advanced_elsewhere = true;
    return;
  }
  lease->sequences_of = state.holder.id();
  state.holder.left_sequences();
}

}  // namespace anabranch::proxy
