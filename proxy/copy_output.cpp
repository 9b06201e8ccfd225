#include "proxy/copy_output.h"

#include "proxy/encoding.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

/// "PGCOPY\n\xff\r\n\0", flags, length of the extension (PostgreSQL, "COPY", "Binary Format").
constexpr std::size_t binary_header_bytes = 11 + 4 + 4;
constexpr std::string_view binary_trailer("\xff\xff", 2);

}  // namespace

CopyOutput::CopyOutput(SessionState& state, const rewriter::CopyOut& copy)
    : state_(state), copy_(copy), encoder_(copy) {}

/// Rows come in the client's encoding; in some, a byte of a character may look like a delimiter.
void CopyOutput::check_encoding() const {
  const std::string* reported = state_.reported("client_encoding");
  const std::string client = reported == nullptr ? "UTF8" : *reported;
  const bool converted = !copy_.encoding.empty() && plain_encoding(copy_.encoding) != plain_encoding(client);
  if (binary() || (!converted && !has_ascii_inside(client))) return;
  throw values::make_error(values::ErrorId::unsupported_clause,
                           "COPY TO in encoding " + (converted ? copy_.encoding : client),
                           "the rows of several shards are merged in the client's encoding",
                           "SET client_encoding TO 'UTF8', and leave ENCODING out.");
}

net::Task<void> CopyOutput::begin_rows(backends::Lease& lease) {
  check_encoding();
  backends::send_query(lease, copy_.probe);
  backends::ReplyStream stream(lease);
  const auto take = [this](const backends::Reply& reply) {
    if (reply.kind != backends::Reply::Kind::message) return;
    if (reply.message.type == net::pg::CopyOutResponse::type) respond(reply.message);
    if (reply.message.type == net::pg::CopyData::type) first(reply.message);
  };
  auto failure = co_await backends::read_to_end(lease, stream, take);
  if (!failure) co_return;
  failure->remove('P');
  throw backends::ServerError(std::move(*failure), lease.shard(), lease.shard_name());
}

void CopyOutput::rows(const merge::Batch& rows) {
  net::Buffer& out = state_.out();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    net::pg::MessageWriter message(out, net::pg::CopyData::type);
    message.bytes(lead_);
    lead_.clear();
    encoder_.encode(rows.row(i), out);
  }
}

void CopyOutput::respond(const net::pg::Message& response) {
  if (!responded_) state_.client.write(response.raw);
  responded_ = true;
}

void CopyOutput::data(std::string_view payload) {
  net::pg::MessageWriter message(state_.out(), net::pg::CopyData::type);
  message.bytes(lead_);
  message.bytes(payload);
  lead_.clear();
}

/// True: rows follow it in the same message.
bool CopyOutput::take_binary_header(std::string_view& payload) {
  if (payload.size() < binary_header_bytes) {
    throw values::make_error(values::ErrorId::protocol_violation, "a binary COPY without its header");
  }
  if (!header_sent_) lead_ = payload.substr(0, binary_header_bytes);
  header_sent_ = true;
  payload.remove_prefix(binary_header_bytes);
  return !payload.empty() && payload != binary_trailer;
}

void CopyOutput::first(const net::pg::Message& message) {
  std::string_view payload = message.payload;
  if (binary()) {
    if (take_binary_header(payload)) data(payload);
    return;
  }
  const bool again = copy_.header && header_sent_;
  header_sent_ = true;
  if (!again) data(payload);
}

void CopyOutput::more(const net::pg::Message& messages) {
  std::string_view bytes = messages.raw;
  if (binary() && messages.payload == binary_trailer) bytes.remove_suffix(5 + binary_trailer.size());
  state_.client.write(bytes);
}

void CopyOutput::finish() {
  if (binary()) data(binary_trailer);
  net::pg::CopyDone{}.encode(state_.out());
}

}  // namespace anabranch::proxy
