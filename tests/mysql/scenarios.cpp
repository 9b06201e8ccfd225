#include "scenarios.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace transcript {

namespace {

void logins(const Endpoint& endpoint) {
  open(endpoint, {.password = "wrong"});
  open(endpoint, {.user = "nobody"});
  open(endpoint, {.password = ""});
  open(endpoint, {.database = "nowhere"});
  const Connection connection = open(endpoint);
  if (!connection) return;
  say(fmt::format("server {} protocol {} charset {}", mysql_get_server_info(connection.get()),
                  mysql_get_proto_info(connection.get()), mysql_character_set_name(connection.get())));
  query(connection.get(), "SELECT user(), current_user(), database(), @@character_set_client, @@collation_connection,"
                          " @@sql_mode, @@autocommit, @@tx_isolation, @@max_allowed_packet, @@version_comment");
  query(connection.get(), "SELECT count(*) FROM information_schema.session_connect_attributes WHERE false");
}

void types(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(),
        "CREATE TABLE everything (id INT AUTO_INCREMENT PRIMARY KEY, t TINYINT UNSIGNED, s SMALLINT, m MEDIUMINT, b BIGINT"
        " UNSIGNED ZEROFILL, d DECIMAL(20,6), f FLOAT, g DOUBLE, bits BIT(10), y YEAR, da DATE, ti TIME(3), dt"
        " DATETIME(6), ts TIMESTAMP NULL, c CHAR(5), v VARCHAR(20) COLLATE utf8mb4_bin, bi BINARY(4), vb VARBINARY(10),"
        " tx TEXT, bl BLOB, e ENUM('a','b'), st SET('x','y','z'), j JSON)");
  query(connection.get(),
        "INSERT INTO everything VALUES (NULL, 255, -32768, 8388607, 18446744073709551615, 12345678901234.567891, 1.5,"
        " 2.25e300, b'1010101010', 2024, '2024-02-29', '-838:59:58.999', '2024-12-31 23:59:59.123456', '2001-02-03"
        " 04:05:06', 'ab', 'h\xc3\xa9', 'xy', x'00ff', 'text', x'000102', 'b', 'x,z', '{\"k\": [1, null]}'),"
        " (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
        " NULL, NULL, NULL, NULL, NULL)");
  query(connection.get(), "SELECT * FROM everything ORDER BY id");
  query(connection.get(), "SELECT id + 1, id AS x, 'a', NULL, 1.50, e.v FROM everything e WHERE id = 1");
  const Statement all = prepare(connection.get(), "SELECT * FROM everything ORDER BY id");
  if (all) execute(all.get(), {});
  query(connection.get(), "SELECT * FROM everything WHERE false");
}

void changes(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "CREATE TABLE numbers (id INT AUTO_INCREMENT PRIMARY KEY, n INT UNIQUE)");
  query(connection.get(), "INSERT INTO numbers (n) VALUES (1), (2), (3)");
  query(connection.get(), "SELECT LAST_INSERT_ID()");
  query(connection.get(), "UPDATE numbers SET n = n WHERE id < 3");
  query(connection.get(), "INSERT IGNORE INTO numbers (n) VALUES (1), (9)");
  query(connection.get(), "SHOW WARNINGS");
  query(connection.get(), "INSERT INTO numbers (n) VALUES (2)");
  query(connection.get(), "INSERT INTO numbers (n) VALUES (3) ON DUPLICATE KEY UPDATE n = 30");
  query(connection.get(), "REPLACE INTO numbers VALUES (1, 100)");
  query(connection.get(), "INSERT INTO numbers (n) VALUES (7) RETURNING id, n");
  query(connection.get(), "DELETE FROM numbers WHERE n > 20");
  query(connection.get(), "SELECT 1/0, CAST('x' AS SIGNED)");
  query(connection.get(), "SELEC 1");
  query(connection.get(), "SELECT * FROM nothing_there");
  Login counting;
  counting.flags |= CLIENT_FOUND_ROWS;
  const Connection found = open(endpoint, counting);
  if (found) query(found.get(), "UPDATE numbers SET n = n WHERE id > 0");
}

void several(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "SELECT 1; SELECT 2 AS b, 3; DO 0; SELECT 4");
  query(connection.get(), "SELECT 1; SELECT nonsense; SELECT 3");
  query(connection.get(), "CREATE PROCEDURE two(IN a INT, OUT b INT) BEGIN SELECT a; SELECT a * 2 AS twice; SET b = a + 1; END");
  query(connection.get(), "CALL two(5, @out); SELECT @out");
  const Statement call = prepare(connection.get(), "CALL two(?, ?)");
  if (call) execute(call.get(), {integer(8), Value{}});
  mysql_set_server_option(connection.get(), MYSQL_OPTION_MULTI_STATEMENTS_OFF);
  query(connection.get(), "SELECT 1; SELECT 2");
  mysql_set_server_option(connection.get(), MYSQL_OPTION_MULTI_STATEMENTS_ON);
  query(connection.get(), "SELECT 1; SELECT 2");
  query(connection.get(), "");
}

