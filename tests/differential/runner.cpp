#include "runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "restore.h"

namespace anabranch::differential {
namespace {

std::vector<Form> forms_of(const Case& c, const Dialect& dialect) {
  if (c.only) return {*c.only};
  std::vector<Form> forms(dialect.forms().begin(), dialect.forms().end());
  if (c.pipeline) std::erase(forms, Form::simple);
  return forms;
}

bool selected(const Case& c, const std::string& filter) {
  return filter.empty() || c.name.find(filter) != std::string::npos ||
         c.file.find(filter) != std::string::npos;
}

bool needs_fresh_session(const Case& c) {
  return c.steps.size() > 1;
}

Transcript play(const Case& c, Form form, Connection& connection, bool as_single) {
  if (needs_fresh_session(c)) connection.reset();
  Transcript transcript;
  if (c.pipeline) {
    transcript.steps = connection.pipeline(c.steps, form == Form::extended_binary, as_single);
  } else {
    for (const Step& step : c.steps) {
      transcript.steps.push_back(connection.run(step, form, as_single));
    }
  }
  const char after = transcript.steps.back().transaction;
  if (after != 'I') connection.simple("ROLLBACK");
  for (const Step& step : c.verify) {
    transcript.verify.push_back(connection.run(step, form, as_single));
  }
  if (as_single && !c.unlimited.empty()) {
    Step step = c.steps.back();
    step.sql = step.single_sql = c.unlimited;
    transcript.unlimited = connection.run(step, form, true);
  }
  if (needs_fresh_session(c)) connection.reset();
  return transcript;
}

struct Count {
  int same = 0;
  int refused = 0;
  int pending = 0;
  int failed = 0;
};

class CorpusRun {
 public:
  explicit CorpusRun(const Options& options)
      : options_(options),
        single_{.endpoint = options.single, .connection = options.dialect->connect(options.single)},
        restorer_(options.dialect->remember(single_)),
        pending_(read_pending(options.cases)) {}

  int run() {
    // Those that write come last: where one cannot put its rows back, the reading ones have run.
    const std::vector<Case> all = read_cases(options_.cases);
    for (const bool writing : {false, true}) {
      for (const Case& c : all) {
        if (selected(c, options_.filter) && writing != c.writes.empty()) cases_.push_back(c);
      }
    }
    if (cases_.empty()) {
      fmt::print("no case in {} has a name or a file with \"{}\" in it\n", options_.cases.string(), options_.filter);
      return 1;
    }
    for (const Endpoint& endpoint : options_.endpoints) run_endpoint(endpoint);
    check_pending();
    if (options_.update) update();
    print_tables();
    return failures_;
  }

 private:
  void run_endpoint(const Endpoint& endpoint) {
    Side other{.endpoint = endpoint.conninfo,
               .connection = options_.dialect->connect(endpoint.conninfo),
               .order = endpoint.shards ? Rows::as_read : Rows::reversed};
    restorer_->begin(other);
    for (const Case& c : cases_) {
      try {
        run_case(c, endpoint, other);
      } catch (const std::exception& error) {
        fail(c, endpoint, "run", error.what());
        if (!reconnect(*other.connection)) {
          fmt::print("{} is gone: the remaining cases were not run\n", endpoint.label);
          ++failures_;
          return;
        }
      }
    }
  }

