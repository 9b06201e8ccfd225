#include <fmt/format.h>

#include <charconv>

#include "backends/cancel.h"
#include "backends/exchange.h"
#include "merge/merger.h"
#include "proxy/execute.h"
#include "proxy/replies.h"
#include "proxy/row_sink.h"
#include "proxy/settings.h"
#include "proxy/shard_request.h"
#include "proxy/transaction_end.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using backends::Reply;
using rewriter::BoundPlan;
using rewriter::Effect;
using rewriter::Plan;

/// OIDs from here on are given by each server for itself: those of two shards may differ.
constexpr values::Oid first_user_oid = 16384;

/// The last number of a command tag; 0 where it has none.
std::uint64_t count_of(std::string_view tag) {
  const std::size_t blank = tag.rfind(' ');
  std::uint64_t count = 0;
  if (blank != std::string_view::npos) {
    std::from_chars(tag.data() + blank + 1, tag.data() + tag.size(), count);
  }
  return count;
}

/// Several shards' subqueries, and their partials made into one answer.
class Partials {
 public:
  Partials(SessionState& state, Execution& execution)
      : state_(state),
        execution_(execution),
        plan_(*execution.plan->plan),
        budget_(state.db->config->limits.query_memory),
        exchange_(net::CancelToken{}),
        sink_(state, execution) {}

  net::Task<Outcome> run() {
    bound_ = rewriter::bind(bind_request(state_, execution_));
    check_binary();
    co_await take_leases();
    send();
    std::exception_ptr failure;
    try {
      co_await read();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure || error_) {
      co_await stop();
      if (failure) std::rethrow_exception(failure);
      throw std::move(*error_);
    }
    co_return co_await finish();
  }

 private:
  bool in_transaction() const {
    return state_.transaction.state() != backends::TransactionState::none;
  }

  void check_binary() const {
    if (!plan_.result) return;
    for (const auto& query : bound_.queries) {
      check_binary_columns(*state_.db, static_cast<std::uint32_t>(query.shard), *plan_.result, execution_.result_formats);
    }
  }

  net::Task<void> take_leases() {
    const bool one = execution_.standalone && (!writes(plan_) || bound_.queries.size() == 1);
    if (!in_transaction() && !one && !plan_.outside_transaction) state_.transaction.begin_implicit();
    for (const auto& query : bound_.queries) {
      const auto shard = static_cast<std::uint32_t>(query.shard);
      auto* member = co_await state_.transaction.enlist(shard, state_.target(shard), state_.token());
      if (writes(plan_) && in_transaction()) state_.transaction.mark_written(shard);
      exchange_.add(member->lease);
      running_.push_back(std::make_unique<Running>(state_, member->lease));
      tags_.emplace_back();
    }
  }

  void send() {
    net::pg::Oids types;
    // A type of its own has another OID on each shard: there it is inferred.
    for (const values::Oid type : parameter_types()) types.add(type >= first_user_oid ? 0 : type);
    net::pg::Formats formats;
    if (plan_.recipe) {
      for (const merge::InputColumn& input : plan_.recipe->inputs) {
        formats.add(static_cast<std::int16_t>(
            input.output >= 0 ? sink_.format(static_cast<std::size_t>(input.output)) : input.format));
      }
    }
    const Statement& statement = *execution_.statement;
    const bool read_before = read_otherwise(state_, execution_);
    for (std::size_t source = 0; source < bound_.queries.size(); ++source) {
      const std::string& sql = bound_.queries[source].sql;
      ShardRequest request;
      request.sql = sql;
      request.parameter_types = types.list();
      request.parameter_formats = execution_.parameter_formats;
      request.parameters = execution_.parameters;
      request.result_formats = formats.list();
      request.describe = plan_.recipe.has_value();
      std::string name;
      if (read_before) request.read_under = statement.read_under.get();
      if (read_before || !statement.global_name.empty()) {
        name = global_name_of(sql, parameter_types(), state_.planning_key, statement.reading_key);
        request.global_name = name;
      }
      names_.push_back(std::move(name));
      unparsed_.push_back(send_request(exchange_.lease(source), request));
    }
    exchange_.send();
  }

  const std::vector<values::Oid>& parameter_types() const {
    return plan_.described ? plan_.parameters : execution_.statement->parameter_types;
  }

  net::Task<void> read() {
    if (!plan_.recipe) {
      while (auto next = co_await exchange_.next()) take(*next);
      co_return;
    }
    if (plan_.recipe->passes_through()) {
      while (auto next = co_await exchange_.next()) {
        take(*next);
        if (next->reply.kind != Reply::Kind::rows) continue;
        if (plan_.sum_counts || next->source == 0) co_await sink_.take(exchange_.stream(next->source).rows);
      }
      co_return;
    }
    co_await merge();
  }

  merge::Binding binding() {
    merge::Binding binding;
    for (std::size_t i = 0; i < plan_.recipe->outputs.size(); ++i) {
      binding.output_formats.push_back(sink_.format(i));
    }
    binding.slots = std::move(bound_.slots);
    binding.extra_float_digits = extra_float_digits(state_);
    const std::string* style = state_.reported("IntervalStyle");
    binding.interval_style_postgres = style == nullptr || *style == "postgres";
    return binding;
  }

