"""psycopg 3: parameters on the server's side, prepared statements, binary values, pipelines, copy, async."""
import asyncio
import datetime as dt
import decimal
import threading
import uuid

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row
from psycopg.types.enum import EnumInfo, register_enum
from psycopg.types.json import Json, Jsonb

from steps import URL, in_threads, refused, run, say, step


def connect(**options):
    return psycopg.connect(URL, **options)


def state(error):
    return error.sqlstate, error.diag.message_primary or type(error).__name__


def fails(what, action):
    refused(what, psycopg.Error, state, action)


def clear():
    with connect(autocommit=True) as connection:
        for table in ("customers", "samples", "documents", "notes"):
            connection.execute("DELETE FROM " + table)


def with_customers(count=20, **options):
    connection = connect(autocommit=True, **options)
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO customers (id, name, country, balance) VALUES (%s, %s, %s, %s)",
                           [(number, "customer %d" % number, ("DE", "FR", "JP")[number % 3], number * 10)
                            for number in range(1, count + 1)])
    return connection


ROWS = [
    (1, -32768, 2147483647, -9223372036854775808, decimal.Decimal("123456789.000000001"), 1.5, 0.1, True,
     "Grüße, 世界 'quoted' \\ \U0001f600", "short", "fix", b"\x00\xff\\'\n", dt.date(2024, 2, 29),
     dt.datetime(1999, 12, 31, 23, 59, 59, 999999), dt.datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=dt.timezone.utc),
     dt.time(12, 34, 56), dt.timedelta(days=3, seconds=7), uuid.UUID("6b1c3f0e-0000-4000-8000-00000000002a"),
     Json({"a": [1, None, "ü"]}), Jsonb({"k": {"n": 1.5}}), [1, 2, None], ["a", 'b"c', "d,e", None], "happy",
     ["sad", "happy"], "192.0.2.7"),
    (2,) + (None,) * 24,
]


@step
def values_in_text_and_binary():
    with connect(autocommit=True) as connection:
        marks = ["%s"] * 25
        marks[22], marks[23], marks[24] = "%s::mood", "%s::mood[]", "%s::inet"
        for row in ROWS:
            say("inserted", connection.execute("INSERT INTO samples VALUES (%s)" % ", ".join(marks), row).rowcount)
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            for number in (1, 2):
                cursor.execute("SELECT * FROM samples WHERE id = %s", (number,))
                for column, value in zip(cursor.description, cursor.fetchone()):
                    if binary and column.name == "feelings":
                        continue  # bytes to a driver that was not told of the type; see the step `enums`
                    say("%s %d %s" % ("binary" if binary else "text", number, column.name), type(value).__name__, value)
            cursor.execute("SELECT id, exact, numbers, words, span, docb FROM samples ORDER BY id")
            say("all", cursor.fetchall())


@step
def parameters_in_binary():
    with connect(autocommit=True) as connection:
        connection.execute("INSERT INTO samples (id, whole, double, flag, raw, day, instant, token, numbers) "
                           "VALUES (%b, %b, %b, %b, %b, %b, %b, %b, %b)",
                           (7, 42, 2.5, False, b"\x00\x01", dt.date(2000, 1, 1),
                            dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc), uuid.UUID(int=1), [1, 2, 3]))
        say("by key", connection.execute("SELECT whole, raw, numbers FROM samples WHERE id = %b", (7,)).fetchall())
        say("by value", connection.execute("SELECT id FROM samples WHERE day = %b AND whole = %b", (dt.date(2000, 1, 1), 42)).fetchall())
        connection.execute("INSERT INTO documents VALUES (%b, %s, %s)", (uuid.UUID(int=5), "five", Jsonb([5])))
        say("document", connection.execute("SELECT title, meta FROM documents WHERE id = %b", (uuid.UUID(int=5),)).fetchall())


@step
def columns_as_described():
    with connect() as connection:
        for column in connection.execute("SELECT * FROM samples").description:
            info = connection.adapters.types.get(column.type_code)
            say(column.name, info.name if info else "own type", column.display_size, column.internal_size, column.precision, column.scale)