  bool reconnect(Connection& other) {
    single_.connection->reset();
    try {
      other.reset();
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  void run_case(const Case& c, const Endpoint& endpoint, Side& other) {
    bool good = check_plan(c, endpoint, *other.connection);
    bool pending = false;
    for (const Form form : forms_of(c, *options_.dialect)) {
      const Transcript expected = play(c, form, *single_.connection, true);
      const Transcript actual = play(c, form, *other.connection, !endpoint.shards);
      const Verdict verdict = judge(c, expected, actual, endpoint.shards);
      if (!c.writes.empty()) {
        restorer_->restore(single_, c.writes);
        restorer_->restore(other, c.writes);
      }
      pending = pending || verdict.kind == Verdict::Kind::pending;
      if (verdict.kind != Verdict::Kind::failed) continue;
      good = false;
      fail(c, endpoint, name_of(form), verdict.reason);
      actual_states_[c.file + ":" + c.name].insert(verdict.actual);
    }
    if (pending) still_pending_.insert(c.name);
    if (!good) return;
    Count& count = counts_[endpoint.label][c.file];
    ++(pending ? count.pending : c.state == State::same ? count.same : count.refused);
  }

  /// Over several shards: EXPLAIN must name the plan the case expects.
  bool check_plan(const Case& c, const Endpoint& endpoint, Connection& other) {
    const bool sharded = endpoint.shards && *endpoint.shards > 1;
    if (!sharded || c.pending || c.plan_step >= c.steps.size() || c.state == State::refused) return true;
    const Step& step = c.steps[c.plan_step];
    const bool unexplainable = step.kind == Step::Kind::prepare && !step.parameters.empty();
    if (unexplainable) return true;
    const std::string kind = options_.dialect->explained_kind(other.explain(step));
    const std::set<int> largest = largest_shards();
    if (!largest.contains(*endpoint.shards)) return true;
    ++plans_[kind.empty() ? "(none)" : kind];
    if (c.plan.empty() || c.plan == kind) return true;
    fail(c, endpoint, "plan", fmt::format("    expected {}, EXPLAIN says '{}'\n", c.plan, kind));
    return false;
  }

  /// Over fewer shards a plan may be cheaper: an IN list may meet one shard.
  std::set<int> largest_shards() const {
    int most = 0;
    for (const Endpoint& endpoint : options_.endpoints)
      most = std::max(most, endpoint.shards.value_or(0));
    return {most};
  }

  void fail(const Case& c, const Endpoint& endpoint, std::string_view form, std::string_view why) {
    fmt::print("FAILED {}: {} [{}, {}]\n", c.file, c.name, endpoint.label, form);
    for (const Step& step : c.steps) {
      fmt::print("  {}\n",
                 step.kind == Step::Kind::execute ? "execute " + step.statement : step.sql);
    }
    fmt::print("{}\n\n", why);
    const std::string id = fmt::format("{}:{}:{}", endpoint.label, c.file, c.name);
    if (!failed_.insert(id).second) return;
    failed_names_.insert(c.name);
    ++failures_;
    ++counts_[endpoint.label][c.file].failed;
  }

  /// A list of what is refused so far has to be true.
  void check_pending() {
    if (std::ranges::none_of(options_.endpoints, [](const Endpoint& e) { return e.shards.value_or(0) > 1; })) return;
    for (const Case& c : cases_) {
      if (!c.pending || still_pending_.contains(c.name) || failed_names_.contains(c.name)) continue;
      passing_.insert(c.name);
      if (options_.update) continue;
      fmt::print("FAILED {}: {}: is listed as pending, and passes\n", c.file, c.name);
      ++failures_;
    }
  }

  /// Takes what passes off the list of pending cases, and puts what is refused on it.
  void update_pending() {
    for (const std::string& name : passing_) pending_.erase(name);
    for (const Case& c : cases_) {
      const auto found = actual_states_.find(c.file + ":" + c.name);
      if (found == actual_states_.end()) continue;
      const bool refused = std::ranges::all_of(
          found->second, [](const std::string& state) { return state.starts_with("refused "); });
      if (refused) pending_.insert(c.name);
    }
    write_pending(options_.cases, pending_);
  }

  /// Rewrites the states of those cases that ended in one clear other state in every form.
  void update() {
    if (std::filesystem::exists(options_.cases / "pending")) return update_pending();
    for (const Case& c : cases_) {
      const auto found = actual_states_.find(c.file + ":" + c.name);
      if (found == actual_states_.end() || found->second.size() != 1) continue;
      const std::string& state = *found->second.begin();
      if (state.empty()) continue;
      rewrite_line(options_.cases / c.file, c.state_line, "state: " + state);
      fmt::print("updated {}: {}: {}\n", c.file, c.name, state);
    }
  }

  void print_tables() const {
    int passed = 0;
    for (const auto& [label, files] : counts_) {
      fmt::print("\n{:<28} {:>6} {:>8} {:>8} {:>7}   ({})\n", "file", "same", "refused", "pending", "failed", label);
      Count all;
      for (const auto& [file, count] : files) {
        print(file, count);
        all.same += count.same;
        all.refused += count.refused;
        all.pending += count.pending;
        all.failed += count.failed;
      }
      print("all", all);
      passed += all.same + all.refused + all.pending;
    }
    if (!plans_.empty()) {
      fmt::print("\nplans of the cases in state same, over the most shards:\n");
      for (const auto& [kind, count] : plans_) fmt::print("  {:<12} {:>5}\n", kind, count);
    }
    fmt::print("\n{} passed, {} failed\n", passed, failures_);
  }

  static void print(const std::string& file, const Count& count) {
    fmt::print("{:<28} {:>6} {:>8} {:>8} {:>7}\n", file, count.same, count.refused, count.pending, count.failed);
  }

  const Options& options_;
  Side single_;
  std::unique_ptr<Restorer> restorer_;
  std::set<std::string> pending_;  // as listed
  std::set<std::string> still_pending_;
  std::set<std::string> passing_;
  std::set<std::string> failed_names_;
  std::vector<Case> cases_;
  std::map<std::string, std::map<std::string, Count>> counts_;
  std::map<std::string, int> plans_;
  std::map<std::string, std::set<std::string>> actual_states_;
  std::set<std::string> failed_;
  int failures_ = 0;
};

}  // namespace

int run_corpus(const Options& options) {
  return CorpusRun(options).run();
}

}  // namespace anabranch::differential
