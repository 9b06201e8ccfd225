#include "proxy/execute.h"

#include <algorithm>

#include "backends/exchange.h"
#include "net/pg/stream.h"
#include "proxy/leases.h"
#include "proxy/log.h"
#include "proxy/merged_portal.h"
#include "proxy/moment.h"
#include "proxy/planning.h"
#include "values/errors.h"

namespace anabranch::proxy {

using rewriter::Plan;
using rewriter::PlanKind;

rewriter::BindRequest bind_request(SessionState& state, const Execution& execution) {
  rewriter::BindRequest request;
  request.plan = execution.plan->plan.get();
  request.shape = &execution.statement->shape;
  request.parameters = execution.values;
  request.evaluations = execution.evaluations;
  request.map = state.db->map.get();
  request.lookups = &state.lookups;
  request.standard_conforming_strings = state.planning.standard_conforming_strings;
  return request;
}

Execution part_of(const Execution& execution, std::shared_ptr<const Plan> plan, const RowTaker& taker, net::pg::FormatList formats) {
  Execution part;
  part.statement = execution.statement;
  part.plan = std::make_shared<CachedPlan>();
  part.plan->plan = std::move(plan);
  part.begun = execution.begun;
  part.simple = execution.simple;
  part.bound = execution.bound;
  part.standalone = false;
  part.parameter_formats = execution.parameter_formats;
  part.parameters = execution.parameters;
  part.values = execution.values;
  part.result_formats = formats;
  part.taker = &taker;
  return part;
}

bool writes(const Plan& plan) {
  return plan.effect == rewriter::Effect::writes || plan.effect == rewriter::Effect::ddl;
}

bool changes_definitions(const Plan& plan) {
  if (plan.effect == rewriter::Effect::temporary) return false;
  const std::string_view command = plan.command;
  return plan.effect == rewriter::Effect::ddl || command.starts_with("CREATE ") ||
         command.starts_with("ALTER ") || command.starts_with("DROP ");
}

bool joins_transaction(const Plan& plan) {
  using enum rewriter::SessionAction;
  static constexpr auto control = {begin, commit, rollback, prepare_transaction, savepoint, rollback_to, release};
  return !plan.session || std::ranges::find(control, plan.session->action) == control.end();
}

bool discards(const Plan& plan) {
  return plan.session && plan.session->action == rewriter::SessionAction::discard_all;
}

bool read_otherwise(const SessionState& state, const Execution& execution) {
  return execution.bound && execution.statement->reading_key != state.reading_key;
}

namespace {

/// Those of the plan's evaluations that are `which`, in one query.
net::Task<void> evaluate_some(SessionState& state, Execution& execution, backends::Lease& lease,
                              const std::vector<std::size_t>& which) {
  const Plan& plan = *execution.plan->plan;
  std::string sql = "SELECT ";
  for (const std::size_t i : which) {
    if (i != which.front()) sql += ", ";
    sql += "(" + plan.evaluations[i].sql + ")::pg_catalog.text";
  }
  const Running running(state, lease);
  auto answer = co_await backends::run_command(lease, std::move(sql));
  if (!answer) throw backends::ServerError(answer.error(), lease.shard(), lease.shard_name());
  for (std::size_t i = 0; i < which.size(); ++i) execution.evaluated[which[i]] = std::move(answer->rows.at(0).at(i));
}

}  // namespace

bool answers_first(const Plan& plan) {
  return std::ranges::any_of(plan.evaluations, [](const auto& evaluation) { return evaluation.plan != nullptr; });
}

net::Task<void> evaluate(SessionState& state, Execution& execution) {
  const Plan& plan = *execution.plan->plan;
  execution.evaluated.clear();
  execution.evaluations.clear();
  if (plan.evaluations.empty()) co_return;
  if (read_otherwise(state, execution)) throw values::make_error<>(values::ErrorId::reading_changed);
  execution.evaluated.resize(plan.evaluations.size());
  // now() is the transaction's, wherever it has begun; a sequence is the default shard's.
  std::vector<std::size_t> anywhere;
  std::vector<std::size_t> on_default;
  for (std::size_t i = 0; i < plan.evaluations.size(); ++i) {
    if (plan.evaluations[i].plan != nullptr) continue;
    const bool counts = plan.advances_sequences && !plan.evaluations[i].per_transaction;
    (counts ? on_default : anywhere).push_back(i);
  }
  if (!anywhere.empty()) {
    ShardLease taken = co_await ShardLease::take_to_evaluate(state);
    co_await evaluate_some(state, execution, *taken, anywhere);
  }
  if (!on_default.empty()) {
    ShardLease taken = co_await ShardLease::take(state, state.default_shard());
    note_sequences(state, plan, *taken);
    co_await evaluate_some(state, execution, *taken, on_default);
  }
  for (std::size_t i = 0; i < execution.evaluated.size(); ++i) {
    const auto& value = execution.evaluated[i];
    rewriter::BoundValue bound{plan.evaluations[i].plan == nullptr ? values::oid::text : 0, values::Format::text, std::nullopt};
    if (value) bound.bytes = *value;
    execution.evaluations.push_back(bound);
  }
}

net::Task<void> take_plan_for_several(SessionState& state, Execution& execution) {
  CachedPlanPtr several = cached_plan(state, *execution.statement, true);
  if (several == nullptr) several = co_await make_plan(state, *execution.statement, true);
  execution.plan = std::move(several);
  if (execution.plan->plan->kind == PlanKind::refuse) {
    co_await throw_refusal(state, *execution.statement, execution.plan);
  }
}

net::Task<void> look_up_keys(SessionState& state, const Execution& execution) {
  if (!state.db->map->has_lookups()) co_return;
  for (bool known = false; !known;) {
    {
      const LookupReader::Pass pass(state.lookups, true);
      rewriter::look_up_keys(bind_request(state, execution));
      known = pass.complete();
    }
    co_await answer_lookups(state, false);
  }
}

net::Task<router::ShardSet> find_shards(SessionState& state, Execution& execution) {
  co_await evaluate(state, execution);
  co_await look_up_keys(state, execution);
  const router::ShardSet shards = rewriter::route(bind_request(state, execution), nullptr);
  if (!rewriter::is_for_one_shard(*execution.plan->plan) || shards.size() <= 1) co_return shards;
  co_await take_plan_for_several(state, execution);
  co_await evaluate(state, execution);
  co_await look_up_keys(state, execution);
  co_return rewriter::route(bind_request(state, execution), nullptr);
}

namespace {

/// No shard can hold a matching row: any one gives the empty answer in the right form.
std::uint32_t one_of(const SessionState& state, const router::ShardSet& shards) {
  return shards.empty() ? state.default_shard() : *shards.begin();
}

/// All of one Execute, and nothing but it.
bool stands_alone(const SessionState& state, const Execution& execution) {
  const bool whole = execution.row_limit == 0 && !execution.open_only && execution.taker == nullptr &&
                     (execution.portal == nullptr || !execution.portal->fetched_in_parts());
  return whole && execution.standalone && state.transaction.state() == backends::TransactionState::none && !read_otherwise(state, execution);
}

net::Task<Outcome> run_on_shards(SessionState& state, Execution& execution) {
  if (execution.plan->plan->alone != nullptr && stands_alone(state, execution)) {
    if (auto outcome = co_await run_alone(state, execution)) co_return *outcome;
  }
  const router::ShardSet shards = co_await find_shards(state, execution);
  const Plan& plan = *execution.plan->plan;
  if (plan.copy) co_return co_await run_copy_split(state, execution);
  if (!plan.feeds.empty()) co_return co_await run_feed(state, execution);
  if (plan.kind == PlanKind::relay) {
    co_return co_await run_relay(state, execution, one_of(state, shards));
  }
  if (plan.kind == PlanKind::gather) co_return co_await run_gather(state, execution);
  co_return co_await run_partials(state, execution);
}

net::Task<Outcome> refuse(SessionState& state, Execution& execution) {
  co_await throw_refusal(state, *execution.statement, execution.plan);
  co_return Outcome{};
}

/// Where a relay goes, if its keys are known.
std::optional<std::uint32_t> plain_shard(SessionState& state, const Execution& execution) {
  const LookupReader::Pass pass(state.lookups, false);
  const rewriter::BindRequest request = bind_request(state, execution);
  std::optional<std::uint32_t> shard = rewriter::only_shard(request);
  if (!shard) {
    const router::ShardSet shards = rewriter::route(request, nullptr);
    if (shards.size() <= 1) shard = one_of(state, shards);
  }
  return pass.complete() ? shard : std::nullopt;
}

/// No coroutine itself: a relay whose shard is plain to see goes straight there.
net::Task<Outcome> dispatch(SessionState& state, Execution& execution) {
  const Plan& plan = *execution.plan->plan;
  if (execution.portal != nullptr && execution.portal->fetched_in_parts()) return run_merged_portal(state, execution);
  switch (plan.kind) {
    case PlanKind::session: return run_session_command(state, execution);
    case PlanKind::local: return run_local(state, execution);
    case PlanKind::refuse: return refuse(state, execution);
    case PlanKind::relay: break;
    default: return run_on_shards(state, execution);
  }
  if (!plan.copy && plan.evaluations.empty()) {
    if (const auto shard = plain_shard(state, execution)) return run_relay(state, execution, *shard);
  }
  return run_on_shards(state, execution);
}

/// The shape, not the text: literals may be nobody else's business.
void log_slow(const SessionState& state, const Execution& execution, std::chrono::nanoseconds took) {
  constexpr std::size_t longest = 500;
  spdlog::warn("slow query: {} ms, {} in database {} for user {}: {}",
               std::chrono::duration_cast<std::chrono::milliseconds>(took).count(),
               to_string(execution.plan->plan->kind), state.login.database, state.login.user,
               execution.statement->shape.text().substr(0, longest));
}

bool may_run_in_failed_transaction(const Plan& plan) {
  using enum rewriter::SessionAction;
  if (!plan.session) return false;
  const auto action = plan.session->action;
  return action == commit || action == rollback || action == rollback_to;
}

}  // namespace

void check_not_failed(const SessionState& state, const Plan& plan) {
  if (state.transaction.state() != backends::TransactionState::failed) return;
  if (!may_run_in_failed_transaction(plan)) throw values::make_error<>(values::ErrorId::in_failed_transaction);
}

namespace {

net::Task<Outcome> execute_on_snapshots(SessionState& state, Execution& execution) {
  co_await take_snapshots(state);
  co_return co_await dispatch(state, execution);
}

}  // namespace

net::Task<Outcome> execute(SessionState& state, Execution& execution) {
  execution.begun = std::chrono::steady_clock::now();
  const Plan& plan = *execution.plan->plan;
  check_not_failed(state, plan);
  if (!state.db->outdated.empty() && writes(plan)) {
    throw values::make_error(values::ErrorId::outdated_map, state.db->outdated);
  }
  if (state.db->map->has_lookups()) begin_lookups(state, plan, execution.statement->text);
  const bool wants_snapshots = state.transaction.wants_snapshots() && plan.kind != PlanKind::session &&
                               state.db->map->shards().size() > 1;
  return wants_snapshots ? execute_on_snapshots(state, execution) : dispatch(state, execution);
}

void count_execution(SessionState& state, const Execution& execution) {
  const auto took = std::chrono::steady_clock::now() - execution.begun;
  state.worker.metrics().statement(execution.plan->plan->kind, took);
  const auto slow = state.db->config->log.slow_query;
  if (slow.count() > 0 && took >= slow) log_slow(state, execution, took);
}

net::Task<void> give_way_to_client(SessionState& state) {
  if (!state.client.congested()) co_return;
  if (const auto sent = co_await state.client.flush(); !sent) throw ClientGone{sent.error().message};
}

namespace {

/// What has come of a CopyData that is read in pieces.
std::string_view take_copy_piece(SessionState& state) {
  const std::string_view piece = state.client.received().substr(0, state.copy_left);
  state.client.consume(piece.size());
  state.copy_left -= piece.size();
  return piece;
}

net::Task<void> wait_for_client(SessionState& state, std::size_t needed) {
  const auto filled = co_await state.client.fill(needed, state.token());
  if (filled) co_return;
  if (filled.error().kind == net::NetError::Kind::cancelled || filled.error().kind == net::NetError::Kind::timed_out) {
    state.check_cancelled();
  }
  throw ClientGone{filled.error().message};
}

/// Nothing: it means nothing here.
std::optional<CopyMessage> copy_message(const net::pg::Message& message) {
  switch (message.type) {
    case 'd': return CopyMessage{CopyMessage::Kind::data, message.payload, {}};
    case 'c': return CopyMessage{CopyMessage::Kind::done, {}, {}};
    case 'f': {
      const auto fail = net::pg::CopyFail::decode(message.payload);
      return CopyMessage{CopyMessage::Kind::failed, {}, std::string(fail ? fail->message : "")};
    }
    case 'H':
    case 'S': return std::nullopt;
    case 'X': throw ClientGone{"terminated"};
    default:
      throw values::make_error(values::ErrorId::protocol_violation, "unexpected message during COPY from stdin");
  }
}

}  // namespace

net::Task<CopyMessage> next_copy_message(SessionState& state) {
  // Longer than this it is not waited for as a whole: where a CopyData ends means nothing.
  constexpr std::size_t whole_bytes = 64 * 1024;
  constexpr std::size_t header_bytes = 5;
  while (true) {
    std::size_t needed = 0;
    if (state.copy_left == 0) {
      const auto taken = net::pg::take_message(state.client, max_client_message_bytes, &needed);
      if (!taken) throw ClientGone{taken.error().message};
      if (*taken) {
        auto message = copy_message(**taken);
        if (!message) continue;
        // It may end with a commit.
        while (message->kind == CopyMessage::Kind::done && state.worker.paused(state.db->conf->name)) {
          (void)co_await state.worker.paused(state.db->conf->name)->wait(state.token());
        }
        co_return std::move(*message);
      }
      if (needed > whole_bytes && state.client.received().front() == 'd') {
        state.copy_left = needed - header_bytes;
        state.client.consume(header_bytes);
      }
    }
    if (state.copy_left > 0 && !state.client.received().empty()) {
      co_return CopyMessage{CopyMessage::Kind::data, take_copy_piece(state), {}};
    }
    co_await wait_for_client(state, state.copy_left > 0 ? 0 : needed);
  }
}

}  // namespace anabranch::proxy
