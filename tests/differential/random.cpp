#include "random.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "compare.h"
#include "dialect.h"
#include "judge.h"
#include "pg_connection.h"
#include "random_query.h"

namespace anabranch::differential {
namespace {

using Clock = std::chrono::steady_clock;

struct Shares {
  int queries = 0;
  int non_empty = 0;
  int refused = 0;
  int invalid = 0;  // the single server answers with an error; then the other must as well
  int different = 0;
  std::map<std::string, int> plans;
  std::map<std::string, int> refusals;
};

class RandomRun {
 public:
  RandomRun(const Options& options, uint64_t seed)
      : options_(options), seed_(seed), single_(options.single), generator_(seed) {
    for (const Endpoint& endpoint : options.endpoints) {
      others_.push_back(std::make_unique<PgConnection>(endpoint.conninfo));
    }
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
    const RandomQuery query = generator_.next();
    const std::span<const Form> forms = postgres().forms();
    const Form form = forms[static_cast<std::size_t>(number_++) % forms.size()];
    Step step;
    step.sql = query.sql;
    const Answer single = single_.run(step, form, true);
    std::optional<Answer> unlimited;
    if (!query.unlimited.empty()) {
      step.sql = query.unlimited;
      unlimited = single_.run(step, form, true);
      step.sql = query.sql;
    }
    shares_.resize(others_.size());
    for (std::size_t i = 0; i < others_.size(); ++i) {
      const Answer other = others_[i]->run(step, form, false);
      record(query, form, single, other, unlimited ? &*unlimited : nullptr, i);
    }
  }

  void record(const RandomQuery& query, Form form, const Answer& single, const Answer& other,
              const Answer* unlimited, std::size_t endpoint) {
    Shares& shares = shares_[endpoint];
    ++shares.queries;
    shares.non_empty += !single.results.empty() && !single.results[0].rows.empty() ? 1 : 0;
    if (const Result* error = single.error()) {
      ++shares.invalid;
      ++shares
            .refusals["the single server: " + error->message.substr(0, error->message.find('\n'))];
    }
    const bool sharded = options_.endpoints[endpoint].shards.has_value();
    const Result* error = other.error();
    if (sharded && error != nullptr && error->sqlstate == "0A000") {
      ++shares.refused;
      ++shares.refusals[error->message.substr(0, error->message.find('\n'))];
      return;
    }
    if (sharded) ++shares.plans[plan_kind(others_[endpoint]->simple("EXPLAIN " + query.sql))];
    // A LIMIT may spare the error that the whole answer meets, and which rows it spares is open.
    if (unlimited != nullptr && unlimited->error() != nullptr) return;
    const auto found = difference(single, other, query.rules, unlimited);
    if (!found) return;
    ++shares.different;
    ++different_;
    fmt::print("DIFFERENT [{}, {}] seed {} query {}\n  {}\n{}\n",
               options_.endpoints[endpoint].label, name_of(form), seed_, number_, query.sql,
               *found);
  }

  static void print(const Endpoint& endpoint, const Shares& shares) {
    const auto share = [&](int count) { return 100.0 * count / std::max(1, shares.queries); };
    fmt::print(
        "\n{}: {} queries, {:.0f}% non-empty, {:.0f}% errors, {:.0f}% refused, {} different\n",
        endpoint.label, shares.queries, share(shares.non_empty), share(shares.invalid),
        share(shares.refused), shares.different);
    for (const auto& [kind, count] : shares.plans) {
      fmt::print("  {:<12} {:>5.1f}%\n", kind.empty() ? "(none)" : kind, share(count));
    }
    for (const auto& [why, count] : shares.refusals) fmt::print("  {:>5}  {}\n", count, why);
  }

  const Options& options_;
  uint64_t seed_;
  PgConnection single_;
  std::vector<std::unique_ptr<PgConnection>> others_;
  QueryGenerator generator_;
  std::vector<Shares> shares_;
  int number_ = 0;
  int different_ = 0;
};

}  // namespace

int run_random(const Options& options, int seconds, uint64_t seed) {
  return RandomRun(options, seed).run(seconds);
}

}  // namespace anabranch::differential
