"""What the suites of PyMySQL and mysqlclient have in common: the DB-API, and MySQL's additions to it."""
import datetime as dt
import decimal
import os
import re
import tempfile
import threading
import time

from steps import in_threads, refused, say, step

HOST, PORT = os.environ["MYSQL_HOST"], int(os.environ["MYSQL_TCP_PORT"])
CA = os.environ["MYSQL_CA"]
FOUND_ROWS, MULTI_STATEMENTS, MULTI_RESULTS, IGNORE_SPACE, INTERACTIVE = 2, 65536, 131072, 256, 1024
driver = None
cursors = None


def use(module, cursor_classes):
    global driver, cursors
    driver, cursors = module, cursor_classes


def connect(**options):
    settings = dict(host=HOST, port=PORT, user="app", password="app-secret", database="shop", charset="utf8mb4", autocommit=True)
    settings.update(options)
    return driver.connect(**{name: value for name, value in settings.items() if value is not None})


def state(error):
    # Numbers of connections, and files, are each endpoint's own; which packet tells of a closed one is chance.
    text = str(error.args[1] if len(error.args) > 1 else error)
    text = re.sub(r"connection \d+|thread id: \d+|/tmp/\S+", "…", re.sub(r" \(\[Errno 104\].*", "", text))
    return error.args[0] if error.args else None, text


def fails(what, action):
    refused(what, driver.Error, state, action)


def rows(cursor, sql, arguments=None):
    cursor.execute(sql, arguments)
    return list(cursor.fetchall())


def clear():
    connection = connect()
    for table in ("orders", "customers", "samples", "documents", "notes"):
        connection.cursor().execute("DELETE FROM " + table)
    connection.cursor().execute("ALTER TABLE notes AUTO_INCREMENT = 1")
    connection.close()


def with_customers(count=20, **options):
    connection = connect(**options)
    cursor = connection.cursor()
    for number in range(1, count + 1):
        cursor.execute("INSERT INTO customers (id, name, country, balance) VALUES (%s, %s, %s, %s)",
                       (number, "customer %d" % number, ("DE", "FR", "JP")[number % 3], number * 10))
    return connection, cursor


SAMPLES = [
    (1, -128, 65535, -8388608, 42, -9223372036854775808, 18446744073709551615, decimal.Decimal("12345678901234567890.0123456789"), 1.5, 0.1, True,
     b"\x02\xaa", 2024, dt.date(2024, 2, 29), "-838:59:58.999",
     dt.datetime(1999, 12, 31, 23, 59, 59, 999999), dt.datetime(2024, 2, 29, 12, 30), "fix", "Grüße, 世界 'quoted' \\ \U0001f600 \" % \n\r\x1a",
     "Exactly", b"\x00\xff'\\", b"\x00\x01\x02%", "letter" * 100, bytes(range(256)), "happy", "red,blue", '{"a": [1, null, "ü"]}'),
    (2,) + (None,) * 26,
    (3, 127, 0, 8388607, 4294967295, 9223372036854775807, 0, decimal.Decimal("-0.0000000001"), -3.4e38, 2.2250738585072014e-308, False, b"\x00\x00", 1901,
     dt.date(1, 1, 1), dt.timedelta(0), dt.datetime(9999, 12, 31, 23, 59, 59), dt.datetime(1970, 1, 1, 0, 0, 1), "", "", "", b"\0" * 4, b"", "", b"", "sad", "", "null"),
]
SAMPLE_COLUMNS = ("id tiny small middle whole large larger exact single twice flag bits years day clock moment stamp fixed body exactly raw bytes letter photo"
                  " feeling colours doc")


