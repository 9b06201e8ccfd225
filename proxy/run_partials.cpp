#include <fmt/format.h>

#include <charconv>
#include <map>

#include "backends/exchange.h"
#include "proxy/execute.h"
#include "proxy/merge_work.h"
#include "proxy/merged_portal.h"
#include "proxy/partial_requests.h"
#include "proxy/pins.h"
#include "proxy/replies.h"
#include "proxy/row_sink.h"
#include "proxy/settings.h"
#include "proxy/transaction_end.h"
#include "proxy/type_identity.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using backends::Reply;
using rewriter::BoundPlan;
using rewriter::Effect;
using rewriter::Plan;

/// More than this waiting for the client is sent before waiting for the shards.
constexpr std::size_t send_ahead_bytes = 8192;

/// COPY data is passed on as it comes.
void read_copies(backends::ReplyStream& stream) {
  stream.runs = net::pg::MessageTypes("d");
  stream.parts = true;
}

/// Several shards' subqueries, and their partials made into one answer.
class Partials {
 public:
  Partials(SessionState& state, Execution& execution)
      : state_(state),
        execution_(execution),
        plan_(*execution.plan->plan),
        exchange_(net::CancelToken{}),
        sink_(state, execution) {}

  net::Task<Outcome> run() {
    bound_ = rewriter::bind(bind_request(state_, execution_));
    if (execution_.only) {
      std::erase_if(bound_.queries, [&](const auto& query) { return !execution_.only->contains(static_cast<std::uint32_t>(query.shard)); });
    }
    check_copied_columns();
    co_await take_leases();
    std::exception_ptr failure;
    try {
      // A cancel that came before has found idle servers.
      state_.check_cancelled();
      if (plan_.in_order) {
        co_await run_in_order();
      } else if (asks_twice()) {
        co_await run_in_turn();
      } else {
        for (std::size_t source = 0; source < members_.size(); ++source) send(source);
        exchange_.send();
        co_await read();
      }
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure || error_) {
      // In the middle of a message there is no way to tell the client anything.
      for (std::size_t i = 0; i < exchange_.size(); ++i) {
        if (exchange_.stream(i).in_message()) throw ClientGone{"a shard was lost in the middle of a row"};
      }
      again_ = !failure && must_prepare_again(error_->fields, names_[failed_source_]);
      co_await stop_partials(exchange_, names_, unparsed_, again_);
      if (plan_.outside_transaction && !in_transaction()) say_how_far(failure);
      if (failure) std::rethrow_exception(failure);
      throw std::move(*error_);
    }
    co_return co_await finish();
  }

  /// Shards' prepared statements were not what they had been; nothing has gone to the client, and the
  /// transaction, if there is one, began with this statement.
  bool may_run_again() const {
    if (!again_ || sink_.begun() || plan_.copy_out) return false;
    if (!in_transaction()) return true;
    return fresh_ && state_.transaction.enlisted().size() == bound_.queries.size();
  }

 private:
  bool in_transaction() const {
    return state_.transaction.state() != backends::TransactionState::none;
  }

  /// What goes through as the shards write it is not looked into.
  void check_copied_columns() const {
    if (!plan_.copy_out || plan_.recipe || plan_.copy_out->format != rewriter::CopyFormat::Format::binary) return;
    const net::pg::Formats all_binary{1};
    for (const auto& query : bound_.queries) {
      const auto shard = static_cast<std::uint32_t>(query.shard);
      if (row_oids(*state_.db, shard, plan_.copy_out->columns, all_binary.list()).empty()) continue;
      throw values::make_error(values::ErrorId::unsupported_clause, "COPY TO with FORMAT binary",
                               "its values name types by OIDs, which are others on each shard",
                               "Use FORMAT text or csv.");
    }
  }

  net::Task<void> take_leases() {
    const bool one = execution_.standalone && (!writes(plan_) || bound_.queries.size() == 1);
    if (!in_transaction() && !one && !plan_.outside_transaction) state_.transaction.begin_implicit();
    for (const auto& query : bound_.queries) {
      const auto shard = static_cast<std::uint32_t>(query.shard);
      const auto* known = state_.transaction.find(shard);
      fresh_ = fresh_ && (known == nullptr || !known->began);
      auto* member = co_await state_.transaction.enlist(shard, state_.target(shard), state_.token());
      if (writes(plan_) && in_transaction()) {
        if (plan_.in_order) state_.transaction.hold_schema_change();
        state_.transaction.mark_written(shard);
      }
      if (plan_.copy_out && plan_.recipe && members_.empty()) {
        const Running running(state_, member->lease);
        co_await sink_.copy().begin_rows(member->lease);
      }
      expect_residue(*member, plan_);
      members_.push_back(member);
    }
    tags_.resize(members_.size());
  }

  /// One shard after another; ends with the first that fails.
  net::Task<void> run_in_order() {
    for (std::size_t source = 0; source < members_.size() && !error_; ++source) {
      send(source);
      exchange_.send();
      while (!exchange_.finished(source)) {
        take({source, co_await exchange_.next_of(source)});
      }
    }
  }

