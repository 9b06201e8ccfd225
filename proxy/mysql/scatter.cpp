#include "proxy/mysql/scatter.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "backends/cancel.h"
#include "backends/exchange.h"
#include "backends/mysql_exchange.h"
#include "backends/mysql_rows.h"
#include "backends/streams.h"
#include "net/mysql/command_messages.h"
#include "proxy/merge_work.h"
#include "proxy/mysql/cursor.h"
#include "proxy/mysql/into.h"
#include "proxy/mysql/prepared.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/row_output.h"
#include "proxy/mysql/sent_rows.h"
#include "proxy/mysql/several.h"
#include "proxy/mysql/statement_time.h"
#include "proxy/mysql/transaction.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using Stream = backends::MysqlRowStream;
using Enlisted = backends::Transaction::Enlisted;

class Scatter {
 public:
  Scatter(State& state, Request& request)
      : state_(state),
        plan_(*request.plan->plan),
        request_(request),
        budget_(std::make_shared<merge::MemoryBudget>(state.db->config->limits.query_memory)),
        sent_(plan_, *budget_),
        answers_(!plan_.finish),
        output_(state, plan_, request.prepared != nullptr) {
    if (!plan_.into.empty()) {
      into_ = std::make_unique<IntoVariables>(state, request);
      return;
    }
    if (request.cursor != net::mysql::cursor::none) cursor_ = std::make_unique<CursorRows>(state, request.plan);
  }

  net::Task<void> run() {
    check_select_limit(state_);
    bound_ = rewriter::bind(bind_request(state_, request_));
    if (must_open(state_)) co_await open_transaction(state_, plan_);
    for (const auto& query : bound_.queries) {
      members_.push_back(co_await enlist(state_, plan_, static_cast<std::uint32_t>(query.shard)));
    }
    std::exception_ptr failure;
    try {
      if (plan_.one_moment && members_.size() > 1) co_await time_.set(state_, members_);
      state_.check_cancelled();
      for (std::size_t i = 0; i < members_.size(); ++i) send(*members_[i], bound_.queries[i].sql);
      streams_->send();
      co_await (plan_.recipe->passes_through() ? pass_rows() : merge());
      if (plan_.finish) co_await finish_rows();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) co_await stop_rows(*streams_);
    running_.clear();
    co_await time_.reset(members_);
    if (failure && state_.explicit_transaction() && co_await has_rolled_back(members_)) co_await roll_back(state_);
    if (failure) std::rethrow_exception(failure);
    if (into_ != nullptr) {
      check_quiet();
      co_return co_await into_->finish();
    }
    const auto found = co_await count_all_rows();
    finish(found);
  }

 private:
  void send(Enlisted& member, std::string_view sql) {
    backends::Lease& lease = member.lease;
    backends::write_command(lease, net::mysql::ComQuery{sql});
    lease->expect_ready();
    running_.push_back(std::make_unique<Running>(state_, lease));
    streams_->add(lease, static_cast<std::size_t>(state_.db->config->limits.query_memory));
  }

  /// Rows as they come.
  net::Task<void> pass_rows() {
    while (const auto next = co_await streams_->next()) {
      take(next->source, next->reply);
      if (next->reply == Stream::Reply::rows) co_await take_rows(streams_->stream(next->source).rows);
    }
  }

  net::Task<void> merge() {
    merge::Binding binding;
    binding.output_formats.assign(plan_.recipe->outputs.size(), values::Format::text);
    binding.slots = std::move(bound_.slots);
    MergeWork merger(request_.plan, *plan_.recipe, std::move(binding), streams_->size(), budget_,
                     state_.db->config->limits, state_.worker.metrics());
    merge::Batch out;
    while (true) {
      const MergeWork::Status status = co_await merger.next(out);
      if (status.kind == MergeWork::Status::Kind::end) break;
      if (status.kind == MergeWork::Status::Kind::rows) {
        if (out.empty()) state_.check_cancelled();
        if (!out.empty()) co_await take_rows(out);
        continue;
      }
      std::size_t source = status.source;
      Stream::Reply reply{};
      if (status.any) {
        const auto next = co_await streams_->next();
        if (!next) throw values::make_error(values::ErrorId::internal, "the merge waits for shards that have ended");
        source = next->source;
        reply = next->reply;
      } else {
        reply = co_await streams_->next_of(source);
      }
      feed(merger, source, reply);
    }
    // A merge that has enough (LIMIT) leaves bounded rests.
    while (const auto next = co_await streams_->next()) take(next->source, next->reply);
  }

  void feed(MergeWork& merger, std::size_t source, Stream::Reply reply) {
    take(source, reply);
    if (reply == Stream::Reply::end) merger.finish(source);
    if (reply != Stream::Reply::rows) return;
    merge::Batch rows;
    rows.swap(streams_->stream(source).rows);
    merger.consume(source, std::move(rows));
  }

  /// A server that sets variables knows nothing of warnings that others have given.
  void check_quiet() const {
    if (warnings_ == 0) return;
    throw values::make_error(values::ErrorId::unsupported_statement, "SELECT … INTO of rows with warnings",
                             "Read the rows, then set the variables.");
  }