@step
def connecting():
    connection = connect()
    cursor = connection.cursor()
    say("server", connection.get_server_info(), connection.character_set_name(), connection.get_proto_info())
    say("where", rows(cursor, "SELECT database(), user(), current_user(), @@character_set_client, @@character_set_connection, @@collation_connection,"
                      " @@character_set_results, @@autocommit, @@sql_mode, @@tx_isolation, @@version_comment, @@version, @@max_allowed_packet"))
    connection.close()
    fails("after close", lambda: connection.cursor().execute("SELECT 1"))
    for what, options in (("wrong password", {"password": "wrong"}), ("no password", {"password": ""}), ("nobody", {"user": "nobody"}),
                          ("nowhere", {"database": "nowhere"})):
        fails(what, lambda options=options: connect(**options))
    connection = connect(database=None)
    cursor = connection.cursor()
    connection.select_db("shop")
    say("selected", rows(cursor, "SELECT database(), (SELECT count(*) FROM countries)"))
    fails("unknown", lambda: connection.select_db("nowhere"))
    say("goes on", rows(cursor, "SELECT database()"))
    connection.close()
    connection = connect(init_command="SET @begun = 7, time_zone = '+05:00'", sql_mode="ANSI_QUOTES,NO_ENGINE_SUBSTITUTION", client_flag=INTERACTIVE | IGNORE_SPACE)
    say("begun with", rows(connection.cursor(), "SELECT @begun, @@time_zone, @@sql_mode, \"code\", @@wait_timeout = @@interactive_timeout FROM countries LIMIT 1"))
    connection.close()


@step
def databases_of_others_and_none():
    fails("not theirs", lambda: connect(user="other", password="other-secret", database="mysql"))
    connection = connect(database=None)
    cursor = connection.cursor()
    fails("no database", lambda: cursor.execute("SELECT * FROM countries"))
    say("none", rows(cursor, "SELECT database()"))
    connection.close()


@step
def connecting_with_tls():
    connection = connect(ssl={"ca": CA})
    say("rows", rows(connection.cursor(), "SELECT current_user(), (SELECT count(*) FROM countries)"))
    say("large", rows(connection.cursor(), "SELECT length(repeat('x', 300000))"), len(rows(connection.cursor(), "SELECT repeat('x', 300000)")[0][0]))
    connection.close()
    fails("wrong password", lambda: connect(ssl={"ca": CA}, password="wrong"))


@step
def values_of_every_type():
    connection = connect()
    cursor = connection.cursor()
    for row in SAMPLES:
        say("inserted", cursor.execute("INSERT INTO samples (%s) VALUES (%s)" % (SAMPLE_COLUMNS.replace(" ", ", "), ", ".join(["%s"] * 27)), row), cursor.rowcount)
    cursor.execute("UPDATE samples SET place = ST_GeomFromText('POINT(1 2)'), token = '6b1c3f0e-0000-4000-8000-00000000002a', address = '2001:db8::1' WHERE id = 1")
    for number in (1, 2, 3):
        cursor.execute("SELECT * FROM samples WHERE id = %s", (number,))
        for column, value in zip(cursor.description, cursor.fetchone()):
            say("sample %d %s" % (number, column[0]), type(value).__name__, value)
    say("all", rows(cursor, "SELECT id, feeling, colours, doc, exact, moment FROM samples ORDER BY id"))
    say("counted", rows(cursor, "SELECT count(*), sum(large), sum(larger), avg(exact), min(moment), max(day), bit_or(bits), sum(clock), min(feeling) FROM samples"))
    say("found by value", rows(cursor, "SELECT id FROM samples WHERE body = %s AND bytes = %s AND moment = %s AND exact = %s AND clock = %s",
                               (SAMPLES[0][18], SAMPLES[0][21], SAMPLES[0][15], SAMPLES[0][7], SAMPLES[0][14])))
    connection.close()


@step
def columns_as_described():
    connection = connect()
    cursor = connection.cursor()
    for sql in ("SELECT * FROM samples", "SELECT customer_id AS who, count(*), sum(amount) AS total, avg(amount), max(placed) FROM orders GROUP BY customer_id",
                "SELECT 1, 'x', NULL, 1.50, now() IS NULL, id + 1, 'a' 'b' FROM customers WHERE id = 1", "SELECT c.id, o.order_no FROM customers c JOIN orders o ON o.customer_id = c.id",
                "SHOW TABLES", "SHOW COLUMNS FROM orders", "EXPLAIN SELECT * FROM orders WHERE customer_id = 1"):
        cursor.execute(sql)
        for column in cursor.description:
            say(sql[:40], column)
    connection.close()


