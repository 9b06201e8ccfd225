#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "merge/recipe.h"
#include "net/pg/lists.h"
#include "net/pg/framing.h"
#include "proxy/session_state.h"
#include "proxy/shard_request.h"
#include "proxy/statement.h"

/// What is alike wherever several shards carry out one plan.
namespace anabranch::proxy {

/// The requests of one execution. `execution` must outlive it.
class PartialRequests {
 public:
  PartialRequests(const SessionState& state, const Execution& execution);

  /// The request for one shard's subquery: views of `sql`, of `name` (which is set) and of this.
  ShardRequest make(const std::string& sql, std::string& name) const;
 private:
  const std::vector<values::Oid>& parameter_types() const;

  const SessionState& state_;
  const Execution& execution_;
  net::pg::Oids types_;
  net::pg::Formats formats_;
};

/// In which format a shard is asked for each of the recipe's inputs, for a client that wants `outputs`.
net::pg::Formats input_formats(const rewriter::Plan& plan, net::pg::FormatList outputs);
/// Refuses what check_binary_columns() does, of every shard asked.
void check_binary_results(const SessionState& state, const rewriter::Plan& plan, const rewriter::BoundPlan& bound,
                          net::pg::FormatList outputs);
/// Throws 40001 where a shard's RowDescription is not that of the recipe's inputs.
void check_partial_columns(const rewriter::Plan& plan, const net::pg::Message& description,
                           std::string_view shard_name);
/// What the merge is bound to. Takes the bound plan's slots.
merge::Binding merge_binding(const SessionState& state, const rewriter::Plan& plan, rewriter::BoundPlan& bound,
                             net::pg::FormatList outputs);
/// A shard's ErrorResponse as the client is told of it: with the shard's name, without a position.
backends::ServerError partial_error(const backends::Lease& lease, const net::pg::Message& message);

}  // namespace anabranch::proxy
