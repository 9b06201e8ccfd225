#include "proxy/planning.h"

#include <fmt/format.h>

#include <algorithm>

#include "backends/exchange.h"
#include "proxy/cursor.h"
#include "proxy/leases.h"
#include "proxy/own_definitions.h"
#include "proxy/prepared.h"
#include "proxy/shard_request.h"
#include "proxy/type_identity.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using rewriter::Description;
using rewriter::PlanKind;

/// Statements longer than this are planned on a worker thread: a long VALUES list takes a second.
constexpr std::size_t long_statement_bytes = 64 * 1024;

CacheContext cache_context(const SessionCore& state, const Statement& statement, bool several) {
  return {state.db->version, state.planning_key, statement.parameter_types, several};
}

Description to_description(backends::Described described) {
  Description description;
  description.parameters = std::move(described.parameters);
  if (!described.columns) return description;
  description.columns.emplace();
  for (auto& column : *described.columns) {
    description.columns->push_back({std::move(column.name), column.table, column.attribute,
                                    column.type, column.type_size, column.typmod});
  }
  return description;
}

net::Task<Description> describe_on(SessionState& state, std::uint32_t shard, std::string sql,
                                   std::vector<values::Oid> types, bool own_text) {
  ShardLease taken = co_await ShardLease::take(state, shard);
  backends::Lease& lease = *taken;
  const Running running(state, lease);
  for (values::Oid& type : types) type = type_on(*state.db, shard, type);
  auto described = co_await backends::describe(lease, std::move(sql), std::move(types));
  if (described) {
    Description description = to_description(std::move(*described));
    translate_description(*state.db, shard, description);
    co_return description;
  }
  net::pg::ErrorFields fields = std::move(described.error());
  if (!own_text) fields.remove('P');
  throw backends::ServerError(std::move(fields), shard, lease.shard_name());
}

/// Tables that live whole on one shard are known only there.
std::uint32_t describing_shard(const SessionState& state, const rewriter::Plan& plan) {
  const bool fixed = plan.routing.mode == rewriter::Routing::Mode::one_shard;
  return fixed ? static_cast<std::uint32_t>(plan.routing.shard) : state.default_shard();
}

rewriter::PlanResult run_planner(const SessionCore& state, const Statement& statement, bool several,
                                 const std::vector<Description>& descriptions) {
  rewriter::PlanRequest request;
  request.text = statement.text;
  request.shape = &statement.shape;
  std::string first_text;
  rewriter::Shape first_shape;
  if (const rewriter::RowList* rows = statement.shape.rows()) {
    first_shape = statement.shape.of_first_row(first_text);
    request.text = first_text;
    request.shape = &first_shape;
    request.rows = rows;
  }
  request.parameter_types = statement.parameter_types;
  request.catalog = state.db->catalog.get();
  request.map = state.db->map.get();
  request.context = &state.planning;
  request.descriptions = descriptions;
  request.several = several;
  request.database = state.db->conf;
  return rewriter::plan(request);
}

struct PlannerCall {
  const SessionCore* state;
  const Statement* statement;
  bool several;
  const std::vector<Description>* descriptions;
  rewriter::PlanResult operator()() const {
    return run_planner(*state, *statement, several, *descriptions);
  }
};

net::Task<rewriter::PlanResult> call_planner(const SessionCore& state, const Statement& statement,
                                             bool several,
                                             const std::vector<Description>& descriptions) {
  if (statement.text.size() <= long_statement_bytes || statement.shape.rows() != nullptr) {
    co_return run_planner(state, statement, several, descriptions);
  }
  co_return co_await net::run_on_worker(PlannerCall{&state, &statement, several, &descriptions});
}

void require_catalog(const SessionCore& state) {
  if (state.db->catalog != nullptr || state.db->passthrough()) return;
  const std::string& shard = state.db->map->shards()[state.default_shard()].name;
  throw values::make_error(values::ErrorId::shard_unavailable, shard,
                           "the catalog has not been read from it yet");
}

/// The statement is planned within a transaction whose changes of definitions have not been read.
bool sees_too_little(const SessionState& state) {
  const auto transaction = state.transaction.state();
  return state.catalog_stale && (transaction == backends::TransactionState::explicit_ ||
                                 transaction == backends::TransactionState::implicit);
}

