#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/context.h"
#include "merge/batch.h"
#include "net/pg/messages.h"
#include "net/task.h"
#include "proxy/plan_cache.h"
#include "rewriter/planner.h"

namespace anabranch::proxy {

/// A statement's text with what is known of it. Reused where it can be: it keeps its buffers.
struct Statement {
  std::string text;
  rewriter::Shape shape;                     ///< of `text`
  std::vector<values::Oid> parameter_types;  ///< as Parse declared them
  CachedPlanPtr plan;
  std::uint64_t planned_under = 0;  ///< DatabaseState::version
  std::string planned_key;          ///< SessionState::planning_key
  /// The plan whose description the client was told: its columns must not change, as in PostgreSQL. Null
  /// in the simple protocol.
  CachedPlanPtr told;

  // Of prepared statements only.
  bool named = false;
  /// Under which a connection keeps it prepared; empty: the unnamed statement is used.
  std::string global_name;
  /// The session's settings at its Parse, and their reading_key(): a server reads the literals of a
  /// statement then ('01/02/2020'::date), not when it runs.
  std::shared_ptr<const backends::Settings> read_under;
  std::string reading_key;
};

class BufferedRows;
class MergedPortal;

/// What an open portal keeps between one Execute and the next (row limits).
struct PortalState {
  std::string server_name;  ///< of the portal on the shards; empty: the unnamed one
  bool open = false;        ///< bound there, and more rows may come
  std::uint32_t shard = 0;  ///< relay
  std::shared_ptr<MergedPortal> merged;    ///< of a query over several shards
  std::shared_ptr<BufferedRows> buffered;  ///< rows of other plans that have not been fetched yet

  /// An Execute with a row limit has been here, and rows of several shards may be left.
  bool fetched_in_parts() const { return merged != nullptr || buffered != nullptr; }
};

/// Takes rows of an answer that is not the client's.
using RowTaker = std::function<net::Task<void>(const merge::Batch& rows)>;

/// One execution: a statement with its values, and how its answer is wanted.
struct Execution {
  Statement* statement = nullptr;
  /// The plan now carried out: the statement's, or the one for several shards.
  CachedPlanPtr plan;
  std::chrono::steady_clock::time_point begun;  ///< set by execute()

  bool simple = true;      ///< simple protocol: RowDescription goes ahead of the rows
  /// By Bind or EXECUTE: shards are asked in the extended protocol, with the parameters below.
  bool bound = false;
  bool standalone = true;  ///< no other statement in its transaction
  std::int32_t row_limit = 0;
  bool open_only = false;  ///< of a relay: the portal is bound on the shard, and left at its begin
  PortalState* portal = nullptr;  ///< null unless bound
  const RowTaker* taker = nullptr;  ///< where the rows go, and nothing to the client; null: all is the client's
  std::uint32_t taken_from = 0;  ///< the shard of the rows that `taker` is given, where they are passed on as they come
  /// Of the plan's shards only these, which were found to have work; nothing: all.
  std::optional<router::ShardSet> only;

  /// Views into what the portal, or the PreparedCall, keeps.
  net::pg::FormatList parameter_formats;
  net::pg::FieldList parameters;
  net::pg::FormatList result_formats;
  std::span<const rewriter::BoundValue> values;  ///< the parameters, typed; the portal keeps them

  /// Answers of Plan::evaluations, and views of them.
  std::vector<std::optional<std::string>> evaluated;
  std::vector<rewriter::BoundValue> evaluations;
};

/// The parameters as Bind, or EXECUTE, gave them, each with its type (`types` may be fewer). Views of
/// `fields`; `into` keeps its room.
void type_values(const net::pg::FieldList& fields, const net::pg::FormatList& formats,
                 std::span<const values::Oid> types, std::vector<rewriter::BoundValue>& into);

/// How an execution ended.
struct Outcome {
  bool suspended = false;  ///< the row limit was reached: PortalSuspended has been sent
};

}  // namespace anabranch::proxy
