#include "proxy/partial_requests.h"

#include <fmt/format.h>

#include "backends/cancel.h"
#include "proxy/execute.h"
#include "proxy/row_sink.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

const std::vector<values::Oid>& parameter_types(const Execution& execution) {
  const rewriter::Plan& plan = *execution.plan->plan;
  return plan.described ? plan.parameters : execution.statement->parameter_types;
}

/// `type` is what that shard calls `wanted`, or is newer than the catalog.
bool is_type(const DatabaseState& db, std::uint32_t shard, values::Oid type, values::Oid wanted) {
  const values::ShardOids* oids = foreign_oids(db, shard);
  if (oids == nullptr || type < values::first_unfixed_oid) return type == wanted;
  const auto known = oids->to_default.types.find(type);
  if (known != oids->to_default.types.end()) return known->second == wanted;
  return type >= values::first_user_oid && wanted >= values::first_user_oid;
}

}  // namespace

PartialRequest::PartialRequest(const SessionState& state, const Execution& execution, net::pg::Formats formats,
                               std::uint32_t shard, const std::string& sql, Naming naming)
    : formats_(std::move(formats)) {
  const std::vector<values::Oid>& types = parameter_types(execution);
  for (const values::Oid type : types) types_.add(type_on(*state.db, shard, type));
  request.sql = sql;
  request.parameter_types = types_.list();
  request.parameter_formats = execution.parameter_formats;
  request.parameters = parameters_on(*state.db, shard, types, execution.parameter_formats, execution.parameters,
                                     parameter_bytes_);
  request.result_formats = formats_.list();
  request.describe = execution.plan->plan->recipe.has_value();
  if (naming == Naming::unnamed) return;
  const Statement& statement = *execution.statement;
  const bool read_before = read_otherwise(state, execution);
  if (read_before) request.read_under = statement.read_under.get();
  if (read_before || !statement.global_name.empty()) {
    name = global_name_of(sql, types, state.planning_key, statement.reading_key, state.db->version);
    request.global_name = name;
  }
}

net::pg::Formats input_formats(const rewriter::Plan& plan, net::pg::FormatList outputs) {
  net::pg::Formats formats;
  if (!plan.recipe) return formats;
  for (const merge::InputColumn& input : plan.recipe->inputs) {
    const bool passed_on = input.output >= 0;
    formats.add(passed_on ? net::pg::format_of(outputs, static_cast<std::size_t>(input.output))
                          : static_cast<std::int16_t>(input.format));
  }
  return formats;
}

RowOids input_oids(const DatabaseState& db, std::uint32_t shard, const rewriter::Plan& plan,
                   net::pg::FormatList formats) {
  RowOids oids;
  if (!plan.recipe) return oids;
  const auto& inputs = plan.recipe->inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (net::pg::format_of(formats, i) == 0) continue;
    const bool shown = inputs[i].output >= 0 && plan.result;
    const std::int16_t size = shown ? plan.result->at(static_cast<std::size_t>(inputs[i].output)).type_size : std::int16_t{-1};
    if (may_name_oids(inputs[i].type.oid, size)) oids.add(db, shard, i, inputs[i].type.oid, size);
  }
  return oids;
}

void check_partial_columns(const DatabaseState& db, const rewriter::Plan& plan, const backends::Lease& lease,
                           const net::pg::Message& description) {
  std::vector<values::Oid> types;
  for (const merge::InputColumn& input : plan.recipe->inputs) types.push_back(input.type.oid);
  check_columns(db, types, lease, description);
}

void check_columns(const DatabaseState& db, std::span<const values::Oid> types, const backends::Lease& lease,
                   const net::pg::Message& description) {
  const auto described = net::pg::RowDescription::decode(description.payload);
  bool fits = described && described->columns.size() == types.size();
  for (std::size_t i = 0; fits && i < types.size(); ++i) {
    fits = is_type(db, lease.shard(), described->columns[i].type, types[i]);
  }
  if (fits) return;
  throw values::make_error(values::ErrorId::description_changed,
                           fmt::format("shard {} answers with other columns", lease.shard_name()));
}

merge::Binding merge_binding(const SessionState& state, const rewriter::Plan& plan, rewriter::BoundPlan& bound,
                             net::pg::FormatList outputs) {
  merge::Binding binding;
  for (std::size_t i = 0; i < plan.recipe->outputs.size(); ++i) {
    binding.output_formats.push_back(static_cast<values::Format>(net::pg::format_of(outputs, i)));
  }
  binding.slots = std::move(bound.slots);
  binding.extra_float_digits = extra_float_digits(state);
  const std::string* style = state.reported("IntervalStyle");
  binding.interval_style_postgres = style == nullptr || *style == "postgres";
  return binding;
}

net::Task<void> stop_partials(backends::Exchange& exchange, const std::vector<std::string>& names,
                              const std::vector<bool>& unparsed, bool again) {
  for (std::size_t source = 0; source < exchange.size(); ++source) {
    if (!exchange.finished(source)) backends::request_cancel(exchange.lease(source));
  }
  co_await exchange.drain();
  for (std::size_t source = 0; source < exchange.size(); ++source) co_await cancels_ended(exchange.lease(source));
  for (std::size_t source = 0; source < names.size(); ++source) {
    co_await settle_statement(exchange.lease(source), names[source], unparsed[source], again);
  }
}

backends::ServerError partial_error(const backends::Lease& lease, const net::pg::Message& message) {
  auto fields = net::pg::ErrorResponse::decode(message.payload);
  if (!fields) throw values::make_error(values::ErrorId::shard_protocol, lease.shard_name(), fields.error().message);
  // Positions count in the subquery's text, which is not the client's.
  fields->remove('P');
  const std::string_view context = fields->get('W');
  fields->set('W', fmt::format("{}{}shard {}", context, context.empty() ? "" : "\n", lease.shard_name()));
  return {std::move(*fields), lease.shard(), lease.shard_name()};
}

}  // namespace anabranch::proxy
