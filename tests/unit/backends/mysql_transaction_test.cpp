#include <doctest/doctest.h>

#include <algorithm>

#include "backends/mysql_context.h"
#include "backends/mysql_exchange.h"
#include "backends/transaction.h"
#include "fake_server.h"
#include "net/mysql/command_messages.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/stream.h"

using namespace anabranch::backends;
using anabranch::values::SqlError;
using fake::net::block_on;
using fake::net::Loop;
using fake::net::Socket;
using fake::net::spawn;
using fake::net::Task;
namespace mysql = anabranch::net::mysql;
namespace conf = anabranch::conf;

namespace {

/// A server that answers every COM_QUERY, writes down what it was asked, and at one of them does something else.
struct Script {
  std::string die_at;     // closes instead of answering
  std::string refuse_at;  // answers an error
  std::vector<std::string> asked;
  bool in_transaction = false;
};

void answer(Socket& socket, Script& script, const std::string& sql) {
  mysql::Sequence numbers(1);
  if (sql == script.refuse_at) {
    mysql::Err{1213, "40001", "Deadlock found"}.encode(socket.out(), numbers);
    return;
  }
  if (sql.starts_with("START")) script.in_transaction = true;
  if (sql == "COMMIT" || sql == "ROLLBACK") script.in_transaction = false;
  if (sql == "SELECT 1, 'a', NULL") {
    mysql::ColumnCount{3}.encode(socket.out(), numbers, 0);
    for (const auto type : {mysql::FieldType::big_int, mysql::FieldType::var_string, mysql::FieldType::null}) {
      mysql::ColumnDefinition41 column;
      column.type = type;
      column.encode(socket.out(), numbers, 0);
    }
    mysql::Eof{}.encode(socket.out(), numbers);
    {
      mysql::PacketWriter row(socket.out(), numbers);
      row.field("1");
      row.field("a");
      row.field(std::nullopt);
    }
    mysql::Eof{}.encode(socket.out(), numbers);
    return;
  }
  mysql::Ok ok;
  ok.affected_rows = 3;
  ok.status = script.in_transaction ? mysql::status::in_transaction : mysql::status::autocommit;
  ok.info = "Rows matched: 3";
  ok.encode(socket.out(), numbers, 0);
}

Task<void> serve(Socket socket, Script& script) {
  for (;;) {
    const auto frame = co_await mysql::read_frame(socket);
    if (!frame) co_return;
    const auto command = mysql::command_of(frame->payload);
    if (command == mysql::Command::quit) co_return;
    const std::string sql = command == mysql::Command::query ? std::string(frame->payload.substr(1)) : "PING";
    script.asked.push_back(sql);
    if (sql == script.die_at) co_return;
    answer(socket, script, sql);
    socket.send_now();
  }
}

Connector speaking_mysql(fake::Farm& farm) {
  Connector made = farm.connector();
  made.take_leave = real_connector(conf::Kind::mysql).take_leave;
  return made;
}

struct Fixture {
  Loop loop;
  conf::Database database = fake::database(4, std::chrono::seconds(5), 3);
  fake::Farm farm;
  PoolRegistry registry;
  Pools pools{registry, speaking_mysql(farm)};
  Holder holder;
  SettingsStack wanted;
  Transaction transaction{holder, wanted, conf::Kind::mysql};
  std::vector<Script> scripts{3};
  std::vector<std::uint32_t> served;

  Fixture() {
    database.kind = conf::Kind::mysql;
    transaction.keep_leases(true);
  }
  ~Fixture() { transaction.drop(); }

  /// The first touch only opens the connection: the server must be there to answer what comes next.
  Transaction::Enlisted* touch(std::uint32_t shard) {
    auto* member = block_on(loop, attach(this, shard));
    return member;
  }
  static Task<Transaction::Enlisted*> attach(Fixture* f, std::uint32_t shard) {
    const auto target = f->pools.target(f->database, shard, {}, "shop");
    auto lease = try_acquire(target, f->holder);
    if (!lease && std::ranges::find(f->served, shard) == f->served.end()) {
      // Opens it, and lets the server answer.
      Lease opened = co_await acquire(target, f->holder);
      spawn(serve(Socket(std::move(f->farm.ends[f->served.size()])), f->scripts[shard]));
      f->served.push_back(shard);
    }
    lease.reset();
    co_return co_await f->transaction.enlist(shard, target);
  }
  SqlError commit() {
    try {
      block_on(loop, transaction.commit());
      return {"00000", ""};
    } catch (const SqlError& error) {
      return error;
    }
  }
};

using Asked = std::vector<std::string>;

}  // namespace