@step
def transactions():
    connection, cursor = with_customers(3)
    connection.autocommit(False)
    say("updated", cursor.execute("UPDATE customers SET balance = balance + 5 WHERE id = 1"))
    connection.rollback()
    say("rolled back", rows(cursor, "SELECT balance FROM customers WHERE id = 1"))
    connection.begin()
    cursor.execute("UPDATE customers SET balance = balance + 5 WHERE id = 1")
    connection.commit()
    say("committed", rows(cursor, "SELECT balance FROM customers WHERE id = 1"))
    cursor.execute("SAVEPOINT one")
    cursor.execute("INSERT INTO orders VALUES (1, 1, '2024-01-01', 10, 'new')")
    cursor.execute("SAVEPOINT two")
    fails("again", lambda: cursor.execute("INSERT INTO orders VALUES (1, 1, '2024-01-01', 10, 'new')"))
    say("goes on", rows(cursor, "SELECT count(*) FROM orders WHERE customer_id = 1"))
    cursor.execute("INSERT INTO orders VALUES (1, 2, '2024-01-01', 10, 'new')")
    cursor.execute("ROLLBACK TO two")
    cursor.execute("RELEASE SAVEPOINT one")
    fails("released", lambda: cursor.execute("ROLLBACK TO one"))
    connection.commit()
    say("orders", rows(cursor, "SELECT * FROM orders WHERE customer_id = 1"))
    connection.commit()
    other = connect(autocommit=False)
    cursor.execute("SELECT * FROM customers WHERE id = 1 FOR UPDATE")
    fails("locked", lambda: other.cursor().execute("SELECT * FROM customers WHERE id = 1 FOR UPDATE NOWAIT"))
    say("skipped", rows(other.cursor(), "SELECT id FROM customers WHERE id = 1 FOR UPDATE SKIP LOCKED"))
    other.rollback()
    connection.commit()
    cursor.execute("START TRANSACTION READ ONLY")
    fails("read only", lambda: cursor.execute("DELETE FROM customers WHERE id = 1"))
    connection.rollback()
    cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    cursor.execute("START TRANSACTION")
    say("isolation", rows(cursor, "SELECT @@tx_isolation, @@in_transaction"))
    cursor.execute("COMMIT AND CHAIN")
    say("chained", rows(cursor, "SELECT @@in_transaction"))
    cursor.execute("COMMIT RELEASE")
    fails("released", lambda: cursor.execute("SELECT 1"))
    other.close()


@step
def writes_to_several_shards_in_one_transaction():
    connection, cursor = with_customers(8, autocommit=False)
    for number in range(1, 9):
        cursor.execute("UPDATE customers SET balance = 1 WHERE id = %s", (number,))
        cursor.execute("INSERT INTO orders (customer_id, order_no, amount) VALUES (%s, 1, %s)", (number, number))
    say("inside", rows(cursor, "SELECT sum(balance) FROM customers"))
    connection.rollback()
    say("rolled back", rows(cursor, "SELECT count(*) FROM customers"))
    connection.close()


@step
def reads_over_all_shards():
    connection, cursor = with_customers()
    for number in range(1, 21):
        for order in (1, 2, 3):
            cursor.execute("INSERT INTO orders VALUES (%s, %s, %s, %s, 'new')", (number, order, dt.date(2024, order, number), number * order))
    for sql in ("SELECT count(*), sum(balance), avg(balance), min(name), max(id) FROM customers",
                "SELECT country, count(*), sum(balance) FROM customers GROUP BY country ORDER BY country",
                "SELECT id, name FROM customers ORDER BY balance DESC LIMIT 3", "SELECT id FROM customers ORDER BY id LIMIT 5, 3",
                "SELECT DISTINCT country FROM customers ORDER BY country DESC", "SELECT id FROM customers WHERE id IN (1, 5, 9, 13) ORDER BY id",
                "SELECT k.name, count(*) FROM customers c JOIN countries k ON k.code = c.country GROUP BY k.name ORDER BY k.name",
                "SELECT c.name, sum(o.amount) AS total FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.name HAVING total > 100 ORDER BY total DESC",
                "SELECT month(placed), count(*), avg(amount) FROM orders GROUP BY month(placed) ORDER BY 1",
                "SELECT customer_id, GROUP_CONCAT(order_no ORDER BY order_no SEPARATOR '-') FROM orders GROUP BY customer_id ORDER BY customer_id LIMIT 2",
                "SELECT count(DISTINCT country) FROM customers", "SELECT c.id FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.amount > 55) ORDER BY c.id",
                "SELECT feeling, max(name) FROM customers GROUP BY feeling", "SELECT * FROM customers WHERE id = 7", "SELECT * FROM countries ORDER BY code"):
        say(sql, rows(cursor, sql))
    connection.close()


