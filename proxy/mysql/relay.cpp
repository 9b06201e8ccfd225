#include "proxy/mysql/relay.h"

#include <utility>

#include "backends/mysql_exchange.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/stream.h"
#include "proxy/mysql/replies.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using net::mysql::Frame;
using Reader = net::mysql::ResultReader;
using Event = Reader::Event;

/// More than this waiting for the client is sent before waiting for the shard.
constexpr std::size_t send_ahead_bytes = 8192;

class PassedReply {
 public:
  PassedReply(State& state, backends::Lease& lease, Reader::Reply kind, std::uint32_t* statement_id,
              const std::vector<rewriter::ResultColumn>* told)
      : state_(state),
        lease_(lease),
        running_(state, lease),
        kind_(kind),
        reader_(kind, state.capabilities),
        statement_id_(statement_id),
        told_(told),
        added_(added_flags(state, lease)) {}

  bool done() const { return reader_.done(); }
  std::uint64_t parameters() const { return reader_.parameters(); }

  /// Takes what has come, until there is nothing more, the client must catch up, or it must send its file.
  void take() {
    net::Socket& server = lease_->socket();
    while (!done() && !infile_ && !state_.client.congested()) {
      const auto frame = net::mysql::take_frame(server, net::mysql::max_frame_bytes, &needed_);
      if (!frame) violate(frame.error().message);
      if (!*frame) return;
      const auto event = reader_.read((*frame)->payload);
      if (!event) violate(event.error().message);
      note(**frame, *event);
      pass(**frame, *event);
      begun_ = true;
    }
  }

  net::Task<void> wait() {
    if (state_.client.congested()) {
      if (!co_await state_.client.flush()) lose_client();
      co_return;
    }
    if (std::exchange(infile_, false)) {
      co_await pass_file();
      co_return;
    }
    if (state_.client.queued() > send_ahead_bytes) state_.client.send_now();
    net::Socket& server = lease_->socket();
    if (server.queued() > 0) server.send_now();
    if (const net::NetError* error = server.error()) lose(error->message);
    if (server.at_end()) lose("the server closed the connection");
    if (const auto filled = co_await server.fill(needed_); !filled) lose(filled.error().message);
  }

  ReplyEnd end() {
    // Neither errors nor preparations tell the status.
    const bool told = !end_.failed && kind_ != Reader::Reply::prepare && kind_ != Reader::Reply::statistics;
    if (told) {
      end_.status = reader_.status();
      end_.warnings = reader_.warnings();
    }
    lease_->on_ready(told ? backends::mysql_transaction_status(end_.status) : lease_->transaction_status());
    if (end_.failed && backends::ends_mysql_session(end_.error)) {
      lease_->mark_broken();
      state_.closed_by_server = true;
    }
    return end_;
  }

 private:
  void note(const Frame& frame, Event event) {
    if (event == Event::error) {
      const auto error = net::mysql::Err::decode(frame.payload);
      end_.failed = true;
      end_.error = error ? error->code : 0;
    } else if (event == Event::ok && !is_eof(frame)) {
      const auto ok = net::mysql::Ok::decode(frame.payload, state_.capabilities);
      if (!ok) violate(ok.error().message);
      end_.insert_id = ok->last_insert_id;
      end_.affected = ok->affected_rows;
    } else if (event == Event::column_count) {
      end_.has_rows = true;
    } else if (event == Event::row) {
      ++end_.rows;
    } else if (event == Event::infile_request) {
      infile_ = true;
      file_numbers_.reset(static_cast<std::uint8_t>(frame.sequence + 1));
    }
  }

  void pass(const Frame& frame, Event event) {
    if (event == Event::prepared && statement_id_ != nullptr) return pass_prepared(frame);
    if (event == Event::column && told_ != nullptr) return pass_column(frame);
    // The server only knows that it was interrupted.
    constexpr std::uint16_t interrupted = 1317;
    if (event == Event::error && end_.error == interrupted && state_.timed_out) {
      return send_error(state_.out(), state_.sequence, values::make_error<>(values::ErrorId::statement_timeout));
    }
    if (added_ != 0 && done() && (event == Event::ok || event == Event::rows_end)) return pass_end(frame);
    if (frame.sequence == state_.sequence.next()) {
      (void)state_.sequence.take();
      state_.client.write(frame.raw);
    } else {
      net::mysql::append_renumbered(state_.out(), frame.raw, state_.sequence);
    }
  }

  /// The statement's number is the session's own.
  void pass_prepared(const Frame& frame) {
    auto prepared = net::mysql::PrepareOk::decode(frame.payload);
    if (!prepared) violate(prepared.error().message);
    const std::uint32_t on_server = std::exchange(prepared->statement, *statement_id_);
    *statement_id_ = on_server;
    prepared->encode(state_.out(), state_.sequence);
  }

  void pass_column(const Frame& frame) {
    auto column = net::mysql::ColumnDefinition41::decode(frame.payload, state_.capabilities);
    if (!column || columns_ == told_->size()) violate("it answers with other columns");
    const auto names = net::mysql::ColumnDefinition41::decode((*told_)[columns_++].definition, state_.capabilities);
    if (!names) violate(names.error().message);
    // What is computed may be called by its text.
    if (column->original_name == column->name) column->original_name = names->name;
    column->name = names->name;
    if (!column->original_table.empty()) column->original_table = names->original_table;
    column->encode(state_.out(), state_.sequence, state_.capabilities);
  }

  /// What the shard does not know: the result of another statement follows; a transaction is open elsewhere.
  static std::uint16_t added_flags(const State& state, const backends::Lease& lease) {
    std::uint16_t flags = state.more ? net::mysql::status::more_results : 0;
    constexpr std::uint16_t of_transaction = net::mysql::status::in_transaction | net::mysql::status::in_transaction_readonly;
    if (state.in_transaction_beyond(lease)) flags |= state.status() & of_transaction;
    return flags;
  }