void prepared(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  const Statement echo = prepare(connection.get(), "SELECT ?, ? AS b, ?");
  if (!echo) return;
  execute(echo.get(), {integer(-5), text("h\xc3\xa9llo"), Value{}});
  execute(echo.get(), {real(0.1), datetime(2024, 2, 29, 1, 2, 3, 456789), text("")});
  mysql_stmt_reset(echo.get());
  execute(echo.get(), {text("again"), integer(1), integer(2)});
  prepare(connection.get(), "SELECT nonsense FROM nowhere");
  const Statement insert = prepare(connection.get(), "INSERT INTO numbers (n) VALUES (?)");
  if (insert) {
    execute(insert.get(), {integer(1000)});
    execute(insert.get(), {integer(1000)});
    execute(insert.get(), {integer(1001)});
  }
  const Statement length = prepare(connection.get(), "SELECT length(?), left(?, 5)");
  if (length) {
    const std::string piece(1 << 20, 'p');
    std::vector<MYSQL_BIND> binds(2);
    for (MYSQL_BIND& bind : binds) bind.buffer_type = MYSQL_TYPE_LONG_BLOB;
    mysql_stmt_bind_param(length.get(), binds.data());
    for (int i = 0; i < 3; ++i) mysql_stmt_send_long_data(length.get(), 0, piece.data(), piece.size());
    mysql_stmt_send_long_data(length.get(), 1, "short", 5);
    if (mysql_stmt_execute(length.get()) != 0) say_error(length.get());
    mysql_stmt_store_result(length.get());
    say(fmt::format("  rows {}", mysql_stmt_num_rows(length.get())));
  }
}

void cursors(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  const Statement rows = prepare(connection.get(), "SELECT seq, repeat('x', seq) FROM seq_1_to_50 ORDER BY seq");
  if (!rows) return;
  execute(rows.get(), {}, 7);
  execute(rows.get(), {}, 50);
  execute(rows.get(), {}, 100);
  query(connection.get(), "SELECT 'after the cursor'");
}

void transactions(const Endpoint& endpoint) {
  const Connection one = open(endpoint);
  const Connection two = open(endpoint);
  if (!one || !two) return;
  query(one.get(), "START TRANSACTION");
  query(one.get(), "UPDATE numbers SET n = n + 1 WHERE id = 2");
  query(two.get(), "SELECT n FROM numbers WHERE id = 2");
  query(one.get(), "SAVEPOINT here");
  query(one.get(), "ROLLBACK TO here");
  query(one.get(), "COMMIT");
  query(two.get(), "SELECT n FROM numbers WHERE id = 2");
  query(one.get(), "SET autocommit = 0");
  query(one.get(), "SELECT count(*) > 0 FROM numbers");
  query(one.get(), "START TRANSACTION READ ONLY");
  query(one.get(), "DELETE FROM numbers");
  mysql_rollback(one.get());
  mysql_autocommit(one.get(), 1);
  query(one.get(), "SELECT @@autocommit");
}

void sessions(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "SET @kept = 'by the session'");
  query(connection.get(), "CREATE TEMPORARY TABLE mine (a INT)");
  query(connection.get(), "INSERT INTO mine VALUES (1), (2)");
  query(connection.get(), "SELECT @kept, (SELECT count(*) FROM mine), GET_LOCK('transcript', 1)");
  query(connection.get(), "CREATE DATABASE elsewhere");
  query(connection.get(), "USE elsewhere");
  query(connection.get(), "SELECT database()");
  mysql_select_db(connection.get(), "shop");
  query(connection.get(), "SELECT database()");
  if (mysql_select_db(connection.get(), "nowhere") != 0) say_error(connection.get());
  if (mysql_reset_connection(connection.get()) != 0) say_error(connection.get());
  query(connection.get(), "SELECT @kept, database()");
  query(connection.get(), "SELECT * FROM mine");
  if (mysql_change_user(connection.get(), "app", "app-secret", "shop") != 0) say_error(connection.get());
  query(connection.get(), "SELECT user(), database(), IS_FREE_LOCK('transcript')");
  query(connection.get(), "SET NAMES latin1");
  query(connection.get(), "SELECT @@character_set_client, 'h\xe9'");
  say(fmt::format("  ping {} statistics {}", mysql_ping(connection.get()), mysql_stat(connection.get()) != nullptr));
  if (MYSQL_RES* fields = mysql_list_fields(connection.get(), "numbers", "%")) {
    say(fmt::format("  fields {}", mysql_num_fields(fields)));
    mysql_free_result(fields);
  } else {
    say_error(connection.get());
  }
  query(connection.get(), "DROP DATABASE elsewhere");
  if (mysql_change_user(connection.get(), "app", "wrong", "shop") != 0) {
    say(fmt::format("  error {}", mysql_errno(connection.get())));
  }
  say(fmt::format("  ping after that {}", mysql_ping(connection.get()) != 0));
}

