"""psycopg2: the DB-API as most Python applications use it."""
import datetime as dt
import decimal
import io
import json
import re
import select
import threading
import time
import uuid

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool

from steps import URL, in_threads, refused, run, say, step

psycopg2.extras.register_uuid()


def connect(**options):
    return psycopg2.connect(URL, **options)


def state(error):
    # Ports and the numbers of large objects are each endpoint's own.
    return error.pgcode, re.sub(r"port \d+|object \d+", "…", (error.diag.message_primary or str(error)).strip())


def fails(what, action):
    refused(what, psycopg2.Error, state, action)


def clear():
    connection = connect()
    connection.autocommit = True
    for table in ("customers", "samples", "documents", "notes"):
        connection.cursor().execute("DELETE FROM " + table)
    connection.close()


def with_customers(count=20):
    connection = connect()
    connection.autocommit = True
    cursor = connection.cursor()
    for number in range(1, count + 1):
        cursor.execute("INSERT INTO customers (id, name, country, balance) VALUES (%s, %s, %s, %s)",
                       (number, "customer %d" % number, ("DE", "FR", "JP")[number % 3], number * 10))
    return connection, cursor


@step
def connecting():
    connection = connect(application_name="suite", options="-c timezone=Asia/Tokyo")
    say("server", connection.server_version // 10000, connection.encoding, connection.get_parameter_status("TimeZone"))
    cursor = connection.cursor()
    cursor.execute("SHOW application_name; SHOW TimeZone")
    say("last of two", cursor.fetchall())
    cursor.execute("SELECT current_database(), current_user, current_schema()")
    say("where", cursor.fetchone())
    say("status", connection.status, connection.get_transaction_status())
    connection.close()
    say("closed", connection.closed)
    fails("wrong password", lambda: psycopg2.connect(URL.replace("app-secret", "wrong")))
    fails("after close", connection.cursor)


@step
def values_of_every_type():
    connection = connect()
    connection.autocommit = True
    cursor = connection.cursor()
    instant = dt.datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=dt.timezone.utc)
    rows = [
        (1, -32768, 2147483647, -9223372036854775808, decimal.Decimal("123456789.000000001"), 1.5, 0.1, True,
         "Grüße, 世界 'quoted' \\ \U0001f600", "short", "fix", b"\x00\xff\\'\n", dt.date(2024, 2, 29),
         dt.datetime(1999, 12, 31, 23, 59, 59, 999999), instant, dt.time(12, 34, 56), dt.timedelta(days=3, seconds=7),
         uuid.UUID("6b1c3f0e-0000-4000-8000-00000000002a"), psycopg2.extras.Json({"a": [1, None, "ü"]}),
         psycopg2.extras.Json({"k": {"n": 1.5}}), [1, 2, None], ["a", 'b"c', "d,e", None], "happy", None, "192.0.2.7"),
        (2,) + (None,) * 24,
        (3, 0, 0, 0, decimal.Decimal("NaN"), float("inf"), float("-inf"), False, "", "", "", b"", dt.date(1, 1, 1),
         dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, tzinfo=dt.timezone.utc), dt.time(0), dt.timedelta(0),
         uuid.UUID(int=0), psycopg2.extras.Json([]), psycopg2.extras.Json(None), [], [], "sad", None, "::1"),
    ]
    for row in rows:
        cursor.execute("INSERT INTO samples VALUES (%s)" % ", ".join(["%s"] * 25), row)
        say("inserted", cursor.rowcount, cursor.statusmessage)
    for number in (1, 2, 3):
        cursor.execute("SELECT * FROM samples WHERE id = %s", (number,))
        for column, value in zip(cursor.description, cursor.fetchone()):
            value = bytes(value) if isinstance(value, memoryview) else value
            say("sample %d %s" % (number, column.name), type(value).__name__, value)
    cursor.execute("SELECT id, feeling, docb, numbers FROM samples ORDER BY id")
    say("all", cursor.fetchall())
    connection.close()


@step
def columns_as_described():
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM samples")
    described = cursor.description
    names = {}
    cursor.execute("SELECT oid, typname FROM pg_type WHERE oid = ANY(%s)", ([column.type_code for column in described],))
    names.update(cursor.fetchall())
    for column in described:
        say(column.name, names.get(column.type_code, "unknown type"), column.internal_size, column.precision, column.scale)
    cursor.execute("SELECT customer_id AS who, count(*), sum(amount) AS total FROM orders GROUP BY customer_id")
    say("grouped", [(column.name, column.type_code) for column in cursor.description])
    connection.close()


