#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/pg/messages.h"
#include "net/pg/startup_conversation.h"

using namespace anabranch::net;
using namespace anabranch::net::pg;

namespace {

void read_as_server(std::string_view bytes) {
  const auto frame = cut_startup(bytes);
  if (!frame || !frame->message) return;
  const std::string_view payload = frame->message->payload;
  (void)trace(Direction::from_frontend, *frame->message);
  (void)SSLRequest::decode(payload);
  (void)GSSENCRequest::decode(payload);
  (void)CancelRequest::decode(payload);
  const auto startup = StartupMessage::decode(payload);
  if (!startup) return;
  Buffer again;
  startup->encode(again);
  if (again.view() != frame->message->raw) std::abort();
}

/// A hostile server: whatever it says, the conversation ends in a state it has a name for.
void read_as_client(std::string_view bytes) {
  StartupConversation conversation({"user", "database", "password", {}, {}, true});
  Buffer out;
  auto state = conversation.start(out);
  while (state == StartupConversation::State::reading) {
    const auto frame = cut_message(bytes, max_unauthenticated_bytes);
    if (!frame || !frame->message) return;
    state = conversation.resume(*frame->message, out);
    bytes.remove_prefix(frame->message->raw.size());
  }
  if (state == StartupConversation::State::failed && conversation.error().fields.empty() &&
      !conversation.rejected_by_server()) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_server(bytes);
  // The work that a server may ask for in one SCRAM exchange is bounded, but not small.
  if (bytes.find(",i=") == std::string_view::npos) read_as_client(bytes);
  return 0;
}