@step
def writes_over_all_shards():
    connection, cursor = with_customers(12)
    say("many", cursor.executemany("INSERT INTO customers (id, name) VALUES (%s, %s)", [(n, "many %d" % n) for n in range(100, 200)]), cursor.rowcount)
    say("dictionaries", cursor.executemany("UPDATE customers SET name = %(name)s WHERE id = %(id)s", [{"id": n, "name": "x"} for n in range(100, 105)]), cursor.rowcount)
    for sql in ("UPDATE customers SET balance = 5 WHERE id > 150", "UPDATE customers SET balance = 5 WHERE id > 150", "DELETE FROM customers WHERE id BETWEEN 160 AND 170",
                "INSERT INTO customers (id, name) VALUES (1, 'a'), (300, 'b'), (301, 'c') ON DUPLICATE KEY UPDATE name = VALUES(name)",
                "INSERT INTO customers (id, name) VALUES (1, 'a') ON DUPLICATE KEY UPDATE name = VALUES(name)", "REPLACE INTO customers (id, name) VALUES (300, 'replaced'), (302, 'new')",
                "INSERT IGNORE INTO customers (id, name) VALUES (1, 'ignored'), (303, 'not ignored')", "INSERT INTO customers SET id = 304, name = 'set'",
                "UPDATE countries SET name = 'Deutschland' WHERE code = 'DE'", "UPDATE countries SET name = 'Germany' WHERE code = 'DE'"):
        say(sql, cursor.execute(sql), cursor.lastrowid)
    say("returning", rows(cursor, "INSERT INTO customers (id, name) VALUES (400, 'r') RETURNING id, name, feeling"), rows(cursor, "DELETE FROM customers WHERE id = 400 RETURNING name"))
    say("sum", rows(cursor, "SELECT count(*), sum(id), sum(balance) FROM customers"))
    counting = connect(client_flag=FOUND_ROWS)
    say("found rows", counting.cursor().execute("UPDATE customers SET balance = balance WHERE id = 1"), counting.cursor().execute("UPDATE customers SET balance = balance WHERE id <= 5"),
        counting.cursor().execute("INSERT INTO customers (id, name) VALUES (1, 'a') ON DUPLICATE KEY UPDATE name = VALUES(name)"))
    counting.close()
    connection.close()


@step
def insert_ids():
    connection = connect()
    cursor = connection.cursor()
    for sql in ("INSERT INTO notes (body) VALUES ('a')", "INSERT INTO notes (body) VALUES ('b'), ('c'), ('d')", "INSERT INTO notes (id, body) VALUES (50, 'e')", "INSERT INTO notes (id, body) VALUES (0, 'f')",
                "INSERT INTO notes (body) VALUES ('a') ON DUPLICATE KEY UPDATE body = 'aa'", "INSERT INTO notes (body) VALUES ('aa') ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)",
                "INSERT IGNORE INTO notes (body) VALUES ('b')", "REPLACE INTO notes (body) VALUES ('b')", "UPDATE notes SET id = LAST_INSERT_ID(id + 100) WHERE body = 'c'", "DELETE FROM notes WHERE body = 'd'"):
        say(sql, cursor.execute(sql), cursor.lastrowid, connection.insert_id(), rows(connection.cursor(), "SELECT LAST_INSERT_ID()"))
    say("rows", rows(cursor, "SELECT id, body FROM notes ORDER BY id"))
    other = connect()
    say("another's", rows(other.cursor(), "SELECT LAST_INSERT_ID()"))
    other.close()
    connection.close()


@step
def warnings():
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SET sql_mode = ''")
    for sql in ("SELECT 1 / 0, CAST('12x' AS SIGNED)", "DROP TABLE IF EXISTS there_is_none", "INSERT INTO customers (id, name) VALUES (1, REPEAT('long', 100))",
                "INSERT IGNORE INTO customers (id, name) VALUES (1, 'again')", "SELECT 1", "UPDATE customers SET balance = 'nonsense' WHERE id = 1"):
        cursor.execute(sql)
        say(sql, connection.show_warnings() if hasattr(connection, "show_warnings") else connection.warning_count(), rows(cursor, "SHOW WARNINGS"), rows(cursor, "SELECT @@warning_count"))
    cursor.execute("SELECT 1 / 0")
    say("counted", rows(cursor, "SHOW COUNT(*) WARNINGS"), rows(cursor, "SHOW ERRORS"))
    connection.close()