@step
def enums():
    with with_customers(3) as connection:
        info = EnumInfo.fetch(connection, "mood")
        say("labels", info.labels)
        register_enum(info, connection)
        import enum
        say("read", connection.execute("SELECT feeling FROM customers WHERE id = 2").fetchone())
        mood = enum.Enum("mood", {"sad": "sad", "ok": "ok", "happy": "happy"})
        register_enum(info, connection, mood)
        connection.execute("UPDATE customers SET feeling = %s WHERE id = 2", (mood.happy,))
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            cursor.execute("SELECT id, feeling FROM customers ORDER BY id")
            say("enums", cursor.fetchall())
        connection.execute("INSERT INTO samples (id, feelings) VALUES (1, %s)", ([mood.sad, mood.ok],))
        say("array", connection.execute("SELECT feelings FROM samples WHERE feelings = %s", ([mood.sad, mood.ok],)).fetchall())


@step
def prepared_after_five_uses():
    with with_customers(12) as connection:
        for number in range(1, 10):
            say("by key", connection.execute("SELECT name FROM customers WHERE id = %s", (number,)).fetchone())
        for number in range(1, 10):
            say("over all", connection.execute("SELECT count(*) FROM customers WHERE balance > %s", (number * 10,)).fetchone())
        for number in range(8):
            connection.execute("UPDATE customers SET balance = %s WHERE id = %s", (number, number), prepare=True)
        connection.execute("ALTER TABLE notes ADD COLUMN extra int")
        for _ in range(7):
            row = connection.execute("INSERT INTO notes (body) VALUES (NULL) RETURNING body, extra").fetchone()
        say("before the change", row)
        for _ in range(7):
            row = connection.execute("SELECT * FROM notes LIMIT 0").description
        say("columns", [column.name for column in row])
        connection.execute("ALTER TABLE notes DROP COLUMN extra")
        say("columns", [column.name for column in connection.execute("SELECT body, made FROM notes LIMIT 0").description])
        connection.prepare_threshold = 0
        connection.prepared_max = 3
        for number in range(12):
            connection.execute(sql.SQL("SELECT {}, id FROM customers WHERE id = %s").format(sql.Literal(number)), (number,))
        say("still", connection.execute("SELECT name FROM customers WHERE id = %s", (12,)).fetchone())


@step
def pipelines():
    with with_customers(6) as connection:
        with connection.pipeline():
            cursors = [connection.execute("SELECT name FROM customers WHERE id = %s", (number,)) for number in (1, 2, 3)]
            counting = connection.execute("SELECT count(*) FROM customers")
        say("pipeline", [cursor.fetchone() for cursor in cursors], counting.fetchone())
        try:
            with connection.pipeline() as pipeline:
                connection.execute("INSERT INTO notes (body) VALUES ('kept')")
                pipeline.sync()
                connection.execute("INSERT INTO notes (body) VALUES ('lost')")
                connection.execute("SELECT 1 / 0")
                connection.execute("INSERT INTO notes (body) VALUES ('never')")
                pipeline.sync()
        except psycopg.Error as error:
            say("error", *state(error))
        say("notes", connection.execute("SELECT body FROM notes ORDER BY id").fetchall())
        with connection.pipeline(), connection.transaction():
            for number in range(30):  # of one customer: on one shard
                connection.execute("INSERT INTO orders VALUES (4, %s, '2024-01-01', %s)", (number, number))
        say("orders", connection.execute("SELECT count(*), sum(amount) FROM orders").fetchone())


