#include <fmt/format.h>

#include <charconv>
#include <deque>

#include "backends/cancel.h"
#include "backends/exchange.h"
#include "proxy/copy_rows.h"
#include "proxy/execute.h"
#include "proxy/leases.h"
#include "proxy/replies.h"
#include "proxy/transaction_end.h"
#include "router/key_value.h"
#include "values/errors.h"

/// COPY … FROM STDIN into a table of many shards: each row goes to its own.
namespace anabranch::proxy {

namespace {

using backends::Reply;
using rewriter::CopySplit;
using values::ErrorId;
using values::make_error;

/// Which of the client's lines a shard's n-th line was. Only the youngest are kept: an error comes
/// soon after its row.
class LineNumbers {
 public:
  void add(std::uint64_t line) {
    lines_.push_back(line);
    if (lines_.size() <= kept) return;
    lines_.pop_front();
    ++forgotten_;
  }
  std::optional<std::uint64_t> client_line(std::uint64_t shard_line) const {
    if (shard_line <= forgotten_ || shard_line > forgotten_ + lines_.size()) return std::nullopt;
    return lines_[shard_line - forgotten_ - 1];
  }

 private:
  static constexpr std::size_t kept = 1U << 18;
  std::deque<std::uint64_t> lines_;
  std::uint64_t forgotten_ = 0;
};

/// `COPY t, line 7, column x` with the client's line number.
std::string renumbered(std::string_view context, const LineNumbers& lines) {
  constexpr std::string_view mark = ", line ";
  const std::size_t at = context.find(mark);
  if (!context.starts_with("COPY ") || at == std::string_view::npos) return std::string(context);
  const char* digits = context.data() + at + mark.size();
  std::uint64_t line = 0;
  const auto read = std::from_chars(digits, context.data() + context.size(), line);
  const auto client_line = lines.client_line(line);
  const std::string_view rest(read.ptr, static_cast<std::size_t>(context.data() + context.size() - read.ptr));
  if (!client_line) return fmt::format("{}{}", context.substr(0, at), rest);
  return fmt::format("{}{}{}{}", context.substr(0, at), mark, *client_line, rest);
}

class SplitCopy {
 public:
  SplitCopy(SessionState& state, Execution& execution)
      : state_(state),
        execution_(execution),
        plan_(*execution.plan->plan),
        copy_(*plan_.copy),
        table_(state.db->map->tables()[static_cast<std::size_t>(copy_.table)]),
        sql_(execution.statement->text),
        exchange_(net::CancelToken{}),
        rows_(copy_),
        sources_(state.db->map->shards().size()),
        shard_count_(state.db->map->shards_of(table_).size()) {}

  net::Task<Outcome> run() {
    std::exception_ptr failure;
    try {
      co_await begin();
      co_await take_rows();
      co_await finish();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      co_await stop();
      std::rethrow_exception(failure);
    }
    if (execution_.standalone && execution_.simple) co_await end_statement_transaction(state_);
    send_complete(state_.out(), fmt::format("COPY {}", count_));
    co_return Outcome{};
  }

 private:
  struct Source {
    std::optional<std::size_t> index;  ///< in the exchange, once the shard takes part
    LineNumbers lines;
    std::uint64_t copied = 0;
    bool wrote = false;
  };

  /// One shard is asked at once: it says whether the statement is right, and what it expects.
  net::Task<void> begin() {
    if (copy_.format == CopySplit::Format::binary) {
      throw make_error(ErrorId::unsupported_clause, "COPY FROM with FORMAT binary",
                       "rows are placed by reading their keys as text", "Use FORMAT text or csv.");
    }
    check_encoding();
    if (state_.transaction.state() == backends::TransactionState::none) state_.transaction.begin_implicit();
    const router::ShardSet shards = state_.db->map->shards_of(table_);
    if (copy_.every_shard) {
      for (const std::uint32_t shard : shards) co_await join(shard);
    } else {
      co_await join(*shards.begin());
    }
    net::pg::CopyInResponse response;
    net::pg::Formats formats;
    for (int i = 0; i < copy_.field_count; ++i) formats.add(0);
    response.column_formats = formats.list();
    response.encode(state_.out());
    if (const auto sent = co_await state_.client.flush_all(); !sent) throw ClientGone{sent.error().message};
  }

  /// Keys are hashed in the server's encoding, and a byte of a multi-byte character must not look
  /// like a delimiter.
  void check_encoding() const {
    const std::string* encoding = state_.reported("client_encoding");
    if (encoding == nullptr || *encoding == "UTF8") return;
    throw make_error(ErrorId::unsupported_clause, fmt::format("COPY FROM in client encoding {}", *encoding),
                     "keys are placed by their UTF8 bytes", "SET client_encoding TO 'UTF8'.");
  }