@step
def errors():
    connection, cursor = with_customers(2)
    for sql in ("INSERT INTO customers (id, name) VALUES (1, 'x')", "SELEC 1", "SELECT nme FROM customers", "SELECT * FROM nothing", "SELECT * FROM nowhere.nothing", "INSERT INTO customers (id) VALUES (9)",
                "INSERT INTO customers (id, name, country) VALUES (9, 'x', 'XX')", "INSERT INTO orders VALUES (1, 1, NULL, -1, '')", "INSERT INTO customers (id, name, feeling) VALUES (9, 'x', 'furious')",
                "INSERT INTO customers (id, name, seen) VALUES (9, 'x', '2024-02-31')", "INSERT INTO customers (id, name, balance) VALUES (9, 'x', 99999999999)", "INSERT INTO customers VALUES (1, 2)",
                "SELECT 9223372036854775807 + 1", "SELECT id FROM customers GROUP BY nothing", "SELECT unknown_function(1)", "DROP TABLE nothing", "CREATE TABLE customers (a INT)",
                "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ours', MYSQL_ERRNO = 5000", "SELECT * FROM customers c JOIN customers d WHERE id = 1", "DELETE FROM customers WHERE id = 'x' + 1e400", "", ";", "-- nothing",
                "SELECT 'unfinished", "USE nowhere", "SET nothing = 1", "SET autocommit = 'maybe'", "KILL 1999999999", "COMMIT TO"):
        fails(sql, lambda sql=sql: cursor.execute(sql))
    say("goes on", rows(cursor, "SELECT id, name FROM customers ORDER BY id"))
    connection.close()


@step
def errors_of_subqueries_files_and_names():
    connection, cursor = with_customers(2)
    for sql in ("SELECT (SELECT id FROM customers)", "EXECUTE nothing", "LOAD DATA LOCAL INFILE '/x' INTO TABLE customers"):
        fails(sql, lambda sql=sql: cursor.execute(sql))
    connection.close()


@step
def timeouts():
    connection, cursor = with_customers(3)
    fails("statement", lambda: cursor.execute("SET STATEMENT max_statement_time = 0.1 FOR SELECT SLEEP(20), id FROM customers WHERE id = 1"))
    cursor.execute("SET max_statement_time = 0.1")
    fails("session", lambda: cursor.execute("SELECT SLEEP(20), id FROM customers WHERE id = 1"))
    cursor.execute("SET max_statement_time = 0")
    say("goes on", rows(cursor, "SELECT id FROM customers WHERE id = 1"))
    connection.close()
    fails("client's own", lambda: connect(read_timeout=1).cursor().execute("SELECT SLEEP(20)"))


@step
def several_statements_and_results():
    connection = connect(client_flag=MULTI_STATEMENTS | MULTI_RESULTS)
    cursor = connection.cursor()

    def all_of(sql):
        said = []
        try:
            cursor.execute(sql)
            while True:
                said.append([cursor.rowcount, list(cursor.fetchall()) if cursor.description else None])
                if not cursor.nextset():
                    break
        except driver.Error as error:
            said.append(state(error))
            while connection_is_busy(connection) and cursor.nextset():
                pass
        say(sql, said)

    all_of("SELECT 1; SELECT 2, 3; DO 0; SELECT 4")
    all_of("INSERT INTO notes (body) VALUES ('x'); UPDATE notes SET body = 'y'; SELECT body FROM notes; DELETE FROM notes")
    all_of("SELECT 1; SELECT nonsense; SELECT 3")
    all_of("SET @a = 5; SELECT @a;")
    all_of("START TRANSACTION; INSERT INTO customers (id, name) VALUES (1, 'x'); ROLLBACK; SELECT count(*) FROM customers")
    say("goes on", rows(cursor, "SELECT 'here'"))
    connection.close()


def connection_is_busy(connection):
    return getattr(connection, "_result", None) is not None and getattr(connection._result, "has_next", False)