TEST_CASE("MySQL: what goes ahead of a shard's first statement has been answered") {
  Fixture f;
  put_mysql_setting(f.wanted, "sql_mode", "'ANSI'");
  f.transaction.begin("ISOLATION LEVEL SERIALIZABLE, READ ONLY");
  block_on(f.loop, f.transaction.savepoint("a`b"));
  auto* member = f.touch(0);
  CHECK(f.scripts[0].asked == Asked{"SET SESSION sql_mode = 'ANSI'", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                                    "START TRANSACTION READ ONLY", "SAVEPOINT `a``b`"});
  CHECK(member->began);
  CHECK(member->lease->pending() == 0);
  CHECK(member->lease->transaction_status() == 'T');
  CHECK(f.commit().sqlstate == "00000");
  CHECK(f.scripts[0].asked.back() == "COMMIT");
  // It stays, and its settings with it.
  CHECK(f.transaction.find(0) == member);
  CHECK(member->lease->clean());
  f.touch(0);
  CHECK(f.scripts[0].asked.back() == "COMMIT");
}

TEST_CASE("MySQL: with autocommit off servers begin by themselves") {
  Fixture f;
  f.transaction.begin_unspoken();
  f.touch(1);
  CHECK(f.scripts[1].asked.empty());
  CHECK(f.commit().sqlstate == "00000");
  CHECK(f.scripts[1].asked == Asked{"COMMIT"});
  CHECK(f.transaction.state() == TransactionState::none);
}

TEST_CASE("MySQL: several writers are committed without a check ahead") {
  Fixture f;
  f.transaction.begin_implicit();
  for (const std::uint32_t shard : {0U, 1U}) {
    f.touch(shard);
    f.transaction.mark_written(shard);
  }
  CHECK(f.commit().sqlstate == "00000");
  CHECK(f.scripts[0].asked == Asked{"START TRANSACTION", "COMMIT"});
  CHECK(f.scripts[1].asked == Asked{"START TRANSACTION", "COMMIT"});
}

TEST_CASE("MySQL: an explicit transaction writes to one shard") {
  Fixture f;
  f.transaction.begin("");
  f.touch(0);
  f.transaction.mark_written(0);
  f.touch(1);
  try {
    f.transaction.mark_written(1);
    FAIL("a second writer was let in");
  } catch (const SqlError& error) {
    CHECK(error.sqlstate == "0A000");
    CHECK(error.mysql_code == 1235);
  }
  // Nothing has failed: the transaction goes on.
  CHECK(f.transaction.status() == 'T');
  CHECK(f.commit().sqlstate == "00000");
}

TEST_CASE("MySQL: a snapshot is of one shard") {
  Fixture f;
  f.transaction.begin("WITH CONSISTENT SNAPSHOT");
  f.touch(0);
  CHECK(f.scripts[0].asked == Asked{"START TRANSACTION WITH CONSISTENT SNAPSHOT"});
  CHECK_THROWS_AS(f.touch(1), SqlError);
}

TEST_CASE("MySQL: savepoints") {
  Fixture f;
  f.transaction.begin("");
  f.touch(0);
  block_on(f.loop, f.transaction.savepoint("a"));
  block_on(f.loop, f.transaction.savepoint("b"));
  // The younger of one name takes the older one's place.
  block_on(f.loop, f.transaction.savepoint("a"));
  block_on(f.loop, f.transaction.rollback_to("b"));
  try {
    block_on(f.loop, f.transaction.release_savepoint("a"));
    FAIL("released what was gone");
  } catch (const SqlError& error) {
    CHECK(error.sqlstate == "42000");
    CHECK(error.mysql_code == 1305);
    CHECK(error.message == "SAVEPOINT a does not exist");
  }
  CHECK(f.scripts[0].asked == Asked{"START TRANSACTION", "SAVEPOINT `a`", "SAVEPOINT `b`", "SAVEPOINT `a`",
                                    "ROLLBACK TO SAVEPOINT `b`"});
}

