#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <expected>

#include "backends/cancel.h"
#include "backends/exchange.h"
#include "proxy/copy_lines.h"
#include "proxy/copy_rows.h"
#include "proxy/copy_tuples.h"
#include "proxy/encoding.h"
#include "proxy/execute.h"
#include "proxy/leases.h"
#include "proxy/replies.h"
#include "proxy/shard_request.h"
#include "proxy/transaction_end.h"
#include "proxy/type_identity.h"
#include "rewriter/key_binding.h"
#include "router/composite_key.h"
#include "router/key_value.h"
#include "values/errors.h"

/// COPY … FROM STDIN into a table of many shards: each row goes to its own.
namespace anabranch::proxy {

namespace {

using backends::Reply;
using rewriter::CopySplit;
using values::ErrorId;
using values::make_error;

/// `COPY t, line 7` at the begin of a line of an error's context.
struct LineOf {
  std::size_t begin = std::string_view::npos;  ///< of the digits
  std::size_t length = 0;
  std::uint64_t line = 0;  ///< 0: none is named
};

LineOf line_of(std::string_view context, std::string_view table) {
  const std::string mark = fmt::format("COPY {}, line ", table);
  std::size_t at = context.find(mark);
  while (at != std::string_view::npos && at > 0 && context[at - 1] != '\n') at = context.find(mark, at + 1);
  if (at == std::string_view::npos) return {};
  LineOf found{at + mark.size(), 0, 0};
  const std::string_view digits = context.substr(found.begin);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), found.line);
  found.length = static_cast<std::size_t>(read.ptr - digits.data());
  return found;
}

/// The context with the client's line for the shard's.
std::string renumbered(std::string context, std::string_view table, const CopyLines& lines) {
  constexpr std::size_t mark = std::string_view(", line ").size();
  const LineOf found = line_of(context, table);
  if (found.line == 0) return context;
  const auto client_line = lines.client_line(found.line);
  if (client_line) return context.replace(found.begin, found.length, std::to_string(*client_line));
  return context.erase(found.begin - mark, found.length + mark);
}

/// The context without what was put behind the row that it shows.
std::string without_filling(std::string context, std::string_view filling) {
  const std::size_t end = context.find('\n');
  const std::string shown = fmt::format("{}\"", filling);
  const std::string_view line = std::string_view(context).substr(0, end);
  if (!filling.empty() && line.ends_with(shown)) context.erase(line.size() - shown.size(), filling.size());
  return context;
}

/// A binary value that no server reads as one of the type.
bool has_wrong_size(values::Oid type, std::size_t size) {
  switch (type) {
    case values::oid::int2: return size != 2;
    case values::oid::int4:
    case values::oid::date: return size != 4;
    case values::oid::int8:
    case values::oid::timestamp:
    case values::oid::timestamptz: return size != 8;
    case values::oid::uuid: return size != 16;
    default: return false;
  }
}

class SplitCopy {
 public:
  SplitCopy(SessionState& state, Execution& execution)
      : state_(state),
        execution_(execution),
        plan_(*execution.plan->plan),
        copy_(*plan_.copy),
        table_(state.db->map->tables()[static_cast<std::size_t>(copy_.table)]),
        sql_(execution.evaluated.empty() ? execution.statement->text : std::get<std::string>(plan_.subquery.pieces.front())),
        exchange_(net::CancelToken{}),
        budget_(state.db->config->limits.query_memory),
        held_(budget_),
        rows_(make_copy_reader(copy_, table_.name.name)),
        format_(copy_.format == CopySplit::Format::binary ? values::Format::binary : values::Format::text),
        sources_(state.db->map->shards().size()),
        shard_count_(state.db->map->shards_of(table_).size()) {
  }

  net::Task<Outcome> run() {
    std::exception_ptr failure;
    try {
      co_await begin();
      co_await take_rows();
      co_await finish();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) std::rethrow_exception(co_await stop(std::move(failure)));
    if (execution_.standalone && execution_.simple) co_await end_statement_transaction(state_);
    send_complete(state_.out(), fmt::format("COPY {}", count_));
    co_return Outcome{};
  }

 private:
  struct Source {
    std::optional<std::size_t> index;  ///< in the exchange, once the shard takes part
    std::optional<CopyLines> lines;
    bool wrote = false;
  };

