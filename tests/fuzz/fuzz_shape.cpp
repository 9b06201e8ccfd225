#include <cstdlib>

#include "rewriter/lexer.h"
#include "rewriter/shape.h"
#include "values/sql_error.h"

using namespace anabranch::rewriter;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(std::string_view text, bool standard_strings) {
  static Shape reused;
  Shape fresh;
  try {
    shape(text, standard_strings, LexLimits{}, fresh);
    shape(text, standard_strings, LexLimits{}, reused);
  } catch (const anabranch::values::SqlError&) {
    return;
  }
  require(fresh.text() == reused.text() && fresh.hash() == reused.hash());
  std::size_t end = 0;
  for (std::size_t i = 0; i < fresh.literals().size(); ++i) {
    const auto& literal = fresh.literals()[i];
    require(literal.length > 0 && literal.offset >= end &&
            literal.offset + literal.length <= text.size());
    end = literal.offset + literal.length;
    const int first = fresh.equal_to()[i];
    require(fresh.spelling(first) == fresh.spelling(static_cast<int>(i)));
    fresh.value(static_cast<int>(i), standard_strings);
  }
  std::size_t last = 0;
  for (const auto& span : split_statements(text, standard_strings)) {
    require(span.offset >= last && span.offset + span.length <= text.size());
    last = span.offset + span.length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, true);
  check(text, false);
  return 0;
}
