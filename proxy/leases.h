#pragma once

#include <cstdint>

#include "proxy/session_state.h"

namespace anabranch::proxy {

/// A connection of the shard's pool with the session's settings on it, outside the transaction.
net::Task<backends::Lease> borrow_lease(SessionCore& state, std::uint32_t shard);

/// A lease to ask one shard something on: the session's own where it has one there (it may see what
/// others do not), else a borrowed one.
class ShardLease {
 public:
  static net::Task<ShardLease> take(SessionState& state, std::uint32_t shard);
  /// To compute values on: of the default shard; inside an explicit transaction one that has begun it,
  /// since now() is the transaction's.
  static net::Task<ShardLease> take_to_evaluate(SessionState& state);

  backends::Lease& operator*() { return member_ != nullptr ? member_->lease : borrowed_; }

 private:
  backends::Transaction::Enlisted* member_ = nullptr;
  backends::Lease borrowed_;
};

/// Call where a statement of the plan goes out on the lease: currval() there is this session's from now
/// on. Throws 0A000 where the plan asks for it, and the last nextval() may have run on another shard.
void note_sequences(SessionState& state, const rewriter::Plan& plan, backends::Lease& lease);

}  // namespace anabranch::proxy
