"""PyMySQL: the DB-API in pure Python."""
import pymysql
import pymysql.cursors

import dbapi
from dbapi import CA, connect, fails, rows
from steps import run, say, step

dbapi.use(pymysql, pymysql.cursors)


@step
def tls_as_verified():
    connection = connect(ssl_ca=CA, ssl_verify_cert=True, ssl_verify_identity=True)
    say("verified", rows(connection.cursor(), "SELECT 1"))
    connection.close()


@step
def pings_and_reconnects():
    connection = connect()
    connection.ping()
    say("open", connection.open)
    killer = connect()
    killer.cursor().execute("KILL %d" % connection.thread_id())
    fails("killed", lambda: connection.cursor().execute("SELECT 1"))
    connection.ping(reconnect=True)
    say("again", rows(connection.cursor(), "SELECT database()"))
    connection.close()
    fails("closed", lambda: connection.ping(reconnect=False))
    killer.close()


@step
def cursors_of_its_own():
    connection, _ = dbapi.with_customers(4)
    streamed = connection.cursor(pymysql.cursors.SSDictCursor)
    streamed.execute("SELECT id, name FROM customers ORDER BY id")
    say("streamed", [row for row in streamed.fetchall_unbuffered()])
    with connection.cursor() as cursor:
        say("mogrified", cursor.mogrify("SELECT %s, %s", ("it's", b"\x00'")))
        cursor.execute("SELECT %(a)s, %(b)s", {"a": "x'y", "b": None})
        say("named", cursor.fetchall())
    fails("in the middle", lambda: streamed.execute("SELECT 1; SELECT 2"))
    connection.close()


@step
def a_packet_beyond_the_limit():
    connection = connect()
    try:
        connection.cursor().execute("SELECT length('%s')" % ("x" * (65 << 20)))
        say("no error")
    except pymysql.err.Error as error:
        # A server that closes while it is written to is seen as a reset connection, or as what it said before.
        say("error", error.args[0] in (1153, 2006, 2013))
    try:
        connection.cursor().execute("SELECT 1")
        say("after it", "no error")
    except pymysql.err.Error as error:
        say("after it", error.args[0] in (0, 2006, 2013))


run("PyMySQL", pymysql.__version__, dbapi.clear)