  /// What ends rows for clients of old, and answers COM_DEBUG: an OK is longer.
  static bool is_eof(const Frame& frame) {
    constexpr std::size_t longest_eof = 5;
    return frame.payload.size() <= longest_eof && !frame.payload.empty() && frame.payload.front() == '\xfe';
  }

  void pass_end(const Frame& frame) {
    if (is_eof(frame)) {
      auto eof = net::mysql::Eof::decode(frame.payload);
      if (!eof) violate(eof.error().message);
      eof->status |= added_;
      return eof->encode(state_.out(), state_.sequence);
    }
    auto ok = net::mysql::Ok::decode(frame.payload, state_.capabilities);
    if (!ok) violate(ok.error().message);
    ok->status |= added_;
    ok->encode(state_.out(), state_.sequence, state_.capabilities);
  }

  /// LOCAL INFILE: the client's packets up to an empty one are the server's.
  net::Task<void> pass_file() {
    if (!co_await state_.client.flush()) lose_client();
    bool continues = false;
    while (true) {
      const auto frame = co_await net::mysql::read_frame(state_.client);
      if (!frame) lose_client();
      state_.sequence.reset(static_cast<std::uint8_t>(frame->sequence + 1));
      net::mysql::append_renumbered(lease_->socket().out(), frame->raw, file_numbers_);
      if (const auto sent = co_await lease_->socket().flush(); !sent) lose(sent.error().message);
      if (frame->payload.empty() && !continues) co_return;
      continues = frame->continues();
    }
  }

  [[noreturn]] void lose_client() {
    lease_->mark_broken();
    throw SessionLost{"the client has gone"};
  }
  [[noreturn]] void lose(const std::string& reason) {
    lease_->mark_broken();
    if (begun_) throw SessionLost{reason};
    throw values::make_error(values::ErrorId::shard_lost, lease_->server().text(), reason);
  }
  [[noreturn]] void violate(const std::string& reason) {
    lease_->mark_broken();
    throw SessionLost{reason};
  }

  State& state_;
  backends::Lease& lease_;
  const Running running_;
  const Reader::Reply kind_;
  Reader reader_;
  std::uint32_t* statement_id_;
  const std::vector<rewriter::ResultColumn>* told_;
  std::size_t columns_ = 0;  ///< of these, so far
  const std::uint16_t added_;  ///< flags of the reply's end
  std::size_t needed_ = 0;
  bool infile_ = false;  ///< the client is to send its file
  net::mysql::Sequence file_numbers_;
  bool begun_ = false;
  ReplyEnd end_;
};

}  // namespace

net::Task<ReplyEnd> pass_reply(State& state, backends::Lease& lease, Reader::Reply kind, std::uint32_t* statement_id,
                               std::uint64_t* parameters, const std::vector<rewriter::ResultColumn>* told) {
  lease->expect_ready();
  PassedReply reply(state, lease, kind, statement_id, told);
  lease->socket().send_now();
  while (true) {
    reply.take();
    if (reply.done()) {
      if (parameters != nullptr) *parameters = reply.parameters();
      co_return reply.end();
    }
    co_await reply.wait();
  }
}

void write_definitions(State& state, std::span<const std::string> definitions) {
  net::Buffer& out = state.out();
  net::mysql::ColumnCount{definitions.size()}.encode(out, state.sequence, state.capabilities);
  for (const std::string& definition : definitions) net::mysql::PacketWriter(out, state.sequence).bytes(definition);
}

void begin_rows(State& state, std::span<const std::string> definitions) {
  write_definitions(state, definitions);
  const bool eofs = !net::mysql::has(state.capabilities, net::mysql::capability::deprecate_eof);
  if (eofs) net::mysql::Eof{0, state.status()}.encode(state.out(), state.sequence);
}

void end_rows(State& state, std::uint16_t warnings, std::uint16_t flags) {
  const auto status = static_cast<std::uint16_t>(state.status() | flags);
  if (!net::mysql::has(state.capabilities, net::mysql::capability::deprecate_eof)) {
    return net::mysql::Eof{warnings, status}.encode(state.out(), state.sequence);
  }
  net::mysql::Ok end;
  end.ends_rows = true;
  end.status = status;
  end.warnings = warnings;
  end.encode(state.out(), state.sequence, state.capabilities);
}

void send_rows(State& state, std::span<const std::string> definitions, std::span<const Row> rows,
               std::uint16_t warnings) {
  begin_rows(state, definitions);
  for (const Row& row : rows) {
    net::mysql::PacketWriter writer(state.out(), state.sequence);
    for (const auto& field : row) writer.field(field ? std::optional<std::string_view>(*field) : std::nullopt);
  }
  end_rows(state, warnings);
}

void send_state(State& state, std::string_view session_state) {
  net::mysql::Ok ok;
  ok.status = state.status();
  if (!session_state.empty()) ok.status |= net::mysql::status::session_state_changed;
  ok.session_state = session_state;
  ok.encode(state.out(), state.sequence, state.capabilities);
}

void send_ok(State& state, std::uint64_t affected, std::uint64_t insert_id, std::uint16_t warnings,
             std::string_view info, std::uint16_t flags) {
  net::mysql::Ok ok;
  ok.affected_rows = affected;
  ok.last_insert_id = insert_id;
  ok.status = static_cast<std::uint16_t>(state.status() | flags);
  ok.warnings = warnings;
  ok.info = info;
  ok.encode(state.out(), state.sequence, state.capabilities);
}

}  // namespace anabranch::proxy::mysql