@step
def transactions():
    connection, cursor = with_customers(3)
    connection.autocommit = False
    cursor.execute("UPDATE customers SET balance = balance + 5 WHERE id = 1")
    say("updated", cursor.rowcount)
    connection.rollback()
    cursor.execute("SELECT balance FROM customers WHERE id = 1")
    say("rolled back", cursor.fetchone())
    cursor.execute("UPDATE customers SET balance = balance + 5 WHERE id = 1")
    connection.commit()
    cursor.execute("SELECT balance FROM customers WHERE id = 1")
    say("committed", cursor.fetchone(), connection.get_transaction_status())
    cursor.execute("SAVEPOINT one")
    cursor.execute("INSERT INTO orders VALUES (1, 1, '2024-01-01', 10)")
    cursor.execute("SAVEPOINT two")
    fails("again", lambda: cursor.execute("INSERT INTO orders VALUES (1, 1, '2024-01-01', 10)"))
    say("in error", connection.get_transaction_status())
    fails("ignored", lambda: cursor.execute("SELECT 1"))
    cursor.execute("ROLLBACK TO SAVEPOINT two")
    cursor.execute("INSERT INTO orders VALUES (1, 2, '2024-01-02', 20)")
    cursor.execute("RELEASE SAVEPOINT one")
    connection.commit()
    cursor.execute("SELECT order_no, amount FROM orders WHERE customer_id = 1 ORDER BY 1")
    say("orders", cursor.fetchall())
    connection.rollback()
    with connection:
        cursor.execute("UPDATE customers SET name = 'in a block' WHERE id = 2")
    try:
        with connection:
            cursor.execute("UPDATE customers SET name = 'gone' WHERE id = 2")
            raise KeyError("the application's")
    except KeyError:
        pass
    cursor.execute("SELECT name FROM customers WHERE id = 2")
    say("blocks", cursor.fetchone())
    connection.rollback()
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    fails("read only", lambda: cursor.execute("UPDATE customers SET name = '' WHERE id = 1"))
    connection.rollback()
    cursor.execute("SHOW transaction_isolation")
    say("isolation", cursor.fetchone())
    connection.close()


@step
def reads_over_all_shards():
    connection, cursor = with_customers()
    cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s, %s)",
                       [(customer, order, dt.date(2024, order, 1), customer * order)
                        for customer in range(1, 11) for order in range(1, 4)])
    say("executemany", cursor.rowcount)
    for query in ("SELECT count(*), sum(balance), avg(balance), min(name), max(id) FROM customers",
                  "SELECT country, count(*), sum(balance) FROM customers GROUP BY country ORDER BY country",
                  "SELECT id FROM customers ORDER BY balance DESC LIMIT 3 OFFSET 2",
                  "SELECT c.name, o.amount FROM customers c JOIN orders o ON o.customer_id = c.id "
                  "WHERE o.amount > 20 ORDER BY c.id, o.order_no",
                  "SELECT k.name, sum(o.amount) FROM customers c JOIN orders o ON o.customer_id = c.id "
                  "JOIN countries k ON k.code = c.country GROUP BY k.name ORDER BY 2 DESC",
                  "SELECT DISTINCT country FROM customers ORDER BY 1",
                  "SELECT country, count(*) FROM customers GROUP BY country HAVING count(*) > 6 ORDER BY 1",
                  "SELECT id FROM customers WHERE NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = id) ORDER BY 1",
                  "SELECT id FROM customers WHERE id IN (3, 5, 7, 99) ORDER BY id"):
        cursor.execute(query)
        say("rows", cursor.rowcount, cursor.fetchall())
    cursor.execute("SELECT id, name FROM customers WHERE id = ANY(%s) ORDER BY id", ([2, 4, 6],))
    say("any", cursor.fetchall())
    cursor.execute("SELECT id FROM customers WHERE id IN %s ORDER BY id", ((1, 8, 15),))
    say("tuple", cursor.fetchall())
    cursor.execute("UPDATE customers SET balance = 0 WHERE country = %s", ("DE",))
    say("updated on all", cursor.rowcount, cursor.statusmessage)
    cursor.execute("DELETE FROM customers WHERE id > 15")
    say("deleted on all", cursor.rowcount, cursor.statusmessage)
    connection.close()


