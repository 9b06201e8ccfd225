#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/pg/auth_scram.h"
#include "net/pg/auth_server_conversation.h"

using namespace anabranch::net;
using namespace anabranch::net::pg;

namespace {

const ScramVerifier& verifier() {
  static const ScramVerifier made = ScramVerifier::from_password("pencil", "salt", 1);
  return made;
}

/// No sequence of messages may be accepted without the password.
void attack_server(std::string_view first, std::string_view second, bool plus) {
  ScramServer server(verifier(), false, plus ? "binding" : "", "nonce");
  if (!server.first(plus ? scram_sha_256_plus : scram_sha_256, first)) return;
  if (server.final_message(second)) std::abort();
}

void attack_client(std::string_view first, std::string_view second) {
  if (first.find("i=") != std::string_view::npos && first.size() > 40) return;  // costly counts
  ScramClient client("pencil", {}, "nonce");
  (void)client.first();
  (void)client.final_message(first);
  if (client.verify(second)) std::abort();
}

void attack_conversation(std::string_view first, std::string_view second) {
  AuthServerConversation conversation(
      {AuthServerConversation::Method::scram, "user", verifier().to_string(), {}, "n"});
  Buffer out;
  conversation.start(out);
  conversation.resume(Message{'p', first, {}}, out);
  conversation.resume(Message{'p', second, {}}, out);
  if (conversation.state() == AuthServerConversation::State::done) std::abort();
}

void read_verifier(std::string_view text) {
  const auto parsed = ScramVerifier::parse(text);
  if (!parsed) return;
  const auto again = ScramVerifier::parse(parsed->to_string());
  if (!again || again->stored_key != parsed->stored_key) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = std::min(bytes.find('\n'), bytes.size());
  const std::string_view first = bytes.substr(0, cut);
  const std::string_view second = bytes.substr(std::min(cut + 1, bytes.size()));
  attack_server(first, second, false);
  attack_server(first, second, true);
  attack_client(first, second);
  attack_conversation(first, second);
  read_verifier(bytes);
  return 0;
}
