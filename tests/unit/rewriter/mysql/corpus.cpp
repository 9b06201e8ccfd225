#include <fstream>

#include "support_mysql.h"

using namespace anabranch::rewriter;
using namespace anabranch::rewriter::mysql::testing;

namespace {

std::vector<std::string> corpus() {
  std::ifstream file(std::string(ANABRANCH_SOURCE_DIR) +
                     "/tests/unit/rewriter/mysql/statements.sql");
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && !line.starts_with("-- ")) out.push_back(line);
  return out;
}

}  // namespace

TEST_CASE("every MySQL statement of the corpus means the same after printing") {
  const auto statements = corpus();
  CHECK(statements.size() >= 700);
  int verbatim = 0;
  for (const std::string& text : statements) {
    CAPTURE(text);
    Shape made, again_made;
    const auto trees = parse_all(text, made);
    REQUIRE(trees.size() == 1);
    const auto* utility = trees[0]->as<tree::Utility>();
    verbatim += utility && utility->kind == "VerbatimStmt" ? 1 : 0;
    const std::string printed = to_text(*trees[0], made, Dialect::mysql);
    CAPTURE(printed);
    const auto again = parse_all(printed, again_made);
    REQUIRE(again.size() == 1);
    CHECK(tree::equal(*trees[0], *again[0], tree::LiteralMatch::value));
    CHECK(to_text(*again[0], again_made, Dialect::mysql) == printed);
    CHECK(tree::equal(*trees[0], *tree::clone(*trees[0])));
  }
  CHECK(verbatim <= 16);
}

// What the plan cache rests on: a hole or the cache key, nothing is lost between them.
TEST_CASE("every literal of a MySQL statement is either printed as a hole or baked") {
  for (const std::string& text : corpus()) {
    CAPTURE(text);
    Shape made;
    std::vector<int> seen(200, 0);
    for (const auto& tree : parse_all(text, made)) {
      for (const auto& piece : print(*tree, Dialect::mysql).pieces)
        if (const auto* hole = std::get_if<SqlTemplate::LiteralHole>(&piece))
          seen.at(static_cast<std::size_t>(hole->index)) = 1;
      for (int token : tree->baked) seen.at(static_cast<std::size_t>(token)) = 1;
    }
    for (std::size_t i = 0; i < made.literals().size(); ++i) {
      const std::string_view literal = made.spelling(static_cast<int>(i));
      CAPTURE(literal);
      CHECK(seen.at(i) == 1);
    }
  }
}