  /// One shard is asked at once: it says whether the statement is right, and what it expects.
  net::Task<void> begin() {
    check_encoding();
    rows_->fill(execution_.evaluated);
    const router::ShardSet shards = state_.db->map->shards_of(table_);
    read_key_types(shards);
    if (state_.transaction.state() == backends::TransactionState::none) state_.transaction.begin_implicit();
    if (copy_.every_shard) {
      for (const std::uint32_t shard : shards) co_await join(shard);
    } else {
      co_await join(*shards.begin());
    }
    if (const auto sent = co_await state_.client.flush_all(); !sent) throw ClientGone{sent.error().message};
  }

  /// Keys are hashed in the server's encoding, and a byte of a multi-byte character must not look
  /// like a delimiter.
  void check_encoding() const {
    const std::string* reported = state_.reported("client_encoding");
    const std::string client = reported == nullptr ? "UTF8" : *reported;
    const std::string& encoding = copy_.encoding.empty() ? client : copy_.encoding;
    if (plain_encoding(encoding) == "utf8") return;
    const bool text_keys = std::ranges::any_of(copy_.key, [](const CopySplit::KeyField& field) {
      return router::key_type_of(field.column_type) == router::KeyType::text;
    });
    if (!text_keys && !has_ascii_inside(encoding)) return;
    throw make_error(ErrorId::unsupported_clause, fmt::format("COPY FROM in encoding {}", encoding),
                     "keys are placed by their UTF8 bytes", "SET client_encoding TO 'UTF8', and write the data so.");
  }

  /// The table as the catalog has it: modifiers of the key's columns, and whether binary values may
  /// name types by other OIDs than a shard's own.
  void read_key_types(const router::ShardSet& shards) {
    const router::Relation* relation =
        state_.db->catalog->find_relation({table_.name.schema}, table_.name.name);
    if (relation == nullptr) return;
    const auto& names = table_.expression ? table_.expression->columns() : table_.key;
    for (const std::string& name : names) {
      const auto column = relation->find_column(name);
      modifiers_.push_back(column ? relation->columns[static_cast<std::size_t>(*column)].type.typmod : -1);
    }
    if (format_ != values::Format::binary) return;
    std::vector<rewriter::ResultColumn> columns(relation->columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      columns[i].name = relation->columns[i].name;
      columns[i].type = relation->columns[i].type.oid;
    }
    const net::pg::Formats binary{1};
    for (const std::uint32_t shard : shards) {
      if (row_oids(*state_.db, shard, columns, binary.list()).empty()) continue;
      throw make_error(ErrorId::unsupported_clause, "COPY FROM with FORMAT binary",
                       "its values may name types by OIDs, which are others on each shard",
                       "Use FORMAT text or csv.");
    }
  }

  net::Task<void> join(std::uint32_t shard) {
    Source& source = sources_[shard];
    if (source.index) co_return;
    auto* member = co_await state_.transaction.enlist(shard, state_.target(shard), state_.token());
    backends::send_query(member->lease, sql_);
    member->lease->set_mid_request(true);
    source.index = exchange_.add(member->lease);
    source.lines.emplace(budget_);
    shard_of_.push_back(shard);
    running_.push_back(std::make_unique<Running>(state_, member->lease));
    exchange_.send();
    bool accepted = false;
    while (!accepted) {
      const Reply reply = co_await exchange_.next_of(*source.index);
      accepted = reply.kind == Reply::Kind::message && reply.message.type == 'G';
      if (!accepted) take(*source.index, reply);
      // What the first one expects is what the client is to send.
      if (accepted && shard_of_.size() == 1) state_.client.write(reply.message.raw);
    }
    // The header, where there is one, goes to every shard: HEADER MATCH is the server's to check.
    if (header_) send_row(source, *header_);
  }

  /// A shard that is only asked whether the statement is right writes nothing.
  void mark_written(std::uint32_t shard) {
    Source& source = sources_[shard];
    if (!source.wrote) state_.transaction.mark_written(shard);
    source.wrote = true;
  }

  void send_row(Source& source, const CopyRow& row) {
    net::pg::CopyData{rows_->filled(row)}.encode(exchange_.lease(*source.index)->socket().out());
    const std::uint32_t lines = source.lines->empty() ? row.lines_if_first : row.lines;
    if (lines > 0) source.lines->add(row.line, lines, row.bytes.size());
  }

