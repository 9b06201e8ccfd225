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

void check_all(const Message& message) {
  switch (message.type) {
    case 'p':
      check<PasswordMessage>(message);
      check<SASLInitialResponse>(message);
      check<SASLResponse>(message);
      break;
    case 'Q':
      check<Query>(message);
      break;
    case 'P':
      check<Parse>(message);
      break;
    case 'B':
      check<Bind>(message);
      break;
    case 'D':
      check<Describe>(message);
      break;
    case 'E':
      check<Execute>(message);
      break;
    case 'C':
      check<Close>(message);
      break;
    case 'F':
      check<FunctionCall>(message);
      break;
    case 'f':
      check<CopyFail>(message);
      break;
    case 'd':
      check<CopyData>(message);
      break;
    case 'S':
      check<Sync>(message);
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
    (void)trace(Direction::from_frontend, *frame->message);
    bytes.remove_prefix(frame->message->raw.size());
  }
}