  net::Task<void> join(std::uint32_t shard) {
    Source& source = sources_[shard];
    if (source.index) co_return;
    auto* member = co_await state_.transaction.enlist(shard, state_.target(shard), state_.token());
    backends::send_query(member->lease, sql_);
    member->lease->set_mid_request(true);
    source.index = exchange_.add(member->lease);
    shard_of_.push_back(shard);
    running_.push_back(std::make_unique<Running>(state_, member->lease));
    exchange_.send();
    // The header line, where there is one, goes to every shard: HEADER MATCH is the server's to check.
    bool accepted = false;
    while (!accepted) {
      const Reply reply = co_await exchange_.next_of(*source.index);
      accepted = reply.kind == Reply::Kind::message && reply.message.type == 'G';
      if (!accepted) take(*source.index, reply);
    }
    if (!header_.empty()) send_row(source, header_, 1);
  }

  /// A shard that is only asked whether the statement is right writes nothing.
  void mark_written(std::uint32_t shard) {
    Source& source = sources_[shard];
    if (!source.wrote) state_.transaction.mark_written(shard);
    source.wrote = true;
  }

  void send_row(Source& source, std::string_view bytes, std::uint64_t line) {
    net::pg::CopyData{bytes}.encode(exchange_.lease(*source.index)->socket().out());
    source.lines.add(line);
  }

  net::Task<void> take_rows() {
    bool ended = false;
    while (true) {
      const CopyMessage message = co_await next_copy_message(state_);
      state_.check_cancelled();
      if (message.kind == CopyMessage::Kind::failed) {
        throw values::SqlError("57014", "COPY from stdin failed: " + message.reason);
      }
      if (message.kind == CopyMessage::Kind::done) rows_.finish();
      else rows_.feed(message.data);
      while (!ended) {
        const auto row = rows_.next();
        if (!row) break;
        ended = row->end_marker;
        if (!ended) co_await place(*row);
      }
      if (message.kind == CopyMessage::Kind::done) co_return;
      while (!co_await exchange_.writable()) {
        auto next = co_await exchange_.next();
        if (!next) break;
        take(next->source, next->reply);
      }
    }
  }

  net::Task<void> place(const CopyRows::Row& row) {
    if (row.header) {
      header_ = row.bytes;
      for (Source& source : sources_) {
        if (source.index) send_row(source, row.bytes, row.line);
      }
      co_return;
    }
    ++count_;
    check_clock(row);
    if (copy_.every_shard) {
      for (const std::uint32_t shard : shard_of_) {
        mark_written(shard);
        send_row(sources_[shard], row.bytes, row.line);
      }
      co_return;
    }
    const std::uint32_t shard = co_await shard_for(row);
    mark_written(shard);
    // Joining reads from the shard, not from the client: the row's bytes stay.
    if (!sources_[shard].index) co_await join(shard);
    send_row(sources_[shard], row.bytes, row.line);
  }

  /// Each shard would read its own clock: copies would differ, and so would rows of one moment.
  void check_clock(const CopyRows::Row& row) {
    if (shard_count_ == 1) return;
    const auto word = rows_.clock_word(row);
    if (!word) return;
    values::SqlError error = make_error(
        ErrorId::unsupported_clause, fmt::format("COPY FROM with '{}' as a date or time", *word),
        "every shard would read its own clock", "Write the date and time themselves into the data.");
    error.context = fmt::format("COPY {}, line {}", table_.name.name, row.line);
    throw error;
  }

  net::Task<std::uint32_t> shard_for(CopyRows::Row row) {
    if (!rows_.read_keys(row, fields_)) co_return shard_of_.front();  // the server will say what is wrong
    const router::MappedScheme& scheme = state_.db->map->schemes()[table_.scheme];
    std::vector<router::KeyType> types;
    std::vector<router::KeyValue> parts;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const router::KeyType type = key_type(scheme, i);
      router::KeyConversion converted = convert(type, i, fields_[i]);
      if (converted.outcome == router::KeyConversion::Outcome::unknown) {
        const std::string plain = co_await spelt_by_server(i, row.line);
        converted = convert(type, i, plain);
      }
      if (converted.outcome == router::KeyConversion::Outcome::nothing) co_return shard_of_.front();
      if (converted.outcome == router::KeyConversion::Outcome::unknown) throw unreadable_key(i, row.line);
      types.push_back(type);
      parts.push_back(converted.key);
    }
    co_return place_key(scheme, types, parts, row.line);
  }

  router::KeyConversion convert(router::KeyType type, std::size_t field,
                                std::optional<std::string_view> text) const {
    return router::key_for_storage({type, copy_.key[field].column_type, -1},
                                   {values::oid::unknown, values::Format::text, text});
  }