@step
def returning_and_upserts():
    connection, cursor = with_customers(5)
    cursor.execute("INSERT INTO notes (body) VALUES ('a') RETURNING id, body")
    first = cursor.fetchone()
    cursor.execute("INSERT INTO notes (body) VALUES ('b'), ('c') RETURNING id - %s, body", (first[0],))
    say("generated", cursor.fetchall())
    cursor.execute("INSERT INTO customers (id, name) VALUES (77, 'new') RETURNING id, name, balance, feeling")
    say("defaults", cursor.fetchone())
    upsert = ("INSERT INTO customers (id, name) VALUES (%s, %s) ON CONFLICT (id) DO UPDATE "
              "SET name = excluded.name || '!' RETURNING name")
    for _ in range(2):
        cursor.execute(upsert, (78, "again"))
        say("upsert", cursor.fetchall())
    cursor.execute("INSERT INTO customers (id, name) VALUES (78, 'no') ON CONFLICT DO NOTHING RETURNING id")
    say("nothing", cursor.rowcount, cursor.fetchall())
    cursor.execute("INSERT INTO notes (body) VALUES ('a') ON CONFLICT (body) DO UPDATE SET made = '2024-01-01' RETURNING made")
    say("unsharded upsert", cursor.fetchall())
    cursor.execute("DELETE FROM customers WHERE id < 4 RETURNING id")
    say("deleted", sorted(cursor.fetchall()))
    cursor.execute("UPDATE customers SET balance = 1 WHERE id = 4 RETURNING *")
    say("updated", cursor.fetchall())
    connection.close()


@step
def batches():
    connection = connect()
    connection.autocommit = True
    cursor = connection.cursor()
    psycopg2.extras.execute_values(
        cursor, "INSERT INTO customers (id, name) VALUES %s", [(n, "v%d" % n) for n in range(1, 251)], page_size=250)
    psycopg2.extras.execute_batch(
        cursor, "INSERT INTO notes (body) VALUES (%s)", [("note %d" % n,) for n in range(120)], page_size=50)
    cursor.execute("SELECT count(*), min(name), max(id) FROM customers")
    say("values", cursor.fetchone())
    cursor.execute("SELECT count(*) FROM notes")
    say("batch", cursor.fetchone())
    rows = psycopg2.extras.execute_values(
        cursor, "INSERT INTO notes (body) VALUES %s RETURNING body", [("r%d" % n,) for n in range(5)], fetch=True)
    say("returned", rows)
    cursor.execute("INSERT INTO notes (body) VALUES ('m1'); INSERT INTO notes (body) VALUES ('m2'); SELECT count(*) FROM notes")
    say("several in one", cursor.fetchall())
    connection.close()


@step
def copying():
    connection = connect()
    connection.autocommit = True
    cursor = connection.cursor()
    rows = io.StringIO("".join("%d\tcopied %d\tDE\t%d\tok\t\\N\n" % (n, n, n) for n in range(1, 101)))
    cursor.copy_from(rows, "customers")
    say("copied in", cursor.rowcount)
    connection.commit()
    out = io.StringIO()
    cursor.copy_expert("COPY customers (id, name) TO STDOUT WITH (FORMAT csv, HEADER)", out)
    lines = out.getvalue().splitlines()
    say("copied out", lines[0], len(lines), sorted(lines)[1:4])
    out = io.StringIO()
    cursor.copy_expert("COPY (SELECT id, name FROM customers WHERE id < 4 ORDER BY id) TO STDOUT", out)
    say("query", out.getvalue())
    connection.commit()
    cursor.copy_expert("COPY notes (body) FROM STDIN (FORMAT csv)", io.StringIO('one\n"two, three"\n'))
    cursor.execute("SELECT body FROM notes ORDER BY id")
    say("notes", cursor.fetchall())
    connection.commit()
    fails("bad row", lambda: cursor.copy_from(io.StringIO("201\tfine\tDE\t1\tok\t\\N\n202\tbad\tDE\tmuch\tok\t\\N\n"), "customers"))
    connection.rollback()
    cursor.execute("SELECT count(*) FROM customers WHERE id > 200")
    say("nothing of it", cursor.fetchone())
    connection.close()


