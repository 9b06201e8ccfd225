#include <cstdlib>

#include "rewriter/parse.h"
#include "rewriter/print.h"
#include "values/sql_error.h"

using namespace anabranch::rewriter;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<tree::StatementPtr> parsed(std::string_view text, Shape& made) {
  shape(text, true,
        LexLimits{.bytes = 1 << 16, .tokens = 10'000, .nesting = 60, .operator_chain = 200}, made);
  ParseResult result = parse(text, made);
  if (auto* trees = std::get_if<0>(&result)) return std::move(*trees);
  return {};
}

}  // namespace

// What parses, prints; what is printed parses to the same tree.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find('\0') != std::string_view::npos) return 0;
  try {
    Shape made, again_made;
    for (const auto& statement : parsed(text, made)) {
      require(tree::equal(*statement, *tree::clone(*statement)));
      if (statement->as<tree::Utility>()) continue;
      const std::string printed = to_text(*statement, made);
      const auto again = parsed(printed, again_made);
      require(again.size() == 1 && tree::equal(*statement, *again[0], tree::LiteralMatch::value));
    }
  } catch (const anabranch::values::SqlError&) {
  }
  return 0;
}