@step
def procedures():
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("DROP PROCEDURE IF EXISTS suite_two")
    cursor.execute("CREATE PROCEDURE suite_two(IN a INT, INOUT b INT, OUT c VARCHAR(20)) BEGIN SELECT a, b; SELECT code FROM countries ORDER BY code; SET b = b + a, c = 'out'; END")
    cursor.callproc("suite_two", (5, 6, None))
    while True:
        say("result", list(cursor.fetchall()) if cursor.description else cursor.rowcount)
        if not cursor.nextset():
            break
    say("out", rows(cursor, "SELECT @_suite_two_1, @_suite_two_2"))
    cursor.execute("CREATE OR REPLACE FUNCTION suite_twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2")
    say("function", rows(cursor, "SELECT suite_twice(21)"))
    cursor.execute("DROP FUNCTION suite_twice")
    cursor.execute("DROP PROCEDURE suite_two")
    fails("gone", lambda: cursor.callproc("suite_two", (1, 2, 3)))
    connection.close()


@step
def sql_prepared_statements():
    connection, cursor = with_customers(5)
    cursor.execute("PREPARE one FROM 'SELECT name FROM customers WHERE id = ?'")
    cursor.execute("SET @id = 3")
    say("executed", rows(cursor, "EXECUTE one USING @id"))
    cursor.execute("PREPARE rich FROM 'SELECT count(*) FROM customers WHERE balance > ?'")
    cursor.execute("SET @low = 20")
    say("over all", rows(cursor, "EXECUTE rich USING @low"))
    fails("too few", lambda: cursor.execute("EXECUTE one"))
    cursor.execute("DEALLOCATE PREPARE one")
    fails("gone", lambda: cursor.execute("EXECUTE one USING @id"))
    cursor.execute("EXECUTE IMMEDIATE 'SELECT 1 + 1'")
    say("immediate", list(cursor.fetchall()))
    connection.close()


@step
def streaming():
    connection, _ = with_customers(30)
    cursor = connection.cursor(cursors.SSCursor)
    cursor.execute("SELECT id FROM customers ORDER BY id")
    say("some", cursor.fetchone(), list(cursor.fetchmany(5)))
    say("rest", len(list(cursor.fetchall())))
    cursor.execute("SELECT seq FROM seq_1_to_100000")
    say("sum", sum(row[0] for row in cursor))
    cursor.execute("SELECT id FROM customers WHERE id > 10 ORDER BY id")
    say("left alone", cursor.fetchone())
    cursor.close()
    dictionaries = connection.cursor(cursors.DictCursor)
    dictionaries.execute("SELECT id, name, feeling FROM customers WHERE id < 3 ORDER BY id")
    say("dictionaries", list(dictionaries.fetchall()))
    cursor = connection.cursor()
    cursor.execute("SELECT id FROM customers ORDER BY id")
    cursor.scroll(3)
    say("scrolled", cursor.fetchone(), cursor.rownumber)
    cursor.scroll(0, mode="absolute")
    say("scrolled", cursor.fetchmany(2))
    connection.close()


@step
def large_values():
    connection = connect()
    cursor = connection.cursor()
    for number, size in enumerate((17 << 20, 0xffffff, 0xfffffe, 1 << 20), 1):
        cursor.execute("INSERT INTO documents VALUES (%s, %s, %s)", (number, "of %d" % size, b"b" * size))
    say("lengths", rows(cursor, "SELECT id, title, length(body) FROM documents ORDER BY id"))
    for number in (1, 2, 3):
        cursor.execute("SELECT body FROM documents WHERE id = %s", (number,))
        body = cursor.fetchone()[0]
        say("read", len(body), body == b"b" * len(body))
    say("two of them", [len(row[1]) for row in rows(cursor, "SELECT id, body FROM documents WHERE id IN (1, 4) ORDER BY id")])
    connection.close()


@step
def local_files():
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        for number in range(1, 1001):
            file.write('%d,"customer, %d",DE,%d.50\n' % (number, number, number))
        file.flush()
        connection = connect(local_infile=1)
        cursor = connection.cursor()
        say("loaded", cursor.execute("LOAD DATA LOCAL INFILE '%s' INTO TABLE customers FIELDS TERMINATED BY ',' ENCLOSED BY '\"' (id, name, country, balance)" % file.name))
        say("sum", rows(cursor, "SELECT count(*), sum(balance), max(name) FROM customers"))
        say("again", cursor.execute("LOAD DATA LOCAL INFILE '%s' IGNORE INTO TABLE customers FIELDS TERMINATED BY ',' ENCLOSED BY '\"' (id, name, country, balance)" % file.name))
        say("one", rows(cursor, "SELECT * FROM customers WHERE id = 77"))
        connection.close()


