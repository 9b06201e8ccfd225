#pragma once

#include <string>
#include <string_view>

namespace anabranch::values {

/// The key of collation weights (kMysqlWeights, values/mysql_type.h): a byte n, the n bytes of the pad unit, then
/// the weights. Keys are identical where the strings are equal as if both went on in pad units for ever, and their
/// memcmp order is that of such strings; with n = 0 weights are plain bytes. Weights of another n sort apart.
/// Throws SqlError (invalid_binary) if a part of it is missing.
void append_weights_key(std::string_view value, std::string& out);

}  // namespace anabranch::values
