#include "random.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>

#include "compare.h"
#include "dialect.h"
#include "random_query.h"
#include "random_shrink.h"

namespace anabranch::differential {
namespace {

using Clock = std::chrono::steady_clock;

struct Shares {
  int queries = 0;
  int non_empty = 0;
  int refused = 0;
  int too_slow = 0;  // not compared: servers gave up
  int invalid = 0;  // the single server answers with an error; then the other must as well
  int different = 0;
  std::map<std::string, int> plans;
  std::map<std::string, int> refusals;
};

class RandomRun {
 public:
  RandomRun(const Options& options, uint64_t seed)
      : options_(options),
        seed_(seed),
        single_(options.dialect->connect(options.single)),
        generator_(options.dialect->queries()),
        shares_(options.endpoints.size()) {
    for (const Endpoint& endpoint : options.endpoints) others_.push_back(options.dialect->connect(endpoint.conninfo));
  }

  int run(int seconds) {
    fmt::print("random queries, seed {}\n", seed_);
    const auto end = Clock::now() + std::chrono::seconds(seconds);
    while (Clock::now() < end && different_ < most_differences) one_query();
    for (std::size_t i = 0; i < others_.size(); ++i) print(options_.endpoints[i], shares_[i]);
    fmt::print("{} queries, {} differences, seed {}\n", number_, different_, seed_);
    return different_;
  }

 private:
  static constexpr int most_differences = 10;

  void one_query() {
    Choices choices(seed_ + static_cast<uint64_t>(number_) * 0x9e3779b97f4a7c15);
    const RandomQuery query = generator_->next(choices);
    const std::span<const Form> forms = options_.dialect->forms();
    const Form form = forms[static_cast<std::size_t>(number_++) % forms.size()];
    const Expected expected = ask_single(query, form);
    for (std::size_t i = 0; i < others_.size(); ++i) {
      const Answer other = others_[i]->run(step_of(query), form, !options_.endpoints[i].shards);
      record(query, expected, other, i);
      const auto found = compared(query, expected, other, i);
      if (!found) continue;
      ++shares_[i].different;
      ++different_;
      fmt::print("DIFFERENT [{}, {}] seed {} query {}\n  {}\n{}\n", options_.endpoints[i].label, name_of(form), seed_,
                 number_, printed(query), *found);
      const auto differs = [&](const RandomQuery& smaller) { return difference_of(smaller, form, i).has_value(); };
      const RandomQuery smallest = shrink(*generator_, choices, query, differs);
      if (smallest.sql.size() < query.sql.size()) {
        fmt::print("  shrunk to\n  {}\n{}\n", printed(smallest), difference_of(smallest, form, i).value_or(""));
      }
    }
  }

  struct Expected {
    Answer answer;
    std::optional<Answer> unlimited;
    Clock::duration took{};
  };

  Expected ask_single(const RandomQuery& query, Form form) {
    Step step = step_of(query);
    const auto began = Clock::now();
    Expected expected{single_->run(step, form, true), std::nullopt, {}};
    expected.took = Clock::now() - began;
    step.sql = query.unlimited;
    if (!step.sql.empty()) expected.unlimited = single_->run(step, form, true);
    return expected;
  }

  std::optional<std::string> difference_of(const RandomQuery& query, Form form, std::size_t endpoint) {
    const Answer other = others_[endpoint]->run(step_of(query), form, !options_.endpoints[endpoint].shards);
    return compared(query, ask_single(query, form), other, endpoint);
  }

  bool is_refused(const Answer& other, std::size_t endpoint) const {
    const Result* error = other.error();
    return options_.endpoints[endpoint].shards && error != nullptr && error->sqlstate == "0A000";
  }

  /// Which of two servers is still within its time says nothing of the answers.
  static bool is_too_slow(const Expected& expected, const Answer& other) {
    constexpr auto slow = std::chrono::seconds(2);
    const auto gave_up = [](const Answer& answer) {
      constexpr std::string_view max_statement_time = "1969";
      const Result* error = answer.error();
      return error != nullptr && (error->sqlstate == "LOST" || error->sqlstate == "TIMEOUT" || error->sqlstate == max_statement_time);
    };
    return gave_up(expected.answer) || (gave_up(other) && expected.took > slow);
  }

  std::optional<std::string> compared(const RandomQuery& query, const Expected& expected, const Answer& other,
                                      std::size_t endpoint) const {
    if (is_refused(other, endpoint) || is_too_slow(expected, other)) return std::nullopt;
    // A LIMIT may spare the error that the whole answer meets, and which rows it spares is open.
    if (expected.unlimited && expected.unlimited->error() != nullptr) return std::nullopt;
    return difference(expected.answer, other, query.rules, expected.unlimited ? &*expected.unlimited : nullptr);
  }

  void record(const RandomQuery& query, const Expected& expected, const Answer& other, std::size_t endpoint) {
    Shares& shares = shares_[endpoint];
    const Answer& single = expected.answer;
    ++shares.queries;
    shares.non_empty += !single.results.empty() && !single.results[0].rows.empty() ? 1 : 0;
    if (const Result* error = single.error()) {
      ++shares.invalid;
      ++shares.refusals["the single server: " + first_line(error->message)];
    }
    if (is_too_slow(expected, other)) {
      ++shares.too_slow;
      fmt::print("TOO SLOW {}\n", printed(query));
    }
    if (is_refused(other, endpoint)) {
      ++shares.refused;
      ++shares.refusals[first_line(other.error()->message)];
    } else if (options_.endpoints[endpoint].shards) {
      ++shares.plans[options_.dialect->explained_kind(others_[endpoint]->explain(step_of(query)))];
    }
  }

  static Step step_of(const RandomQuery& query) {
    Step step;
    step.sql = query.sql;
    step.parameters = query.parameters;
    return step;
  }

  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  static std::string printed(const RandomQuery& query) {
    std::string out = query.sql;
    for (const Parameter& parameter : query.parameters) {
      out += fmt::format("\n  param: {} {}", parameter.type, parameter.value.value_or("NULL"));
    }
    return out;
  }

  static void print(const Endpoint& endpoint, const Shares& shares) {
    const auto share = [&](int count) { return 100.0 * count / std::max(1, shares.queries); };
    fmt::print(
        "\n{}: {} queries, {:.0f}% non-empty, {:.0f}% errors, {:.0f}% refused, {} too slow, {} different\n",
        endpoint.label, shares.queries, share(shares.non_empty), share(shares.invalid),
        share(shares.refused), shares.too_slow, shares.different);
    for (const auto& [kind, count] : shares.plans) {
      fmt::print("  {:<12} {:>5.1f}%\n", kind.empty() ? "(none)" : kind, share(count));
    }
    for (const auto& [why, count] : shares.refusals) fmt::print("  {:>5}  {}\n", count, why);
  }

  const Options& options_;
  uint64_t seed_;
  std::unique_ptr<Connection> single_;
  std::vector<std::unique_ptr<Connection>> others_;
  std::unique_ptr<QueryGenerator> generator_;
  std::vector<Shares> shares_;
  int number_ = 0;
  int different_ = 0;
};

}  // namespace

int run_random(const Options& options, int seconds, uint64_t seed) {
  return RandomRun(options, seed).run(seconds);
}

}  // namespace anabranch::differential
