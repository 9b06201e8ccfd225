#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "scenarios.h"

/// Many sessions over few connections: what one has set, counted or been warned of is nobody else's.
namespace transcript {

namespace {

constexpr int session_count = 10;
constexpr int step_count = 2500;

struct Session {
  Connection connection;
  Statement by_key, counting, few;
};

/// The same walk before every endpoint.
class Walk {
 public:
  explicit Walk(const Endpoint& endpoint) : endpoint_(endpoint), sessions_(session_count) {}

  bool run() {
    for (Session& session : sessions_) {
      if (!enter(session)) return false;
    }
    for (int step = 0; step < step_count; ++step) {
      const int who = pick(session_count);
      say(fmt::format("--- step {} session {}", step, who));
      if (!take_step(who)) return false;
    }
    return true;
  }

 private:
  /// Not std::uniform_int_distribution, which is another one in every library.
  int pick(int count) { return static_cast<int>(numbers_() % static_cast<unsigned>(count)); }

  bool enter(Session& session) {
    session = Session();
    session.connection = open(endpoint_);
    if (!session.connection) return false;
    return begin(session);
  }

  bool begin(Session& session) {
    MYSQL* on = session.connection.get();
    query(on, "SET NAMES utf8mb4");
    session.by_key = prepare(on, "SELECT note, total FROM orders WHERE id = ?");
    session.counting = prepare(on, "INSERT INTO counters (n) VALUES (?)");
    session.few = prepare(on, "SELECT id FROM counters ORDER BY id LIMIT 5");
    return session.by_key && session.counting && session.few;
  }

  bool take_step(int who) {
    Session& session = sessions_[static_cast<std::size_t>(who)];
    MYSQL* on = session.connection.get();
    // Whoever is in a transaction holds locks: nobody else writes.
    const bool may_write = !in_transaction_ || *in_transaction_ == who;
    switch (pick(16)) {
      case 0: read(on); break;
      case 1: look_back(on); break;
      case 2: execute(session.by_key.get(), {integer(pick(10))}); break;
      case 3: warn(on); break;
      case 4: set(on); break;
      case 5: query(on, "SELECT @@sql_mode, @@div_precision_increment, @@character_set_client, 1/3, @x"); break;
      case 6: query(on, "SELECT SUM(total), COUNT(*) FROM orders WHERE id < 9"); break;
      case 7: execute(session.few.get(), {}, 2); break;
      case 8:
        if (may_write) count(on);
        break;
      case 9:
        if (may_write) query(on, fmt::format("UPDATE orders SET total = total + 1 WHERE id <= {}", pick(10)));
        break;
      case 10:
        if (may_write) execute(session.counting.get(), {Value()});
        break;
      case 11:
        if (may_write) query(on, fmt::format("UPDATE orders SET total = {} WHERE id = {}", pick(3), pick(10)));
        break;
      case 12: change_transaction(who, on); break;
      case 13: return leave(who, session);
      default: look_back(on); break;
    }
    if (pick(3) == 0) look_back(on);
    return true;
  }

  void read(MYSQL* on) {
    switch (pick(3)) {
      case 0: query(on, fmt::format("SELECT id, note FROM orders WHERE id = {}", pick(12))); break;
      case 1: query(on, fmt::format("SELECT id FROM orders ORDER BY id LIMIT {}", pick(5))); break;
      default: query(on, fmt::format("SELECT COUNT(*) FROM counters WHERE id > {}", pick(5))); break;
    }
  }

  void look_back(MYSQL* on) {
    constexpr auto questions = std::to_array<const char*>(
        {"SELECT LAST_INSERT_ID()", "SELECT @@last_insert_id, @@identity", "SELECT ROW_COUNT()", "SHOW WARNINGS",
         "SHOW COUNT(*) WARNINGS", "SELECT @@warning_count, @@error_count", "SHOW ERRORS"});
    query(on, questions[static_cast<std::size_t>(pick(static_cast<int>(questions.size())))]);
  }

  void warn(MYSQL* on) {
    switch (pick(3)) {
      case 0: query(on, "SELECT CAST('x' AS SIGNED)"); break;
      case 1: query(on, fmt::format("SELECT nonsense FROM orders WHERE id = {}", pick(9))); break;
      default: query(on, fmt::format("SELECT CAST(note AS SIGNED) FROM orders WHERE id = {}", pick(9))); break;
    }
    look_back(on);
    query(on, "SELECT 1");
  }

  void set(MYSQL* on) {
    switch (pick(6)) {
      case 0: query(on, "SET sql_mode = 'ANSI_QUOTES'"); break;
      case 1: query(on, "SET sql_mode = DEFAULT"); break;
      case 2: query(on, fmt::format("SET SESSION div_precision_increment = {}", 4 + pick(3))); break;
      case 3: query(on, fmt::format("SET @x = {}", pick(5))); break;
      case 4: query(on, pick(2) == 0 ? "SET NAMES latin1" : "SET NAMES utf8mb4"); break;
      default: query(on, fmt::format("SET last_insert_id = {}", pick(100))); break;
    }
  }

  void count(MYSQL* on) {
    switch (pick(5)) {
      case 0: query(on, fmt::format("INSERT INTO counters (id, n) VALUES ({}, NULL)", next_number_ += 1000)); break;
      case 1: query(on, "INSERT INTO counters (n) VALUES (NULL), (NULL)"); break;
      case 2: query(on, fmt::format("UPDATE orders SET total = LAST_INSERT_ID(total + 1) WHERE id = {}", pick(10))); break;
      case 3: query(on, "INSERT INTO counters (n) VALUES (NULL) RETURNING id"); break;
      default: query(on, "INSERT INTO counters (n) VALUES (NULL)"); break;
    }
  }

  void change_transaction(int who, MYSQL* on) {
    if (!in_transaction_) {
      in_transaction_ = who;
      query(on, "BEGIN");
    } else if (*in_transaction_ == who) {
      in_transaction_.reset();
      query(on, pick(3) == 0 ? "ROLLBACK" : "COMMIT");
    }
  }

  bool leave(int who, Session& session) {
    if (in_transaction_ == who) in_transaction_.reset();
    if (pick(2) == 0) return enter(session);
    if (mysql_reset_connection(session.connection.get()) != 0) say_error(session.connection.get());
    return begin(session);
  }

  const Endpoint endpoint_;
  std::vector<Session> sessions_;
  std::mt19937 numbers_{20261123};
  std::optional<int> in_transaction_;
  int next_number_ = 100'000;
};

}  // namespace

void share_connections(const Endpoint& endpoint) {
  Walk walk(endpoint);
  if (!walk.run()) say("the walk ends early");
}

}  // namespace transcript
