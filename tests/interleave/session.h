#pragma once

#include <deque>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "link.h"
#include "model.h"
#include "world.h"

namespace interleave {

class Session;

/// One kind of step of a random program.
struct StepKind {
  enum Where : unsigned { idle = 1, open = 2, failed = 4, anywhere = idle | open };
  std::string_view name;
  unsigned where;
  int weight;  ///< how often in a database without schemes
  int sharded_weight;  ///< how often in one with schemes; 0: it is refused there
  Task<void> (Session::*run)();
  /// Leaves something on a server's session, which the client then has to itself. Only some clients
  /// do: a pool of two is soon taken.
  bool binds = false;
};

/// All kinds; the one place to turn one on or off.
std::span<const StepKind> step_kinds();

/// A client with a random program. It keeps a model of what it should see, and compares after each
/// step. Deterministic by World::seed and its number, as far as the others' doings allow.
class Session {
 public:
  Session(World& world, int number, bool plain);

  /// Connects, does steps, leaves, and comes again, until the world's end.
  Task<void> live();

  // steps_settings.cpp
  Task<void> set_value();
  Task<void> set_several();
  Task<void> set_by_function();
  Task<void> reset_value();
  Task<void> reset_all();
  Task<void> discard_all();
  Task<void> look();

  // steps_transactions.cpp
  Task<void> begin();
  Task<void> commit();
  Task<void> roll_back();
  Task<void> savepoint();
  Task<void> roll_back_to();
  Task<void> release();
  Task<void> refused_in_failed();

  // steps_rows.cpp
  Task<void> write_row();
  Task<void> read_rows();
  Task<void> many_rows();
  Task<void> pipeline();
  Task<void> cursor();

  // steps_prepared.cpp
  Task<void> prepare();
  Task<void> execute();
  Task<void> sql_prepare();
  Task<void> sql_execute();
  Task<void> deallocate();

  // steps_objects.cpp
  Task<void> temporary_table();
  Task<void> listen_and_notify();
  Task<void> session_lock();
  Task<void> transaction_lock();
  Task<void> number();

  // steps_trouble.cpp
  Task<void> fail_somehow();
  Task<void> cancel();
  Task<void> late_cancel();
  Task<void> cut();
  Task<void> leave();
  Task<void> think();

 private:
  /// A statement that the proxy has ended to break a circle of waits. Not a difference.
  struct GaveWay {};

  // session.cpp
  Task<void> connect();
  Task<void> step();
  Task<void> check();
  Task<void> check_notifications();
  Task<void> end_program();
  const StepKind* choose();

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  std::string token();
  bool in_transaction() const { return model_.transaction() != Model::Transaction::none; }

  /// Notes it in the log of steps.
  void note(std::string line);
  [[noreturn]] void differ(std::string_view what, std::string_view expected, std::string_view got) const;
  void expect(std::string_view what, std::string_view expected, std::string_view got) const;
  /// A lost connection or a hang is a difference; who gave way throws.
  Answers settled(Answers answers);

  /// One statement, in the simple or extended protocol; its answer, whatever it is.
  Task<Answer> ask(std::string sql);
  /// One that must succeed.
  Task<Answer> run(std::string sql);
  /// One value.
  Task<void> expect_value(std::string sql, std::string expected);
  /// One that must fail so; an open transaction has failed then.
  Task<void> expect_failure(std::string sql, std::string sqlstate);
  void failed() { model_.fail(); }

  // For steps_*.cpp
  std::string rows_table() const { return plain_ ? "plain_items" : "items"; }
  std::int64_t new_id();
  std::string place() const;
  Task<void> expect_rendering(std::string from);
  bool may_write_default() const;
  std::string prepared_text(const Prepared& prepared) const;
  std::string prepared_result(const Prepared& prepared, std::string_view argument) const;
  void after_reconnect();

  World& world_;
  const int number_;
  const bool plain_;
  const bool binds_;  ///< does steps that bind it to a connection
  std::mt19937_64 random_;
  Link link_;
  Model model_;
  std::deque<std::string> log_;
  std::uint64_t tokens_ = 0;
  int steps_left_ = 0;
  bool connected_ = false;
  std::deque<std::string> to_come_;  ///< notifications
};

}  // namespace interleave
