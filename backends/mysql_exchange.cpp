#include "backends/mysql_exchange.h"

#include <utility>

#include "backends/lost.h"
#include "backends/stopped.h"
#include "net/mysql/command_messages.h"
#include "net/mysql/result_reader.h"
#include "net/mysql/rows.h"
#include "net/mysql/stream.h"
#include "values/errors.h"

namespace anabranch::backends {

namespace {

using net::mysql::ResultReader;
using Event = ResultReader::Event;

/// The reply to one command of ours, taken apart.
class SmallReply {
 public:
  SmallReply(Lease& lease, ResultReader::Reply kind)
      : lease_(lease), kind_(kind), capabilities_(lease->server().form.capabilities), reader_(kind, capabilities_) {}

  net::Task<void> read(net::CancelToken token) {
    net::Socket& socket = lease_->socket();
    if (const auto sent = co_await socket.flush(token); !sent) fail(sent.error(), token);
    while (!reader_.done()) {
      const auto frame = co_await net::mysql::read_frame(socket, token);
      if (!frame) fail(frame.error(), token);
      take(frame->payload);
    }
    const char before = lease_->transaction_status();
    // Neither errors nor preparations tell the status.
    const bool told = !failure && kind_ != ResultReader::Reply::prepare;
    lease_->on_ready(told ? mysql_transaction_status(reader_.status()) : before);
    if (failure && ends_mysql_session(code_)) lease_->mark_broken();
  }

  std::uint16_t status() const { return reader_.status(); }

  CommandResult result;
  MysqlPrepared prepared;
  std::optional<net::pg::ErrorFields> failure;

 private:
  [[noreturn]] void fail(const net::NetError& error, const net::CancelToken& token) {
    if (token.cancelled()) throw stopped(token.state());
    lose(lease_, error.message);
  }

  void take(std::string_view payload) {
    const auto event = reader_.read(payload);
    if (!event) violate(lease_, event.error().message);
    switch (*event) {
      case Event::error: {
        const auto error = net::mysql::Err::decode(payload);
        if (!error) violate(lease_, error.error().message);
        code_ = error->code;
        failure = mysql_error_fields(error->code, error->sqlstate, error->message);
        break;
      }
      case Event::prepared: {
        const auto ok = net::mysql::PrepareOk::decode(payload);
        if (!ok) violate(lease_, ok.error().message);
        prepared.statement = ok->statement;
        prepared.parameters = ok->parameters;
        break;
      }
      case Event::ok: {
        const auto ok = net::mysql::Ok::decode(payload, capabilities_);
        if (!ok) violate(lease_, ok.error().message);
        result.affected = ok->affected_rows;
        result.insert_id = ok->last_insert_id;
        result.warnings = ok->warnings;
        result.advice = ok->status & net::mysql::status::advice;
        result.tag = ok->info;
        result.session_state = ok->session_state;
        break;
      }
      case Event::column_count:
        result.numbers.clear();
        result.columns.clear();
        break;
      case Event::column: {
        const auto column = net::mysql::ColumnDefinition41::decode(payload, capabilities_);
        if (!column) violate(lease_, column.error().message);
        result.numbers.push_back(net::mysql::is_number(column->type));
        (kind_ == ResultReader::Reply::prepare ? prepared.columns : result.columns).emplace_back(payload);
        break;
      }
      case Event::row: {
        fields_.resize(result.numbers.size());
        if (!net::mysql::split_text_row(payload, fields_)) violate(lease_, "a malformed row");
        auto& row = result.rows.emplace_back();
        for (const auto& field : fields_) row.push_back(field ? std::optional<std::string>(*field) : std::nullopt);
        break;
      }
      case Event::rows_end: result.warnings = reader_.warnings(); break;
      // Nothing of ours asks for a file, or for anything of 16 MiB.
      case Event::infile_request:
      case Event::continuation: violate(lease_, "an answer to something else");
      default: break;
    }
  }

