#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/mysql/login_conversation.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/rows.h"
#include "net/mysql/session_changes.h"
#include "net/mysql/trace.h"
#include "mysql_round_trip.h"

using namespace anabranch::net;
using namespace anabranch::net::mysql;

namespace {

void split(std::string_view payload, std::uint8_t seed) {
  std::array<Field, 4> fields;
  (void)split_text_row(payload, fields);
  std::array<FieldType, 4> types;
  for (std::size_t i = 0; i < types.size(); ++i) {
    types[i] = FieldType{static_cast<std::uint8_t>(seed + 61 * i)};
  }
  if (!split_binary_row(payload, types, fields)) return;
  std::size_t bytes = 0;
  for (const Field& field : fields) bytes += field ? field->size() : 0;
  if (bytes > payload.size()) std::abort();
}

void read_reply(std::string_view bytes, ResultReader::Reply reply, Capabilities capabilities) {
  ResultReader reader(reply, capabilities);
  while (!reader.done()) {
    const auto cut = cut_frame(bytes);
    if (!cut || !cut->frame) return;
    const std::string_view payload = cut->frame->payload;
    const auto event = reader.read(payload);
    if (!event) return;
    (void)trace(*event, payload, capabilities, reply);
    switch (*event) {
      case ResultReader::Event::ok:
      case ResultReader::Event::rows_end:
        check<Ok>(payload, capabilities);
        break;
      case ResultReader::Event::column:
        check<ColumnDefinition41>(payload, capabilities);
        break;
      case ResultReader::Event::row:
        split(payload, cut->frame->sequence);
        break;
      default:
        break;
    }
    bytes.remove_prefix(cut->frame->raw.size());
  }
}

/// A hostile server: whatever it says, the conversation ends in a state it has a name for, and the
/// password is not given away.
void log_in(std::string_view bytes) {
  LoginConversation::Options options;
  options.user = "user";
  options.password = "the password";
  options.database = "database";
  options.tls = LoginConversation::Tls::if_offered;
  options.ask_for_public_key = true;
  LoginConversation conversation(std::move(options));
  Buffer out;
  Sequence sequence;
  bool tls = false;
  while (conversation.state() == LoginConversation::State::reading) {
    const auto cut = cut_frame(bytes, max_unauthenticated_bytes);
    if (!cut || !cut->frame) break;
    sequence.reset(cut->frame->sequence);
    conversation.resume(*cut->frame, out, sequence);
    bytes.remove_prefix(cut->frame->raw.size());
    if (conversation.state() == LoginConversation::State::start_tls) {
      tls = true;
      conversation.tls_started(out, sequence);
    }
  }
  if (!tls && out.view().contains("the password")) std::abort();
  const bool failed = conversation.state() == LoginConversation::State::failed;
  if (failed && !conversation.rejected_by_server() && conversation.error().message.empty()) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  log_in(bytes);
  constexpr Capabilities base = capability::protocol_41 | capability::secure_connection |
                                capability::plugin_auth | capability::session_track;
  for (const Capabilities more : {Capabilities{0}, capability::deprecate_eof}) {
    for (const auto reply :
         {ResultReader::Reply::ok, ResultReader::Reply::text, ResultReader::Reply::binary,
          ResultReader::Reply::fetch, ResultReader::Reply::prepare, ResultReader::Reply::field_list,
          ResultReader::Reply::statistics}) {
      read_reply(bytes, reply, base | more);
    }
  }
  const auto cut = cut_frame(bytes);
  if (!cut || !cut->frame) return 0;
  const std::string_view payload = cut->frame->payload;
  (void)trace(Stage::greeting, payload, base);
  (void)trace(Stage::auth_question, payload, base);
  check<HandshakeV10>(payload);
  check<AuthSwitchRequest>(payload);
  check<AuthMoreData>(payload);
  check<Err>(payload);
  check<Eof>(payload);
  check<PrepareOk>(payload);
  check<Ok>(payload, base);
  SessionChanges changes(payload);
  while (changes.next()) {
  }
  return 0;
}
