#include <utility>

#include "backends/exchange.h"
#include "backends/lost.h"
#include "backends/stopped.h"
#include "values/errors.h"

namespace anabranch::backends {

namespace {

constexpr std::size_t batch_bytes = 64 * 1024;
/// Messages longer than this may come out in pieces.
constexpr std::size_t large_bytes = 64 * 1024;

bool ends_session(const net::pg::ErrorFields& fields) {
  // Field V is not translated; servers before 9.6 only send S.
  const std::string_view severity = fields.get('V').empty() ? fields.get('S') : fields.get('V');
  return severity == "FATAL" || severity == "PANIC";
}

}  // namespace

std::optional<Reply> ReplyStream::poll() {
  if (batch_rows) rows.clear();
  if (part_left_ > 0) return take_part();
  ServerConnection& connection = **lease_;
  net::Socket& socket = connection.socket();
  for (;;) {
    const std::string_view received = socket.received();
    const bool swallowing = connection.skipping();
    if (!swallowing && !received.empty()) {
      if (runs.has(received.front())) {
        if (std::optional<Reply> run = take_run(received)) return run;
      }
      if (batch_rows && received.front() == net::pg::DataRow::type) {
        take_rows();
        if (rows.empty()) return std::nullopt;
        return Reply{Reply::Kind::rows, {}};
      }
    }
    net::pg::Message message;
    if (!net::pg::take_whole(socket, message)) return take_incomplete(received, swallowing);
    note(message);
    if (swallowing || message.type == net::pg::NotificationResponse::type) continue;
    const bool ready = message.type == net::pg::ReadyForQuery::type;
    return Reply{ready ? Reply::Kind::ready : Reply::Kind::message, message};
  }
}

/// No whole message is there: where it is a large one, the part that is.
std::optional<Reply> ReplyStream::take_incomplete(std::string_view received, bool swallowing) {
  const auto frame = net::pg::cut_message(received);
  if (!frame) violate(*lease_, frame.error().message);
  needed_ = frame->needed;
  if (!parts || swallowing || needed_ <= large_bytes) return std::nullopt;
  if (received.front() != net::pg::DataRow::type && received.front() != net::pg::CopyData::type) return std::nullopt;
  part_left_ = needed_;
  return take_part();
}

void ReplyStream::take_rows() {
  const std::string_view received = (*lease_)->socket().received();
  std::size_t taken = 0;
  needed_ = 0;
  while (taken < received.size() && received[taken] == net::pg::DataRow::type &&
         rows.byte_size() < batch_bytes) {
    const auto frame = net::pg::cut_message(received.substr(taken));
    if (!frame) violate(*lease_, frame.error().message);
    if (!frame->message) {
      needed_ = frame->needed;
      if (longest_row > 0 && needed_ > longest_row) {
        (*lease_)->mark_broken();
        throw values::make_error(values::ErrorId::memory_budget, longest_row);
      }
      break;
    }
    rows.append_message(frame->message->raw);
    taken += frame->message->raw.size();
  }
  (*lease_)->socket().consume(taken);
}

/// Whole messages are left where they are in the socket's buffer.
std::optional<Reply> ReplyStream::take_run(std::string_view received) {
  Reply reply{Reply::Kind::run, {}};
  std::size_t taken = 0;
  while (taken < batch_bytes && taken < received.size() && runs.has(received[taken]) &&
         net::pg::cut_whole(received.substr(taken), net::pg::max_message_bytes, reply.message)) {
    taken += reply.message.raw.size();
  }
  if (taken == 0) return std::nullopt;
  reply.message.raw = received.substr(0, taken);
  (*lease_)->socket().consume(taken);
  return reply;
}

std::optional<Reply> ReplyStream::take_part() {
  needed_ = 0;
  const std::string_view received = (*lease_)->socket().received();
  if (received.empty()) return std::nullopt;
  const std::string_view part = received.substr(0, part_left_);
  part_left_ -= part.size();
  (*lease_)->socket().consume(part.size());
  return Reply{Reply::Kind::part, {0, {}, part}};
}

void ReplyStream::note(const net::pg::Message& message) {
  ServerConnection& connection = **lease_;
  switch (message.type) {
    case net::pg::ReadyForQuery::type: {
      const auto ready = net::pg::ReadyForQuery::decode(message.payload);
      if (!ready || connection.pending() == 0) violate(*lease_, "an unexpected ReadyForQuery");
      connection.on_ready(ready->status);
      break;
    }
    case net::pg::ParameterStatus::type: {
      const auto status = net::pg::ParameterStatus::decode(message.payload);
      if (!status) violate(*lease_, status.error().message);
      connection.on_parameter(status->name, status->value);
      break;
    }
    case net::pg::ErrorResponse::type: {
      auto error = net::pg::ErrorResponse::decode(message.payload);
      if (!error) violate(*lease_, error.error().message);
      if (ends_session(*error)) connection.mark_broken();
      // The context is not what was wanted: what was sent behind the change must not be believed.
      if (connection.skipping()) {
        connection.mark_broken();
        throw ServerError(std::move(*error), lease_->shard(), lease_->shard_name());
      }
      break;
    }
    case net::pg::NotificationResponse::type:
      connection.notifications += message.raw;
      break;
    default:
      break;
  }
}

net::Socket::Fill ReplyStream::more(net::CancelToken token) {
  net::Socket& socket = (*lease_)->socket();
  if (socket.queued() > 0) socket.send_now();
  check_alive(*lease_);
  return socket.fill(needed_, std::move(token));
}

void ReplyStream::check(const net::IoResult& filled) {
  if (!filled) lose(*lease_, filled.error().message);
}

net::Task<Reply> ReplyStream::next(net::CancelToken token) {
  for (;;) {
    if (std::optional<Reply> reply = poll()) co_return std::move(*reply);
    const net::IoResult filled = co_await more(token);
    if (!filled && token.cancelled()) throw stopped(token.state());
    check(filled);
  }
}

}  // namespace anabranch::backends
