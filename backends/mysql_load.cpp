#include "backends/mysql_load.h"

#include <algorithm>

#include "backends/lost.h"
#include "backends/mysql_exchange.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/stream.h"

namespace anabranch::backends {

namespace {

using Event = net::mysql::ResultReader::Event;

/// Servers take a file in frames, wherever these cut it.
constexpr std::size_t most_in_a_frame = std::size_t{1} << 20U;

}  // namespace

MysqlLoadStream::MysqlLoadStream(Lease& lease)
    : lease_(&lease), reader_(net::mysql::ResultReader::Reply::text, lease->server().form.capabilities) {}

std::optional<MysqlLoadStream::Reply> MysqlLoadStream::poll() {
  const auto frame = net::mysql::take_frame((*lease_)->socket(), net::mysql::max_frame_bytes, &needed_);
  if (!frame) violate(*lease_, frame.error().message);
  if (!*frame) return std::nullopt;
  const std::string_view payload = (*frame)->payload;
  const auto event = reader_.read(payload);
  if (!event) violate(*lease_, event.error().message);
  if (*event == Event::infile_request) {
    const auto request = net::mysql::LocalInfileRequest::decode(payload);
    if (!request) violate(*lease_, request.error().message);
    file_ = request->file;
    sequence_.reset(static_cast<std::uint8_t>((*frame)->sequence + 1));
    return Reply::asks;
  }
  if (*event == Event::error) {
    const auto error = net::mysql::Err::decode(payload);
    if (!error) violate(*lease_, error.error().message);
    failure_ = mysql_error_fields(error->code, error->sqlstate, error->message);
    end(error->code);
    return Reply::end;
  }
  if (*event != Event::ok || !reader_.done()) violate(*lease_, "an answer to something else");
  const auto ok = net::mysql::Ok::decode(payload, (*lease_)->server().form.capabilities);
  if (!ok) violate(*lease_, ok.error().message);
  result_.affected = ok->affected_rows;
  result_.insert_id = ok->last_insert_id;
  result_.warnings = ok->warnings;
  result_.tag = ok->info;
  end(0);
  return Reply::end;
}

void MysqlLoadStream::send(std::string_view piece) {
  while (!piece.empty()) {
    const std::string_view part = piece.substr(0, most_in_a_frame);
    net::mysql::PacketWriter((*lease_)->socket().out(), sequence_).bytes(part);
    piece.remove_prefix(part.size());
  }
}

void MysqlLoadStream::finish() {
  const net::mysql::PacketWriter empty((*lease_)->socket().out(), sequence_);
}

void MysqlLoadStream::end(std::uint16_t error) {
  // Errors do not tell the status.
  (*lease_)->on_ready(error != 0 ? (*lease_)->transaction_status() : mysql_transaction_status(reader_.status()));
  if (ends_mysql_session(error)) (*lease_)->mark_broken();
}

}  // namespace anabranch::backends
