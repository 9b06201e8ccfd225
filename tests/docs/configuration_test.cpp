#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "conf/load.h"
#include "conf/reference.h"
#include "conf/support.h"
#include "page.h"

namespace anabranch::docs {
namespace {

constexpr std::string_view backend = "databases.NAME.backend";

std::string title(std::string_view section) {
  return section.empty() ? "The top of the file" : "`" + std::string(section) + "`";
}

/// A server takes all that `backend` takes: said in one line instead of ten rows.
bool repeats_backend(const conf::SettingDoc& setting, const std::vector<conf::SettingDoc>& all) {
  if (!setting.section.ends_with(".primary")) return false;
  return std::ranges::any_of(all, [&](const conf::SettingDoc& other) {
    return other.section == backend && other.name == setting.name;
  });
}

std::string row(const conf::SettingDoc& setting) {
  const std::string fallback = setting.required ? "required"
                               : setting.fallback.empty()
                                   ? ""
                                   : "`" + std::string(setting.fallback) + "`";
  return table_row({"`" + std::string(setting.name) + "`", setting.type, fallback,
                    setting.reloadable ? "yes" : "no", setting.doc});
}

std::string reference() {
  const std::vector<conf::SettingDoc> all = conf::settings();
  std::string text;
  std::string_view section = "-";
  for (const conf::SettingDoc& setting : all) {
    if (setting.section != section) {
      section = setting.section;
      text += "\n### " + title(section) + "\n\n";
      if (section.ends_with(".primary")) {
        text += "Every key of `" + std::string(backend) + "`, for this server, and:\n\n";
      }
      text +=
          table_row({"key", "value", "default", "reload", "meaning"}) + "|---|---|---|---|---|\n";
    }
    if (!repeats_backend(setting, all)) text += row(setting);
  }
  return text + "\n";
}

/// The first YAML block of the page.
std::string example() {
  const std::string page = read_file(source_folder() / "docs/configuration.md");
  const std::string fence = "```yaml\n";
  const std::size_t start = page.find(fence);
  REQUIRE(start != std::string::npos);
  return page.substr(start + fence.size(),
                     page.find("```\n", start + fence.size()) - start - fence.size());
}

TEST_CASE("the configuration page lists every setting as the loader reads it") {
  check_generated("docs/configuration.md", "settings", reference());
}

TEST_CASE("the configuration page's example is valid, and wholly carried out") {
  conf::Surroundings surroundings;
  surroundings.environment = [](const std::string&) {
    return std::optional<std::string>("secret");
  };
  surroundings.read_file = [](const std::string&) { return std::optional<std::string>("secret"); };
  const conf::Loaded loaded = conf::load_text(example(), "example.yaml", surroundings);
  for (const conf::Diagnostic& diagnostic : loaded.diagnostics) FAIL_CHECK(diagnostic.text());
  REQUIRE(loaded.config != nullptr);
  for (const conf::Diagnostic& missing : conf::unsupported(*loaded.config)) {
    FAIL_CHECK(missing.text());
  }
}

}  // namespace
}  // namespace anabranch::docs