@step
def server_side_cursors():
    connection, _ = with_customers(25)
    connection.autocommit = False
    cursor = connection.cursor("reader")
    cursor.itersize = 4
    cursor.execute("SELECT id FROM customers ORDER BY id")
    say("iterated", [row[0] for row in cursor])
    cursor.close()
    cursor = connection.cursor("scroller", scrollable=True)
    cursor.execute("SELECT code FROM countries ORDER BY code")
    say("fetched", cursor.fetchmany(2))
    cursor.scroll(-1)
    say("back", cursor.fetchone())
    cursor.close()
    connection.commit()
    cursor = connection.cursor("held", withhold=True)
    cursor.execute("SELECT body FROM notes ORDER BY id")
    connection.commit()
    say("held", cursor.fetchall())
    cursor.close()
    connection.close()


@step
def sql_prepared_statements():
    connection, cursor = with_customers(9)
    cursor.execute("PREPARE by_id (bigint) AS SELECT id, name FROM customers WHERE id = $1")
    cursor.execute("PREPARE richest (int) AS SELECT id FROM customers ORDER BY balance DESC LIMIT $1")
    for number in range(1, 8):
        cursor.execute("EXECUTE by_id (%s)", (number,))
        say("one", cursor.fetchone())
    cursor.execute("EXECUTE richest (3)")
    say("some", cursor.fetchall())
    fails("twice", lambda: cursor.execute("PREPARE by_id (bigint) AS SELECT 1"))
    cursor.execute("DEALLOCATE by_id")
    fails("gone", lambda: cursor.execute("EXECUTE by_id (1)"))
    cursor.execute("DISCARD ALL")
    fails("all gone", lambda: cursor.execute("EXECUTE richest (1)"))
    connection.close()


@step
def errors():
    connection, cursor = with_customers(2)
    for statement in ("INSERT INTO customers (id, name) VALUES (1, 'again')",
                      "INSERT INTO orders VALUES (9999, 1, NULL, 1)",
                      "INSERT INTO orders VALUES (1, 5, NULL, -1)",
                      "INSERT INTO customers (id) VALUES (50)",
                      "SELEC 1",
                      "SELECT nothing FROM customers",
                      "SELECT * FROM no_such_table",
                      "SELECT 'x'::int",
                      "SELECT id / 0 FROM customers",
                      "SELECT no_such_function(1)",
                      "INSERT INTO customers (id, name, feeling) VALUES (51, 'x', 'angry')",
                      "INSERT INTO samples (id, short) VALUES (1, repeat('x', 21))",
                      "INSERT INTO notes (id, body) VALUES (1, 'a'), (1, 'b')",
                      "SELECT body, count(*) FROM notes"):
        fails(statement, lambda: cursor.execute(statement))
    try:
        cursor.execute("INSERT INTO customers (id, name) VALUES (1, 'again')")
    except psycopg2.errors.UniqueViolation as error:
        say("fields", error.diag.severity, error.diag.schema_name, error.diag.table_name, error.diag.constraint_name,
            error.diag.message_detail)
    try:
        cursor.execute("SELECT 1 FROM customers WHERE nme = 1")
    except psycopg2.errors.UndefinedColumn as error:
        say("position", error.diag.statement_position)
    cursor.execute("SELECT 1")
    say("goes on", cursor.fetchone())
    connection.close()


@step
def cancelling():
    connection, cursor = with_customers(8)
    cursor.execute("SET statement_timeout = '150ms'")
    fails("timeout", lambda: cursor.execute("SELECT pg_sleep(20)"))
    fails("timeout on all shards", lambda: cursor.execute("SELECT count(*) FROM customers, generate_series(1, 100000000)"))
    cursor.execute("RESET statement_timeout")
    for query in ("SELECT pg_sleep(20)", "SELECT count(*) FROM customers, generate_series(1, 100000000)"):
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        fails("cancelled", lambda: cursor.execute(query))
        timer.join()
    cursor.execute("SELECT 1")
    say("goes on", cursor.fetchone())
    connection.close()


