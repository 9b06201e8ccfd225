#include "proxy/partial_requests.h"

#include <fmt/format.h>

#include "proxy/execute.h"
#include "proxy/row_sink.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

/// OIDs from here on are given by each server for itself: those of two shards may differ.
constexpr values::Oid first_user_oid = 16384;

}  // namespace

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

PartialRequests::PartialRequests(const SessionState& state, const Execution& execution)
    : state_(state),
      execution_(execution),
      formats_(input_formats(*execution.plan->plan, execution.result_formats)) {
  // A type of its own has another OID on each shard: there it is inferred.
  for (const values::Oid type : parameter_types()) types_.add(type >= first_user_oid ? 0 : type);
}

const std::vector<values::Oid>& PartialRequests::parameter_types() const {
  const rewriter::Plan& plan = *execution_.plan->plan;
  return plan.described ? plan.parameters : execution_.statement->parameter_types;
}

ShardRequest PartialRequests::make(const std::string& sql, std::string& name) const {
  const Statement& statement = *execution_.statement;
  ShardRequest request;
  request.sql = sql;
  request.parameter_types = types_.list();
  request.parameter_formats = execution_.parameter_formats;
  request.parameters = execution_.parameters;
  request.result_formats = formats_.list();
  request.describe = execution_.plan->plan->recipe.has_value();
  const bool read_before = read_otherwise(state_, execution_);
  if (read_before) request.read_under = statement.read_under.get();
  if (read_before || !statement.global_name.empty()) {
    name = global_name_of(sql, parameter_types(), state_.planning_key, statement.reading_key, state_.db->version);
    request.global_name = name;
  }
  return request;
}

void check_binary_results(const SessionState& state, const rewriter::Plan& plan, const rewriter::BoundPlan& bound,
                          net::pg::FormatList outputs) {
  if (!plan.result) return;
  for (const auto& query : bound.queries) {
    check_binary_columns(*state.db, static_cast<std::uint32_t>(query.shard), *plan.result, outputs);
  }
}

void check_partial_columns(const rewriter::Plan& plan, const net::pg::Message& description,
                           std::string_view shard_name) {
  const auto described = net::pg::RowDescription::decode(description.payload);
  const auto& inputs = plan.recipe->inputs;
  bool fits = described && described->columns.size() == inputs.size();
  for (std::size_t i = 0; fits && i < inputs.size(); ++i) {
    const values::Oid type = described->columns[i].type;
    fits = type == inputs[i].type.oid || (type >= first_user_oid && inputs[i].type.oid >= first_user_oid);
  }
  if (fits) return;
  throw values::make_error(values::ErrorId::description_changed,
                           fmt::format("shard {} answers with other columns", shard_name));
}

merge::Binding merge_binding(const SessionState& state, const rewriter::Plan& plan, rewriter::BoundPlan& bound,
                             net::pg::FormatList outputs) {
  merge::Binding binding;
  for (std::size_t i = 0; i < plan.recipe->outputs.size(); ++i) {
    binding.output_formats.push_back(static_cast<values::Format>(net::pg::format_of(outputs, i)));
  }
  binding.slots = std::move(bound.slots);
  binding.extra_float_digits = extra_float_digits(state);
  const auto style = state.reported.find("IntervalStyle");
  binding.interval_style_postgres = style == state.reported.end() || style->second == "postgres";
  return binding;
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