CachedPlanPtr cached(std::shared_ptr<const rewriter::Plan> plan) {
  auto made = std::make_shared<CachedPlan>();
  made->plan = std::move(plan);
  if (made->plan->described) {
    made->describe({made->plan->parameters, made->plan->result});
  }
  return made;
}

}  // namespace

void set_text(const SessionState& state, Statement& statement, std::string_view text) {
  statement.text.assign(text);
  statement.plan = nullptr;
  statement.told = nullptr;
  rewriter::shape(statement.text, state.planning.standard_conforming_strings, {}, statement.shape,
                  rewriter::Rows::folded);
}

bool plan_is_current(const SessionCore& state, const Statement& statement) {
  return statement.plan != nullptr && statement.planned_under == state.db->version &&
         statement.planned_key == state.planning_key && !state.catalog_stale;
}

CachedPlanPtr cached_plan(SessionCore& state, Statement& statement, bool several) {
  if (state.catalog_stale) return nullptr;
  CachedPlanPtr found =
      state.worker.plans().find(statement.shape, cache_context(state, statement, several));
  if (found && found->plan->as_written) {
    rewriter::shape_as_written(statement.text, state.planning, statement.shape);
    found = state.worker.plans().find(statement.shape, cache_context(state, statement, several));
  }
  if (found && !statement.text.starts_with(found->plan->head)) found = nullptr;
  auto& count = found ? state.worker.metrics().cache_hits : state.worker.metrics().cache_misses;
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return found;
}

net::Task<CachedPlanPtr> make_plan(SessionState& state, Statement& statement, bool several) {
  require_catalog(state);
  if (sees_too_little(state)) {
    // BEGIN, SET and the like are the same under any catalog.
    rewriter::PlanResult first = run_planner(state, statement, several, {});
    auto* plan = std::get_if<std::shared_ptr<const rewriter::Plan>>(&first);
    if (plan != nullptr && (*plan)->kind == PlanKind::session) co_return cached(std::move(*plan));
    co_await see_own_definitions(state);
  }
  const auto describe = [&](rewriter::NeedDescribe::Ask ask) {
    const bool own_text = ask.sql == statement.text;
    return describe_on(state, state.default_shard(), std::move(ask.sql), std::move(ask.parameters), own_text);
  };
  co_return co_await make_plan_by(state, statement, several, describe);
}

namespace {

net::Task<CachedPlanPtr> plan_by(SessionCore& state, const Statement& statement, bool several, const Describer& describe) {
  std::vector<Description> descriptions;
  std::vector<rewriter::NeedDescribe::Ask> answered;
  std::size_t asked = 0;
  while (true) {
    rewriter::PlanResult result = co_await call_planner(state, statement, several, descriptions);
    if (auto* plan = std::get_if<std::shared_ptr<const rewriter::Plan>>(&result)) {
      co_return cached(std::move(*plan));
    }
    // Each call gets the answers to the last call's asks, of which most have been asked before; a planner that never
    // has enough is a bug.
    constexpr std::size_t most_rounds = 64;
    if (++asked > most_rounds) throw values::make_error(values::ErrorId::internal, "planning does not end");
    auto& asks = std::get<rewriter::NeedDescribe>(result).asks;
    const auto [news, olds] = std::ranges::mismatch(
        asks, answered, [](const auto& a, const auto& b) { return a.sql == b.sql && a.parameters == b.parameters; });
    descriptions.resize(static_cast<std::size_t>(news - asks.begin()));
    for (auto ask = news; ask != asks.end(); ++ask) descriptions.push_back(co_await describe(*ask));
    answered = std::move(asks);
  }
}

void keep_plan(SessionCore& state, const Statement& statement, bool several, const CachedPlanPtr& plan) {
  if (!state.catalog_stale) state.worker.plans().put(statement.shape, cache_context(state, statement, several), plan);
}

/// One plan for all of a shape's rows. Null: the statement must be planned as it is written, so that it also fails as
/// it is written.
net::Task<CachedPlanPtr> plan_rows(SessionCore& state, const Statement& statement, bool several, const Describer& describe) {
  try {
    CachedPlanPtr made = co_await plan_by(state, statement, several, describe);
    if (rewriter::serves_rows(*made->plan, *statement.shape.rows())) co_return made;
  } catch (const backends::ServerError&) {
    // What a server says of the first row alone may be wrong of the statement.
  }
  co_return nullptr;
}

}  // namespace