@step
def many_sessions():
    zones = ("UTC", "Asia/Tokyo", "Europe/Berlin", "America/Lima")
    setup, cursor = with_customers(12)

    def work(number):
        mine, wrong = connect(application_name="worker %d" % number), []
        cursor = mine.cursor()
        cursor.execute("SET TIME ZONE %s", (zones[number % 4],))
        cursor.execute("SET search_path = %s, public", ("schema_%d" % number,))
        cursor.execute("SET work_mem = %s", ("%dkB" % (1000 + number),))
        mine.commit()
        for turn in range(15):
            cursor.execute("SELECT current_setting('application_name'), current_setting('TimeZone'), "
                           "current_setting('search_path'), current_setting('work_mem')")
            seen = cursor.fetchone()
            expected = ("worker %d" % number, zones[number % 4], "schema_%d, public" % number, "%dkB" % (1000 + number))
            if seen != expected:
                wrong.append((turn, seen))
            cursor.execute("SET LOCAL work_mem = '9999kB'")
            cursor.execute("INSERT INTO orders VALUES (%s, %s, '2024-05-05', %s)", (number + 1, turn, turn))
            cursor.execute("SELECT count(*) FROM orders WHERE customer_id = %s", (number + 1,))
            if cursor.fetchone()[0] != turn + 1:
                wrong.append((turn, "orders"))
            if turn % 5 == 4:
                cursor.execute("SAVEPOINT s")
                cursor.execute("DELETE FROM orders WHERE customer_id = %s", (number + 1,))
                cursor.execute("ROLLBACK TO SAVEPOINT s")
            mine.commit()
        mine.close()
        return wrong

    say("wrong", in_threads(12, work))
    cursor.execute("SELECT count(*), sum(amount), count(DISTINCT customer_id) FROM orders")
    say("all orders", cursor.fetchone())
    setup.close()


@step
def a_pool_of_connections():
    setup, cursor = with_customers(16)
    pool = psycopg2.pool.ThreadedConnectionPool(2, 8, URL)
    taken = threading.Semaphore(8)

    def work(number):
        for _ in range(10):
            with taken:
                mine = pool.getconn()
                with mine, mine.cursor() as cursor:
                    cursor.execute("UPDATE customers SET balance = balance + 1 WHERE id = %s", (number + 1,))
                pool.putconn(mine)

    in_threads(16, work)
    pool.closeall()
    cursor.execute("SELECT sum(balance) FROM customers")
    say("sum", cursor.fetchone())
    setup.close()


@step
def settings_follow_transactions():
    connection = connect()
    cursor = connection.cursor()

    def show(what):
        cursor.execute("SELECT current_setting('DateStyle'), current_setting('extra_float_digits'), current_setting('my.own', true)")
        say(what, cursor.fetchone())

    show("at first")
    cursor.execute("SET DateStyle = 'German'")
    cursor.execute("SELECT set_config('my.own', 'x', false)")
    show("set")
    connection.rollback()
    show("rolled back")
    cursor.execute("SET DateStyle = 'SQL, DMY'; SET extra_float_digits = 3")
    connection.commit()
    cursor.execute("SET LOCAL DateStyle = 'ISO'")
    show("local")
    connection.commit()
    show("committed")
    cursor.execute("SELECT day::text FROM (VALUES (date '2024-02-01')) AS d (day)")
    say("styled", cursor.fetchone())
    cursor.execute("RESET ALL")
    show("reset")
    connection.commit()
    connection.close()


@step
def listen_and_notify():
    listener, sender = connect(), connect()
    listener.autocommit = sender.autocommit = True
    listener.cursor().execute("LISTEN news")
    sender.cursor().execute("NOTIFY news, 'first'")
    sender.cursor().execute("SELECT pg_notify('news', 'second')")
    deadline = time.monotonic() + 5
    while len(listener.notifies) < 2 and time.monotonic() < deadline:
        select.select([listener], [], [], 0.2)
        listener.poll()
    say("heard", [(notify.channel, notify.payload) for notify in listener.notifies])
    listener.cursor().execute("UNLISTEN news")
    listener.close()
    sender.close()


