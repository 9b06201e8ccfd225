#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/pg/auth_server_conversation.h"
#include "net/pg/messages.h"
#include "proxy/login_backoff.h"
#include "proxy/startup_claims.h"

/// What a stranger may say before the password is right: the startup packet, and the answer to each
/// kind of request for a password.
using namespace anabranch;
using namespace anabranch::net::pg;

namespace {

void read_first_packet(const Message& message) {
  if (const auto cancel = CancelRequest::decode(message.payload)) {
    if (message.raw.size() != 16) std::abort();
    return;
  }
  const auto startup = StartupMessage::decode(message.payload);
  if (!startup) return;
  const auto claims = proxy::read_claims(*startup);
  if (!claims) return;
  if (claims->user.empty() || claims->user.size() > 63) std::abort();
  if (claims->database.empty() || claims->database.size() > 63) std::abort();
  (void)proxy::LoginBackoff::key(claims->database, claims->user);
}

/// Nothing that a fuzzer finds is the password.
void answer_requests(std::string_view bytes) {
  using Method = AuthServerConversation::Method;
  const std::string md5 = md5_verifier("a password of some length", "user");
  for (const Method method : {Method::cleartext, Method::md5, Method::scram}) {
    AuthServerConversation::Options options;
    options.method = method;
    options.user = "user";
    options.mock_nonce = "nonce";
    if (method != Method::scram) options.secret = md5;
    AuthServerConversation conversation(options);
    net::Buffer out;
    conversation.start(out);
    std::string_view rest = bytes;
    while (conversation.state() == AuthServerConversation::State::reading) {
      const auto frame = cut_message(rest, conversation.largest_message());
      if (!frame || !frame->message) break;
      conversation.resume(*frame->message, out);
      rest.remove_prefix(frame->message->raw.size());
    }
    if (conversation.state() == AuthServerConversation::State::done) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto frame = cut_startup(bytes);
  if (!frame) return 0;
  if (frame->message) {
    read_first_packet(*frame->message);
    answer_requests(bytes.substr(frame->message->raw.size()));
  }
  (void)proxy::parse_options(bytes);
  return 0;
}