void without_database(const Endpoint& endpoint) {
  const Connection connection = open(endpoint, {.database = ""});
  if (!connection) return;
  say(fmt::format("  ping {}", mysql_ping(connection.get())));
  if (mysql_select_db(connection.get(), "shop") != 0) say_error(connection.get());
  query(connection.get(), "SELECT database()");
}

/// Ends on its own after half a minute, were it not killed.
constexpr const char* slow = "SELECT SLEEP(30)";

void kill_by(const Endpoint& endpoint, const std::string& how, unsigned long id) {
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const Connection killer = open(endpoint);
  if (!killer) return;
  const std::string sql = fmt::format("{} {}", how, id);
  if (mysql_real_query(killer.get(), sql.data(), static_cast<unsigned long>(sql.size())) != 0) say_error(killer.get());
}

void kills(const Endpoint& endpoint) {
  for (const std::string how : {"KILL QUERY", "KILL", "kill connection"}) {
    const Connection victim = open(endpoint);
    if (!victim) return;
    std::thread killer(kill_by, endpoint, how, mysql_thread_id(victim.get()));
    const auto began = std::chrono::steady_clock::now();
    const int failed = mysql_query(victim.get(), slow);
    if (failed == 0) mysql_free_result(mysql_store_result(victim.get()));
    killer.join();
    const bool early = std::chrono::steady_clock::now() - began < std::chrono::seconds(20);
    const bool alive = mysql_ping(victim.get()) == 0;
    say(fmt::format("{}: early {} alive {}", how, early, alive));
    if (how == "KILL QUERY") query(victim.get(), "SELECT 'goes on'");
  }
  const Connection connection = open(endpoint);
  if (connection) query(connection.get(), "KILL QUERY 1999999999");
}

void files(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  char name[] = "/tmp/mysql-transcript-XXXXXX";
  const int fd = mkstemp(name);
  std::string rows;
  for (int i = 1; i <= 50000; ++i) rows += fmt::format("{}\trow number {}\n", i, i);
  if (write(fd, rows.data(), rows.size()) != static_cast<ssize_t>(rows.size())) std::abort();
  close(fd);
  query(connection.get(), "CREATE TABLE loaded (a INT, b VARCHAR(40))");
  const std::string sql = fmt::format("LOAD DATA LOCAL INFILE '{}' INTO TABLE loaded", name);
  const int failed = mysql_real_query(connection.get(), sql.data(), static_cast<unsigned long>(sql.size()));
  say(fmt::format("  load: {} {}", failed, failed == 0 ? mysql_info(connection.get()) : mysql_error(connection.get())));
  query(connection.get(), "SELECT count(*), sum(a), max(b) FROM loaded");
  unlink(name);
  // The client cannot open the file: it sends an empty packet.
  const int missing = mysql_query(connection.get(), "LOAD DATA LOCAL INFILE '/nowhere/at/all' INTO TABLE loaded");
  say(fmt::format("  missing file: {}", missing != 0));
  query(connection.get(), "SELECT count(*) FROM loaded");
}

void large(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "CREATE TABLE big (id INT PRIMARY KEY, v LONGTEXT)");
  // Two frames, exactly one, and one byte less and more than one.
  const std::size_t frame = 0xffffff;
  int id = 0;
  for (const std::size_t size : {std::size_t{17} << 20, frame, frame - 1, frame + 1}) {
    const std::string head = fmt::format("INSERT INTO big VALUES ({}, '", ++id);
    const std::string sql = head + std::string(size - head.size() - 3, 'b') + "')";  // and the command's byte
    query(connection.get(), sql);
  }
  query(connection.get(), "SELECT id, length(v) FROM big ORDER BY id");
  query(connection.get(), "SELECT v FROM big ORDER BY id");
  query(connection.get(), fmt::format("SELECT repeat('c', {}), 1", frame - 4 - 2));
  query(connection.get(), "SELECT 'and on'");
}

void catalogs(const Endpoint& endpoint) {
  const Connection connection = open(endpoint);
  if (!connection) return;
  query(connection.get(), "SHOW TABLES");
  query(connection.get(), "SHOW CREATE TABLE numbers");
  query(connection.get(), "DESCRIBE everything");
  query(connection.get(), "EXPLAIN SELECT * FROM numbers WHERE id = 1");
  query(connection.get(), "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1");
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"logins", logins},     {"types", types},
      {"changes", changes},   {"several results", several},
      {"prepared", prepared}, {"cursors", cursors},
      {"transactions", transactions}, {"sessions", sessions},
      {"without a database", without_database}, {"kills", kills},
      {"files", files},       {"large packets", large},
      {"catalogs", catalogs},
  };
  return all;
}

}  // namespace transcript
