#pragma once

#include <span>
#include <string>
#include <vector>

#include "backends/exchange.h"
#include "merge/merger.h"
#include "net/pg/framing.h"
#include "net/pg/lists.h"
#include "proxy/session_state.h"
#include "proxy/shard_request.h"
#include "proxy/statement.h"
#include "proxy/type_identity.h"

/// What is alike wherever several shards carry out one plan.
namespace anabranch::proxy {

/// One shard's part of an execution, as it is asked for, its columns in `formats`. The execution and `sql` must
/// outlive it.
class PartialRequest {
 public:
  enum class Naming {
    as_statement,  ///< prepared under a name of its own, where the client's statement is
    unnamed
  };
  PartialRequest(const SessionState& state, const Execution& execution, net::pg::Formats formats,
                 std::uint32_t shard, const std::string& sql, Naming naming = Naming::as_statement);
  PartialRequest(const PartialRequest&) = delete;
  PartialRequest& operator=(const PartialRequest&) = delete;

  /// Views of this.
  ShardRequest request;
  /// Of the prepared statement; empty: the unnamed one.
  std::string name;

 private:
  net::pg::Oids types_;
  net::pg::Formats formats_;
  std::string parameter_bytes_;
};

/// In which format a shard is asked for each of the recipe's inputs, for a client that wants `outputs`.
net::pg::Formats input_formats(const rewriter::Plan& plan, net::pg::FormatList outputs);
/// The inputs that name OIDs in rows of that shard. `formats`: the inputs'.
RowOids input_oids(const DatabaseState& db, std::uint32_t shard, const rewriter::Plan& plan,
                   net::pg::FormatList formats);
/// Throws 40001 where a shard's RowDescription has other columns than these, by the default shard's OIDs.
void check_columns(const DatabaseState& db, std::span<const values::Oid> types, const backends::Lease& lease,
                   const net::pg::Message& description);
/// The same of the recipe's inputs.
void check_partial_columns(const DatabaseState& db, const rewriter::Plan& plan, const backends::Lease& lease,
                           const net::pg::Message& description);
/// What the merge is bound to. Takes the bound plan's slots.
merge::Binding merge_binding(const SessionState& state, const rewriter::Plan& plan, rewriter::BoundPlan& bound,
                             net::pg::FormatList outputs);
/// One execution has failed: what has not ended is cancelled and read to its end, and the prepared
/// statements of the exchange's sources (`names`; `unparsed`: a Parse was sent and not answered) are
/// settled, by `again` as settle_statement() says.
net::Task<void> stop_partials(backends::Exchange& exchange, const std::vector<std::string>& names,
                              const std::vector<bool>& unparsed, bool again);
/// A shard's ErrorResponse as the client is told of it: with the shard's name, without a position.
backends::ServerError partial_error(const backends::Lease& lease, const net::pg::Message& message);

}  // namespace anabranch::proxy