net::Task<CachedPlanPtr> make_plan_by(SessionCore& state, Statement& statement, bool several, Describer describe) {
  require_catalog(state);
  if (statement.shape.rows() != nullptr) {
    if (CachedPlanPtr made = co_await plan_rows(state, statement, several, describe)) {
      keep_plan(state, statement, several, made);
      co_return made;
    }
    auto as_written = std::make_shared<rewriter::Plan>();
    as_written->as_written = true;
    keep_plan(state, statement, several, cached(std::move(as_written)));
    rewriter::shape_as_written(statement.text, state.planning, statement.shape);
  }
  CachedPlanPtr made = co_await plan_by(state, statement, several, describe);
  keep_plan(state, statement, several, made);
  co_return made;
}

void read_now(const SessionState& state, Statement& statement) {
  statement.read_under = state.settings.current();
  statement.reading_key = state.reading_key;
  if (!statement.named) return;
  statement.global_name =
      global_name_of(statement.text, statement.parameter_types, state.planning_key, state.reading_key, state.db->version);
}

namespace {

void adopt(SessionState& state, Statement& statement, CachedPlanPtr plan) {
  const bool renewed = statement.planned_under != state.db->version;
  const bool moved = statement.planned_key != state.planning_key;
  statement.plan = std::move(plan);
  statement.planned_under = state.db->version;
  statement.planned_key = state.planning_key;
  if (statement.read_under == nullptr) return;
  // With another search_path or role the server parses it anew, too.
  if (moved) {
    read_now(state, statement);
  } else if (renewed && statement.named) {
    statement.global_name = global_name_of(statement.text, statement.parameter_types, state.planning_key,
                                           statement.reading_key, state.db->version);
  }
}

/// Parameters stay what the client was told they are.
void keep_parameter_types(Statement& statement) {
  if (statement.told == nullptr || !statement.told->description) return;
  statement.parameter_types = statement.told->description->parameters;
}

bool same_columns(const Description& left, const Description& right) {
  if (left.columns.has_value() != right.columns.has_value()) return false;
  return !left.columns || std::ranges::equal(*left.columns, *right.columns, [](const auto& a, const auto& b) {
    return a.name == b.name && a.type == b.type && a.typmod == b.typmod;
  });
}

}  // namespace

bool take_cached_plan(SessionState& state, Statement& statement) {
  if (plan_is_current(state, statement)) return true;
  keep_parameter_types(statement);
  CachedPlanPtr plan = cached_plan(state, statement, false);
  if (plan == nullptr) return false;
  adopt(state, statement, std::move(plan));
  return true;
}

net::Task<void> ensure_plan(SessionState& state, Statement& statement) {
  if (take_cached_plan(state, statement)) co_return;
  adopt(state, statement, co_await make_plan(state, statement, false));
}

net::Task<const Description*> ensure_description(SessionState& state, Statement& statement) {
  CachedPlan& cached = *statement.plan;
  if (cached.description) co_return &*cached.description;
  const rewriter::Plan& plan = *cached.plan;
  const bool of_the_server = plan.kind == PlanKind::relay || plan.kind == PlanKind::split ||
                             plan.kind == PlanKind::broadcast;
  if (plan.kind == PlanKind::refuse) co_await throw_refusal(state, statement, statement.plan);
  if (of_the_server) {
    cached.describe(co_await describe_on(state, describing_shard(state, plan), statement.text,
                                         statement.parameter_types, true));
  } else if (plan.session && plan.session->action == rewriter::SessionAction::show) {
    cached.describe(co_await describe_on(state, state.default_shard(), statement.text, {}, true));
  } else if (concerns_cursor(plan)) {
    cached.describe(co_await describe_cursor_command(state, statement));
  } else if (executes_prepared(plan)) {
    Description description;
    const auto called = state.statements.find(plan.session->name);
    if (called != state.statements.end() && !called->second->shape.blank()) {
      const std::shared_ptr<Statement> inner = called->second;
      co_await ensure_plan(state, *inner);
      if (!executes_prepared(*inner->plan->plan)) {
        description.columns = (co_await ensure_description(state, *inner))->columns;
      }
    }
    cached.describe(std::move(description));
  } else {
    Description description{plan.parameters, plan.result};
    if (plan.local) description.columns = plan.local->columns;
    if (plan.explained) description.columns = {{"QUERY PLAN", 0, 0, 25, -1, -1}};
    cached.describe(std::move(description));
  }
  co_return &*cached.description;
}

