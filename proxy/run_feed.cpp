#include <fmt/format.h>

#include <algorithm>

#include "backends/exchange.h"
#include "proxy/binary_copy.h"
#include "proxy/encoding.h"
#include "proxy/execute.h"
#include "proxy/held_rows.h"
#include "proxy/partial_requests.h"
#include "proxy/pins.h"
#include "proxy/replies.h"
#include "proxy/transaction_end.h"
#include "proxy/type_identity.h"
#include "proxy/workspace_tables.h"
#include "router/key_value.h"
#include "values/errors.h"

/// INSERT … SELECT whose rows are stored elsewhere than they are read, CREATE TABLE AS of such, and writes that read rows
/// of other shards.
namespace anabranch::proxy {

namespace {

using backends::Reply;
using rewriter::Plan;
using rewriter::PlanKind;
using values::ErrorId;
using values::make_error;

/// SQLSTATE of a notice.
constexpr std::string_view duplicate_table = "42P07";

/// About as much is written to a shard at a time.
constexpr std::size_t piece_bytes = 64 * 1024;

/// The query's rows are read to their end first: its shards' connections are those that take them.
class Feeding {
 public:
  Feeding(SessionState& state, Execution& execution, const rewriter::Feed& feed)
      : state_(state),
        execution_(execution),
        feed_(feed),
        by_key_(execution.plan->plan->kind == PlanKind::split &&
                execution.plan->plan->routing.mode == rewriter::Routing::Mode::by_key),
        held_(by_key_ || has_owners() ? state.db->map->shards().size() : 1, share_of(state.db->config->limits, *execution.plan->plan),
              state.worker.metrics()),
        exchange_(net::CancelToken{}) {}

  /// CREATE TABLE AS: the table, and its rows. Answers the statement's tag.
  net::Task<std::string> make_table() {
    const Plan& plan = *execution_.plan->plan;
    co_await keep();
    if (!in_transaction()) state_.transaction.begin_implicit();
    const std::uint32_t shard = state_.default_shard();
    auto* member = co_await state_.transaction.enlist(shard, state_.target(shard), state_.token());
    if (changes_definitions(plan)) {
      state_.transaction.hold_schema_change();
      state_.transaction.mark_written(shard);
    }
    expect_residue(*member, plan);
    const bool made = co_await define(*member);
    if (made) co_await store();
    co_await settle_residue(state_);
    if (changes_definitions(plan)) state_.change_definitions();
    co_return made ? fmt::format("SELECT {}", count_) : "CREATE TABLE AS";
  }

  net::Task<void> keep() {
    check_encoding();
    co_await keep_rows();
  }

  /// Takes what is held to its shards.
  net::Task<void> store() {
    if (!in_transaction()) state_.transaction.begin_implicit();
    std::exception_ptr failure;
    try {
      co_await begin();
      co_await pour();
      co_await finish();
      co_await prepare_many();
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) co_return;
    co_await stop();
    std::rethrow_exception(failure);
  }

  /// The shards that have the rows now.
  router::ShardSet shards() const {
    router::ShardSet shards;
    for (const auto* member : members_) shards.add(member->shard);
    return shards;
  }

  /// In a transaction that goes on another statement may want the table's name.
  net::Task<void> drop_tables() {
    if (!in_transaction()) co_return;
    for (auto* member : members_) {
      const Running running(state_, member->lease);
      auto answer = co_await backends::run_command(member->lease, "DROP TABLE " + feed_.table, state_.token());
      if (!answer) throw backends::ServerError(answer.error(), member->shard, member->lease.shard_name());
    }
  }

 private:
  /// False: there is such a table already, and IF NOT EXISTS was said.
  net::Task<bool> define(backends::Transaction::Enlisted& member) {
    const Running running(state_, member.lease);
    backends::send_query(member.lease, rewriter::bind(bind_request(state_, execution_)).queries.at(0).sql);
    member.lease->socket().send_now();
    bool made = true;
    backends::ReplyStream stream(member.lease);
    const auto take = [&](const Reply& reply) {
      if (reply.kind != Reply::Kind::message || reply.message.type != 'N') return;
      state_.client.write(reply.message.raw);
      const auto notice = net::pg::ErrorResponse::decode(reply.message.payload);
      if (notice && notice->get('C') == duplicate_table) made = false;
    };
    auto failure = co_await backends::read_to_end(member.lease, stream, take, state_.token());
    if (!failure) co_return made;
    failure->remove('P');  // it counts in a text that is not the client's
    throw backends::ServerError(std::move(*failure), member.shard, member.lease.shard_name());
  }