@step
def temporary_tables():
    connection, other = connect(), connect()
    cursor = connection.cursor()
    cursor.execute("CREATE TEMP TABLE scratch (n int, word text)")
    connection.commit()
    cursor.execute("INSERT INTO scratch SELECT n, 'w' || n FROM generate_series(1, 5) n")
    connection.commit()
    cursor.execute("SELECT count(*), max(word) FROM scratch")
    say("mine", cursor.fetchone())
    connection.commit()
    fails("not the other's", lambda: other.cursor().execute("SELECT * FROM scratch"))
    other.rollback()
    cursor.execute("CREATE TEMP TABLE passing ON COMMIT DROP AS SELECT 1 AS one")
    cursor.execute("SELECT one FROM passing")
    say("passing", cursor.fetchone())
    connection.commit()
    fails("passed", lambda: cursor.execute("SELECT one FROM passing"))
    connection.close()
    other.close()


@step
def advisory_locks():
    one, two = connect(), connect()
    one.autocommit = two.autocommit = True
    first, second = one.cursor(), two.cursor()
    first.execute("SELECT pg_advisory_lock(4711)")
    second.execute("SELECT pg_try_advisory_lock(4711)")
    say("taken", second.fetchone())
    first.execute("SELECT pg_advisory_unlock(4711)")
    say("unlocked", first.fetchone())
    second.execute("SELECT pg_try_advisory_lock(4711)")
    say("free", second.fetchone())
    second.execute("SELECT pg_advisory_unlock_all()")
    one.autocommit = False
    first.execute("SELECT pg_advisory_xact_lock(1, 2)")
    second.execute("SELECT pg_try_advisory_xact_lock(1, 2)")
    say("taken", second.fetchone())
    one.commit()
    second.execute("SELECT pg_try_advisory_xact_lock(1, 2)")
    say("free", second.fetchone())
    one.close()
    two.close()


@step
def sequences():
    connection = connect()
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("INSERT INTO notes (body) VALUES ('x') RETURNING id")
    identity = cursor.fetchone()[0]
    cursor.execute("SELECT currval('notes_id_seq') - %s, lastval() - %s", (identity, identity))
    say("current", cursor.fetchone())
    cursor.execute("SELECT currval(pg_get_serial_sequence('notes', 'id')) - %s", (identity,))
    say("serial", cursor.fetchone())
    fails("not yet", lambda: connect().cursor().execute("SELECT currval('notes_id_seq')"))
    connection.close()


@step
def large_objects():
    connection = connect()
    large = connection.lobject(0, "wb")
    large.write(b"0123456789" * 5000)
    number = large.oid
    large.close()
    connection.commit()
    large = connection.lobject(number, "rb")
    large.seek(49990)
    say("tail", large.read(), large.tell())
    large.unlink()
    connection.commit()
    fails("unlinked", lambda: connection.lobject(number, "rb"))
    connection.close()


@step
def dictionaries_and_composites():
    connection, cursor = with_customers(2)
    rows = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
    rows.execute("SELECT id, name, feeling FROM customers ORDER BY id")
    say("dictionaries", [dict(row) for row in rows])
    named = connection.cursor(cursor_factory=psycopg2.extras.NamedTupleCursor)
    named.execute("SELECT id, balance FROM customers ORDER BY id")
    say("named", named.fetchall())
    cursor.execute("INSERT INTO documents VALUES (%s, 'one', %s)", (uuid.UUID(int=7), json.dumps({"x": 1})))
    cursor.execute("SELECT id, meta->'x', meta ? 'x' FROM documents WHERE id = %s", (uuid.UUID(int=7),))
    say("document", cursor.fetchone())
    cursor.execute("SELECT mogrified FROM (VALUES (%s)) AS m (mogrified)", ("100%",))
    say("percent", cursor.fetchone())
    psycopg2.extras.register_composite("countries", connection)
    cursor.execute("SELECT k FROM countries k WHERE code = 'DE'")
    say("composite", cursor.fetchone())
    connection.close()


@step
def writes_to_several_shards_in_one_transaction():
    connection = connect()
    cursor = connection.cursor()
    psycopg2.extras.execute_values(cursor, "INSERT INTO customers (id, name) VALUES %s", [(n, "n") for n in range(1, 9)])
    for number in range(1, 9):
        cursor.execute("UPDATE customers SET balance = 1 WHERE id = %s", (number,))
    connection.commit()
    cursor.execute("SELECT sum(balance) FROM customers")
    say("sum", cursor.fetchone())
    connection.close()


run("psycopg2", psycopg2.__version__.split()[0], clear)
