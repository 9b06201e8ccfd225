#include <fmt/format.h>

#include <chrono>
#include <string>
#include <thread>

#include "scenarios.h"

/// What sessions do in a database with schemes: `orders` by id, `countries` everywhere, `counters` on one shard.
namespace transcript {

namespace {

void definitions(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "CREATE TABLE orders (id BIGINT PRIMARY KEY, customer INT, note VARCHAR(40), UNIQUE (id, note))");
  query(connection.get(), "CREATE TABLE countries (code CHAR(2) PRIMARY KEY, name VARCHAR(40))");
  query(connection.get(), "CREATE TABLE counters (id INT AUTO_INCREMENT PRIMARY KEY, n INT UNIQUE)");
  query(connection.get(), "CREATE TABLE orders (id BIGINT PRIMARY KEY)");
  query(connection.get(), "ALTER TABLE orders ADD COLUMN total INT NOT NULL DEFAULT 7");
  query(connection.get(), "DROP TABLE nothing_there");
}

void by_key(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  for (int id = 1; id <= 8; ++id) {
    query(connection.get(), fmt::format("INSERT INTO orders (id, customer, note) VALUES ({}, {}, 'order {}')", id, id % 3, id));
  }
  for (int id = 1; id <= 9; ++id) query(connection.get(), fmt::format("SELECT * FROM orders WHERE id = {}", id));
  query(connection.get(), "UPDATE orders SET note = 'changed', total = total + 1 WHERE id = 3");
  query(connection.get(), "UPDATE orders SET note = 'changed' WHERE id = 3");
  query(connection.get(), "INSERT INTO orders (id) VALUES (4)");
  query(connection.get(), "DELETE FROM orders WHERE id = 8");
  query(connection.get(), "DELETE FROM orders WHERE id = 8");
  query(connection.get(), "SELECT nonsense FROM orders WHERE id = 1");
  query(connection.get(), "SELEC 1");
  query(connection.get(), "");
  query(connection.get(), "SELECT id, note FROM orders WHERE id = 2 AND note LIKE 'order%'");
}

void transactions(const Endpoint& endpoint) {
  const Connection one = open(endpoint);
  const Connection two = open(endpoint);
  if (!one || !two) return;
  query(one.get(), "START TRANSACTION");
  query(one.get(), "UPDATE orders SET note = 'in a transaction' WHERE id = 1");
  query(one.get(), "SELECT note FROM orders WHERE id = 1");
  query(two.get(), "SELECT note FROM orders WHERE id = 1");
  query(one.get(), "SELECT note FROM orders WHERE id = 2");
  query(one.get(), "SAVEPOINT before_that");
  query(one.get(), "UPDATE orders SET note = 'and again' WHERE id = 1");
  query(one.get(), "ROLLBACK TO SAVEPOINT Before_That");
  query(one.get(), "ROLLBACK TO nowhere");
  query(one.get(), "INSERT INTO orders (id) VALUES (1)");
  query(one.get(), "COMMIT");
  query(two.get(), "SELECT note FROM orders WHERE id = 1");
  query(one.get(), "BEGIN");
  query(one.get(), "DELETE FROM orders WHERE id = 1");
  query(one.get(), "ROLLBACK");
  query(two.get(), "SELECT note FROM orders WHERE id = 1");
  query(one.get(), "ROLLBACK TO before_that");
  query(one.get(), "START TRANSACTION READ ONLY");
  query(one.get(), "DELETE FROM orders WHERE id = 2");
  query(one.get(), "COMMIT");
  // Definitions end what is under way.
  query(one.get(), "BEGIN");
  query(one.get(), "UPDATE orders SET note = 'ended by a definition' WHERE id = 2");
  query(one.get(), "CREATE TABLE passing (a INT)");
  query(one.get(), "ROLLBACK");
  query(two.get(), "SELECT note FROM orders WHERE id = 2");
  query(one.get(), "DROP TABLE passing");
}

void autocommit(const Endpoint& endpoint) {
  const Connection one = open(endpoint);
  const Connection two = open(endpoint);
  if (!one || !two) return;
  query(one.get(), "SET autocommit = 0");
  query(one.get(), "SELECT @@autocommit");
  query(one.get(), "UPDATE orders SET note = 'not yet' WHERE id = 5");
  query(two.get(), "SELECT note FROM orders WHERE id = 5");
  query(one.get(), "SELECT note FROM orders WHERE id = 6");
  mysql_commit(one.get());
  query(two.get(), "SELECT note FROM orders WHERE id = 5");
  query(one.get(), "UPDATE orders SET note = 'nor now' WHERE id = 5");
  mysql_rollback(one.get());
  query(two.get(), "SELECT note FROM orders WHERE id = 5");
  query(one.get(), "UPDATE orders SET note = 'turned on' WHERE id = 6");
  query(one.get(), "SET autocommit = 1");
  query(two.get(), "SELECT note FROM orders WHERE id = 6");
  query(one.get(), "SELECT @@autocommit");
  query(one.get(), "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
  query(one.get(), "SELECT @@tx_isolation FROM orders WHERE id = 1");
  query(one.get(), "SELECT @@tx_isolation FROM orders WHERE id = 2");
  query(one.get(), "SET TRANSACTION READ ONLY");
  query(one.get(), "START TRANSACTION");
  query(one.get(), "DELETE FROM orders WHERE id = 2");
  query(one.get(), "SET TRANSACTION READ WRITE");
  query(one.get(), "ROLLBACK");
  query(one.get(), "SET TRANSACTION READ ONLY");
  query(one.get(), "UPDATE orders SET note = 'alone' WHERE id = 2");
  query(one.get(), "UPDATE orders SET note = 'behind' WHERE id = 2");
}

void settings(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "SET @a = 5, @b := 'text', @`c d` = NULL, @e = 1.50");
  for (int id = 1; id <= 4; ++id) {
    query(connection.get(), fmt::format("SELECT id, @a, @B, @`c d`, @e FROM orders WHERE id = {}", id));
  }
  query(connection.get(), "SET @a = @a + 1, @b = CONCAT(@b, '!')");
  for (int id = 1; id <= 4; ++id) query(connection.get(), fmt::format("SELECT @a, @b FROM orders WHERE id = {}", id));
  query(connection.get(), "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'");
  for (int id = 1; id <= 4; ++id) {
    query(connection.get(), fmt::format("SELECT \"id\" || 'x', @@sql_mode FROM \"orders\" WHERE id = {}", id));
  }
  query(connection.get(), "SET sql_mode = DEFAULT");
  query(connection.get(), "SET NAMES latin1");
  for (int id = 1; id <= 4; ++id) {
    query(connection.get(), fmt::format("SELECT @@character_set_client, 'h\xe9' FROM orders WHERE id = {}", id));
  }
  query(connection.get(), "SET character_set_results = utf8mb4");
  query(connection.get(), "SELECT 'h\xe9' FROM orders WHERE id = 2");
  query(connection.get(), "SET NAMES utf8mb4 COLLATE utf8mb4_bin");
  query(connection.get(), "SELECT @@collation_connection FROM orders WHERE id = 3");
  query(connection.get(), "SET nonsense = 1");
  query(connection.get(), "SET max_statement_time = 'x'");
  query(connection.get(), "SET time_zone = '+05:00', sql_select_limit = 3");
  query(connection.get(), "SELECT @@time_zone, @@sql_select_limit FROM orders WHERE id = 4");
  query(connection.get(), "SET time_zone = CONCAT('+0', '3:00'), @computed = 1 + 1");
  query(connection.get(), "USE shop");
  query(connection.get(), "SELECT database()");
}

/// What a session is told of its own changes.
void tracking(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "SET session_track_state_change = ON, session_track_system_variables = 'sql_mode,time_zone'");
  query(connection.get(), "SET sql_mode = CONCAT('ANSI', '_QUOTES')");
  query(connection.get(), "SET @a = 5");
  query(connection.get(), "SET @a = 5 + @a, time_zone = CONCAT('+0', '4:00')");
  for (int id = 1; id <= 4; ++id) query(connection.get(), fmt::format("SELECT @a FROM orders WHERE id = {}", id));
  query(connection.get(), "UPDATE orders SET note = 'tracked' WHERE id < 3");
  query(connection.get(), "PREPARE s FROM 'SELECT 1'");
  query(connection.get(), "EXECUTE s");
  query(connection.get(), "DEALLOCATE PREPARE s");
  query(connection.get(), "CREATE TEMPORARY TABLE passing (a INT)");
  query(connection.get(), "DROP TEMPORARY TABLE passing");
  query(connection.get(), "USE shop");
  query(connection.get(), "BEGIN");
  query(connection.get(), "UPDATE orders SET note = 'tracked again' WHERE id = 4");
  query(connection.get(), "COMMIT");
}

