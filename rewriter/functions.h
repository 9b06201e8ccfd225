#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "rewriter/tree.h"
#include "router/catalog.h"

/// What a function call may depend on, as far as several shards are concerned.
namespace anabranch::rewriter {

enum class FunctionKind {
  pure,  ///< the same everywhere: immutable, or stable and dependent on settings only
  aggregate,
  window,
  moment,        ///< MySQL: of the statement's moment, which a session can be told (SET timestamp)
  ambient,       ///< the same in one statement of one server only: now(), current_user
  random,        ///< a fresh value for each row is what is meant
  shared,        ///< reads or changes something that a server has once: nextval, pg_relation_size
  settings,      ///< set_config: changes settings
  session_value, ///< of the session that nextval() ran in: currval, lastval
  session_call,  ///< advisory locks of the session, pg_notify(): the default shard's
  last_insert,   ///< LAST_INSERT_ID(): the session knows it
  previous,      ///< FOUND_ROWS(): of the statement before
  opaque,        ///< a user's: may read tables
  unknown        ///< not in the catalog
};

struct FunctionInfo {
  FunctionKind kind = FunctionKind::unknown;
  const router::Function* function = nullptr;  ///< one of the candidates
  bool returns_set = false;
};

struct Language;

struct FunctionContext {
  const Language* language = nullptr;
  const router::Catalog* catalog = nullptr;
  const conf::Database* database = nullptr;  ///< may be null
  const std::vector<std::string>* search_path = nullptr;
  bool fixed_clock = false;  ///< MySQL: the session has set the time that all its servers tell
};

/// By name and number of arguments; the worst of the candidates counts.
FunctionInfo classify(const tree::FunctionCall& call, const FunctionContext& context);
FunctionInfo classify_postgresql(const tree::FunctionCall& call, const FunctionContext& context);
/// now(), current_date, current_user … written without parentheses.
bool is_ambient(const tree::SqlValueFunction& function);
/// The type of an SQL value function, as SQL text.
std::string_view type_of(const tree::SqlValueFunction& function);
/// now() and current_date are those of the transaction; statement_timestamp() is not.
bool per_transaction(std::string_view function);
/// A cast to one of the types whose values are OIDs: they differ from shard to shard.
bool is_oid_alias(const tree::TypeName& type);

}  // namespace anabranch::rewriter
