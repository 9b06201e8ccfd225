#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backends/context.h"
#include "backends/pool.h"
#include "backends/transaction.h"
#include "merge/memory_budget.h"
#include "net/socket.h"
#include "proxy/client_login.h"
#include "proxy/greetings.h"
#include "proxy/plan_cache.h"
#include "proxy/session_core.h"
#include "proxy/statement.h"
#include "proxy/worker.h"

namespace anabranch::proxy {

struct Portal;

/// What a server takes of a client: no message's length may be more (PQ_LARGE_MESSAGE_LIMIT).
inline constexpr std::size_t max_client_message_bytes = 0x3fffffff;

/// What a PostgreSQL client's statements share. The executors (run_*.cpp) work on this; the session's message
/// loop owns it. One loop.
struct SessionState : SessionCore {
  SessionState(Worker& on, net::Socket socket, Login who);

  net::Socket client;

  /// A sequence may have advanced on another shard than the default one: lastval() is not what that says.
  bool advanced_elsewhere = false;

  std::uint64_t temporary_serial = 0;  ///< of planning.temporary, never used twice; 0: none
  std::string reading_key;  ///< follows the settings, as `planning` does

  /// GUC_REPORT parameters as the client was told them at its login, and those changed since.
  std::shared_ptr<const ReportedParameters> greeting;
  ReportedParameters reported_since;
  /// Settings that SET LOCAL has covered, and what they go back to at COMMIT (nothing: none).
  using Locals = std::map<std::string, std::optional<std::string>, std::less<>>;
  Locals locals;
  /// The savepoints of the transaction, and `locals` as they were then.
  std::vector<std::pair<std::string, Locals>> locals_at;
  /// Prepared statements, the protocol's and those of PREPARE; "": the unnamed one.
  /// Nodes of the maps are used again: a driver's next unnamed statement or portal allocates nothing.
  using Statements = std::map<std::string, std::shared_ptr<Statement>, std::less<>>;
  Statements statements;
  /// Rows of cursors that outlive their transactions, or scroll: of all of them together. Outlives them.
  merge::MemoryBudget held_rows;
  /// Shared with the execution under way, which may end them all (COMMIT).
  using Portals = std::map<std::string, std::shared_ptr<Portal>, std::less<>>;
  Portals portals;
  std::uint64_t next_portal = 0;  ///< for the names of portals on shards

  /// Settings with a dot in their names that set_config() was called for: no view of the server lists
  /// these.
  std::set<std::string, std::less<>> named_settings;

  /// Of the client's CopyData that is being read in pieces: what has not been read yet.
  std::size_t copy_left = 0;

  net::Buffer& out() { return client.out(); }

  /// Call when a setting that planning depends on may have changed.
  void refresh_planning();
  /// What the client knows of a GUC_REPORT parameter; null: nothing.
  const std::string* reported(std::string_view name) const;
  /// Before ReadyForQuery: the client is told what its settings are now, if they have changed since it
  /// was told last (a rollback takes settings back, and no server says so to this client).
  void report_settings();
  /// Forwards a ParameterStatus if it is news to the client.
  void report_parameter(std::string_view name, std::string_view value);
  /// The transaction is over: held cursors stay.
  void end_portals();
  /// ROLLBACK TO: what was opened since the savepoint before which there were `level` ends.
  void end_portals_above(std::size_t level);
  /// RELEASE: what was opened since belongs to the block around it.
  void lower_portals_to(std::size_t level);
  /// DEALLOCATE ALL: all but the unnamed one.
  void deallocate_all();

 private:
  std::shared_ptr<const backends::Settings> startup_;
  std::shared_ptr<const backends::Settings> reported_settings_;
};

}  // namespace anabranch::proxy
