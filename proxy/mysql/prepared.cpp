#include "proxy/mysql/prepared.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "backends/mysql_context.h"
#include "backends/mysql_exchange.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/stream.h"
#include "net/mysql/temporal.h"
#include "proxy/mysql/diagnostics.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/rest.h"
#include "proxy/shard_request.h"
#include "values/errors.h"
#include "values/mysql_type.h"

namespace anabranch::proxy::mysql {

namespace {

using net::mysql::FieldType;
using net::mysql::ParameterType;
using Reader = net::mysql::ResultReader;

/// More of them on one session are a leak, which servers bound alike (max_prepared_stmt_count).
constexpr std::size_t most_statements = 16382;

template <class Bits, class Real>
std::string real_text(std::string_view bytes) {
  Bits bits = 0;
  std::memcpy(&bits, bytes.data(), sizeof bits);
  return fmt::format("{}", std::bit_cast<Real>(bits));
}

[[noreturn]] void malformed() { throw server_error(1210, "HY000", "Incorrect arguments to mysqld_stmt_execute"); }

std::string date_text(FieldType type, std::string_view bytes) {
  const auto value = net::mysql::DateTime::decode(bytes);
  if (!value) malformed();
  std::string text = fmt::format("{:04}-{:02}-{:02}", value->year, value->month, value->day);
  if (type == FieldType::date || type == FieldType::new_date) return text;
  text += fmt::format(" {:02}:{:02}:{:02}", value->hour, value->minute, value->second);
  if (value->microsecond != 0) text += fmt::format(".{:06}", value->microsecond);
  return text;
}

std::string time_text(std::string_view bytes) {
  const auto value = net::mysql::TimeSpan::decode(bytes);
  if (!value) malformed();
  std::string text = fmt::format("{}{:02}:{:02}:{:02}", value->negative ? "-" : "", value->days * 24 + value->hours,
                                 value->minutes, value->seconds);
  if (value->microseconds != 0) text += fmt::format(".{:06}", value->microseconds);
  return text;
}

/// Of types whose binary form is not what the planner reads.
std::optional<std::string> text_of(FieldType type, std::string_view bytes) {
  switch (type) {
    case FieldType::float_: return real_text<std::uint32_t, float>(bytes);
    case FieldType::double_: return real_text<std::uint64_t, double>(bytes);
    case FieldType::date:
    case FieldType::new_date:
    case FieldType::datetime:
    case FieldType::timestamp: return date_text(type, bytes);
    case FieldType::time: return time_text(bytes);
    default: return std::nullopt;
  }
}

void close_there(backends::Lease& lease, std::uint32_t number) {
  backends::write_command(lease, net::mysql::ComStmtClose{number});
  lease->socket().send_now();
}

/// The connection has the statement from now on.
void remember(backends::Lease& lease, const std::string& name, std::uint32_t number) {
  if (lease->statements.touch(name)) return close_there(lease, number);
  if (const auto victim = lease->statements.add(name, number)) close_there(lease, victim->number);
}

void forget(backends::Lease& lease, const std::string& name) {
  const auto* there = lease->statements.find(name);
  if (there == nullptr) return;
  close_there(lease, there->number);
  lease->statements.remove(name);
}

const std::string& name_of(const PreparedStatement& prepared, std::uint8_t flags) {
  return flags == net::mysql::cursor::none ? prepared.name : prepared.cursor_name;
}

values::Oid type_of(ParameterType type) {
  return values::mysql_type(static_cast<values::MysqlCode>(type.type), type.is_unsigned);
}

}  // namespace

std::span<const rewriter::BoundValue> TypedValues::read(const net::mysql::BoundParameters& from,
                                                        const std::vector<std::string>& sent_ahead) {
  values_.clear();
  texts_.clear();
  texts_.reserve(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const ParameterType type = from.types()[i];
    rewriter::BoundValue& value = values_.emplace_back();
    value.type = type_of(type);
    if (from.sent_ahead(i)) {
      value.bytes = sent_ahead[i];
    } else if (const auto& bytes = from.values()[i]) {
      value.bytes = *bytes;
      if (values::is_mysql_integer(value.type)) value.format = values::Format::binary;
      if (auto text = text_of(type.type, *bytes)) value.bytes = texts_.emplace_back(std::move(*text));
    }
  }
  return values_;
}

net::Task<PreparedStatement*> PreparedStatements::prepare(State& state, std::unique_ptr<Statement> statement) {
  if (statements_.size() >= most_statements) {
    throw server_error(1461, "42000", "Can't create more than max_prepared_stmt_count statements");
  }
  const rewriter::Plan& plan = *statement->plan->plan;
  const bool fixed = plan.routing.mode == rewriter::Routing::Mode::one_shard;
  std::uint32_t shard = fixed ? static_cast<std::uint32_t>(plan.routing.shard) : state.default_shard();
  // Where it will be carried out: nothing else is said there in between.
  if (looks_back(plan)) shard = state.last.value_or(shard);
  auto* member = co_await state.attach(shard);
  backends::write_command(member->lease, net::mysql::ComStmtPrepare{statement->text});
  const std::uint32_t id = next_++;
  std::uint32_t numbered = id;
  std::uint64_t parameters = 0;
  const ReplyEnd end = co_await pass_reply(state, member->lease, Reader::Reply::prepare, &numbered, &parameters);
  if (end.failed) {
    state.counts = State::Counts{-1, state.found_before()};
    state.note_diagnostics(shard);
    co_return nullptr;
  }
  if (forgets_diagnostics(plan)) state.forget_diagnostics();
  auto made = std::make_unique<PreparedStatement>(id, std::move(statement), static_cast<std::size_t>(parameters));
  made->settings = state.settings.current();
  made->name = global_name_of(made->statement->text, {}, {}, backends::mysql_reading_key(*made->settings), 0);
  made->cursor_name = fmt::format("{} {} {}", made->name, state.holder.id(), id);
  remember(member->lease, made->name, numbered);
  last_ = id;
  co_return (statements_[id] = std::move(made)).get();
}

PreparedStatement* PreparedStatements::find_quietly(std::uint32_t id) {
  const auto found = statements_.find(id == net::mysql::last_prepared_statement ? last_ : id);
  return found == statements_.end() ? nullptr : found->second.get();
}

PreparedStatement& PreparedStatements::find(std::uint32_t id, std::string_view command) {
  if (PreparedStatement* found = find_quietly(id)) return *found;
  throw server_error(1243, "HY000", fmt::format("Unknown prepared statement handler ({}) given to {}", id, command));
}

bool PreparedStatement::is_on(const backends::Transaction::Enlisted& member) const {
  return member.lease->statements.has(name);
}

void PreparedStatements::close(State& state, std::uint32_t id) {
  const auto found = statements_.find(id);
  if (found == statements_.end()) return;
  // What sessions share stays, until it is the connection's least recently used.
  const auto shard = forget_cursor(state, *found->second);
  auto* member = shard ? state.transaction.find(*shard) : nullptr;
  if (member != nullptr) forget(member->lease, found->second->cursor_name);
  for (const std::string& piece : found->second->ahead) ahead_bytes_ -= piece.size();
  statements_.erase(found);
}

net::Task<void> PreparedStatements::reset(State& state, PreparedStatement& prepared) {
  forget_ahead(prepared);
  prepared.rows.reset();
  const auto shard = forget_cursor(state, prepared);
  if (shard) {
    auto* member = state.transaction.find(*shard);
    if (member != nullptr) {
      backends::write_command(member->lease, net::mysql::ComStmtReset{prepared.cursor_number});
      (void)co_await pass_reply(state, member->lease, Reader::Reply::ok);
      co_return;
    }
  }
  send_ok(state);
}

void PreparedStatements::forget_ahead(PreparedStatement& prepared) {
  for (std::string& piece : prepared.ahead) {
    ahead_bytes_ -= piece.size();
    piece.clear();
  }
  prepared.bound.forget_sent_ahead();
}

void PreparedStatements::note_cursor(State& state, PreparedStatement& prepared, backends::Transaction::Enlisted& member) {
  prepared.cursor = member.shard;
  prepared.cursor_number = member.lease->statements.find(prepared.cursor_name)->number;
  state.cursors.push_back(member.shard);
  member.lingers = true;
}

std::optional<std::uint32_t> PreparedStatements::forget_cursor(State& state, PreparedStatement& prepared) {
  const auto shard = std::exchange(prepared.cursor, std::nullopt);
  if (shard) state.cursors.erase(std::ranges::find(state.cursors, *shard));
  return shard;
}

void PreparedStatements::take_ahead(State& state, const net::mysql::ComStmtSendLongData& piece) {
  PreparedStatement* prepared = find_quietly(piece.statement);
  if (prepared == nullptr || !prepared->bound.mark_sent_ahead(piece.parameter)) return;
  const std::size_t limit = state.db->config->limits.query_memory;
  if (ahead_bytes_ + piece.data.size() > limit) throw SessionLost{"more was sent ahead than limits.query_memory"};
  ahead_bytes_ += piece.data.size();
  prepared->ahead[piece.parameter] += piece.data;
}

net::Task<void> prepare_on(State& state, PreparedStatement& prepared, backends::Transaction::Enlisted& member,
                           std::uint8_t flags) {
  backends::Lease& lease = member.lease;
  const std::string& name = name_of(prepared, flags);
  if (lease->statements.touch(name)) co_return;
  const backends::Settings& now = *state.settings.current();
  const bool reads_alike = prepared.settings == state.settings.current() ||
                           backends::mysql_reading_key(*prepared.settings) == backends::mysql_reading_key(now);
  if (!reads_alike) {
    if (!backends::can_take_back_mysql(now, *prepared.settings)) {
      throw values::make_error(values::ErrorId::unsupported_statement,
                               "a statement that was prepared before the first SET NAMES", "Prepare it again.");
    }
    co_await backends::apply_context(lease, backends::SettingsStack(prepared.settings));
  }
  auto answer = co_await backends::prepare_mysql_statement(lease, prepared.statement->text);
  if (!reads_alike) co_await backends::apply_context(lease, state.settings);
  if (!answer) throw backends::ServerError(answer.error(), lease.shard(), lease.shard_name());
  remember(lease, name, answer->statement);
}

void write_execution(PreparedStatement& prepared, backends::Transaction::Enlisted& member, std::uint8_t flags) {
  const std::uint32_t id = member.lease->statements.find(name_of(prepared, flags))->number;
  for (std::size_t i = 0; i < prepared.bound.size(); ++i) {
    if (!prepared.bound.sent_ahead(i)) continue;
    backends::write_command(member.lease,
                            net::mysql::ComStmtSendLongData{id, static_cast<std::uint16_t>(i), prepared.ahead[i]});
  }
  net::mysql::ComStmtExecute head;
  head.statement = id;
  head.flags = flags;
  net::mysql::Sequence numbers;
  // Types always: each shard has to have heard them once.
  prepared.bound.encode(member.lease->socket().out(), numbers, head, true);
}

}  // namespace anabranch::proxy::mysql
