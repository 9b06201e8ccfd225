#include "coverage.h"

#include <fmt/format.h>

#include <cctype>
#include <map>
#include <set>

#include "case_file.h"

namespace anabranch::differential {
namespace {

struct Count {
  int same = 0;
  int refused = 0;
  int pending = 0;
  std::map<std::string, int> plans;

  void add(const Case& c) {
    ++(c.state == State::same ? same : refused);
    pending += c.pending ? 1 : 0;
    if (c.state == State::same && !c.plan.empty()) ++plans[c.plan];
  }
};

/// A statement without its literals, comments kept: what counts as one of its own.
std::string shape(const std::string& sql) {
  std::string out;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(sql[i]);
    const bool in_word = !out.empty() && (std::isalnum(static_cast<unsigned char>(out.back())) != 0 || out.back() == '_');
    if (c == '\'') {
      while (++i < sql.size() && sql[i] != '\'') i += sql[i] == '\\' ? 1 : 0;
      out += '?';
    } else if (std::isdigit(c) != 0 && !in_word) {
      while (i + 1 < sql.size() && (std::isdigit(static_cast<unsigned char>(sql[i + 1])) != 0 || sql[i + 1] == '.')) ++i;
      out += '?';
    } else {
      out += sql[i];
    }
  }
  return out;
}

/// Statements of distinct shapes: all that are answered the same, and those that several shards answer.
struct Shapes {
  std::set<std::string> all;
  std::set<std::string> same;
  std::set<std::string> scatter;

  void add(const Case& c) {
    for (const auto* steps : {&c.steps, &c.verify}) {
      for (const Step& step : *steps) {
        if (step.sql.empty()) continue;
        all.insert(shape(step.sql));
        if (c.state == State::same) same.insert(shape(step.sql));
      }
    }
    if (c.state == State::same && c.plan == "scatter") scatter.insert(shape(c.steps[c.plan_step].sql));
  }
};

void print(const std::string& file, const Count& count) {
  fmt::print("{:<28} {:>5} {:>8} {:>8} ", file, count.same, count.refused, count.pending);
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
  if (c.pending) return "refused so far";
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
  Shapes shapes;
  for (const Case& c : read_cases(cases)) {
    files[c.file].add(c);
    all.add(c);
    shapes.add(c);
  }
  fmt::print("{:<28} {:>5} {:>8} {:>8}  expected plans\n", "file", "same", "refused", "pending");
  for (const auto& [file, count] : files) print(file, count);
  print("all", all);
  fmt::print("\n{} statements of distinct shapes, {} of them same, {} scatter\n", shapes.all.size(), shapes.same.size(),
             shapes.scatter.size());
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
