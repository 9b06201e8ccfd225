#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "rewriter/parse.h"
#include "rewriter/print.h"

namespace anabranch::rewriter::testing {

inline std::vector<tree::StatementPtr> parse_all(std::string_view text, Shape& out,
                                                 bool standard_strings = true) {
  shape(text, standard_strings, LexLimits{}, out);
  ParseResult result = parse(text, out, standard_strings);
  const auto* error = std::get_if<SyntaxError>(&result);
  const std::string message = error ? error->message : "";
  CHECK_MESSAGE(!error, text, ": ", message);
  if (error) return {};
  return std::move(std::get<0>(result));
}

/// Parses one statement and prints it again.
inline std::string round_trip(std::string_view text) {
  Shape shape;
  const auto statements = parse_all(text, shape);
  REQUIRE(statements.size() == 1);
  return to_text(*statements[0], shape);
}

}  // namespace anabranch::rewriter::testing
