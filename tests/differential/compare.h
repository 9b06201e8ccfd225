#pragma once

#include <optional>
#include <string>

#include "answer.h"
#include "case_file.h"

namespace anabranch::differential {

/// Says how two answers differ, readably and shortly; nullopt when they are the same answer as
/// docs/architecture.md defines it: rows as multisets unless the rules fix an order, everything
/// else byte for byte. `unlimited` is the single server's answer without the LIMIT, when rows that
/// tie at its edge may differ; then each row must come from there.
std::optional<std::string> difference(const Answer& single, const Answer& other, const Rules& rules,
                                      const Answer* unlimited = nullptr);

/// The bytes of a value by which equal values are equal (numeric without its trailing zeros, -0 as
/// 0); other types: the value itself.
Value without_spelling(const Value& value, const Column& column);

}  // namespace anabranch::differential
