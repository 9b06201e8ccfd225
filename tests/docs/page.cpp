#include "page.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace anabranch::docs {
namespace {

bool update_is_asked_for() {
  const char* value = std::getenv("ANABRANCH_UPDATE");
  return value != nullptr && std::string_view(value) == "1";
}

/// The first line in which the two differ: what a reader wants to see of a long page.
std::string first_difference(std::string_view page, std::string_view expected) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < std::min(page.size(), expected.size()) && page[i] == expected[i];
       ++i) {
    if (page[i] == '\n') start = i + 1;
  }
  const auto line = [start](std::string_view text) {
    return std::string(text.substr(start, text.find('\n', start) - start));
  };
  return "the page: " + line(page) + "\nthe code: " + line(expected) +
         "\nANABRANCH_UPDATE=1 rewrites the page";
}

}  // namespace

std::filesystem::path source_folder() {
  return ANABRANCH_SOURCE_DIR;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string table_row(const std::vector<std::string_view>& cells) {
  std::string row = "|";
  for (const std::string_view cell : cells) {
    row += cell.empty() ? "" : " ";
    for (const char c : cell) row += c == '|' ? std::string("\\|") : std::string(1, c);
    row += " |";
  }
  return row + "\n";
}

void check_generated(const std::string& page, std::string_view part, std::string_view expected) {
  const std::filesystem::path path = source_folder() / page;
  std::string text = read_file(path);
  const std::string begin = "<!-- generated: " + std::string(part) + " -->\n";
  const std::size_t marker = text.find(begin);
  REQUIRE_MESSAGE(marker != std::string::npos, page, " has no line ", begin);
  const std::size_t start = marker + begin.size();
  const std::size_t end = text.find("<!-- end generated -->\n", start);
  REQUIRE_MESSAGE(end != std::string::npos, page, ": the generated part has no end");
  const std::string_view found = std::string_view(text).substr(start, end - start);
  if (found == expected) return;
  if (!update_is_asked_for()) FAIL(first_difference(found, expected));
  text.replace(start, end - start, expected);
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace anabranch::docs
