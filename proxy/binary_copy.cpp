#include "proxy/binary_copy.h"

#include "net/pg/messages.h"

namespace anabranch::proxy {

void append_binary_copy(net::Buffer& out, const merge::Batch& rows, std::size_t begin, std::size_t end) {
  std::size_t bytes = sizeof(std::uint32_t);
  for (std::size_t i = begin; i < end; ++i) bytes += rows.row(i).payload().size();
  out.append(net::pg::CopyData::type);
  for (int shift = 24; shift >= 0; shift -= 8) out.append(static_cast<char>(bytes >> shift & 0xff));
  for (std::size_t i = begin; i < end; ++i) out.append(rows.row(i).payload());
}

}  // namespace anabranch::proxy