  /// A spelling that only a server reads (a date in words, blanks around a number): the server
  /// says what it is, or what is wrong with it.
  net::Task<std::string> spelt_by_server(std::size_t field, std::uint64_t line) {
    const std::uint32_t shard = state_.default_shard();
    backends::Lease lease = co_await borrow_lease(state_, shard);
    auto answer = co_await backends::run_command(
        lease, fmt::format("SET LOCAL datestyle TO ISO; SELECT {}::{}::pg_catalog.text",
                           backends::quote_literal(*fields_[field]),
                           values::type_name(values::ColumnType{copy_.key[field].column_type, -1, nullptr})));
    if (answer) co_return answer->rows.at(0).at(0).value_or("");
    net::pg::ErrorFields error = std::move(answer.error());
    error.remove('P');
    error.set('W', fmt::format("COPY {}, line {}", table_.name.name, line));
    throw backends::ServerError(std::move(error), shard, lease.shard_name());
  }

  values::SqlError unreadable_key(std::size_t field, std::uint64_t line) const {
    values::SqlError error = make_error(ErrorId::unsupported_clause, "COPY FROM with this spelling of a key",
                                        fmt::format("the key \"{}\" cannot be read exactly", fields_[field].value_or("")),
                                        "Write integers in decimal, dates as YYYY-MM-DD, times as ISO 8601.");
    error.context = fmt::format("COPY {}, line {}", table_.name.name, line);
    return error;
  }

  router::KeyType key_type(const router::MappedScheme& scheme, std::size_t index) const {
    if (!table_.expression) return scheme.types.at(index);
    return column_key_type(copy_.key[index].column_type);
  }

  static router::KeyType column_key_type(values::Oid column) {
    for (const auto type : {router::KeyType::bigint, router::KeyType::text, router::KeyType::uuid,
                            router::KeyType::date, router::KeyType::timestamp, router::KeyType::numeric,
                            router::KeyType::bytes}) {
      if (router::holds_keys(type, column)) return type;
    }
    throw make_error(ErrorId::internal, "a column of the key expression has a type that holds no keys");
  }

  std::uint32_t place_key(const router::MappedScheme& scheme, const std::vector<router::KeyType>& types,
                          const std::vector<router::KeyValue>& parts, std::uint64_t line) {
    std::optional<router::KeyValue> key = router::KeyValue::null();
    if (table_.expression) key = table_.expression->evaluate(types, parts);
    else if (!parts.empty()) key = parts.front();
    std::optional<router::Placement> placement;
    if (key) placement = router::ShardMap::place(scheme, *key);
    if (placement) return placement->shard;
    const bool null = key && key->is_null();
    values::SqlError error =
        null ? make_error(ErrorId::null_key, table_.key.empty() ? table_.expression->text() : table_.key.front(),
                          table_.name.name)
             : make_error(ErrorId::no_shard_for_key, fields_.empty() ? "" : fields_.front().value_or("NULL"),
                          table_.name.name);
    error.context = fmt::format("COPY {}, line {}", table_.name.name, line);
    throw error;
  }

  void take(std::size_t source, const Reply& reply) {
    if (reply.kind != Reply::Kind::message) return;
    const net::pg::Message& message = reply.message;
    if (message.type == 'N') state_.client.write(message.raw);
    if (message.type != 'E') return;
    backends::Lease& lease = exchange_.lease(source);
    lease->set_mid_request(false);
    auto fields = net::pg::ErrorResponse::decode(message.payload);
    if (!fields) throw make_error(ErrorId::shard_protocol, lease.shard_name(), fields.error().message);
    fields->remove('P');
    fields->set('W', fmt::format("{}\nshard {}", renumbered(fields->get('W'), sources_[shard_of_[source]].lines),
                                 lease.shard_name()));
    throw backends::ServerError(std::move(*fields), lease.shard(), lease.shard_name());
  }

  net::Task<void> finish() {
    for (std::size_t source = 0; source < exchange_.size(); ++source) {
      backends::Lease& lease = exchange_.lease(source);
      net::pg::CopyDone{}.encode(lease->socket().out());
      lease->set_mid_request(false);
    }
    exchange_.send();
    while (auto next = co_await exchange_.next()) take(next->source, next->reply);
    running_.clear();
  }

  /// The statement has failed: what has been sent is given up.
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
  const rewriter::Plan& plan_;
  const CopySplit& copy_;
  const router::MappedTable& table_;
  const std::string sql_;
  backends::Exchange exchange_;
  CopyRows rows_;
  std::vector<Source> sources_;           ///< by shard
  std::size_t shard_count_;               ///< that the table's rows lie on
  std::vector<std::uint32_t> shard_of_;   ///< by source of the exchange
  std::vector<std::unique_ptr<Running>> running_;
  std::vector<std::optional<std::string_view>> fields_;
  std::string header_;
  std::uint64_t count_ = 0;
};

}  // namespace

net::Task<Outcome> run_copy_split(SessionState& state, Execution& execution) {
  SplitCopy copy(state, execution);
  co_return co_await copy.run();
}

}  // namespace anabranch::proxy
