#include "prove.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "compare.h"
#include "judge.h"
#include "shared_faults.h"

namespace anabranch::differential {
namespace {

bool holds(const Fault& fault, Form form, Connection& connection) {
  const auto ask = [&](const std::string& sql) {
    Step step;
    step.sql = sql;
    return connection.run(step, form, true);
  };
  const Answer single = ask(fault.sql);
  Answer other = fault.faulty.empty() ? single : ask(fault.faulty.front());
  if (fault.plant) fault.plant(other);
  std::optional<Answer> unlimited;
  if (!fault.unlimited.empty()) unlimited = ask(fault.unlimited);
  const auto found = difference(single, other, fault.rules, unlimited ? &*unlimited : nullptr);
  return found.has_value() == fault.must_be_found;
}

int check_faults(const Dialect& dialect, Connection& connection) {
  int missed = 0;
  std::vector<std::vector<Fault>> groups = shared_faults();
  std::ranges::move(dialect.faults(), std::back_inserter(groups));
  for (const auto& group : groups) {
    for (const Fault& fault : group) {
      for (const Form form : dialect.forms()) {
        const bool good = holds(fault, form, connection);
        missed += good ? 0 : 1;
        if (!good || form == Form::simple) {
          fmt::print("{} {}: {} [{}]\n", good ? "ok    " : "MISSED",
                     fault.must_be_found ? "found" : "allowed", fault.name, name_of(form));
        }
      }
    }
  }
  return missed;
}

Answer error_answer(std::string sqlstate, std::string message) {
  Answer answer;
  answer.results.push_back({.kind = Result::Kind::error,
                            .tag = {},
                            .sqlstate = std::move(sqlstate),
                            .message = std::move(message),
                            .columns = {},
                            .rows = {}});
  return answer;
}

/// The states of cases: no change of one may pass.
int check_states(Connection& connection) {
  const Answer fine = connection.simple(by_status);
  const Transcript single{.steps = {fine}, .verify = {}, .unlimited = {}};
  const auto other = [](Answer answer) {
    return Transcript{.steps = {std::move(answer)}, .verify = {}, .unlimited = {}};
  };
  Case same;
  Case refused;
  refused.state = State::refused;
  refused.refused_sqlstate = "0A000";
  refused.refused_clause = "window";
  const Answer refusal = error_answer("0A000", "a Window that no key completes");
  struct Check {
    const char* name;
    bool good;
  };
  const auto kind = [&](const Case& c, const Answer& answer, Shards shards) {
    return judge(c, single, other(answer), shards).kind;
  };
  Answer explained = fine;
  explained.results[0].rows = {{"Anabranch Scatter (4 shards)"}};
  const Check checks[] = {
      {"same stays same", kind(same, fine, 4) == Verdict::Kind::same},
      {"same that is refused fails", kind(same, refusal, 4) == Verdict::Kind::failed},
      {"refused stays refused", kind(refused, refusal, 4) == Verdict::Kind::refused},
      {"refused that passes fails", kind(refused, fine, 4) == Verdict::Kind::failed},
      {"refused with another SQLSTATE fails",
       kind(refused, error_answer("XX000", "window"), 4) == Verdict::Kind::failed},
      {"refused for another clause fails",
       kind(refused, error_answer("0A000", "DISTINCT"), 4) == Verdict::Kind::failed},
      {"over one shard refused may pass", kind(refused, fine, 1) == Verdict::Kind::refused},
      {"over one shard a wrong answer fails",
       kind(refused, error_answer("XX000", "window"), 1) == Verdict::Kind::failed},
      {"a plain server may not refuse", kind(same, refusal, std::nullopt) == Verdict::Kind::failed},
      {"EXPLAIN names the plan", plan_kind(explained) == "scatter"},
      {"a server's own EXPLAIN names none", plan_kind(fine).empty()},
  };
  int missed = 0;
  for (const Check& check : checks) {
    fmt::print("{} {}\n", check.good ? "ok    " : "MISSED", check.name);
    missed += check.good ? 0 : 1;
  }
  return missed;
}

}  // namespace

int prove_comparator(const Dialect& dialect, const std::string& single) {
  const auto connection = dialect.connect(single);
  const int missed = check_faults(dialect, *connection) + check_states(*connection);
  fmt::print("{}\n", missed == 0 ? "the comparator is proved" : "the comparator is NOT proved");
  return missed;
}

}  // namespace anabranch::differential