void tell_columns(Statement& statement) {
  if (statement.told == statement.plan) return;
  const bool changed = statement.told != nullptr && statement.told->description && !statement.plan->plan->session &&
                       !same_columns(*statement.told->description, *statement.plan->description);
  if (changed) {
    auto fields = net::pg::ErrorFields::make("ERROR", "0A000", "cached plan must not change result type");
    // By the routine that raises it in a server drivers know that they must prepare again.
    fields.set('R', "RevalidateCachedQuery");
    throw backends::ServerError(std::move(fields), 0, {});
  }
  statement.told = statement.plan;
}

net::Task<void> describe_again(SessionState& state, Execution& execution, std::exception_ptr failure) {
  Statement& statement = *execution.statement;
  auto anew = std::make_shared<CachedPlan>();
  anew->plan = execution.plan->plan;
  anew->describe(co_await describe_on(state, describing_shard(state, *anew->plan), statement.text,
                                      statement.parameter_types, true));
  const CachedPlanPtr before = statement.told != nullptr ? statement.told : execution.plan;
  const bool same = before->description && same_columns(*before->description, *anew->description);
  if (statement.plan == execution.plan) {
    state.worker.plans().forget(execution.plan);
    state.worker.plans().put(statement.shape, cache_context(state, statement, false), anew);
    statement.plan = anew;
  }
  execution.plan = anew;
  if (!same) std::rethrow_exception(failure);
}

net::Task<Description> describe_on_shard(SessionState& state, std::uint32_t shard, const Statement& statement) {
  return describe_on(state, shard, statement.text, statement.parameter_types, true);
}

namespace {

/// The statement inside, under the hint that stands before the whole.
std::string inner_text(const Statement& outer, std::size_t offset, std::size_t& added) {
  const std::string_view hint = outer.shape.hint();
  std::string text = hint.empty() ? std::string() : fmt::format("/* anabranch: {} */", hint);
  added = text.size();
  return text.append(std::string_view(outer.text).substr(std::min(offset, outer.text.size())));
}

/// Throws the failure again with its position counted in the whole statement.
[[noreturn]] void rethrow_moved(const std::exception_ptr& failure, int characters) {
  try {
    std::rethrow_exception(failure);
  } catch (const backends::ServerError& error) {
    backends::ServerError moved = error;
    if (const std::string position(moved.fields.get('P')); !position.empty()) {
      moved.fields.set('P', std::to_string(std::atoi(position.c_str()) + characters));
    }
    throw moved;
  } catch (const values::SqlError& error) {
    values::SqlError moved = error;
    if (moved.position > 0) moved.position += characters;
    throw moved;
  }
}

int characters_before(std::string_view utf8, std::size_t offset) {
  return static_cast<int>(std::ranges::count_if(
      utf8.substr(0, offset), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

net::Task<void> plan_inner_statement(SessionState& state, const Statement& outer, std::size_t offset,
                                     Statement& inner) {
  std::size_t added = 0;
  set_text(state, inner, inner_text(outer, offset, added));
  read_now(state, inner);
  inner.planned_key = state.planning_key;
  std::exception_ptr failure;
  try {
    co_await ensure_plan(state, inner);
    (void)co_await ensure_description(state, inner);
    tell_columns(inner);
  } catch (const values::SqlError&) {
    failure = std::current_exception();
  }
  if (failure) rethrow_moved(failure, characters_before(outer.text, offset) - static_cast<int>(added));
}

net::Task<void> throw_refusal(SessionState& state, const Statement& statement, CachedPlanPtr plan) {
  const rewriter::Plan& refused = *plan->plan;
  if (refused.prepare_only) {
    const bool own_text = refused.prepare_text.empty();
    (void)co_await describe_on(state, state.default_shard(),
                               own_text ? statement.text : refused.prepare_text,
                               statement.parameter_types, own_text);
  }
  throw *refused.refusal;
}

}  // namespace anabranch::proxy