def in_character_set(charset, text):
    connection = connect(charset=charset)
    cursor = connection.cursor()
    say(charset, connection.character_set_name(), rows(cursor, "SELECT @@character_set_client, @@collation_connection"))
    cursor.execute("REPLACE INTO customers (id, name) VALUES (1, %s)", (text,))
    cursor.execute("SELECT name, hex(name), char_length(name) FROM customers WHERE id = 1")
    say(charset, list(cursor.fetchall()), cursor.description[0][0])
    connection.close()


@step
def a_character_set_whose_letters_hold_backslashes():
    in_character_set("gbk", "世界\\")


@step
def character_sets():
    for charset, text in (("utf8mb4", "ü世\U0001f600"), ("latin1", "üÿ"), ("utf8", "ü世"), ("cp1251", "Привет")):
        in_character_set(charset, text)
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SET NAMES latin1")
    say("set names", rows(cursor, "SELECT @@character_set_client, @@character_set_results"))
    say("compared", rows(cursor, "SELECT 'a' = 'A', 'a' = 'ä', _utf8mb4'a' COLLATE utf8mb4_bin = 'A', 'a' = 'a '"))
    connection.close()


@step
def killing():
    victim, killer = connect(), connect()
    for how in ("KILL QUERY %d", "KILL %d"):
        timer = threading.Timer(0.3, lambda: killer.cursor().execute(how % victim.thread_id()))
        timer.start()
        began = time.monotonic()
        try:
            seen = rows(victim.cursor(), "SELECT SLEEP(30)")
        except driver.Error as error:
            seen = error.args[0]
        timer.join()
        say(how, seen, "early" if time.monotonic() - began < 15 else "late")
        if how.startswith("KILL QUERY"):
            say("goes on", rows(victim.cursor(), "SELECT 1"))
    fails("gone", lambda: victim.cursor().execute("SELECT 1"))
    fails("nobody", lambda: killer.cursor().execute("KILL QUERY 1999999999"))
    victim = connect()
    mine = rows(victim.cursor(), "SELECT connection_id()")[0][0]
    timer = threading.Timer(0.3, lambda: killer.cursor().execute("KILL QUERY %d" % mine))
    timer.start()
    try:
        say("by connection_id()", rows(victim.cursor(), "SELECT SLEEP(30)"))
    except driver.Error as error:
        say("by connection_id()", error.args[0])
    timer.join()
    killer.close()


@step
def what_a_session_holds():
    connection, cursor = with_customers(3)
    cursor.execute("SET @kept = 'kept', time_zone = '+03:00', sql_mode = 'ANSI'")
    say("mine", rows(cursor, "SELECT @kept, @@time_zone, @@sql_mode, get_lock('suite', 0)"))
    other = connect()
    say("another's", rows(other.cursor(), "SELECT @kept, @@time_zone, get_lock('suite', 0), is_used_lock('suite') IS NOT NULL"))
    connection.close()
    other.close()


@step
def temporary_tables():
    connection, other = connect(), connect()
    cursor = connection.cursor()
    cursor.execute("CREATE TEMPORARY TABLE scratch (n INT)")
    cursor.execute("INSERT INTO scratch VALUES (1), (2)")
    say("mine", rows(cursor, "SELECT sum(n) FROM scratch"), rows(cursor, "SELECT (SELECT max(n) FROM scratch), count(*) FROM countries"))
    fails("another's", lambda: other.cursor().execute("SELECT * FROM scratch"))
    connection.close()
    other.close()


