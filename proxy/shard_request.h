#pragma once

#include <span>
#include <string>
#include <string_view>

#include "backends/pool.h"
#include "net/pg/lists.h"
#include "net/pg/messages.h"
#include "net/task.h"
#include "proxy/snapshot.h"
#include "rewriter/plan.h"
#include "values/type.h"

namespace anabranch::proxy {

/// One extended-protocol request to one shard.
struct ShardRequest {
  std::string_view global_name;  ///< empty: the unnamed statement, parsed each time
  std::string_view sql;
  /// Set where literals must be read as under these settings, which are not the session's any more.
  /// Needs a global name.
  const backends::Settings* read_under = nullptr;
  net::pg::OidList parameter_types;
  std::string_view portal;
  net::pg::FormatList parameter_formats;
  net::pg::FieldList parameters;
  net::pg::FormatList result_formats;
  std::int32_t row_limit = 0;
  bool describe = false;  ///< ask for the rows' description too
  bool open_only = false;  ///< bind the portal and leave it at its begin
};

/// Appends Parse (where the connection does not have the statement yet), Bind, Execute and Sync.
/// True: Parse was sent.
bool send_request(backends::Lease& lease, const ShardRequest& request);
/// Appends Execute and Sync for a portal that is open.
void send_execute(backends::Lease& lease, std::string_view portal, std::int32_t row_limit);
/// Appends Close of a portal and Sync, whose answers nobody waits for.
void send_close_portal(backends::Lease& lease, std::string_view portal);
/// The connection's prepared statement is not what it was: gone (somebody ran DEALLOCATE ALL), or its
/// columns have changed (DDL that this proxy has not seen). Prepared anew, it may run.
bool must_prepare_again(const net::pg::ErrorFields& error, std::string_view global_name);

/// After an error, when ReadyForQuery has come: notes whether the statement is there. `unparsed`: its
/// Parse was sent and never answered. `again`: must_prepare_again() of it, on this or another shard; all
/// of the connection's are closed, so that their next use prepares them anew.
net::Task<void> settle_statement(backends::Lease& lease, std::string global_name, bool unparsed, bool again);

/// A name that is the same wherever text, parameter types, planning context, the way to read literals
/// and the catalog's version are: after DDL nothing is run that was prepared before.
std::string global_name_of(std::string_view sql, std::span<const values::Oid> types,
                           std::string_view planning_key, std::string_view reading_key, std::uint64_t version);

}  // namespace anabranch::proxy