  Lease& lease_;
  const ResultReader::Reply kind_;
  const net::mysql::Capabilities capabilities_;
  ResultReader reader_;
  std::vector<net::mysql::Field> fields_;
  std::uint16_t code_ = 0;
};

}  // namespace

net::Task<std::expected<CommandResult, net::pg::ErrorFields>> run_mysql_command(Lease& lease, std::string sql,
                                                                                net::CancelToken token) {
  write_command(lease, net::mysql::ComQuery{sql});
  lease->expect_ready();
  SmallReply reply(lease, ResultReader::Reply::text);
  co_await reply.read(token);
  if (reply.failure) co_return std::unexpected(std::move(*reply.failure));
  co_return std::move(reply.result);
}

namespace {

/// A command that is answered by OK; its status.
template <class Command>
net::Task<std::uint16_t> run_bare(Lease& lease, net::CancelToken token) {
  write_command(lease, Command{});
  lease->expect_ready();
  SmallReply reply(lease, ResultReader::Reply::ok);
  co_await reply.read(token);
  if (reply.failure) throw ServerError(std::move(*reply.failure), lease.shard(), lease.shard_name());
  co_return reply.status();
}

}  // namespace

net::Task<std::expected<CommandResult, net::pg::ErrorFields>> run_mysql_packet(Lease& lease, std::string_view payload,
                                                                               net::CancelToken token) {
  net::mysql::Sequence numbers;
  net::mysql::PacketWriter(lease->socket().out(), numbers).bytes(payload);
  lease->expect_ready();
  SmallReply reply(lease, ResultReader::Reply::ok);
  co_await reply.read(token);
  if (reply.failure) co_return std::unexpected(std::move(*reply.failure));
  co_return std::move(reply.result);
}

net::Task<std::uint16_t> mysql_status(Lease& lease, net::CancelToken token) {
  return run_bare<net::mysql::ComPing>(lease, std::move(token));
}

net::Task<void> reset_mysql_session(Lease& lease, net::CancelToken token) {
  (void)co_await run_bare<net::mysql::ComResetConnection>(lease, token);
  // What the login has asked for is reset, too.
  if (net::mysql::has(lease->server().form.capabilities, net::mysql::capability::ignore_space)) {
    auto answer = co_await run_mysql_command(lease, "SET sql_mode = CONCAT_WS(',', @@sql_mode, 'IGNORE_SPACE')", token);
    if (!answer) throw ServerError(std::move(answer.error()), lease.shard(), lease.shard_name());
  }
  lease->applied = SettingsStack();
  lease->statements.clear();
  lease->tainted = false;
}

net::Task<std::expected<MysqlPrepared, net::pg::ErrorFields>> prepare_mysql_statement(Lease& lease, std::string sql,
                                                                                      net::CancelToken token) {
  write_command(lease, net::mysql::ComStmtPrepare{sql});
  lease->expect_ready();
  SmallReply reply(lease, ResultReader::Reply::prepare);
  co_await reply.read(token);
  if (reply.failure) co_return std::unexpected(std::move(*reply.failure));
  co_return std::move(reply.prepared);
}

net::pg::ErrorFields mysql_error_fields(std::uint16_t code, std::string_view sqlstate, std::string_view message) {
  net::pg::ErrorFields fields = net::pg::ErrorFields::make("ERROR", sqlstate, message);
  fields.set(mysql_code_field, std::to_string(code));
  return fields;
}

bool ends_mysql_session(std::uint16_t code) {
  constexpr std::uint16_t shutting_down = 1053;
  constexpr std::uint16_t packet_too_large = 1153;
  constexpr std::uint16_t killed = 1927;
  constexpr std::uint16_t idle_too_long = 4031;
  return code == shutting_down || code == packet_too_large || code == killed || code == idle_too_long;
}

char mysql_transaction_status(std::uint16_t status) {
  return (status & net::mysql::status::in_transaction) != 0 ? 'T' : 'I';
}

}  // namespace anabranch::backends