void prepared(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  const Statement select = prepare(connection.get(), "SELECT id, note, total FROM orders WHERE id = ?");
  const Statement update = prepare(connection.get(), "UPDATE orders SET note = ? WHERE id = ?");
  const Statement insert = prepare(connection.get(), "INSERT INTO orders (id, customer, note) VALUES (?, ?, ?)");
  if (!select || !update || !insert) return;
  for (int id = 1; id <= 8; ++id) execute(select.get(), {integer(id)});
  execute(select.get(), {text("3")});
  execute(update.get(), {text("prepared"), integer(3)});
  execute(update.get(), {Value{}, integer(4)});
  execute(select.get(), {integer(3)});
  execute(select.get(), {integer(4)});
  execute(insert.get(), {integer(21), integer(1), text("one")});
  execute(insert.get(), {integer(22), Value{}, text("two")});
  execute(insert.get(), {integer(21), integer(1), text("again")});
  prepare(connection.get(), "SELECT nonsense FROM orders WHERE id = ?");
  prepare(connection.get(), "SELEC ?");
  query(connection.get(), "START TRANSACTION");
  execute(update.get(), {text("undone"), integer(21)});
  execute(select.get(), {integer(21)});
  query(connection.get(), "ROLLBACK");
  execute(select.get(), {integer(21)});
  const Statement cursor = prepare(connection.get(), "SELECT id, note FROM orders WHERE id = ?");
  if (cursor) execute(cursor.get(), {integer(21)}, 1);
  if (cursor) execute(cursor.get(), {integer(22)}, 5);
  mysql_stmt_reset(select.get());
  execute(select.get(), {integer(22)});
  const Statement ends = prepare(connection.get(), "COMMIT");
  if (ends) execute(ends.get(), {});
  const Statement none = prepare(connection.get(), "SELECT ? + 1, 'a'");
  if (none) execute(none.get(), {integer(41)});
  const Statement length = prepare(connection.get(), "SELECT id, length(?) FROM orders WHERE id = 22");
  if (length) {
    const std::string piece(1 << 20, 'p');
    MYSQL_BIND bind{};
    bind.buffer_type = MYSQL_TYPE_LONG_BLOB;
    mysql_stmt_bind_param(length.get(), &bind);
    for (int i = 0; i < 3; ++i) mysql_stmt_send_long_data(length.get(), 0, piece.data(), piece.size());
    if (mysql_stmt_execute(length.get()) != 0) say_error(length.get());
    mysql_stmt_store_result(length.get());
    say(fmt::format("  rows {}", mysql_stmt_num_rows(length.get())));
  }
  query(connection.get(), "DELETE FROM orders WHERE id = 21");
  query(connection.get(), "DELETE FROM orders WHERE id = 22");
}

