"""asyncpg: everything binary and prepared, pools, cursors, copies, its own look at the types."""
import asyncio
import datetime as dt
import decimal
import json
import uuid

import asyncpg

from steps import URL, run, say, step


def async_step(function):
    def wrapped():
        asyncio.run(function())

    wrapped.__name__ = function.__name__
    return step(wrapped)


async def connect(**options):
    return await asyncpg.connect(URL, **options)


async def fails(what, awaitable):
    try:
        await awaitable
    except asyncpg.PostgresError as error:
        say(what, type(error).__name__, error.sqlstate, error.args[0])
    except (asyncpg.InterfaceError, asyncio.TimeoutError) as error:
        say(what, type(error).__name__)
    else:
        say(what, "no error")


def clear():
    async def delete():
        connection = await connect()
        for table in ("customers", "samples", "documents", "notes"):
            await connection.execute("DELETE FROM " + table)
        await connection.close()

    asyncio.run(delete())


async def with_customers(count=20):
    connection = await connect()
    await connection.executemany("INSERT INTO customers (id, name, country, balance) VALUES ($1, $2, $3, $4)",
                                 [(number, "customer %d" % number, ("DE", "FR", "JP")[number % 3], number * 10)
                                  for number in range(1, count + 1)])
    return connection


@async_step
async def connecting():
    connection = await connect(server_settings={"application_name": "suite", "TimeZone": "Asia/Tokyo"})
    say("server", connection.get_server_version().major, connection.get_settings().TimeZone, connection.get_settings().application_name)
    say("where", await connection.fetchrow("SELECT current_database(), current_user, current_setting('TimeZone')"))
    await connection.close()
    await fails("wrong password", asyncpg.connect(URL.replace("app-secret", "wrong")))


@async_step
async def values_of_every_type():
    connection = await connect()
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    rows = [
        (1, -32768, 2147483647, -9223372036854775808, decimal.Decimal("123456789.000000001"), 1.5, 0.1, True,
         "Grüße, 世界 \U0001f600", "short", "fix", b"\x00\xff", dt.date(2024, 2, 29), dt.datetime(1999, 12, 31, 23, 59, 59, 999999),
         dt.datetime(2024, 2, 29, 23, 59, 59, tzinfo=dt.timezone.utc), dt.time(12, 34, 56), dt.timedelta(days=3, seconds=7),
         uuid.UUID(int=42), '{"a": [1, null]}', {"k": 1.5}, [1, 2, None], ["a", 'b"c', None], "happy", ["sad", "ok"], "192.0.2.7"),
        (2,) + (None,) * 24,
    ]
    statement = "INSERT INTO samples VALUES (%s)" % ", ".join("$%d" % n for n in range(1, 26))
    for row in rows:
        say("inserted", await connection.execute(statement, *row))
    for number in (1, 2):
        for name, value in (await connection.fetchrow("SELECT * FROM samples WHERE id = $1", number)).items():
            say("sample %d %s" % (number, name), type(value).__name__, value)
    say("all", await connection.fetch("SELECT id, feeling, feelings, docb FROM samples ORDER BY id"))
    say("by enum", await connection.fetch("SELECT id FROM samples WHERE feeling = $1 AND feelings = $2", "happy", ["sad", "ok"]))
    await connection.close()


@async_step
async def statements_as_described():
    connection = await connect()
    prepared = await connection.prepare("SELECT * FROM samples WHERE id = $1 AND feeling = $2 AND words = $3")
    say("parameters", [(kind.name, kind.kind) for kind in prepared.get_parameters()])
    for attribute in prepared.get_attributes():
        say(attribute.name, attribute.type.name, attribute.type.kind, attribute.type.schema)
    say("message", prepared.get_statusmsg())
    prepared = await connection.prepare("SELECT country, sum(balance) AS total FROM customers GROUP BY country")
    say("grouped", [(attribute.name, attribute.type.name) for attribute in prepared.get_attributes()])
    await connection.close()


@async_step
async def prepared_statements():
    connection = await with_customers()
    one = await connection.prepare("SELECT name FROM customers WHERE id = $1")
    say("one", [await one.fetchval(number) for number in range(1, 9)])
    many = await connection.prepare("SELECT id FROM customers WHERE balance >= $1 ORDER BY id LIMIT $2")
    say("many", [[row["id"] for row in await many.fetch(decimal.Decimal(number * 20), 3)] for number in range(1, 8)])
    await connection.execute("ALTER TABLE notes ADD COLUMN extra int")
    await connection.execute("INSERT INTO notes (body, extra) VALUES ('x', 5)")
    query = "SELECT body, extra FROM notes"
    say("before", await connection.fetch(query))
    await connection.execute("ALTER TABLE notes ALTER COLUMN extra TYPE text")
    say("after", await connection.fetch(query))
    await connection.execute("ALTER TABLE notes DROP COLUMN extra")
    await fails("dropped", connection.fetch(query))
    await connection.close()