  net::Task<void> take_rows() {
    bool ended = false;
    while (true) {
      const CopyMessage message = co_await next_copy_message(state_);
      state_.check_cancelled();
      if (message.kind == CopyMessage::Kind::failed) {
        throw values::SqlError("57014", "COPY from stdin failed: " + message.reason);
      }
      if (message.kind == CopyMessage::Kind::done) rows_->finish();
      if (message.kind == CopyMessage::Kind::data && !ended) rows_->feed(message.data);
      held_.set(rows_->held());
      while (!ended) {
        const auto row = rows_->next();
        if (!row) break;
        ended = row->last;
        broken_ = row->broken;
        if (!place_now(*row)) co_await place(*row);
      }
      if (message.kind == CopyMessage::Kind::done) co_return;
      while (!co_await exchange_.writable()) {
        auto next = co_await exchange_.next();
        if (!next) break;
        take(next->source, next->reply);
      }
    }
  }

  /// A row whose key can be read here, of a shard that takes part already: nearly all. False: place().
  bool place_now(const CopyRow& row) {
    if (row.marker) {
      send_row(sources_[shard_of_.front()], row);
      return true;
    }
    if (row.header || copy_.every_shard) return false;
    check_clock(row);
    const LookupReader::Pass pass(state_.lookups, false);
    const Placed shard = read_shard(row);
    if (!shard || !pass.complete() || !sources_[*shard].index) return false;
    mark_written(*shard);
    send_row(sources_[*shard], row);
    return true;
  }

  net::Task<void> place(CopyRow row) {
    if (row.header) {
      header_bytes_ = row.bytes;
      header_ = row;
      header_->bytes = header_bytes_;
      for (const std::uint32_t shard : shard_of_) send_row(sources_[shard], row);
      co_return;
    }
    check_clock(row);
    if (copy_.every_shard) {
      for (const std::uint32_t shard : shard_of_) {
        mark_written(shard);
        send_row(sources_[shard], row);
      }
      co_return;
    }
    const std::uint32_t shard = co_await shard_for(row);
    mark_written(shard);
    // Joining reads from the shard, not from the client: the row's bytes stay.
    if (!sources_[shard].index) co_await join(shard);
    send_row(sources_[shard], row);
  }

  /// Each shard would read its own clock: copies would differ, and so would rows of one moment.
  void check_clock(const CopyRow& row) {
    if (shard_count_ == 1) return;
    const auto word = rows_->clock_word(row);
    if (!word) return;
    values::SqlError error = make_error(
        ErrorId::unsupported_clause, fmt::format("COPY FROM with '{}' as a date or time", *word),
        "every shard would read its own clock", "Write the date and time themselves into the data.");
    error.context = fmt::format("COPY {}, line {}", table_.name.name, row.line);
    throw error;
  }

  /// A row's shard, or the key field that a server must read first.
  using Placed = std::expected<std::uint32_t, std::size_t>;

  Placed read_shard(const CopyRow& row) {
    spelt_.clear();
    if (!rows_->read_keys(row, fields_)) return shard_of_.front();  // the server will say what is wrong
    return place_fields(row.line);
  }

