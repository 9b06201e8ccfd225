#pragma once

#include <string_view>

#include "merge/batch.h"
#include "net/buffer.h"

namespace anabranch::proxy {

/// COPY's binary form (PostgreSQL, "COPY", Binary Format): its tuples are what DataRows hold.
inline constexpr std::string_view binary_copy_header("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
inline constexpr std::string_view binary_copy_trailer("\377\377", 2);

/// Rows [begin, end), all in binary form, as one CopyData.
void append_binary_copy(net::Buffer& out, const merge::Batch& rows, std::size_t begin, std::size_t end);

}  // namespace anabranch::proxy
