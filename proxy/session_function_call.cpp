#include "backends/exchange.h"
#include "proxy/execute.h"
#include "proxy/pins.h"
#include "proxy/session.h"
#include "proxy/transaction_end.h"
#include "values/errors.h"

/// The function call protocol, as old clients use it for large objects: only where there is one server.
namespace anabranch::proxy {

namespace {

/// The request goes to the default shard as it is, its answer to the client.
net::Task<void> relay_call(SessionState& state, std::string request) {
  const std::uint32_t shard = state.default_shard();
  auto* member = co_await state.transaction.enlist(shard, state.target(shard), state.token());
  if (state.transaction.state() != backends::TransactionState::none) state.transaction.mark_written(shard);
  rewriter::Plan any;
  any.residue = rewriter::Residue::may_begin;
  expect_residue(*member, any);
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
  if (!state_.db->passthrough()) {
    throw values::make_error(values::ErrorId::unsupported_protocol_feature, "the function call protocol",
                             "Call the function with SELECT.");
  }
  if (state_.worker.holds_any()) co_await wait_while_held();
  begin_statement();
  if (state_.transaction.state() == backends::TransactionState::failed) {
    throw values::make_error<>(values::ErrorId::in_failed_transaction);
  }
  co_await relay_call(state_, std::move(request));
  if (!end_at_once(state_)) co_await end_statement_transaction(state_);
  ready();
}

}  // namespace anabranch::proxy
