#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "merge/batch.h"
#include "merge/memory_budget.h"
#include "proxy/execute.h"
#include "proxy/merge_work.h"
#include "proxy/type_identity.h"

namespace anabranch::proxy {

/// A query over several shards whose rows are fetched in parts: a portal on each shard, and the merge
/// between them. Between two fetches nothing is under way on the leases, so that the transaction's other
/// statements may use them; the shards' portals end with the transaction. Memory: what the merge holds,
/// and a batch of rows a shard.
class MergedPortal {
 public:
  /// How the shards' portals are asked for more.
  enum class Refill {
    execute,  ///< Execute, in the formats of the Bind
    fetch     ///< FETCH, in the formats of the first fetch
  };

  /// Binds the portals, inside the session's transaction: what they will show is as of now. Throws what a
  /// shard says.
  static net::Task<std::shared_ptr<MergedPortal>> open(SessionState& state, const Execution& execution,
                                                       std::string name, Refill refill);
  /// Of a query whose rows are gathered: its answer as of now is kept, in `formats`. Memory: as hold().
  static net::Task<std::shared_ptr<MergedPortal>> gather(SessionState& state, Execution& execution,
                                                         net::pg::FormatList formats);
  MergedPortal(const MergedPortal&) = delete;
  MergedPortal& operator=(const MergedPortal&) = delete;

  /// In which format the first fetch wants columns; later ones must want the same (0A000).
  void set_formats(const SessionState& state, net::pg::FormatList outputs);
  /// Throws 0A000 where settings have changed since the first fetch that say how values are written.
  void check_writing(const SessionState& state) const;
  /// Sends up to `limit` rows, or only passes over them; answers their number: fewer at the end. A portal
  /// that failed once fails ever after (55000).
  net::Task<std::uint64_t> fetch(SessionState& state, std::uint64_t limit, bool send);
  /// Reads what is left, and keeps it: nothing is asked of the shards any more. Memory: all of it; all that
  /// a session holds so is within limits.query_memory (53200).
  net::Task<void> hold(SessionState& state);
  /// Closes the shards' portals, where they are still there.
  void close(SessionState& state) noexcept;

  const rewriter::Plan& plan() const { return *plan_->plan; }
  std::uint64_t position() const { return position_; }  ///< rows fetched so far
  bool at_end() const { return at_end_; }
  bool failed() const { return failed_; }
  bool has_formats() const { return formats_.has_value(); }
  /// After hold(): those that had not been fetched.
  const merge::Batch& held() const { return out_; }

 private:
  class Filling;
  struct Source {
    std::uint32_t shard = 0;
    bool ended = false;
    RowOids oids;
  };

  MergedPortal(SessionState& state, const Execution& execution, std::string name, Refill refill);
  MergedPortal(SessionState& state, const Execution& execution, net::pg::FormatList outputs);
  net::Task<void> bind(SessionState& state, const Execution& execution);
  net::Task<bool> next_rows(SessionState& state);
  net::Task<void> refill(SessionState& state, std::vector<std::size_t> sources);
  void ask(backends::Lease& lease) const;
  void adapt(std::uint64_t rows, std::uint64_t bytes);

  CachedPlanPtr plan_;
  rewriter::BoundPlan bound_;
  std::optional<merge::Charge> held_bytes_;  ///< of the session's budget
  std::string name_;
  Refill refill_;
  std::vector<Source> sources_;
  std::optional<std::vector<std::int16_t>> formats_;  ///< of the outputs
  net::pg::Formats input_formats_;
  std::string written_under_;  ///< the settings that decide how values are written, at the first fetch
  std::optional<MergeWork> merger_;
  merge::Batch out_;
  std::size_t next_ = 0;  ///< of out_
  std::uint64_t position_ = 0;
  std::int32_t batch_rows_;
  bool at_end_ = false;
  bool held_ = false;
  bool failed_ = false;
};

/// A query over several shards that writes nothing.
bool can_be_merged_portal(const rewriter::Plan& plan);
/// Execute with a row limit begins such a portal: others run to their end and keep the rows.
bool begins_merged_portal(const Execution& execution);
/// Execute of a portal whose rows several shards give, in parts.
net::Task<Outcome> run_merged_portal(SessionState& state, Execution& execution);

}  // namespace anabranch::proxy