void several(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "SELECT note FROM orders WHERE id = 1; SELECT note FROM orders WHERE id = 2; SET @y = 1;"
                          " SELECT note FROM orders WHERE id = 3");
  query(connection.get(), "BEGIN; UPDATE orders SET note = 'in one string' WHERE id = 4; COMMIT");
  query(connection.get(), "SELECT note FROM orders WHERE id = 4; SELECT nonsense FROM orders WHERE id = 2; SELECT 3");
  query(connection.get(), "SELECT note FROM orders WHERE id = 4;");
  query(connection.get(), "SET @x = 'a;b'; SELECT @x, ';' FROM orders WHERE id = 2; -- ; nothing\n");
  mysql_set_server_option(connection.get(), MYSQL_OPTION_MULTI_STATEMENTS_OFF);
  query(connection.get(), "SELECT 1; SELECT 2");
  mysql_set_server_option(connection.get(), MYSQL_OPTION_MULTI_STATEMENTS_ON);
  query(connection.get(), "SELECT 1; SELECT 2");
}

void last_things(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "SELECT LAST_INSERT_ID()");
  query(connection.get(), "INSERT INTO counters (n) VALUES (10), (11)");
  query(connection.get(), "SELECT LAST_INSERT_ID()");
  query(connection.get(), "INSERT INTO orders (id, customer) VALUES (31, 1)");
  query(connection.get(), "SELECT LAST_INSERT_ID()");
  query(connection.get(), "INSERT INTO counters (n) VALUES (12)");
  query(connection.get(), "SELECT LAST_INSERT_ID()");
  query(connection.get(), "UPDATE orders SET total = '12x' WHERE id = 31");
  query(connection.get(), "INSERT IGNORE INTO orders (id, note) VALUES (31, 'x'), (31, 'y')");
  query(connection.get(), "SHOW WARNINGS");
  query(connection.get(), "SELECT note FROM orders WHERE id = 1");
  query(connection.get(), "SHOW WARNINGS");
  query(connection.get(), "SELECT nonsense FROM orders WHERE id = 2");
  query(connection.get(), "SHOW WARNINGS");
  query(connection.get(), "COMMIT");
  query(connection.get(), "SHOW WARNINGS");
  query(connection.get(), "DELETE FROM orders WHERE id = 31");
}

