#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "merge/batch.h"
#include "net/mysql/rows.h"
#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// The workspace's side of a gathered query: temporary tables of a connection that nobody else has meanwhile. Throws
/// ServerError, 53200 past limits.spill, and 0A000 where the server makes no such table, or does not take a value as it
/// was. One coroutine at a time; the lease and the plan must outlive it.
class Workspace {
 public:
  Workspace(State& state, backends::Lease& lease, const rewriter::Gather& gather);

  net::Task<void> create();
  /// Rows as shards send them. Waits while the server takes them.
  net::Task<void> take(const merge::Batch& rows);
  /// The last ones, too, are there.
  net::Task<void> finish();
  net::Task<void> drop();

 private:
  /// A statement that takes rows of one piece, so far.
  struct Insert {
    std::string sql;
    bool any = false;
    int warnings = 0;  ///< that its values are worth
  };

  net::Task<void> make(const std::string& definition);
  void add(Insert& insert, const rewriter::Gather::Piece& piece);
  net::Task<void> send(std::size_t piece);
  net::Task<backends::CommandResult> command(std::string sql);

  State& state_;
  backends::Lease& lease_;
  const rewriter::Gather& gather_;
  const std::uint64_t budget_;
  std::uint64_t bytes_ = 0;
  std::vector<net::mysql::Field> fields_;
  std::vector<Insert> inserts_;  ///< by piece
};

}  // namespace anabranch::proxy::mysql
