#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backends/mysql_rows.h"
#include "backends/streams.h"
#include "merge/memory_budget.h"
#include "proxy/mysql/ask_all.h"
#include "proxy/mysql/row_output.h"

namespace anabranch::proxy::mysql {

/// RETURNING of a write over several shards: its rows are kept, within limits.query_memory, until the write is for good.
class ReturnedRows {
 public:
  ReturnedRows(State& state, bool binary) : state_(state), budget_(state.db->config->limits.query_memory), binary_(binary) {}

  /// Asks each member its text. Throws the first failure, once all have answered; and where a member has returned
  /// another number of rows than `order` has for it (empty: any).
  net::Task<void> collect(Members members, std::span<const rewriter::ShardQuery> queries, std::span<const std::size_t> order);
  /// Shards that have left warnings.
  const std::vector<std::uint32_t>& warned() const { return warned_; }
  /// To the client: one shard's rows after another's, or, where `order` says of which each is, in that order. Of copies:
  /// the first one's.
  net::Task<void> send(std::span<const std::size_t> order, bool copies);

 private:
  using Stream = backends::MysqlRowStream;
  net::Task<void> read();
  void check_counts(std::span<const std::size_t> order) const;
  void describe(std::span<const std::string> definitions);
  net::Task<void> send_in(std::span<const std::size_t> order);

  struct Source {
    std::vector<merge::Batch> batches;
    std::size_t batch = 0;  ///< of the next row to be sent
    std::size_t row = 0;
  };

  State& state_;
  merge::MemoryBudget budget_;
  const bool binary_;
  backends::Streams<Stream> streams_;
  std::vector<Source> sources_;
  std::vector<std::uint32_t> warned_;
  std::uint64_t warnings_ = 0;
  rewriter::Plan answer_;  ///< its columns
  std::unique_ptr<RowOutput> output_;
};

}  // namespace anabranch::proxy::mysql
