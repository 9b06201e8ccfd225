"""mysqlclient (MySQLdb): the DB-API over the C library."""
import MySQLdb
import MySQLdb.cursors

import dbapi
from dbapi import connect, fails, rows
from steps import run, say, step

dbapi.use(MySQLdb, MySQLdb.cursors)


@step
def the_library_below():
    connection = connect()
    connection.query("SELECT id, name FROM customers; ")
    say("stored", connection.store_result().num_rows(), connection.field_count(), connection.affected_rows())
    connection.query("SELECT code FROM countries ORDER BY code")
    used = connection.use_result()
    say("used", used.fetch_row(2), used.fetch_row(0), used.describe())
    say("escaped", connection.escape_string("it's"), connection.literal(["x", None, 1]))
    say("statistics", "Uptime" in connection.stat(), connection.ping(), connection.info())
    connection.query("UPDATE countries SET name = name")
    say("info", connection.info(), connection.warning_count())
    fails("commands out of sync", lambda: (connection.query("SELECT 1"), connection.query("SELECT 2")))
    connection.close()


@step
def another_user():
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SET @kept = 1")
    connection.change_user("other", "other-secret", "shop")
    say("who", rows(cursor, "SELECT current_user(), database(), @kept"))
    fails("not allowed", lambda: cursor.execute("DELETE FROM countries"))
    fails("wrong", lambda: connection.change_user("app", "wrong", "shop"))
    connection.close()


@step
def options_of_the_server():
    connection, cursor = dbapi.with_customers(2)
    connection.autocommit(False)
    say("autocommit", connection.get_autocommit(), rows(cursor, "SELECT @@autocommit"))
    connection.autocommit(True)
    connection.set_server_option(1)  # MYSQL_OPTION_MULTI_STATEMENTS_OFF
    fails("not two", lambda: rows(connection.cursor(), "SELECT 1; SELECT 2"))
    connection.set_server_option(0)
    say("two", rows(cursor, "SELECT 1; SELECT 2"), cursor.nextset(), list(cursor.fetchall()))
    connection.close()


run("mysqlclient", MySQLdb.__version__, dbapi.clear)
