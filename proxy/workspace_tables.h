#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "backends/exchange.h"
#include "merge/batch.h"
#include "proxy/shard_request.h"
#include "rewriter/gather_turns.h"

namespace anabranch::proxy {

/// With fewer rows of a temporary table the server's guess does no harm.
constexpr std::uint64_t indexed_rows = 2000;

/// The workspace's side of a gathered query: a transaction on a lease of its own, with temporary tables that are gone
/// when it ends. Throws what the server says (ServerError), and 53200 past the budget. One coroutine at a time; the
/// lease must outlive it.
class WorkspaceTables {
 public:
  WorkspaceTables(backends::Lease& lease, const rewriter::Gather& gather, std::uint64_t budget_bytes);

  /// Begins the transaction and makes the tables. `one_moment`: the lease is asked for several turns' rows.
  net::Task<void> create(bool one_moment, net::CancelToken token);
  /// From here on rows are taken, until end_rows().
  net::Task<void> begin_rows(net::CancelToken token);
  /// Rows as shards send them, all in binary form. Waits while the server reads slowly.
  net::Task<void> take(const merge::Batch& rows, net::CancelToken token);
  net::Task<void> end_rows(net::CancelToken token);
  /// The rows that the workspace's own server has: `request` inserts them.
  net::Task<void> insert(const ShardRequest& request, net::CancelToken token);
  /// The values of the columns that those restrictions look at; less those that are too many.
  net::Task<std::vector<rewriter::KeySet>> keys(std::vector<std::size_t> restrictions, net::CancelToken token);
  /// Forgets all rows.
  net::Task<void> clear(net::CancelToken token);
  /// All have come: the server looks at what there is, and finds it, where that is much.
  net::Task<void> index(net::CancelToken token);
  /// Ends the transaction: nothing is left. After a failure call drop().
  net::Task<void> close(net::CancelToken token);
  /// The same after a failure, whatever is under way; does not throw.
  net::Task<void> drop() noexcept;

 private:
  net::Task<backends::CommandResult> command(std::string sql, net::CancelToken token);
  net::Task<void> read_count(backends::ReplyStream& replies, net::CancelToken token);
  void count_bytes(std::uint64_t bytes);
  void check_failed();

  backends::Lease& lease_;
  const rewriter::Gather& gather_;
  std::uint64_t budget_;
  std::uint64_t bytes_ = 0;
  std::uint64_t rows_ = 0;
  std::optional<backends::ReplyStream> replies_;  ///< while rows are taken
};

}  // namespace anabranch::proxy