  Placed place_fields(std::uint64_t line) {
    const router::MappedScheme& scheme = state_.db->map->schemes()[table_.scheme];
    types_.clear();
    parts_.clear();
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const router::KeyType type = key_type(scheme, i);
      const bool spelt = i < spelt_.size() && spelt_[i];
      if (format_ == values::Format::binary && fields_[i] && has_wrong_size(copy_.key[i].column_type, fields_[i]->size())) {
        return shard_of_.front();
      }
      router::KeyConversion converted = convert(type, i, spelt ? std::optional<std::string_view>(*spelt_[i]) : fields_[i]);
      if (converted.outcome == router::KeyConversion::Outcome::unknown) return std::unexpected(i);
      if (converted.outcome == router::KeyConversion::Outcome::nothing) return shard_of_.front();
      types_.push_back(type);
      parts_.push_back(std::move(converted.key));
    }
    return place_key(scheme, line);
  }

  net::Task<std::uint32_t> shard_for(CopyRow row) {
    Placed placed = co_await look_up([&] { return read_shard(row); });
    spelt_.resize(fields_.size());
    while (!placed) {
      const std::size_t field = placed.error();
      if (format_ == values::Format::binary || spelt_[field]) throw unreadable_key(field, row.line);
      spelt_[field] = co_await spelt_by_server(field);
      if (!spelt_[field]) co_return shard_of_.front();
      placed = co_await look_up([&] { return place_fields(row.line); });
    }
    co_return *placed;
  }

  /// What `place` finds once its key is known.
  template <class Place>
  net::Task<Placed> look_up(const Place& place) {
    while (true) {
      {
        const LookupReader::Pass pass(state_.lookups, false);
        Placed placed = place();
        if (pass.complete()) co_return placed;
      }
      co_await answer_lookups(state_, true);
    }
  }

  router::KeyConversion convert(router::KeyType type, std::size_t field, std::optional<std::string_view> text) const {
    const values::Oid column = copy_.key[field].column_type;
    const std::int32_t modifier = field < modifiers_.size() ? modifiers_[field] : -1;
    const values::Oid constant = format_ == values::Format::binary ? column : values::oid::unknown;
    return router::key_for_storage({type, column, modifier}, {constant, format_, text});
  }

  /// A spelling that only a server reads (a date in words, blanks around a number): the server says
  /// what it is. Nothing: none reads it, and the row is for a shard to complain of.
  net::Task<std::optional<std::string>> spelt_by_server(std::size_t field) {
    if (hopeless_ || fields_[field]->find('\0') != std::string_view::npos) {
      if (!hopeless_) hopeless_ = std::make_exception_ptr(values::SqlError("22021", "invalid byte sequence for encoding \"UTF8\": 0x00"));
      co_return std::nullopt;
    }
    const std::uint32_t shard = state_.default_shard();
    // The transaction's own is in the middle of this COPY.
    backends::Lease lease = co_await borrow_lease(state_, shard);
    auto answer = co_await backends::run_command(
        lease, fmt::format("SET LOCAL datestyle TO ISO; SELECT {}::{}::pg_catalog.text",
                           backends::quote_literal(*fields_[field]),
                           values::type_name(values::ColumnType{copy_.key[field].column_type, -1, nullptr})));
    if (answer) co_return answer->rows.at(0).at(0).value_or("");
    net::pg::ErrorFields error = std::move(answer.error());
    error.remove('P');
    const backends::ServerError failed(std::move(error), shard, lease.shard_name());
    if (!failed.sqlstate.starts_with("22")) throw failed;
    hopeless_ = std::make_exception_ptr(failed);
    co_return std::nullopt;
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

  std::uint32_t place_key(const router::MappedScheme& scheme, std::uint64_t line) {
    std::optional<router::KeyValue> key = router::KeyValue::null();
    if (table_.expression) key = table_.expression->evaluate(types_, parts_);
    else if (parts_.size() > 1) key = router::composite_key(types_, parts_);
    else if (!parts_.empty()) key = parts_.front();
    std::optional<router::Placement> placement;
    if (key) placement = router::ShardMap::place(scheme, *key, &state_.lookups);
    if (placement) return placement->shard;
    const bool null = key && key->is_null();
    values::SqlError error =
        null ? make_error(ErrorId::null_key, table_.key.empty() ? table_.expression->text() : table_.key.front(),
                          table_.name.name)
             : rewriter::no_shard_error(table_, scheme, std::string(fields_.empty() ? "" : fields_.front().value_or("NULL")));
    error.context = fmt::format("COPY {}, line {}", table_.name.name, line);
    throw error;
  }

  void take(std::size_t source, const Reply& reply) {
    if (reply.kind != Reply::Kind::message) return;
    const net::pg::Message& message = reply.message;
    if (message.type == 'N') state_.client.write(message.raw);
    if (message.type == 'C') {
      const auto complete = net::pg::CommandComplete::decode(message.payload);
      // Of a reference table one copy's count is the answer.
      if (complete && (!copy_.every_shard || source == 0)) count_ += count_in_tag(complete->tag);
    }
    if (message.type != 'E') return;
    backends::Lease& lease = exchange_.lease(source);
    lease->set_mid_request(false);
    auto fields = net::pg::ErrorResponse::decode(message.payload);
    if (!fields) throw make_error(ErrorId::shard_protocol, lease.shard_name(), fields.error().message);
    fields->remove('P');
    std::string context = renumbered(std::string(fields->get('W')), table_.name.name, *sources_[shard_of_[source]].lines);
    context = without_filling(std::move(context), rows_->filling());
    fields->set('W', fmt::format("{}\nshard {}", context, lease.shard_name()));
    throw backends::ServerError(std::move(*fields), lease.shard(), lease.shard_name());
  }

  net::Task<void> finish() {
    for (std::size_t source = 0; source < exchange_.size(); ++source) {
      send_end(exchange_.lease(source));
    }
    exchange_.send();
    while (auto next = co_await exchange_.next()) take(next->source, next->reply);
    // A shard has taken what no server reads: its row may be anywhere.
    if (hopeless_) std::rethrow_exception(hopeless_);
    running_.clear();
  }

  void send_end(backends::Lease& lease) {
    // Behind a row that is not whole the trailer would be taken for its rest.
    if (format_ == values::Format::binary && !broken_) {
      net::pg::CopyData{CopyTuples::trailer}.encode(lease->socket().out());
    }
    net::pg::CopyDone{}.encode(lease->socket().out());
    lease->set_mid_request(false);
  }

  /// The line of the client's data that a failure names; 0: none.
  std::uint64_t line_of_failure(const std::exception_ptr& failure) const {
    try {
      std::rethrow_exception(failure);
    } catch (const backends::ServerError& error) {
      return line_of(error.fields.get('W'), table_.name.name).line;
    } catch (const values::SqlError& error) {
      return line_of(error.context, table_.name.name).line;
    } catch (...) {
      return 0;
    }
  }

  /// The statement has failed, and nothing of it will stay. A server reads in the order of the data:
  /// where a row is at fault, another shard may yet know of one before it. Answers the first.
  net::Task<std::exception_ptr> stop(std::exception_ptr failure) {
    std::uint64_t line = line_of_failure(failure);
    for (std::size_t source = 0; source < exchange_.size(); ++source) {
      if (exchange_.finished(source)) continue;
      backends::Lease& lease = exchange_.lease(source);
      if (line > 0) {
        send_end(lease);
      } else {
        net::pg::CopyFail{"the statement failed elsewhere"}.encode(lease->socket().out());
        lease->set_mid_request(false);
      }
    }
    exchange_.send();
    for (bool more = true; more;) {
      try {
        const auto next = co_await exchange_.next();
        more = next.has_value();
        if (more && line > 0) take(next->source, next->reply);
      } catch (const values::SqlError&) {
        const std::exception_ptr other = std::current_exception();
        const std::uint64_t at = line_of_failure(other);
        if (at == 0 || at >= line) continue;
        line = at;
        failure = other;
      }
    }
    running_.clear();
    co_return failure;
  }

  SessionState& state_;
  Execution& execution_;
  const rewriter::Plan& plan_;
  const CopySplit& copy_;
  const router::MappedTable& table_;
  const std::string sql_;
  backends::Exchange exchange_;
  merge::MemoryBudget budget_;
  merge::Charge held_;  ///< rows that are not whole yet
  std::unique_ptr<CopyReader> rows_;
  values::Format format_;
  std::vector<Source> sources_;           ///< by shard
  std::size_t shard_count_;               ///< that the table's rows lie on
  std::vector<std::uint32_t> shard_of_;   ///< by source of the exchange
  std::vector<std::unique_ptr<Running>> running_;
  std::vector<std::optional<std::string_view>> fields_;
  std::vector<std::optional<std::string>> spelt_;  ///< the same, where a server had to read them
  std::vector<router::KeyType> types_;   ///< of the row in hand
  std::vector<router::KeyValue> parts_;
  std::vector<std::int32_t> modifiers_;  ///< of the key's columns
  std::optional<CopyRow> header_;
  std::string header_bytes_;
  bool broken_ = false;  ///< the last row was not whole
  std::exception_ptr hopeless_;  ///< of the first key that no server reads
  std::uint64_t count_ = 0;
};

}  // namespace

net::Task<Outcome> run_copy_split(SessionState& state, Execution& execution) {
  SplitCopy copy(state, execution);
  co_return co_await copy.run();
}

}  // namespace anabranch::proxy