@step
def executemany_with_results():
    with connect(autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.executemany("INSERT INTO customers (id, name) VALUES (%s, %s) RETURNING id",
                           [(number, "n%d" % number) for number in range(1, 41)], returning=True)
        ids = []
        while True:
            ids += [row[0] for row in cursor.fetchall()]
            if not cursor.nextset():
                break
        say("returned", ids)
        cursor.executemany("DELETE FROM customers WHERE id = %s", [(number,) for number in (1, 2, 99)])
        say("deleted", cursor.rowcount)


@step
def transactions():
    with with_customers(3) as connection:
        with connection.transaction():
            connection.execute("UPDATE customers SET balance = 1 WHERE id = 1")
            try:
                with connection.transaction("inner"):
                    connection.execute("UPDATE customers SET balance = 2 WHERE id = 1")
                    raise KeyError
            except KeyError:
                pass
            with connection.transaction():
                connection.execute("UPDATE customers SET name = 'nested' WHERE id = 1")
        say("nested", connection.execute("SELECT name, balance FROM customers WHERE id = 1").fetchone())
        with connection.transaction(force_rollback=True):
            connection.execute("DELETE FROM customers WHERE id = 1")
        say("still", connection.execute("SELECT count(*) FROM customers").fetchone())
    connection = connect()
    connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    connection.execute("UPDATE customers SET balance = 3 WHERE id = 2")
    say("level", connection.execute("SHOW transaction_isolation").fetchone(), connection.info.transaction_status.name)
    fails("unique", lambda: connection.execute("INSERT INTO customers (id, name) VALUES (2, '')"))
    fails("failed", lambda: connection.execute("SELECT 1"))
    say("status", connection.info.transaction_status.name)
    connection.rollback()
    connection.read_only = True
    fails("read only", lambda: connection.execute("DELETE FROM customers WHERE id = 2"))
    connection.close()


@step
def copying():
    with connect(autocommit=True) as connection:
        cursor = connection.cursor()
        with cursor.copy("COPY customers (id, name, balance) FROM STDIN") as copy:
            for number in range(1, 201):
                copy.write_row((number, "tab\tand \\ %d" % number, decimal.Decimal(number) / 4))
        say("copied", cursor.rowcount, cursor.statusmessage)
        with cursor.copy("COPY (SELECT id, name, balance FROM customers WHERE id <= 3 ORDER BY id) TO STDOUT") as copy:
            copy.set_types(["int8", "text", "numeric"])
            say("rows", list(copy.rows()))
        with cursor.copy("COPY customers TO STDOUT (FORMAT csv)") as copy:
            say("csv", len(b"".join(bytes(block) for block in copy).splitlines()))
        with cursor.copy("COPY customers (id, name) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "text"])
            for number in range(301, 311):
                copy.write_row((number, "binary %d" % number))
        say("binary in", connection.execute("SELECT count(*), min(name) FROM customers WHERE id > 300").fetchone())
        with cursor.copy("COPY (SELECT id, name FROM customers WHERE id > 308 ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int8", "text"])
            say("binary out", list(copy.rows()))

        def broken():
            with cursor.copy("COPY customers (id, name) FROM STDIN") as copy:
                copy.write_row((401, "fine"))
                copy.write_row((1, "there already"))

        fails("duplicate", broken)

        def gives_up():
            with cursor.copy("COPY customers (id, name) FROM STDIN") as copy:
                copy.write_row((402, "fine"))
                raise ZeroDivisionError

        try:
            gives_up()
        except (ZeroDivisionError, psycopg.errors.QueryCanceled) as error:
            say("given up", type(error).__name__)
        say("nothing of them", connection.execute("SELECT count(*) FROM customers WHERE id > 400").fetchone())


@step
def streams_and_cursors():
    with with_customers(30) as connection:
        cursor = connection.cursor()
        say("streamed", [row[0] for row in cursor.stream("SELECT id FROM customers ORDER BY id DESC")][:5])
        with connection.transaction(), connection.cursor("named", row_factory=dict_row) as named:
            named.itersize = 7
            named.execute("SELECT id, country FROM customers WHERE balance > %s ORDER BY id", (100,))
            say("named", [row["id"] for row in named])
        with connection.transaction(), connection.cursor("scroll", scrollable=True) as scroll:
            scroll.execute("SELECT code FROM countries ORDER BY code")
            scroll.scroll(2)
            say("scrolled", scroll.fetchone())
            scroll.scroll(0, mode="absolute")
            say("first", scroll.fetchone())
        with connection.cursor("held", withhold=True) as held:
            held.execute("SELECT code FROM countries ORDER BY code")
            say("held", held.fetchmany(2), held.fetchall())
        client = psycopg.ClientCursor(connection)
        say("client cursor", client.execute("SELECT id FROM customers WHERE id = ANY(%s) ORDER BY id", ([3, 1, 2],)).fetchall())


@step
def row_factories_and_composed_sql():
    class Customer:
        def __init__(self, id, name):
            self.id, self.name = id, name

    with with_customers(4) as connection:
        cursor = connection.cursor(row_factory=class_row(Customer))
        customer = cursor.execute("SELECT id, name FROM customers WHERE id = 3").fetchone()
        say("object", customer.id, customer.name)
        query = sql.SQL("SELECT {} FROM {} ORDER BY {} LIMIT {}").format(
            sql.SQL(", ").join([sql.Identifier("id"), sql.Identifier("country")]), sql.Identifier("public", "customers"),
            sql.Identifier("id"), sql.Placeholder())
        say("composed", query.as_string(connection), connection.execute(query, (2,)).fetchall())


@step
def errors():
    with with_customers(2) as connection:
        for statement, parameters in (("INSERT INTO customers (id, name) VALUES (%s, %s)", (1, "again")),
                                      ("SELECT * FROM customers WHERE id = %s", ("one",)),
                                      ("SELECT %s::int", ("x",)),
                                      ("SELEC %s", (1,)),
                                      ("SELECT id FROM customers WHERE nme = %s", (1,)),
                                      ("INSERT INTO orders VALUES (%s, 1, NULL, 1)", (12345,)),
                                      ("SELECT 1 / %s::int", (0,)),
                                      ("INSERT INTO customers (id, name, feeling) VALUES (9, 'x', %s)", ("angry",)),
                                      ("SELECT %s; SELECT 2", (1,))):
            fails(statement, lambda: connection.execute(statement, parameters))
        say("goes on", connection.execute("SELECT %s::int", (1,)).fetchone())


@step
def cancelling():
    with with_customers(8) as connection:
        connection.execute("SET statement_timeout = '150ms'")
        fails("timeout", lambda: connection.execute("SELECT pg_sleep(20)"))
        fails("timeout on all shards", lambda: connection.execute("SELECT count(*) FROM customers, generate_series(1, 100000000)"))
        connection.execute("RESET statement_timeout")
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        fails("cancelled", lambda: connection.execute("SELECT count(*) FROM customers, generate_series(1, %s)", (100000000,)))
        timer.join()
        say("goes on", connection.execute("SELECT 1").fetchone())


@step
def notices():
    with connect(autocommit=True) as connection:
        heard = []
        connection.add_notice_handler(lambda diagnostic: heard.append((diagnostic.severity, diagnostic.message_primary)))
        connection.execute("DROP TABLE IF EXISTS there_is_none")
        connection.execute("SET client_min_messages = 'error'")
        connection.execute("DROP TABLE IF EXISTS there_is_none")
        say("heard", heard)


@step
def listen_and_notify():
    with connect(autocommit=True) as listener, connect(autocommit=True) as sender:
        listener.execute("LISTEN news")
        with sender.transaction():
            sender.execute("NOTIFY news, 'one'")
            sender.execute("SELECT pg_notify(%s, %s)", ("news", "two"))
        heard = []
        for notify in listener.notifies():
            heard.append((notify.channel, notify.payload))
            if len(heard) == 2:
                break
        say("heard", heard)


@step
def many_async_sessions():
    async def work(number):
        wrong = []
        async with await psycopg.AsyncConnection.connect(URL, application_name="task %d" % number) as connection:
            await connection.execute("SELECT set_config('TimeZone', %s, false)", ("Etc/GMT+%d" % number,))
            await connection.commit()
            for turn in range(12):
                cursor = await connection.execute("SELECT current_setting('TimeZone'), current_setting('application_name')")
                if await cursor.fetchone() != ("Etc/GMT+%d" % number, "task %d" % number):
                    wrong.append(turn)
                await connection.execute("INSERT INTO orders VALUES (%s, %s, '2024-01-01', 1)", (number + 1, turn))
                cursor = await connection.execute("SELECT count(*) FROM orders WHERE customer_id = %s", (number + 1,))
                if await cursor.fetchone() != (turn + 1,):
                    wrong.append("orders %d" % turn)
                await connection.commit()
        return wrong

    async def all_of_them():
        return await asyncio.gather(*[work(number) for number in range(10)])

    with with_customers(10) as connection:
        say("wrong", asyncio.run(all_of_them()))
        say("orders", connection.execute("SELECT count(*) FROM orders").fetchone())


@step
def prepared_in_many_sessions():
    def work(number):
        wrong = 0
        with connect(autocommit=True, prepare_threshold=0) as connection:
            for turn in range(15):
                row = connection.execute("SELECT id, balance FROM customers WHERE id = %s", (1 + (number + turn) % 16,)).fetchone()
                wrong += row[1] != row[0] * 10
                total = connection.execute("SELECT sum(balance) + %s FROM customers", (number,)).fetchone()
                wrong += total[0] != 1360 + number
        return wrong

    with with_customers(16):
        say("wrong", in_threads(8, work))


run("psycopg", psycopg.__version__, clear)
