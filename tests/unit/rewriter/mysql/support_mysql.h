#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "rewriter/mysql/parse.h"
#include "rewriter/print.h"

namespace anabranch::rewriter::mysql::testing {

inline std::vector<tree::StatementPtr> parse_all(std::string_view text, Shape& out,
                                                 const Mode& mode = {}) {
  shape(text, mode, LexLimits{}, out);
  ParseResult result = parse(text, out, mode);
  const auto* error = std::get_if<SyntaxError>(&result);
  const std::string message = error ? error->message : "";
  CHECK_MESSAGE(!error, text, ": ", message);
  if (error) return {};
  return std::move(std::get<0>(result));
}

/// Parses one statement and prints it again.
inline std::string round_trip(std::string_view text, const Mode& mode = {}) {
  Shape made;
  const auto statements = parse_all(text, made, mode);
  if (statements.size() != 1) return "(" + std::to_string(statements.size()) + " statements)";
  return to_text(*statements[0], made, Dialect::mysql);
}

/// Where reading ended, from 1; 0: it did not fail.
inline int failure(std::string_view text, const Mode& mode = {}) {
  Shape made;
  shape(text, mode, LexLimits{}, made);
  const ParseResult result = parse(text, made, mode);
  const auto* error = std::get_if<SyntaxError>(&result);
  if (!error) return 0;
  CHECK(error->sqlstate == "42000");
  return error->position;
}

}  // namespace anabranch::rewriter::mysql::testing