  net::Task<void> merge() {
    merge::Merger merger(*plan_.recipe, binding(), exchange_.size(), budget_);
    merge::Batch out;
    while (!error_) {
      const merge::Merger::Status status = merger.next(out);
      if (status.kind == merge::Merger::Status::Kind::end) break;
      if (status.kind == merge::Merger::Status::Kind::rows) {
        co_await sink_.take(out);
        continue;
      }
      std::optional<backends::Exchange::Next> next;
      if (status.any) {
        next = co_await exchange_.next();
        if (!next) throw values::make_error(values::ErrorId::internal, "the merge waits for shards that have ended");
      } else {
        next = backends::Exchange::Next{status.source, co_await exchange_.next_of(status.source)};
      }
      feed(merger, *next);
    }
    // A merge that has enough (LIMIT) leaves bounded rests; what is not finished is read to its end.
    while (!error_) {
      auto next = co_await exchange_.next();
      if (!next) break;
      take(*next);
    }
  }

  void feed(merge::Merger& merger, const backends::Exchange::Next& next) {
    take(next);
    if (next.reply.kind == Reply::Kind::ready) {
      merger.finish(next.source);
    } else if (next.reply.kind == Reply::Kind::rows) {
      merge::Batch rows;
      rows.swap(exchange_.stream(next.source).rows);
      merger.consume(next.source, std::move(rows));
    }
  }

  /// What is the same for every way to read.
  void take(const backends::Exchange::Next& next) {
    if (next.reply.kind != Reply::Kind::message) return;
    const net::pg::Message& message = next.reply.message;
    switch (message.type) {
      case '1': unparsed_[next.source] = false; break;
      case 'T': check_description(next.source, message); break;
      case 'C': {
        const auto complete = net::pg::CommandComplete::decode(message.payload);
        if (complete) tags_[next.source] = complete->tag;
        break;
      }
      case 'E': take_error(next.source, message); break;
      case 'N': state_.client.write(message.raw); break;
      default: break;
    }
  }

  void take_error(std::size_t source, const net::pg::Message& message) {
    auto fields = net::pg::ErrorResponse::decode(message.payload);
    backends::Lease& lease = exchange_.lease(source);
    if (!fields) throw values::make_error(values::ErrorId::shard_protocol, lease.shard_name(), fields.error().message);
    if (error_) return;
    failed_source_ = source;
    // Positions count in the subquery's text, which is not the client's.
    fields->remove('P');
    const std::string_view context = fields->get('W');
    fields->set('W', fmt::format("{}{}shard {}", context, context.empty() ? "" : "\n", lease.shard_name()));
    error_.emplace(std::move(*fields), lease.shard(), lease.shard_name());
  }

  void check_description(std::size_t source, const net::pg::Message& message) {
    const auto described = net::pg::RowDescription::decode(message.payload);
    const auto& inputs = plan_.recipe->inputs;
    bool fits = described && described->columns.size() == inputs.size();
    for (std::size_t i = 0; fits && i < inputs.size(); ++i) {
      const values::Oid type = described->columns[i].type;
      fits = type == inputs[i].type.oid || (type >= first_user_oid && inputs[i].type.oid >= first_user_oid);
    }
    if (fits) return;
    throw values::make_error(values::ErrorId::description_changed,
                             fmt::format("shard {} answers with other columns", exchange_.lease(source).shard_name()));
  }

  /// The statement has failed: nothing of it may go on running.
  net::Task<void> stop() {
    for (std::size_t source = 0; source < exchange_.size(); ++source) {
      if (!exchange_.finished(source)) backends::request_cancel(exchange_.lease(source));
    }
    co_await exchange_.drain();
    const net::pg::ErrorFields none;
    for (std::size_t source = 0; source < names_.size(); ++source) {
      const bool failed = error_ && source == failed_source_;
      co_await settle_statement(exchange_.lease(source), names_[source], unparsed_[source],
                                failed ? error_->fields : none);
    }
  }

  net::Task<Outcome> finish() {
    const bool alone = execution_.standalone && execution_.simple;
    running_.clear();
    if (plan_.effect == Effect::ddl) state_.catalog_stale = true;
    if (alone) co_await end_statement_transaction(state_);
    co_return co_await sink_.finish(tag());
  }

  std::string tag() const {
    if (plan_.recipe && plan_.effect != Effect::writes) return {};  // the sink counts rows
    if (!plan_.sum_counts || tags_.empty()) return tags_.empty() ? plan_.command : tags_.front();
    std::uint64_t total = 0;
    for (const std::string& tag : tags_) total += count_of(tag);
    const std::string& first = tags_.front();
    const std::size_t blank = first.rfind(' ');
    const bool counted = blank != std::string::npos && std::isdigit(static_cast<unsigned char>(first.back())) != 0;
    return counted ? fmt::format("{} {}", first.substr(0, blank), total) : first;
  }

  SessionState& state_;
  Execution& execution_;
  const Plan& plan_;
  BoundPlan bound_;
  merge::MemoryBudget budget_;
  backends::Exchange exchange_;
  std::vector<std::unique_ptr<Running>> running_;
  RowSink sink_;
  std::vector<std::string> names_;
  std::vector<bool> unparsed_;  ///< a Parse was sent and has not been answered
  std::size_t failed_source_ = 0;
  std::vector<std::string> tags_;
  std::optional<backends::ServerError> error_;
};

}  // namespace

net::Task<Outcome> run_partials(SessionState& state, Execution& execution) {
  if (execution.portal != nullptr && execution.portal->buffered != nullptr) {
    co_return co_await execution.portal->buffered->send(state, execution.row_limit);
  }
  Partials partials(state, execution);
  const Outcome outcome = co_await partials.run();
  state.transaction.give_back();
  co_return outcome;
}

}  // namespace anabranch::proxy