TEST_CASE("MySQL: commits that fail") {
  Fixture f;
  f.transaction.begin("");
  f.touch(0);
  f.transaction.mark_written(0);
  SUBCASE("refused: the server's own error") {
    f.scripts[0].refuse_at = "COMMIT";
    const SqlError error = f.commit();
    CHECK(error.sqlstate == "40001");
    CHECK(error.mysql_code == 1213);
    CHECK(error.message == "Deadlock found");
  }
  SUBCASE("lost: what the session had there is gone with it") {
    f.scripts[0].die_at = "COMMIT";
    CHECK(f.commit().sqlstate == "08007");
    CHECK(f.transaction.lost_kept());
    CHECK(f.transaction.find(0) == nullptr);
  }
}

TEST_CASE("MySQL: small conversations") {
  Fixture f;
  auto* member = f.touch(0);
  const auto rows = block_on(f.loop, run_command(member->lease, "SELECT 1, 'a', NULL"));
  REQUIRE(rows.has_value());
  CHECK(rows->rows == std::vector<std::vector<std::optional<std::string>>>{{"1", "a", std::nullopt}});
  CHECK(rows->numbers == std::vector<bool>{true, false, false});
  const auto done = block_on(f.loop, run_command(member->lease, "UPDATE t SET a = 1"));
  REQUIRE(done.has_value());
  CHECK(done->affected == 3);
  CHECK(done->tag == "Rows matched: 3");
  f.scripts[0].refuse_at = "SELECT 2";
  const auto refused = block_on(f.loop, run_command(member->lease, "SELECT 2"));
  REQUIRE_FALSE(refused.has_value());
  CHECK(ServerError(refused.error(), 0, "s1").mysql_code == 1213);
  CHECK(member->lease->clean());
  CHECK(block_on(f.loop, mysql_status(member->lease)) == mysql::status::autocommit);
  f.scripts[0].die_at = "SELECT 3";
  CHECK_THROWS_AS(block_on(f.loop, run_command(member->lease, "SELECT 3")), SqlError);
  CHECK(member->lease->broken());
}

TEST_CASE("MySQL: settings from one session's to another's") {
  const auto change = [](const SettingsStack& from, const SettingsStack& to) {
    return mysql_context_change(from.current(), to.current());
  };
  SettingsStack none;
  SettingsStack wanted;
  CHECK(change(none, wanted).empty());
  put_mysql_setting(wanted, "character_set_results", "NULL");
  put_mysql_setting(wanted, "@`a`", "'x'");
  put_mysql_setting(wanted, "sql_mode", "'ANSI'");
  CHECK(change(none, wanted) ==
        Asked{"SET @`a` = 'x', SESSION character_set_results = NULL, SESSION sql_mode = 'ANSI'"});
  // It stands for the variables of character sets.
  put_mysql_setting(wanted, mysql_names, "latin1");
  CHECK(change(none, wanted) == Asked{"SET NAMES latin1, @`a` = 'x', SESSION sql_mode = 'ANSI'"});
  SettingsStack later = wanted;
  put_mysql_setting(later, "character_set_results", "utf8mb4");
  CHECK(change(wanted, later) == Asked{"SET SESSION character_set_results = utf8mb4"});
  // Where the names change, what was changed beside them is set again.
  SettingsStack other = later;
  SettingsStack base = later;
  put_mysql_setting(base, mysql_names, "utf8mb3");
  put_mysql_setting(base, "character_set_results", "utf8mb4");
  CHECK(change(base, other) == Asked{"SET NAMES latin1, SESSION character_set_results = utf8mb4"});
  put_mysql_setting(other, mysql_isolation, "ISOLATION LEVEL READ COMMITTED");
  CHECK(change(later, other) == Asked{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"});
  CHECK(change(wanted, none) == Asked{"SET @`a` = NULL, SESSION sql_mode = DEFAULT"});
}