  /// Each shard is given what it has not: rows are kept by where they come from.
  bool has_owners() const { return !feed_.owners.empty(); }

  /// Feeds hold their rows at the same time.
  static conf::Limits share_of(conf::Limits limits, const Plan& plan) {
    limits.query_memory /= plan.feeds.size();
    return limits;
  }

  bool in_transaction() const { return state_.transaction.state() != backends::TransactionState::none; }

  /// Keys are placed by their bytes in the servers' encoding, and rows come in the client's.
  void check_encoding() const {
    const std::string* reported = state_.reported("client_encoding");
    if (reported == nullptr || plain_encoding(*reported) == "utf8") return;
    const bool text_keys = std::ranges::any_of(feed_.key, [](const rewriter::KeyOperand& part) {
      return router::key_type_of(part.column_type) == router::KeyType::text;
    });
    if (!text_keys) return;
    throw make_error(ErrorId::unsupported_clause, fmt::format("INSERT … SELECT in encoding {}", *reported),
                     "keys are placed by their UTF8 bytes", "SET client_encoding TO 'UTF8'.");
  }

  net::Task<void> keep_rows() {
    const net::pg::Formats binary{1};
    Execution query;
    const RowTaker taker = [this, &query](const merge::Batch& rows) -> net::Task<void> {
      const std::size_t all = has_owners() ? query.taken_from : 0;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto shard = by_key_ ? shard_of(rows.row(i)) : std::optional(all);
        held_.add(shard ? *shard : co_await look_up_shard(rows.row(i)), rows, i);
      }
      co_await held_.settle();
    };
    query = part_of(execution_, feed_.rows, taker, binary.list());
    // Where nothing has begun, the query's connections go back before others are waited for.
    query.standalone = execution_.standalone && !in_transaction();
    const auto evaluations = rewriter::evaluations_of(feed_, execution_.evaluations);
    query.evaluations.assign(evaluations.begin(), evaluations.end());
    if (has_owners()) query.only = givers();
    if (feed_.rows->kind == PlanKind::gather) {
      (void)co_await run_gather(state_, query);
    } else {
      (void)co_await run_partials(state_, query);
    }
  }

  /// A shard that alone is fed needs its own rows for nobody.
  router::ShardSet givers() const {
    const router::ShardSet fed = rewriter::route(bind_request(state_, execution_), nullptr);
    router::ShardSet givers;
    for (const std::uint32_t shard : feed_.owners) {
      if (fed.size() > 1 || !fed.contains(shard)) givers.add(shard);
    }
    return givers;
  }

  /// Nothing: its key must be looked up.
  std::optional<std::size_t> shard_of(merge::RowView row) {
    const LookupReader::Pass pass(state_.lookups, false);
    const std::uint32_t shard = read_shard(row);
    return pass.complete() ? std::optional<std::size_t>(shard) : std::nullopt;
  }

  net::Task<std::size_t> look_up_shard(merge::RowView row) {
    while (true) {
      co_await answer_lookups(state_, true);
      if (const auto shard = shard_of(row)) co_return *shard;
    }
  }

  std::uint32_t read_shard(merge::RowView row) {
    row.split(fields_);
    values_.clear();
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      values_.push_back({(*feed_.rows->result)[i].type, values::Format::binary, fields_[i]});
    }
    rewriter::BindRequest request = bind_request(state_, execution_);
    request.parameters = values_;
    return rewriter::shard_of_row(request);
  }

