#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/pg/messages.h"

using namespace anabranch::net;
using namespace anabranch::net::pg;

namespace {

/// What is decoded must encode to what was read.
template <typename M>
void check(const Message& message) {
  const auto decoded = M::decode(message.payload);
  if (!decoded) return;
  Buffer again;
  decoded->encode(again);
  if (again.view() != message.raw) std::abort();
}

void walk_row(const Message& message) {
  const auto row = DataRow::decode(message.payload);
  if (!row) return;
  std::size_t bytes = 0;
  for (const Field field : row->fields) bytes += field ? field->size() : 0;
  if (bytes > message.payload.size()) std::abort();
}

void check_all(const Message& message) {
  switch (message.type) {
    case 'R':
      check<Authentication>(message);
      break;
    case 'K':
      check<BackendKeyData>(message);
      break;
    case 'S':
      check<ParameterStatus>(message);
      break;
    case 'Z':
      check<ReadyForQuery>(message);
      break;
    case 'T':
      check<RowDescription>(message);
      break;
    case 'D':
      check<DataRow>(message);
      walk_row(message);
      break;
    case 'C':
      check<CommandComplete>(message);
      break;
    case 'E':
      check<ErrorResponse>(message);
      break;
    case 'N':
      check<NoticeResponse>(message);
      break;
    case 't':
      check<ParameterDescription>(message);
      break;
    case 'V':
      check<FunctionCallResponse>(message);
      break;
    case 'A':
      check<NotificationResponse>(message);
      break;
    case 'v':
      check<NegotiateProtocolVersion>(message);
      break;
    case 'G':
      check<CopyInResponse>(message);
      break;
    case 'H':
      check<CopyOutResponse>(message);
      break;
    case 'W':
      check<CopyBothResponse>(message);
      break;
    default:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  while (true) {
    const auto frame = cut_message(bytes);
    if (!frame || !frame->message) return 0;
    check_all(*frame->message);
    (void)trace(Direction::from_backend, *frame->message);
    bytes.remove_prefix(frame->message->raw.size());
  }
}
