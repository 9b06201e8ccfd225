#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "page.h"

namespace anabranch::docs {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> pages() {
  std::vector<fs::path> list{source_folder() / "README.md"};
  for (const auto& entry : fs::directory_iterator(source_folder() / "docs")) {
    if (entry.path().extension() == ".md") list.push_back(entry.path());
  }
  std::ranges::sort(list);
  return list;
}

/// The page without its fenced blocks, and what stands there in single backticks.
std::vector<std::string> code_spans(const std::string& page) {
  std::string text;
  bool fenced = false;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t end = std::min(page.find('\n', at), page.size() - 1) + 1;
    const std::string line = page.substr(at, end - at);
    at = end;
    const bool fence = line.starts_with("```");
    fenced ^= fence;
    if (!fence && !fenced) text += line;
  }
  std::vector<std::string> spans;
  for (std::size_t open = text.find('`'); open != std::string::npos; open = text.find('`', open)) {
    const std::size_t close = text.find('`', open + 1);
    if (close == std::string::npos) break;
    spans.push_back(text.substr(open + 1, close - open - 1));
    open = close + 1;
  }
  return spans;
}

/// A path of this repository begins with one of its top folders; the rest of the line is the
/// reader's.
bool is_path(const std::string& span) {
  const std::size_t slash = span.find('/');
  if (slash == std::string::npos || slash == 0) return false;
  static const std::vector<std::string> folders{"backends", "cmake",   "conf",  "docs",
                                                "merge",    "net",     "proxy", "rewriter",
                                                "router",   "scripts", "tests", "values"};
  return std::ranges::find(folders, span.substr(0, slash)) != folders.end();
}

/// `net/pg/`, `conf/load.h`, `scripts/demo stop`, `tests/unit/FLOOR` (capitals stand for anything),
/// `merge/*.h`, `values/type.{h,cpp}`: exists as far as it is written out.
bool exists(const std::string& span) {
  std::string path = span.substr(0, span.find(' '));
  const std::size_t open = path.find_first_of("*{");
  if (open != std::string::npos) path.resize(path.find_last_of('/', open));
  for (std::size_t slash = 0; (slash = path.find('/', slash)) != std::string::npos; ++slash) {
    if (slash + 1 < path.size() && path[slash + 1] >= 'A' && path[slash + 1] <= 'Z' &&
        !path.ends_with(".md")) {
      path.resize(slash);
      break;
    }
  }
  return fs::exists(source_folder() / path);
}

/// Targets of Markdown links within the repository.
std::vector<std::string> links(const std::string& page) {
  std::vector<std::string> list;
  for (std::size_t at = page.find("]("); at != std::string::npos; at = page.find("](", at + 2)) {
    const std::size_t end = page.find_first_of(")#", at);
    const std::string target = page.substr(at + 2, end - at - 2);
    if (!target.empty() && !target.starts_with("http")) list.push_back(target);
  }
  return list;
}

TEST_CASE("every path that a page names exists") {
  std::size_t found = 0;
  for (const fs::path& page : pages()) {
    for (const std::string& span : code_spans(read_file(page))) {
      if (!is_path(span)) continue;
      ++found;
      CHECK_MESSAGE(exists(span), page.filename().string(), ": ", span);
    }
  }
  CHECK(found > 50);
}

TEST_CASE("every link between pages leads somewhere") {
  for (const fs::path& page : pages()) {
    for (const std::string& target : links(read_file(page))) {
      CHECK_MESSAGE(fs::exists(page.parent_path() / target), page.filename().string(), ": ",
                    target);
    }
  }
}

TEST_CASE("the paths test sees a path that does not exist") {
  CHECK(exists("conf/load.h"));
  CHECK(exists("scripts/demo stop"));
  CHECK(exists("merge/*.h"));
  CHECK(exists("tests/unit/FLOOR"));
  CHECK_FALSE(exists("conf/lode.h"));
  CHECK(code_spans("`a` b\n```\n`c`\n```\n`d`\n") == std::vector<std::string>{"a", "d"});
}

}  // namespace
}  // namespace anabranch::docs