  /// A shard is to carry out several statements: one for each of its buckets.
  bool asks_twice() const {
    return std::ranges::adjacent_find(bound_.queries, {}, &rewriter::ShardQuery::shard) != bound_.queries.end();
  }

  /// One statement after another; ends with the first that fails. Their rows are no more than passed on.
  net::Task<void> run_in_turn() {
    if (plan_.recipe && !plan_.recipe->passes_through()) {
      throw values::make_error(values::ErrorId::internal, "statements of one shard are merged");
    }
    for (std::size_t source = 0; source < members_.size() && !error_; ++source) {
      send(source);
      exchange_.send();
      while (!exchange_.finished(source)) {
        const backends::Exchange::Next next{source, co_await exchange_.next_of(source)};
        take(next);
        if (next.reply.kind != Reply::Kind::rows) continue;
        execution_.taken_from = members_[source]->shard;
        co_await sink_.take(rows_of(source));
      }
    }
  }

  /// Adds the source, and queues its request.
  void send(std::size_t source) {
    const std::size_t added = exchange_.add(members_[source]->lease);
    exchange_.stream(added).longest_row = state_.db->config->limits.query_memory;
    running_.push_back(std::make_unique<Running>(state_, members_[source]->lease));
    const std::uint32_t shard = members_[source]->shard;
    PartialRequest partial(state_, execution_, input_formats(plan_, sink_.formats()), shard, bound_.queries[source].sql);
    row_oids_.push_back(input_oids(*state_.db, shard, plan_, partial.request.result_formats));
    unparsed_.push_back(send_request(exchange_.lease(source), partial.request));
    names_.push_back(std::move(partial.name));
  }

  /// The rows that a source has given, with the default shard's OIDs.
  merge::Batch& rows_of(std::size_t source) {
    merge::Batch& rows = exchange_.stream(source).rows;
    row_oids_[source].translate(rows);
    return rows;
  }

  /// Each shard's COPY data as it comes; a large row is passed on to its end before anything else.
  net::Task<void> pass_copies() {
    for (std::size_t i = 0; !sink_.copy().has_lead() && i < exchange_.size(); ++i) {
      read_copies(exchange_.stream(i));
    }
    while (auto next = co_await exchange_.next()) {
      take(*next);
      while (true) {
        pass_copy(next->source, next->reply);
        if (state_.client.queued() > send_ahead_bytes) state_.client.send_now();
        co_await give_way_to_client(state_);
        if (!exchange_.stream(next->source).in_message()) break;
        next->reply = co_await exchange_.next_of(next->source);
      }
    }
  }

  void pass_copy(std::size_t source, const Reply& reply) {
    CopyOutput& copy = sink_.copy();
    if (reply.kind == Reply::Kind::run) copy.more(reply.message);
    if (reply.kind == Reply::Kind::part) copy.part(reply.message.raw);
    if (reply.kind != Reply::Kind::message) return;
    if (reply.message.type == 'H') copy.respond(reply.message);
    if (reply.message.type != 'd') return;
    copy.first(reply.message);
    read_copies(exchange_.stream(source));
  }

  net::Task<void> read() {
    if (plan_.copy_out && !plan_.recipe) {
      co_await pass_copies();
      co_return;
    }
    if (!plan_.recipe) {
      while (auto next = co_await exchange_.next()) take(*next);
      co_return;
    }
    if (plan_.recipe->passes_through()) {
      while (auto next = co_await exchange_.next()) {
        take(*next);
        if (next->reply.kind != Reply::Kind::rows) continue;
        execution_.taken_from = members_[next->source]->shard;
        if (plan_.sum_counts || next->source == 0) co_await sink_.take(rows_of(next->source));
      }
      co_return;
    }
    co_await merge();
  }