  /// Each shard that has rows makes its table. Where there are none one shard does: it says what has become of none.
  net::Task<void> begin() {
    const router::ShardSet all = rewriter::route(bind_request(state_, execution_), nullptr);
    router::ShardSet used;
    for (const std::uint32_t shard : all) {
      if (!by_key_ || !held_.empty(shard)) used.add(shard);
    }
    if (used.empty()) used.add(*all.begin());
    const net::pg::Formats binary{1};
    for (const std::uint32_t shard : used) {
      if (!row_oids(*state_.db, shard, *feed_.rows->result, binary.list()).empty()) {
        throw make_error(ErrorId::unsupported_clause, execution_.plan->plan->command + " with such values of other shards",
                         "they name types by OIDs, which are others on each shard", "Cast them to text.");
      }
      auto* member = co_await state_.transaction.enlist(shard, state_.target(shard), state_.token());
      if (writes(*execution_.plan->plan)) state_.transaction.mark_written(shard);
      members_.push_back(member);
    }
    for (auto* member : members_) {
      const std::string_view end = feed_.definition.empty() ? "" : "; ";
      backends::send_query(member->lease, fmt::format("{}{}COPY {} FROM STDIN (FORMAT binary)", feed_.definition, end, feed_.table));
      member->lease->set_mid_request(true);
      (void)exchange_.add(member->lease);
      running_.push_back(std::make_unique<Running>(state_, member->lease));
    }
    exchange_.send();
    for (std::size_t source = 0; source < exchange_.size(); ++source) {
      for (bool accepted = false; !accepted;) {
        const Reply reply = co_await exchange_.next_of(source);
        accepted = reply.kind == Reply::Kind::message && reply.message.type == 'G';
        if (!accepted) take(source, reply);
      }
      net::pg::CopyData{binary_copy_header}.encode(exchange_.lease(source)->socket().out());
    }
  }

  /// Rows of one destination on their way.
  struct Stream {
    std::size_t destination = 0;
    std::vector<std::size_t> sources;
    merge::Batch rows;
    std::size_t next = 0;
  };

  net::Task<void> pour() {
    std::vector<Stream> streams = has_owners() ? streams_of_owners() : streams_of_rows();
    for (bool more = true; more;) {
      state_.check_cancelled();
      more = false;
      for (Stream& stream : streams) {
        if (co_await send_piece(stream)) more = true;
      }
      co_await drain();
    }
  }

  std::vector<Stream> streams_of_owners() const {
    std::vector<Stream> streams;
    for (const std::uint32_t shard : feed_.owners) {
      if (held_.empty(shard)) continue;
      Stream& stream = streams.emplace_back();
      stream.destination = shard;
      for (std::size_t source = 0; source < members_.size(); ++source) {
        if (members_[source]->shard != shard) stream.sources.push_back(source);
      }
    }
    return streams;
  }

  std::vector<Stream> streams_of_rows() const {
    std::vector<Stream> streams;
    for (std::size_t source = 0; source < members_.size(); ++source) {
      if (by_key_ || streams.empty()) streams.emplace_back().destination = by_key_ ? members_[source]->shard : 0;
      streams.back().sources.push_back(source);
    }
    return streams;
  }

  /// False: there are no more rows.
  net::Task<bool> send_piece(Stream& stream) {
    if (stream.next == stream.rows.size()) {
      stream.next = 0;
      if (!co_await held_.next(stream.destination, stream.rows)) co_return false;
    }
    std::size_t end = stream.next;
    for (std::size_t bytes = 0; end < stream.rows.size() && bytes < piece_bytes; ++end) bytes += stream.rows.message(end).size();
    for (const std::size_t source : stream.sources) {
      append_binary_copy(exchange_.lease(source)->socket().out(), stream.rows, stream.next, end);
    }
    stream.next = end;
    co_return true;
  }

  net::Task<void> drain() {
    while (!co_await exchange_.writable()) {
      auto next = co_await exchange_.next();
      if (!next) break;
      take(next->source, next->reply);
    }
  }

  net::Task<void> finish() {
    for (std::size_t source = 0; source < exchange_.size(); ++source) {
      backends::Lease& lease = exchange_.lease(source);
      net::pg::CopyData{binary_copy_trailer}.encode(lease->socket().out());
      net::pg::CopyDone{}.encode(lease->socket().out());
      lease->set_mid_request(false);
    }
    exchange_.send();
    while (auto next = co_await exchange_.next()) take(next->source, next->reply);
    running_.clear();
  }

  void take(std::size_t source, const Reply& reply) {
    if (reply.kind != Reply::Kind::message) return;
    if (reply.message.type == 'N') state_.client.write(reply.message.raw);
    if (reply.message.type == 'C') {
      const auto complete = net::pg::CommandComplete::decode(reply.message.payload);
      if (complete) count_ = std::max(count_, count_in_tag(complete->tag));
    }
    if (reply.message.type != 'E') return;
    exchange_.lease(source)->set_mid_request(false);
    throw partial_error(exchange_.lease(source), reply.message);
  }