  /// What FOUND_ROWS() will say. Nothing: it is not known.
  net::Task<std::optional<std::uint64_t>> count_all_rows() {
    if (cursor_ != nullptr) co_return std::nullopt;
    if (!plan_.counts_all_rows) co_return output_.rows();
    if (plan_.finish) co_return std::nullopt;
    const bool cuts_only = std::ranges::all_of(
        plan_.recipe->steps, [](const auto& step) { return std::holds_alternative<merge::Limit>(step); });
    if (!cuts_only || warnings_ > 0) co_return std::nullopt;
    std::uint64_t sum = 0;
    for (Enlisted* member : members_) {
      auto answer = co_await backends::run_command(member->lease, "SELECT FOUND_ROWS()");
      if (!answer) co_return std::nullopt;
      sum += leading_number(answer->rows.at(0).at(0).value_or(""));
    }
    co_return sum;
  }

  /// The first shard is sent the rows, and what it answers is the answer.
  net::Task<void> finish_rows() {
    std::string sql = sent_.statement(bound_.finish);
    running_.clear();
    // It tells of its last statement's only.
    warnings_ -= std::exchange(first_warnings_, 0);
    std::erase(warned_, members_.front()->lease.shard());
    streams_ = std::make_unique<backends::Streams<Stream>>();
    answers_ = true;
    state_.check_cancelled();
    send(*members_.front(), sql);
    sql = {};
    streams_->send();
    co_await pass_rows();
  }

  net::Task<void> take_rows(const merge::Batch& rows) {
    if (!answers_) {
      sent_.add(rows);
    } else if (into_ != nullptr) {
      into_->keep(rows);
    } else if (cursor_ != nullptr) {
      cursor_->keep(rows);
    } else {
      co_await output_.take(rows);
    }
  }

  void take(std::size_t source, Stream::Reply reply) {
    const Stream& stream = streams_->stream(source);
    if (reply == Stream::Reply::columns) return take_columns(stream);
    if (reply != Stream::Reply::end) return;
    const backends::Lease& lease = members_[source]->lease;
    if (stream.failure()) throw backends::ServerError(*stream.failure(), lease.shard(), lease.shard_name());
    warnings_ += stream.warnings();
    if (source == 0) first_warnings_ = stream.warnings();
    if (stream.warnings() == 0) return;
    warned_.push_back(lease.shard());
  }

  void take_columns(const Stream& stream) {
    const bool computed = plan_.finish && answers_;
    const std::size_t expected =
        computed ? plan_.result->size() + plan_.exact.size() : plan_.recipe->inputs.size();
    if (stream.definitions().size() != expected) {
      throw values::make_error(values::ErrorId::description_changed, "a shard answers with other columns");
    }
    RowOutput& output = into_ != nullptr ? into_->output() : cursor_ != nullptr ? cursor_->output() : output_;
    computed ? output.check_computed(stream.definitions()) : output.describe(stream.definitions());
  }

  void finish(std::optional<std::uint64_t> found) {
    state_.note_done(State::Counts{-1, found});
    state_.note_warned(std::move(warned_));
    const auto warnings = static_cast<std::uint16_t>(std::min<std::uint64_t>(warnings_, 65535));
    if (cursor_ == nullptr) return output_.finish(warnings);
    cursor_->open(warnings);
    request_.prepared->rows = std::move(cursor_);
  }

  State& state_;
  const rewriter::Plan& plan_;
  Request& request_;
  rewriter::BoundPlan bound_;
  std::shared_ptr<merge::MemoryBudget> budget_;
  SentRows sent_;
  bool answers_;  ///< what comes is the answer, and no rows that a shard is to be sent
  std::unique_ptr<backends::Streams<Stream>> streams_ = std::make_unique<backends::Streams<Stream>>();
  std::vector<Enlisted*> members_;
  std::vector<std::unique_ptr<Running>> running_;
  StatementTime time_;
  RowOutput output_;
  std::unique_ptr<CursorRows> cursor_;  ///< of an execution that opens one
  std::unique_ptr<IntoVariables> into_;
  std::uint64_t warnings_ = 0;
  std::uint64_t first_warnings_ = 0;  ///< of these, the first shard's
  std::vector<std::uint32_t> warned_;
};

}  // namespace

net::Task<void> stop_rows(backends::Streams<backends::MysqlRowStream>& streams) {
  for (std::size_t source = 0; source < streams.size(); ++source) {
    if (!streams.finished(source)) backends::request_cancel(streams.lease(source));
  }
  co_await streams.drain();
  for (std::size_t source = 0; source < streams.size(); ++source) co_await cancels_ended(streams.lease(source));
}

void check_select_limit(const State& state) {
  if (!state.limits_selects) return;
  throw values::make_error(values::ErrorId::unsupported_statement, "a SELECT over several shards under sql_select_limit",
                           "SET sql_select_limit = DEFAULT, and write LIMIT.");
}

net::Task<void> run_scatter(State& state, Request& request) {
  Scatter scatter(state, request);
  co_await scatter.run();
}

}  // namespace anabranch::proxy::mysql
