#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "net/mysql/flags.h"

namespace anabranch::net::mysql {

/// Where a value is built that differs from its text; one may serve a row's values in turn.
using BinaryScratch = std::array<char, 12>;

/// A value of a text row as write_binary_value() takes it (net/mysql/rows.h): a view of `text`, or of `scratch` until
/// the next call with it. Nothing: malformed, or of a type without values.
///
/// The bytes are those that the server itself would have sent, with one exception: a text may have fewer digits than
/// its FLOAT, or its DOUBLE with fixed decimals, and then gives the number nearest to the text.
std::optional<std::string_view> text_to_binary(FieldType type, bool is_unsigned, std::string_view text,
                                               BinaryScratch& scratch);

}  // namespace anabranch::net::mysql
