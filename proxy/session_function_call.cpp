#include <algorithm>
#include <array>

#include "backends/exchange.h"
#include "proxy/execute.h"
#include "proxy/moment.h"
#include "proxy/pins.h"
#include "proxy/session.h"
#include "proxy/transaction_end.h"
#include "values/errors.h"

/// The function call protocol: libpq's lo_… and their kin in drivers speak it. Where rows are sharded,
/// large objects are the default shard's, and no other function is called so: what it touches, no OID tells.
namespace anabranch::proxy {

namespace {

struct Function {
  std::uint32_t oid;  ///< the same in every server
  bool writes;
};

constexpr auto large_object_functions = std::to_array<Function>({
    {715, true},    // lo_create
    {952, false},   // lo_open
    {953, false},   // lo_close
    {954, false},   // loread
    {955, true},    // lowrite
    {956, false},   // lo_lseek
    {957, true},    // lo_creat
    {958, false},   // lo_tell
    {964, true},    // lo_unlink
    {1004, true},   // lo_truncate
    {3170, false},  // lo_lseek64
    {3171, false},  // lo_tell64
    {3172, true},   // lo_truncate64
});

/// What is called. Not a large object's: it may do anything.
struct Call {
  bool large_object = false;
  bool writes = true;
};

Call read_call(const std::string& request) {
  constexpr std::size_t header_bytes = 5;
  const auto call = net::pg::FunctionCall::decode(std::string_view(request).substr(header_bytes));
  if (!call) throw values::make_error(values::ErrorId::protocol_violation, call.error().message);
  const auto* found = std::ranges::find(large_object_functions, call->function, &Function::oid);
  if (found == large_object_functions.end()) return {};
  return {true, found->writes};
}

/// The request goes to the default shard as it is, its answer to the client.
net::Task<void> relay_call(SessionState& state, std::string request, Call call) {
  const std::uint32_t shard = state.default_shard();
  auto* member = co_await state.transaction.enlist(shard, state.target(shard), state.token());
  const bool in_transaction = state.transaction.state() != backends::TransactionState::none;
  if (in_transaction && call.writes) state.transaction.mark_written(shard);
  if (!call.large_object) {
    rewriter::Plan any;
    any.residue = rewriter::Residue::may_begin;
    expect_residue(*member, any);
  }
  backends::Lease& lease = member->lease;
  const Running running(state, lease);
  lease->socket().write(request);
  lease->expect_ready();
  backends::ReplyStream replies(lease);
  replies.batch_rows = false;
  std::optional<net::pg::ErrorFields> error;
  while (true) {
    const backends::Reply reply = co_await replies.next();
    if (reply.kind == backends::Reply::Kind::ready) break;
    const net::pg::Message& message = reply.message;
    if (message.type == 'S') {
      const auto status = net::pg::ParameterStatus::decode(message.payload);
      if (status) state.report_parameter(status->name, status->value);
    } else if (message.type == 'E') {
      auto failed = net::pg::ErrorResponse::decode(message.payload);
      if (failed) error = std::move(*failed);
    } else {
      state.client.write(message.raw);
    }
  }
  if (error) throw backends::ServerError(std::move(*error), shard, lease.shard_name());
  co_await settle_residue(state);
}

}  // namespace

net::Task<void> Session::function_call(std::string request) {
  const Call call = read_call(request);
  if (!call.large_object && !state_.db->passthrough()) {
    throw values::make_error(values::ErrorId::unsupported_protocol_feature,
                             "the function call protocol for what are not large objects",
                             "Call the function with SELECT.");
  }
  if (state_.must_wait()) co_await wait_for_turn(state_, ended_);
  begin_statement();
  if (state_.transaction.state() == backends::TransactionState::failed) {
    throw values::make_error<>(values::ErrorId::in_failed_transaction);
  }
  if (state_.transaction.wants_snapshots() && state_.db->map->shards().size() > 1) co_await take_snapshots(state_);
  co_await relay_call(state_, std::move(request), call);
  if (!end_at_once(state_)) co_await end_statement_transaction(state_);
  ready();
}

}  // namespace anabranch::proxy
