#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/pg/messages.h"
#include "proxy/prepared.h"
#include "proxy/scroll.h"
#include "proxy/statement.h"

namespace anabranch::proxy {

/// DECLAREd by the client.
struct Cursor {
  /// The server's own cursor on this shard: FETCH and the rest go there as they are. Absent: the proxy's,
  /// over several shards (Portal::state.merged).
  std::optional<std::uint32_t> shard;
  bool no_scroll = false;
  bool binary = false;
  bool hold = false;
  /// It has outlived its transaction; of several shards, with all the rows that were left.
  bool held = false;
  bool scrolls = false;          ///< SCROLL, over several shards
  std::optional<Scroll> scroll;  ///< of such a one from its first FETCH on: all its rows are at hand
};

/// A portal: a statement with values, made by Bind and run by Execute; or a cursor. They share their names.
struct Portal {
  std::shared_ptr<Statement> statement;
  std::string payload;  ///< of Bind: what `bind` views
  net::pg::Bind bind;
  std::vector<rewriter::BoundValue> values;  ///< the parameters, typed: views into `payload`
  PortalState state;
  std::unique_ptr<PreparedCall> call;  ///< of EXECUTE, from its first Execute on
  std::optional<Cursor> cursor;
  bool executed = false;  ///< to its end
  bool failed = false;    ///< an Execute has failed: it cannot be run again
  /// How many savepoints there were: ROLLBACK TO one of before ends it.
  std::size_t level = 0;
};

/// An execution of a portal that Bind has made, whose statement's plan is current and described. Views of
/// the portal.
void fill_execution(Portal& portal, Execution& execution);

}  // namespace anabranch::proxy
