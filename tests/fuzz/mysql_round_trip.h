#pragma once

#include <cstdlib>
#include <string_view>

#include "net/mysql/message.h"

namespace anabranch::net::mysql {

/// What is decoded must encode to something that decodes to the same.
template <typename M, typename... Context>
void check(std::string_view payload, const Context&... context) {
  const auto decoded = M::decode(payload, context...);
  if (!decoded) return;
  Buffer first;
  Sequence sequence;
  decoded->encode(first, sequence, context...);
  const auto again = M::decode(first.view().substr(header_bytes), context...);
  if (!again) std::abort();
  Buffer second;
  Sequence same;
  again->encode(second, same, context...);
  if (first.view() != second.view()) std::abort();
}

}  // namespace anabranch::net::mysql