  net::Task<void> merge() {
    merge::Binding binding = merge_binding(state_, plan_, bound_, sink_.formats());
    const conf::Limits& limits = state_.db->config->limits;
    MergeWork merger(execution_.plan, *plan_.recipe, std::move(binding), exchange_.size(),
                     std::make_shared<merge::MemoryBudget>(limits.query_memory), limits, state_.worker.metrics());
    merge::Batch out;
    while (!error_) {
      const MergeWork::Status status = co_await merger.next(out);
      if (status.kind == MergeWork::Status::Kind::end) break;
      if (status.kind == MergeWork::Status::Kind::rows) {
        if (out.empty()) state_.check_cancelled();
        if (!out.empty()) co_await sink_.take(out);
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

  void feed(MergeWork& merger, const backends::Exchange::Next& next) {
    take(next);
    if (next.reply.kind == Reply::Kind::ready) {
      merger.finish(next.source);
    } else if (next.reply.kind == Reply::Kind::rows) {
      merge::Batch rows;
      rows.swap(rows_of(next.source));
      merger.consume(next.source, std::move(rows));
    }
  }

  /// What is the same for every way to read.
  void take(const backends::Exchange::Next& next) {
    if (next.reply.kind != Reply::Kind::message) return;
    const net::pg::Message& message = next.reply.message;
    switch (message.type) {
      case '1': unparsed_[next.source] = false; break;
      case 'T': check_partial_columns(*state_.db, plan_, exchange_.lease(next.source), message); break;
      case 'C': {
        const auto complete = net::pg::CommandComplete::decode(message.payload);
        if (complete) tags_[next.source] = complete->tag;
        break;
      }
      case 'E': take_error(next.source, message); break;
      case 'N': take_notice(next.source, message); break;
      default: break;
    }
  }

  /// Shards that do the same thing say the same: it is heard once.
  void take_notice(std::size_t source, const net::pg::Message& message) {
    // What is not on every shard is no news but from the default one.
    if (!plan_.subquery_of.empty() && members_[source]->shard != state_.default_shard()) return;
    if (!plan_.sum_counts) {
      Notices& heard = notices_[std::string(message.payload)];
      heard.by_source.resize(members_.size());
      if (++heard.by_source[source] <= heard.passed_on) return;
      ++heard.passed_on;
    }
    state_.client.write(message.raw);
  }

  /// Each shard has committed for itself: what is done is not undone.
  void say_how_far(std::exception_ptr& failure) {
    std::vector<std::string_view> done;
    for (std::size_t source = 0; source + 1 < exchange_.size(); ++source) done.push_back(members_[source]->lease.shard_name());
    if (done.empty()) return;
    const std::string detail = fmt::format("Carried out on {}, and not undone there.", fmt::join(done, ", "));
    const std::string hint =
        "Remove the cause and run it again; an index that was made on some shards only, or is invalid on one, is "
        "dropped with DROP INDEX IF EXISTS first.";
    if (error_) {
      const std::string said(error_->fields.get('D'));
      error_->fields.set('D', said.empty() ? detail : said + "\n" + detail);
      if (error_->fields.get('H').empty()) error_->fields.set('H', hint);
      return;
    }
    try {
      std::rethrow_exception(failure);
    } catch (const backends::ServerError&) {
    } catch (const values::SqlError& error) {
      values::SqlError longer = error;
      longer.detail = detail;
      longer.hint = hint;
      failure = std::make_exception_ptr(longer);
    } catch (...) {
    }
  }

  void take_error(std::size_t source, const net::pg::Message& message) {
    backends::ServerError error = partial_error(exchange_.lease(source), message);
    if (error_) return;
    failed_source_ = source;
    error_.emplace(std::move(error));
  }

  net::Task<Outcome> finish() {
    const bool alone = execution_.standalone && execution_.simple;
    running_.clear();
    if (plan_.effect == Effect::ddl) state_.change_definitions();
    if (alone) co_await end_statement_transaction(state_);
    co_return co_await sink_.finish(tag());
  }

  std::string tag() const {
    if (plan_.recipe && plan_.effect != Effect::writes) return {};  // the sink counts rows
    if (!plan_.sum_counts || tags_.empty()) return tags_.empty() ? plan_.command : tags_.front();
    std::uint64_t total = 0;
    for (const std::string& tag : tags_) total += count_in_tag(tag);
    const std::string& first = tags_.front();
    const std::size_t blank = first.rfind(' ');
    const bool counted = blank != std::string::npos && std::isdigit(static_cast<unsigned char>(first.back())) != 0;
    return counted ? fmt::format("{} {}", first.substr(0, blank), total) : first;
  }

  SessionState& state_;
  Execution& execution_;
  const Plan& plan_;
  BoundPlan bound_;
  backends::Exchange exchange_;
  std::vector<backends::Transaction::Enlisted*> members_;  ///< in shard order
  std::vector<std::unique_ptr<Running>> running_;
  /// A notice, how often each shard has given it, and how often the client has heard it.
  struct Notices {
    std::vector<std::size_t> by_source;
    std::size_t passed_on = 0;
  };
  std::map<std::string, Notices> notices_;
  RowSink sink_;
  std::vector<std::string> names_;
  std::vector<RowOids> row_oids_;  ///< by source
  std::vector<bool> unparsed_;  ///< a Parse was sent and has not been answered
  std::size_t failed_source_ = 0;
  std::vector<std::string> tags_;
  std::optional<backends::ServerError> error_;
  bool fresh_ = true;  ///< no shard was part of the transaction before
  bool again_ = false;
};

}  // namespace

net::Task<Outcome> run_partials(SessionState& state, Execution& execution) {
  if (begins_merged_portal(execution)) co_return co_await run_merged_portal(state, execution);
  std::optional<Outcome> outcome;
  {
    Partials partials(state, execution);
    try {
      outcome = co_await partials.run();
    } catch (const backends::ServerError&) {
      if (!partials.may_run_again()) throw;
    }
  }
  if (!outcome) {
    for (auto& member : state.transaction.enlisted()) {
      if (member->began) co_await state.transaction.reopen(*member);
    }
    Partials again(state, execution);
    outcome = co_await again.run();
  }
  co_await settle_residue(state);
  state.transaction.give_back();
  co_return *outcome;
}

}  // namespace anabranch::proxy
