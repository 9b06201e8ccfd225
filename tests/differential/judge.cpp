#include "judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "compare.h"

namespace anabranch::differential {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

struct FirstDifference {
  std::string where;
  std::string what;
  const Result* error = nullptr;  // the other side's, when it answered with one
};

std::optional<FirstDifference> find_difference(const Case& c, const Transcript& single,
                                               const Transcript& other) {
  const auto compare = [&](const std::vector<Answer>& a, const std::vector<Answer>& b,
                           std::string_view what) -> std::optional<FirstDifference> {
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
      const bool last = &a == &single.steps && i + 1 == a.size();
      const Answer* unlimited = last && single.unlimited ? &*single.unlimited : nullptr;
      if (auto found = difference(a[i], b[i], c.rules, unlimited)) {
        return FirstDifference{fmt::format("{} {}", what, i + 1), *found, b[i].error()};
      }
    }
    return std::nullopt;
  };
  if (auto found = compare(single.steps, other.steps, "step")) return found;
  return compare(single.verify, other.verify, "verify");
}

Verdict failed(std::string reason, std::string actual = {}) {
  return {Verdict::Kind::failed, std::move(reason), std::move(actual)};
}

std::string refusal(const Result& error) {
  std::string clause = first_line(error.message);
  std::ranges::replace(clause, '"', '\'');
  return fmt::format("refused {} \"{}\"", error.sqlstate, clause);
}

/// A case whose statement the server itself refuses proves nothing, unless it says so.
std::optional<std::string> unannounced_error(const Case& c, const Transcript& single) {
  std::set<std::string> missing(c.errors.begin(), c.errors.end());
  for (const auto* answers : {&single.steps, &single.verify}) {
    for (const Answer& answer : *answers) {
      const Result* error = answer.error();
      if (error == nullptr || error->sqlstate == "25P02") continue;
      if (std::ranges::find(c.errors, error->sqlstate) == c.errors.end()) {
        return fmt::format("the single server answers {}: {}", error->sqlstate, error->message);
      }
      missing.erase(error->sqlstate);
    }
  }
  if (missing.empty()) return std::nullopt;
  return "the single server does not answer " + *missing.begin();
}

/// What the proxy will carry out one day, and refuses meanwhile: for whatever reason, but clearly.
Verdict judge_pending(const Case& c, const std::optional<FirstDifference>& found) {
  if (c.state == State::same && !found) return {};
  const bool refused = found && found->error != nullptr && found->error->sqlstate == "0A000";
  if (!found) return {Verdict::Kind::pending, "", ""};
  if (!refused) return failed("listed as pending, and not refused:\n" + found->where + "\n" + found->what);
  const bool as_written = c.state == State::refused && found->error->sqlstate == c.refused_sqlstate &&
                          lower(found->error->message).contains(lower(c.refused_clause));
  return {as_written ? Verdict::Kind::refused : Verdict::Kind::pending, "", ""};
}

}  // namespace

Verdict judge(const Case& c, const Transcript& single, const Transcript& other, Shards shards) {
  if (auto error = unannounced_error(c, single)) return failed(*error);
  const auto found = find_difference(c, single, other);
  if (c.pending && shards) return judge_pending(c, found);
  if (!shards || *shards == 1) {
    const bool refused_by_one = c.state == State::refused && found && found->error != nullptr &&
                                found->error->sqlstate == c.refused_sqlstate;
    if (found && !(shards && refused_by_one)) return failed(found->where + "\n" + found->what);
    return {c.state == State::same ? Verdict::Kind::same : Verdict::Kind::refused, "", ""};
  }
  if (c.state == State::same) {
    if (!found) return {};
    const bool refused = found->error != nullptr && found->error->sqlstate == "0A000";
    return failed(found->where + "\n" + found->what, refused ? refusal(*found->error) : "");
  }
  if (!found) return failed("a refused case gives the same answer now", "same");
  if (found->error == nullptr) return failed(found->where + "\n" + found->what);
  const std::string message = lower(found->error->message);
  if (found->error->sqlstate != c.refused_sqlstate ||
      message.find(lower(c.refused_clause)) == std::string::npos) {
    return failed(fmt::format("refused, but not with {} and '{}':\n{}", c.refused_sqlstate,
                              c.refused_clause, found->what),
                  found->error->sqlstate == "0A000" ? refusal(*found->error) : "");
  }
  return {Verdict::Kind::refused, "", ""};
}

std::string plan_kind(const Answer& explained) {
  if (explained.results.empty() || explained.results[0].rows.empty()) return {};
  const Row& row = explained.results[0].rows[0];
  if (row.empty() || !row[0]) return {};
  const std::string line = lower(first_line(*row[0]));
  constexpr std::string_view prefix = "anabranch ";
  if (!line.starts_with(prefix)) return {};
  std::string kind = line.substr(prefix.size());
  const auto end = std::ranges::find_if(kind, [](unsigned char c) { return std::isalpha(c) == 0; });
  kind.erase(end, kind.end());
  return kind;
}

}  // namespace anabranch::differential
