#include <pg_query.h>

#include <fstream>

#include "support_tree.h"

using namespace anabranch::rewriter;
using namespace anabranch::rewriter::testing;

namespace {

std::vector<std::string> corpus() {
  std::ifstream file(std::string(ANABRANCH_SOURCE_DIR) + "/tests/unit/rewriter/corpus.sql");
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && !line.starts_with("--")) out.push_back(line);
  return out;
}

std::string fingerprint(const std::string& text) {
  const PgQueryFingerprintResult result = pg_query_fingerprint(text.c_str());
  const std::string out =
      result.error ? std::string("error: ") + result.error->message : result.fingerprint_str;
  pg_query_free_fingerprint_result(result);
  return out;
}

}  // namespace

TEST_CASE("every statement of the corpus means the same after printing") {
  const auto statements = corpus();
  CHECK(statements.size() >= 250);
  for (std::string text : statements) {
    const bool same_fingerprint = text[0] != '~';
    text.erase(0, same_fingerprint ? 0 : 1);
    CAPTURE(text);
    Shape shape, again_shape;
    const auto trees = parse_all(text, shape);
    for (const auto& tree : trees) {
      const std::string printed = to_text(*tree, shape);
      CAPTURE(printed);
      const auto again = parse_all(printed, again_shape);
      REQUIRE(again.size() == 1);
      CHECK(tree::equal(*tree, *again[0], tree::LiteralMatch::value));
      CHECK(to_text(*again[0], again_shape) == printed);
      if (trees.size() == 1 && same_fingerprint) CHECK(fingerprint(text) == fingerprint(printed));
    }
  }
}

TEST_CASE("a clone is equal to its original and prints alike") {
  for (std::string text : corpus()) {
    if (text[0] == '~') text.erase(0, 1);
    CAPTURE(text);
    Shape shape;
    for (const auto& tree : parse_all(text, shape)) {
      const auto copy = tree::clone(*tree);
      CHECK(tree::equal(*tree, *copy));
      CHECK(to_text(*tree, shape) == to_text(*copy, shape));
      CHECK(tree->baked == copy->baked);
    }
  }
}

// What the plan cache rests on: a hole or the cache key, nothing is lost between them.
TEST_CASE("every literal is either printed as a hole or baked") {
  for (std::string text : corpus()) {
    if (text[0] == '~') text.erase(0, 1);
    CAPTURE(text);
    Shape shape;
    std::vector<int> seen(200, 0);
    for (const auto& tree : parse_all(text, shape)) {
      for (const auto& piece : print(*tree).pieces)
        if (const auto* hole = std::get_if<SqlTemplate::LiteralHole>(&piece))
          seen.at(static_cast<std::size_t>(hole->index)) = 1;
      for (int token : tree->baked) seen.at(static_cast<std::size_t>(token)) = 1;
    }
    for (std::size_t i = 0; i < shape.literals().size(); ++i) {
      const std::string_view literal = shape.spelling(static_cast<int>(i));
      CAPTURE(literal);
      CHECK(seen.at(i) == 1);
    }
  }
}
