#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "helpers.h"

// Each file in broken/ opens with the diagnostics it must draw, all of them, in order:
//   # expect: LINE:COL: error: …
// ANABRANCH_UPDATE=1 writes what is drawn today into the files, for a human to review.

namespace {

using namespace anabranch::conf;

constexpr std::string_view marker = "# expect: ";

std::vector<std::string> expectations(const std::string& text) {
  std::vector<std::string> list;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line) && line.starts_with(marker);) {
    list.push_back(line.substr(marker.size()));
  }
  return list;
}

/// Without the file's name; the lines counted from the first below the expectations.
std::vector<std::string> drawn(const std::string& text, std::size_t header_lines) {
  std::vector<std::string> list;
  std::string body = text;
  for (std::size_t i = 0; i < header_lines; ++i) body.erase(0, body.find('\n') + 1);
  for (Diagnostic diagnostic : testing::load(body).diagnostics) {
    diagnostic.file.clear();
    list.push_back(diagnostic.text().substr(1));
  }
  return list;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void update(const std::filesystem::path& path, const std::string& text, std::size_t header_lines,
            const std::vector<std::string>& found) {
  std::string body = text;
  for (std::size_t i = 0; i < header_lines; ++i) body.erase(0, body.find('\n') + 1);
  std::ofstream file(path);
  for (const std::string& line : found) file << marker << line << '\n';
  file << body;
}

}  // namespace

TEST_CASE("each broken file draws exactly the diagnostics it names") {
  const std::filesystem::path folder =
      std::filesystem::path(ANABRANCH_SOURCE_DIR) / "tests/unit/conf/broken";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ++count;
    const std::string text = read(entry.path());
    const auto expected = expectations(text);
    const auto found = drawn(text, expected.size());
    CAPTURE(entry.path().filename().string());
    if (std::getenv("ANABRANCH_UPDATE") != nullptr) {
      update(entry.path(), text, expected.size(), found);
      continue;
    }
    CHECK(expected == found);
    const bool error = std::ranges::any_of(
        found, [](const std::string& line) { return line.find(": error: ") != std::string::npos; });
    CHECK(error);
  }
  CHECK(count >= 60);
}

TEST_CASE("the examples are without fault") {
  const std::filesystem::path folder =
      std::filesystem::path(ANABRANCH_SOURCE_DIR) / "conf/examples";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ++count;
    CAPTURE(entry.path().filename().string());
    const Loaded loaded = load_file(entry.path().string());
    CHECK(loaded.config != nullptr);
    CHECK(loaded.diagnostics.empty());
  }
  CHECK(count >= 3);
}
