#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "values/codec.h"
#include "values/collation.h"

namespace anabranch::values {

/// The building blocks of canonical keys (see key.h): each is memcmp-ordered, and none is the
/// beginning of another.

template <typename Signed>
void append_signed_key(std::string& out, Signed value) {
  using Unsigned = std::make_unsigned_t<Signed>;
  append_be(out, static_cast<Unsigned>(static_cast<Unsigned>(value) ^
                                       (Unsigned{1} << (sizeof(Signed) * 8 - 1))));
}

/// Bytes with 0x00 written as 0x00 0xFF, ended by 0x00 0x01.
inline void append_bytes_key(std::string& out, std::string_view bytes) {
  for (;;) {
    const size_t zero = bytes.find('\0');
    if (zero == std::string_view::npos) break;
    out.append(bytes.substr(0, zero + 1));
    out.push_back('\xFF');
    bytes.remove_prefix(zero + 1);
  }
  out.append(bytes);
  out.append({'\0', '\1'});
}

/// As varstr_cmp() orders: the collation's sort key, then (if deterministic) the bytes.
inline void append_text_key(std::string& out, std::string_view text, const Collation& collation) {
  if (!collation.is_bytes()) {
    collation.append_sort_key(text, out);
    if (!collation.deterministic()) return;
  }
  append_bytes_key(out, text);
}

}  // namespace anabranch::values