@async_step
async def transactions():
    connection = await with_customers(3)
    async with connection.transaction():
        await connection.execute("UPDATE customers SET balance = 1 WHERE id = 1")
        try:
            async with connection.transaction():
                await connection.execute("UPDATE customers SET balance = 2 WHERE id = 1")
                await connection.execute("INSERT INTO customers (id, name) VALUES (1, 'again')")
        except asyncpg.UniqueViolationError as error:
            say("inner", error.constraint_name, error.detail, error.table_name)
        await connection.execute("UPDATE customers SET name = 'outer' WHERE id = 1")
    say("after", await connection.fetchrow("SELECT name, balance FROM customers WHERE id = 1"))
    transaction = connection.transaction(isolation="serializable", readonly=True)
    await transaction.start()
    await fails("read only", connection.execute("DELETE FROM customers WHERE id = 1"))
    await fails("failed", connection.fetch("SELECT 1"))
    await transaction.rollback()
    say("in transaction", connection.is_in_transaction())
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("DELETE FROM customers WHERE id = 1")
    await transaction.rollback()
    say("kept", await connection.fetchval("SELECT count(*) FROM customers"))
    await connection.close()


@async_step
async def cursors():
    connection = await with_customers(25)
    async with connection.transaction():
        say("iterated", [row["id"] async for row in connection.cursor("SELECT id FROM customers ORDER BY id", prefetch=4)])
        cursor = await connection.cursor("SELECT id FROM customers WHERE id > $1 ORDER BY id DESC", 5)
        say("fetched", [row["id"] for row in await cursor.fetch(3)])
        say("skipped", await cursor.forward(5))
        say("next", await cursor.fetchrow())
    await connection.close()


@async_step
async def batches_and_copies():
    connection = await connect()
    await connection.executemany("INSERT INTO customers (id, name) VALUES ($1, $2)", [(n, "many %d" % n) for n in range(1, 51)])
    say("many", await connection.fetchrow("SELECT count(*), min(name) FROM customers"))
    say("copied", await connection.copy_records_to_table(
        "customers", records=[(n, "record %d" % n, decimal.Decimal(n)) for n in range(101, 161)], columns=("id", "name", "balance")))
    say("records", await connection.fetchrow("SELECT count(*), sum(balance) FROM customers WHERE id > 100"))
    out = bytearray()

    async def collect(block):
        out.extend(block)

    say("out", await connection.copy_from_query("SELECT id, name FROM customers WHERE id < $1 ORDER BY id", 3, output=collect, format="csv"))
    say("text", bytes(out))
    out.clear()
    say("table", await connection.copy_from_table("customers", columns=("id",), output=collect), len(bytes(out).split()))
    await fails("atomic", connection.executemany("INSERT INTO notes (id, body) VALUES ($1, $2)", [(1, "a"), (2, "b"), (1, "c")]))
    say("nothing", await connection.fetchval("SELECT count(*) FROM notes"))
    await connection.close()


@async_step
async def reads_over_all_shards():
    connection = await with_customers()
    await connection.executemany("INSERT INTO orders VALUES ($1, $2, $3, $4)",
                                 [(customer, order, dt.date(2024, order, 1), customer * order)
                                  for customer in range(1, 6) for order in range(1, 4)])
    for query, arguments in (("SELECT count(*), sum(balance), avg(balance) FROM customers", ()),
                             ("SELECT country, count(*) FROM customers GROUP BY country ORDER BY country", ()),
                             ("SELECT id FROM customers WHERE id = ANY($1::bigint[]) ORDER BY id", ([1, 5, 9],)),
                             ("SELECT c.name, sum(o.amount) FROM customers c JOIN orders o ON o.customer_id = c.id "
                              "GROUP BY c.name HAVING sum(o.amount) > $1 ORDER BY 2", (10,)),
                             ("SELECT k.name, count(*) FROM customers c JOIN countries k ON k.code = c.country "
                              "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $1", (2,)),
                             ("UPDATE customers SET balance = balance + $1 WHERE country = $2", (1, "DE")),
                             ("SELECT sum(balance) FROM customers", ())):
        say("rows", await connection.fetch(query, *arguments))
    say("deleted", await connection.execute("DELETE FROM orders WHERE amount > 5"))
    say("upsert", await connection.fetchrow("INSERT INTO customers (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE "
                                            "SET name = excluded.name RETURNING id, name", 3, "upserted"))
    say("generated", await connection.fetchrow("INSERT INTO notes (body) VALUES ($1) RETURNING body, id > 0 AS positive", "n"))
    await connection.close()