void session_commands(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "SET @kept = 1, sql_mode = 'ANSI_QUOTES'");
  query(connection.get(), "BEGIN");
  query(connection.get(), "UPDATE orders SET note = 'reset' WHERE id = 1");
  if (mysql_reset_connection(connection.get()) != 0) say_error(connection.get());
  query(connection.get(), "SELECT @kept, @@sql_mode, note FROM orders WHERE id = 1");
  query(connection.get(), "SET @kept = 2");
  if (mysql_change_user(connection.get(), "app", "app-secret", "shop") != 0) say_error(connection.get());
  query(connection.get(), "SELECT @kept, note FROM orders WHERE id = 2");
  if (mysql_select_db(connection.get(), "shop") != 0) say_error(connection.get());
  say(fmt::format("  ping {} statistics {}", mysql_ping(connection.get()), mysql_stat(connection.get()) != nullptr));
  if (MYSQL_RES* fields = mysql_list_fields(connection.get(), "orders", "%")) {
    say(fmt::format("  fields {}", mysql_num_fields(fields)));
    mysql_free_result(fields);
  } else {
    say_error(connection.get());
  }
}

void kill_by(const Endpoint& endpoint, const std::string& how, unsigned long id) {
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const Connection killer = open(endpoint);
  if (!killer) return;
  const std::string sql = fmt::format("{} {}", how, id);
  if (mysql_real_query(killer.get(), sql.data(), static_cast<unsigned long>(sql.size())) != 0) say_error(killer.get());
}

void kills(const Endpoint& endpoint) {
  for (const std::string how : {"KILL QUERY", "KILL"}) {
    const Connection victim = open(endpoint);
    if (!victim) return;
    query(victim.get(), "BEGIN");
    query(victim.get(), "UPDATE orders SET note = 'killed' WHERE id = 7");
    std::thread killer(kill_by, endpoint, how, mysql_thread_id(victim.get()));
    const auto began = std::chrono::steady_clock::now();
    const int failed = mysql_query(victim.get(), "SELECT SLEEP(30) FROM orders WHERE id = 7");
    if (failed == 0) mysql_free_result(mysql_store_result(victim.get()));
    killer.join();
    const bool early = std::chrono::steady_clock::now() - began < std::chrono::seconds(20);
    say(fmt::format("{}: early {} alive {}", how, early, mysql_ping(victim.get()) == 0));
    if (how == "KILL QUERY") query(victim.get(), "SELECT note FROM orders WHERE id = 7");
  }
  const Connection connection = open(endpoint);
  if (connection) query(connection.get(), "SELECT note FROM orders WHERE id = 7");
}

}  // namespace

const std::vector<Scenario>& sharded_scenarios() {
  static const std::vector<Scenario> all = {
      {"definitions", definitions}, {"by key", by_key},     {"transactions", transactions},
      {"autocommit", autocommit},   {"settings", settings}, {"prepared", prepared},
      {"tracking", tracking},
      {"several results", several}, {"last things", last_things}, {"session commands", session_commands},
      {"kills", kills},         {"shared connections", share_connections},
  };
  return all;
}

}  // namespace transcript
