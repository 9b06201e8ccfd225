#include "coverage.h"

#include <fmt/format.h>

#include <map>

#include "case_file.h"

namespace anabranch::differential {
namespace {

struct Count {
  int same = 0;
  int refused = 0;
  std::map<std::string, int> plans;

  void add(const Case& c) {
    ++(c.state == State::same ? same : refused);
    if (c.state == State::same && !c.plan.empty()) ++plans[c.plan];
  }
};

void print(const std::string& file, const Count& count) {
  fmt::print("{:<28} {:>5} {:>8} ", file, count.same, count.refused);
  for (const auto& [plan, n] : count.plans) fmt::print(" {} {}", n, plan);
  fmt::print("\n");
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

/// The name without the `where: ` that repeats its file's.
std::string short_name(const Case& c) {
  const auto colon = c.name.find(": ");
  return escaped(colon == std::string::npos ? c.name : c.name.substr(colon + 2));
}

std::string answer(const Case& c) {
  if (c.state == State::refused) {
    return fmt::format("refused: {} ({})", escaped(c.refused_clause), c.refused_sqlstate);
  }
  const std::string plan = c.plan.empty() ? "same" : "same, " + c.plan;
  std::string errors;
  for (const std::string& error : c.errors) errors += (errors.empty() ? "" : ", ") + error;
  return errors.empty() ? plan
                        : fmt::format("{} (error {}, as on the single server)", plan, errors);
}

}  // namespace

int print_count(const std::filesystem::path& cases) {
  std::map<std::string, Count> files;
  Count all;
  for (const Case& c : read_cases(cases)) {
    files[c.file].add(c);
    all.add(c);
  }
  fmt::print("{:<28} {:>5} {:>8}  expected plans\n", "file", "same", "refused");
  for (const auto& [file, count] : files) print(file, count);
  print("all", all);
  return 0;
}

int print_coverage(const std::filesystem::path& cases) {
  std::string file;
  for (const Case& c : read_cases(cases)) {
    if (c.file != file) {
      file = c.file;
      const std::string title = file.substr(0, file.find('.'));
      fmt::print("\n## {}\n\n| statement | over many shards |\n|---|---|\n", title);
    }
    fmt::print("| {} | {} |\n", short_name(c), answer(c));
  }
  return 0;
}

}  // namespace anabranch::differential