@step
def locked_tables():
    connection, cursor = with_customers(8)
    other = connect()
    cursor.execute("LOCK TABLES countries READ, customers WRITE, notes AS n READ")
    fails("read only", lambda: cursor.execute("INSERT INTO countries VALUES ('XX', 'x')"))
    fails("not locked", lambda: cursor.execute("SELECT count(*) FROM documents"))
    say("inserted", cursor.execute("INSERT INTO customers (id, name) VALUES (21, 'a'), (22, 'b'), (23, 'c'), (24, 'd')"))
    fails("of two", lambda: cursor.execute("INSERT INTO customers (id, name) VALUES (25, 'a'), (26, 'b'), (27, 'c'), (21, 'd')"))
    other.cursor().execute("SET lock_wait_timeout = 0")
    fails("another's", lambda: other.cursor().execute("SELECT count(*) FROM customers"))
    fails("another's lock", lambda: other.cursor().execute("LOCK TABLES customers WRITE"))
    say("another's reads", rows(other.cursor(), "SELECT count(*) FROM countries"))
    say("mine", rows(cursor, "SELECT count(*), sum(id) FROM customers"), rows(cursor, "SELECT count(*) FROM notes AS n"))
    cursor.execute("UNLOCK TABLES")
    say("unlocked", rows(other.cursor(), "SELECT count(*) FROM customers"))
    cursor.execute("LOCK TABLES customers READ")
    connection.begin()
    say("begun", other.cursor().execute("UPDATE customers SET name = 'x'"))
    connection.rollback()
    cursor.execute("LOCK TABLES customers READ")
    fails("no such table", lambda: cursor.execute("LOCK TABLES customers WRITE, nothing WRITE"))
    say("none is left", other.cursor().execute("UPDATE customers SET name = 'y'"))
    cursor.execute("FLUSH TABLES countries WITH READ LOCK")
    fails("flushed", lambda: cursor.execute("INSERT INTO countries VALUES ('XX', 'x')"))
    cursor.execute("UNLOCK TABLES")
    connection.close()
    other.close()


@step
def handlers():
    connection, cursor = with_customers(3)
    cursor.execute("HANDLER customers OPEN")
    say("handler", rows(cursor, "HANDLER customers READ `PRIMARY` FIRST"))
    cursor.execute("HANDLER customers CLOSE")
    connection.close()


@step
def what_the_statement_before_did():
    connection, cursor = with_customers(3)
    say("found rows", rows(cursor, "SELECT SQL_CALC_FOUND_ROWS id FROM customers ORDER BY id LIMIT 1"), rows(cursor, "SELECT FOUND_ROWS()"))
    cursor.execute("UPDATE customers SET name = 'x'")
    say("row count", rows(cursor, "SELECT ROW_COUNT()"))
    connection.close()


@step
def rows_into_variables():
    connection, cursor = with_customers(3)
    cursor.execute("SELECT name, balance INTO @name, @balance FROM customers WHERE id = 2")
    say("into", rows(cursor, "SELECT @name, @balance"))
    connection.close()


@step
def many_sessions():
    with_customers(10)[0].close()

    def work(number):
        connection = connect(init_command="SET time_zone = '+%02d:00', @mine = %d" % (number, number))
        cursor, wrong = connection.cursor(), 0
        for turn in range(15):
            connection.begin()
            if rows(cursor, "SELECT @@time_zone, @mine") != [("+%02d:00" % number, number)]:
                wrong += 1
            cursor.execute("UPDATE customers SET balance = balance + 1 WHERE id = %s", (number + 1,))
            if turn % 3:
                connection.commit()
            else:
                connection.rollback()
        connection.close()
        return wrong

    say("wrong", in_threads(10, work))
    connection = connect()
    say("balances", rows(connection.cursor(), "SELECT balance - id * 10 FROM customers ORDER BY id"))
    connection.close()


@step
def catalogs():
    connection = connect()
    cursor = connection.cursor()
    for sql in ("SHOW DATABASES LIKE 'shop'", "SHOW TABLES", "SHOW FULL TABLES LIKE 'c%'", "SHOW FULL COLUMNS FROM orders", "DESCRIBE customers", "SHOW CREATE TABLE orders", "SELECT table_name, index_name, seq_in_index, column_name, non_unique FROM information_schema.statistics WHERE table_schema = 'shop' ORDER BY 1, 2, 3",
                "SHOW VARIABLES LIKE 'sql_mode'", "SHOW SESSION STATUS LIKE 'Com_kill'", "SHOW CHARACTER SET LIKE 'utf8mb4'", "SHOW COLLATION LIKE 'utf8mb4_bin'", "SHOW ENGINES", "SHOW GRANTS", "SHOW PLUGINS SONAME 'x'",
                "SHOW TRIGGERS", "SHOW EVENTS", "SHOW PROCEDURE STATUS LIKE 'x'", "SELECT table_name, table_type, engine FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1",
                "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = database() ORDER BY 1, ordinal_position",
                "SELECT constraint_name, table_name, referenced_table_name FROM information_schema.referential_constraints WHERE constraint_schema = 'shop' ORDER BY 1",
                "CHECK TABLE countries", "ANALYZE TABLE countries", "CHECKSUM TABLE countries", "HELP 'nothing at all'"):
        say(sql, rows(cursor, sql))
    connection.close()
