#include "session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "settings.h"

namespace interleave {

namespace {

constexpr std::size_t log_length = 50;

constexpr PGTransactionStatusType status_of(Model::Transaction transaction) {
  if (transaction == Model::Transaction::none) return PQTRANS_IDLE;
  return transaction == Model::Transaction::open ? PQTRANS_INTRANS : PQTRANS_INERROR;
}

unsigned place_of(Model::Transaction transaction) {
  if (transaction == Model::Transaction::none) return StepKind::idle;
  return transaction == Model::Transaction::open ? StepKind::open : StepKind::failed;
}

}  // namespace

Session::Session(World& world, int number, bool plain)
    : world_(world),
      number_(number),
      plain_(plain),
      binds_(plain || number % 30 == 7),
      random_(world.seed * 1'000'003 + static_cast<std::uint64_t>(number)),
      link_(world.loop) {}

void Session::note(std::string line) {
  log_.push_back(std::move(line));
  if (log_.size() > log_length) log_.pop_front();
}

void Session::differ(std::string_view what, std::string_view expected, std::string_view got) const {
  throw Difference(fmt::format("seed {}, session {} ({}), {}\n  expected: {}\n  got:      {}\nits last steps:\n  {}\n",
                               world_.seed, number_, plain_ ? "plain" : "shop", what, expected, got,
                               fmt::join(log_, "\n  ")));
}

void Session::expect(std::string_view what, std::string_view expected, std::string_view got) const {
  if (expected != got) differ(what, expected, got);
}

std::string Session::token() { return fmt::format("t{}-{}", number_, ++tokens_); }

Answers Session::settled(Answers answers) {
  for (const Answer& answer : answers) {
    if (answer.sqlstate == "lost") differ("the connection is lost", "an answer", answer.message);
    if (answer.sqlstate == "hangs") differ("the statement hangs", "an answer", answer.message);
    if (answer.sqlstate != "53300") continue;
    if (answer.message.find("wait for each other") == std::string::npos) differ("a wait", "a turn", answer.text());
    note("  gave way");
    ++world_.gave_way;
    throw GaveWay();
  }
  return answers;
}

Task<Answer> Session::ask(std::string sql) {
  const bool extended = chance(40) && sql.find(';') == std::string::npos;
  note(fmt::format("{}{}", extended ? "execute " : "query ", sql));
  Answers answers = co_await (extended ? link_.execute(sql, {}) : link_.query(sql));
  answers = settled(std::move(answers));
  log_.back() += "  -> " + answers.back().text().substr(0, 300);
  co_return answers.back();
}

Task<Answer> Session::run(std::string sql) {
  Answer answer = co_await ask(std::move(sql));
  if (!answer.ok()) differ("a statement fails", "success", answer.text());
  co_return answer;
}

Task<void> Session::expect_value(std::string sql, std::string expected) {
  const Answer answer = co_await run(std::move(sql));
  expect("a value", expected, answer.rows.empty() ? "no row" : answer.text());
}

Task<void> Session::expect_failure(std::string sql, std::string sqlstate) {
  const Answer answer = co_await ask(std::move(sql));
  if (answer.sqlstate != sqlstate) differ("a statement that must fail", sqlstate, answer.text());
  failed();
}

Task<void> Session::connect() {
  Values base = world_.defaults;
  std::string conninfo = fmt::format("{} dbname={}", world_.conninfo, plain_ ? "plain" : "shop");
  if (chance(50)) {
    base["application_name"] = token();
    conninfo += " application_name=" + base["application_name"];
  }
  if (chance(30)) {
    base["TimeZone"] = "Asia/Tokyo";
    base["work_mem"] = "3MB";
    conninfo += " options='-c timezone=Asia/Tokyo -c work_mem=3MB'";
  }
  note("connect " + conninfo.substr(conninfo.find("dbname")));
  const std::string problem = co_await link_.open(conninfo);
  if (!problem.empty()) differ("connecting", "a connection", problem);
  model_.connect(std::move(base));
  to_come_.clear();
  connected_ = true;
  ++world_.connections;
  steps_left_ = static_cast<int>(binds_ ? 20 + pick(30) : 50 + pick(300));
}

const StepKind* Session::choose() {
  const unsigned here = place_of(model_.transaction());
  std::vector<std::pair<const StepKind*, int>> possible;
  int sum = 0;
  for (const StepKind& kind : step_kinds()) {
    const int weight = plain_ ? kind.weight : kind.sharded_weight;
    if (weight == 0 || (kind.where & here) == 0 || (kind.binds && !binds_) || world_.disabled.contains(std::string(kind.name))) continue;
    possible.emplace_back(&kind, weight);
    sum += weight;
  }
  int at = static_cast<int>(pick(static_cast<std::uint64_t>(sum)));
  for (const auto& [kind, weight] : possible) {
    at -= weight;
    if (at < 0) return kind;
  }
  return nullptr;
}

Task<void> Session::check_notifications() {
  const auto limit = Clock::now() + std::chrono::seconds(60);
  while (true) {
    for (const std::string& come : link_.notifications()) {
      if (to_come_.empty()) differ("a notification that is not for this session", "none", come);
      expect("a notification", to_come_.front(), come);
      to_come_.pop_front();
    }
    if (to_come_.empty() || in_transaction()) co_return;
    if (Clock::now() > limit) differ("a notification that does not come", to_come_.front(), "nothing");
    (void)co_await link_.listen(std::chrono::seconds(1));
  }
}

/// What libpq knows without asking, and then a question.
Task<void> Session::check() {
  const PGTransactionStatusType status = link_.transaction();
  if (status != status_of(model_.transaction())) {
    differ("the transaction's status", fmt::format("{}", static_cast<int>(status_of(model_.transaction()))),
           fmt::format("{}", static_cast<int>(status)));
  }
  co_await check_notifications();
  if (model_.transaction() == Model::Transaction::failed) co_return;
  for (const std::string& name : setting_names()) {
    if (reported(name)) expect("the reported " + name, model_.shown(name), link_.parameter(name.c_str()));
  }
  co_await look();
}

Task<void> Session::step() {
  const StepKind* kind = choose();
  note(fmt::format("{}:", kind->name));
  ++world_.steps;
  ++world_.steps_by_kind[std::string(kind->name)];
  try {
    co_await (this->*kind->run)();
    if (connected_) co_await check();
  } catch (const GaveWay&) {
    failed();
  }
}

/// A transaction is brought to its end, so that the rows are known.
Task<void> Session::end_program() {
  if (in_transaction()) co_await roll_back();
  co_await leave();
}

Task<void> Session::live() {
  co_await world_.loop.sleep(std::chrono::milliseconds(pick(1000)));
  while (!world_.over()) {
    co_await connect();
    while (connected_ && steps_left_-- > 0 && !world_.over()) co_await step();
    if (connected_) co_await end_program();
  }
}

}  // namespace interleave