@async_step
async def errors():
    connection = await with_customers(2)
    for query, arguments in (("INSERT INTO customers (id, name) VALUES ($1, $2)", (1, "again")),
                             ("SELEC $1", (1,)), ("SELECT id FROM customers WHERE nme = $1", (1,)),
                             ("SELECT * FROM no_such", ()), ("SELECT 1 / $1::int", (0,)),
                             ("INSERT INTO orders VALUES ($1, 1, NULL, 1)", (12345,)),
                             ("INSERT INTO customers (id, name, feeling) VALUES (9, 'x', $1)", ("angry",))):
        await fails(query, connection.fetch(query, *arguments))
    say("goes on", await connection.fetchval("SELECT 1"))
    await fails("too slow", connection.fetch("SELECT pg_sleep(20)", timeout=0.3))
    await fails("too slow on all", connection.fetch("SELECT count(*) FROM customers, generate_series(1, 100000000)", timeout=0.3))
    await connection.execute("SET statement_timeout = 200")
    await fails("timeout", connection.fetch("SELECT count(*) FROM customers, generate_series(1, 100000000)"))
    await connection.execute("RESET statement_timeout")
    say("goes on", await connection.fetchval("SELECT count(*) FROM customers"))
    await connection.close()


@async_step
async def a_pool():
    setup = await with_customers(16)

    async def initialize(connection):
        await connection.execute("SET application_name = 'pooled'")

    async with asyncpg.create_pool(URL, min_size=2, max_size=8, init=initialize) as pool:
        async def work(number):
            wrong = 0
            for turn in range(10):
                async with pool.acquire() as connection:
                    async with connection.transaction():
                        await connection.execute("UPDATE customers SET balance = balance + 1 WHERE id = $1", number + 1)
                        wrong += await connection.fetchval("SELECT balance FROM customers WHERE id = $1", number + 1) != (number + 1) * 10 + turn + 1
                    await connection.execute("SET TIME ZONE 'Asia/Tokyo'")
                    wrong += await connection.fetchval("SELECT current_setting('TimeZone')") != "Asia/Tokyo"
            return wrong

        say("wrong", await asyncio.gather(*[work(number) for number in range(16)]))
        say("reset", await pool.fetchval("SELECT current_setting('TimeZone')"))
    say("sum", await setup.fetchval("SELECT sum(balance) FROM customers"))
    await setup.close()


@async_step
async def listen_and_notify():
    listener, sender = await connect(), await connect()
    heard, both = [], asyncio.Event()

    def hear(connection, pid, channel, payload):
        heard.append((channel, payload))
        if len(heard) == 2:
            both.set()

    await listener.add_listener("news", hear)
    await sender.execute("NOTIFY news, 'one'")
    await sender.execute("SELECT pg_notify('news', $1)", "two")
    await asyncio.wait_for(both.wait(), 5)
    say("heard", heard)
    await listener.remove_listener("news", hear)
    await listener.close()
    await sender.close()


@async_step
async def composites_and_domains():
    connection = await connect()
    say("row", await connection.fetchval("SELECT ROW(1, 'a'::text, NULL::int)"))
    say("composite", await connection.fetchval("SELECT k FROM countries k WHERE code = 'DE'"))
    say("array", await connection.fetchval("SELECT array_agg(k ORDER BY k.code) FROM countries k"))
    say("range", await connection.fetchval("SELECT int4range(1, 5)"))
    say("reloaded", await connection.reload_schema_state())
    await connection.close()


@async_step
async def temporary_tables():
    connection = await connect()
    await connection.execute("CREATE TEMP TABLE scratch (n int)")
    await connection.copy_records_to_table("scratch", records=[(n,) for n in range(10)])
    say("sum", await connection.fetchval("SELECT sum(n) FROM scratch"))
    await connection.close()


run("asyncpg", asyncpg.__version__, clear)