  /// All shards at once: each takes its time for it.
  net::Task<void> prepare_many() {
    if (count_ < indexed_rows || feed_.when_many.empty()) co_return;
    backends::Exchange exchange{net::CancelToken{}};
    std::vector<std::unique_ptr<Running>> running;
    for (auto* member : members_) {
      (void)exchange.add(member->lease);
      running.push_back(std::make_unique<Running>(state_, member->lease));
      backends::send_query(member->lease, fmt::format("{}", fmt::join(feed_.when_many, "; ")));
    }
    exchange.send();
    std::optional<backends::ServerError> error;
    while (auto next = co_await exchange.next()) {
      const bool failed = next->reply.kind == Reply::Kind::message && next->reply.message.type == 'E';
      if (failed && !error) error.emplace(partial_error(exchange.lease(next->source), next->reply.message));
    }
    if (error) throw std::move(*error);
  }

  net::Task<void> stop() {
    for (std::size_t source = 0; source < exchange_.size(); ++source) {
      if (exchange_.finished(source)) continue;
      backends::Lease& lease = exchange_.lease(source);
      net::pg::CopyFail{"the statement failed elsewhere"}.encode(lease->socket().out());
      lease->set_mid_request(false);
    }
    exchange_.send();
    co_await exchange_.drain();
    running_.clear();
  }

  SessionState& state_;
  Execution& execution_;
  const rewriter::Feed& feed_;
  const bool by_key_;
  HeldRows held_;  ///< by shard where rows are placed by their keys
  backends::Exchange exchange_;
  std::vector<backends::Transaction::Enlisted*> members_;  ///< by source
  std::vector<std::unique_ptr<Running>> running_;
  std::vector<std::optional<std::string_view>> fields_;
  std::vector<rewriter::BoundValue> values_;
  std::uint64_t count_ = 0;  ///< of the rows that a shard has taken, at most
};

}  // namespace

namespace {

net::Task<Outcome> make_table(SessionState& state, Execution& execution) {
  Feeding feeding(state, execution, execution.plan->plan->feeds.front());
  const std::string tag = co_await feeding.make_table();
  if (execution.standalone && execution.simple) co_await end_statement_transaction(state);
  send_complete(state.out(), tag);
  co_return Outcome{};
}

net::Task<Outcome> feed_and_run(SessionState& state, Execution& execution) {
  std::vector<std::unique_ptr<Feeding>> feeds;
  for (const rewriter::Feed& feed : execution.plan->plan->feeds) {
    feeds.push_back(std::make_unique<Feeding>(state, execution, feed));
  }
  for (const auto& feed : feeds) co_await feed->keep();
  for (const auto& feed : feeds) co_await feed->store();
  execution.only = feeds.front()->shards();
  const Outcome outcome = co_await run_partials(state, execution);
  for (const auto& feed : feeds) co_await feed->drop_tables();
  co_return outcome;
}

/// One moment on each shard is a transaction of a level at which rows that others change fail the statement: it is then
/// carried out again, as a server takes up such rows.
net::Task<Outcome> run_at_one_moment(SessionState& state, Execution& execution) {
  constexpr int most_runs = 5;
  constexpr std::string_view changed_by_others = "40001";
  for (int runs = 1;; ++runs) {
    if (!execution.standalone || !state.transaction.begin_one_moment()) {
      throw make_error(ErrorId::unsupported_clause, "a subquery over rows of several shards in a statement that writes",
                       "in this transaction both would be of different moments",
                       "Run it outside of a transaction block, or read the rows first.");
    }
    try {
      co_return co_await feed_and_run(state, execution);
    } catch (const backends::ServerError& error) {
      if (error.sqlstate != changed_by_others || runs == most_runs) throw;
    }
    co_await state.transaction.rollback();
    state.transaction.give_back();
    execution.only.reset();
  }
}

}  // namespace

net::Task<Outcome> run_feed(SessionState& state, Execution& execution) {
  const Plan& plan = *execution.plan->plan;
  if (plan.feeds.front().definition.empty()) co_return co_await make_table(state, execution);
  const bool reaches_rows = plan.kind == PlanKind::split || !rewriter::route(bind_request(state, execution), nullptr).empty();
  if (!reaches_rows) co_return co_await run_partials(state, execution);
  co_return co_await (plan.feeds_of_one_moment ? run_at_one_moment(state, execution) : feed_and_run(state, execution));
}

}  // namespace anabranch::proxy
