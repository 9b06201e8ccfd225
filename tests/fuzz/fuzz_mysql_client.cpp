#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/mysql/auth_server_conversation.h"
#include "net/mysql/parameters.h"
#include "net/mysql/trace.h"
#include "mysql_round_trip.h"

using namespace anabranch::net;
using namespace anabranch::net::mysql;

namespace {

constexpr Capabilities agreed = capability::protocol_41 | capability::secure_connection |
                                capability::plugin_auth | capability::connect_attributes;

void read_parameters(std::string_view payload) {
  const auto execution = ComStmtExecute::decode(payload);
  if (!execution) return;
  for (const std::size_t count : {1, 2, 9}) {
    BoundParameters parameters(count);
    if ((execution->statement & 1) != 0) parameters.mark_sent_ahead(0);
    if (!parameters.read(execution->parameters)) continue;
    Buffer out;
    Sequence sequence;
    parameters.encode(out, sequence, *execution, parameters.types_were_sent());
  }
}

void read_command(std::string_view payload) {
  (void)trace(Stage::command, payload, agreed);
  check<ComQuery>(payload);
  check<ComFieldList>(payload);
  check<ComProcessKill>(payload);
  check<ComSetOption>(payload);
  check<ComStmtExecute>(payload);
  check<ComStmtFetch>(payload);
  check<ComStmtClose>(payload);
  check<ComStmtSendLongData>(payload);
  check<ComStmtBulkExecute>(payload);
  check<ComChangeUser>(payload, agreed);
  check<ComChangeUser>(payload, Capabilities{0});
  read_parameters(payload);
}

/// Whatever the client says, nobody gets in: nobody knows the password.
void log_in(std::string_view bytes, AuthServerConversation::Plugin plugin) {
  const auto first = cut_packet(bytes, max_unauthenticated_bytes);
  if (!first || !first->packet) return;
  Buffer scratch;
  const auto response = HandshakeResponse41::decode(first->packet->payload(scratch));
  if (!response) return;
  AuthServerConversation::Options options;
  options.plugin = plugin;
  options.secret = "*0E8F21E4240F5AD5A07D088F9C93890D13D78A4E";
  options.challenge = "12345678901234567890";
  options.secure_transport = true;
  AuthServerConversation conversation(std::move(options));
  Buffer out;
  Sequence sequence(static_cast<std::uint8_t>(first->packet->sequence + 1));
  conversation.start(response->plugin, response->auth_response, response->capabilities, out,
                     sequence);
  bytes.remove_prefix(first->packet->raw.size());
  while (conversation.state() == AuthServerConversation::State::reading) {
    const auto cut = cut_frame(bytes, max_unauthenticated_bytes);
    if (!cut || !cut->frame) return;
    sequence.reset(cut->frame->sequence);
    conversation.resume(*cut->frame, out, sequence);
    bytes.remove_prefix(cut->frame->raw.size());
  }
  if (conversation.state() == AuthServerConversation::State::done) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  log_in(bytes, AuthServerConversation::Plugin::native);
  log_in(bytes, AuthServerConversation::Plugin::caching_sha2);
  Buffer scratch;
  for (bool first = true;; first = false) {
    const auto cut = cut_packet(bytes, 1 << 20);
    if (!cut || !cut->packet) return 0;
    const std::string_view payload = cut->packet->payload(scratch);
    if (first) {
      (void)trace(Stage::login, payload, agreed);
      check<SSLRequest>(payload);
      check<HandshakeResponse41>(payload);
    }
    read_command(payload);
    bytes.remove_prefix(cut->packet->raw.size());
  }
}
