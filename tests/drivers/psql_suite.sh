#!/bin/bash
# psql: what people type, scripts run in one transaction, \d and its kin, \copy, cursors, variables.
set -uo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

run() {  # psql, both streams, without what is each endpoint's own
  psql -X "$@" 2>&1 | sed -E 's/port "?[0-9]+"?/port …/; s/LOCATION: .*/LOCATION: …/; s/large object [0-9]+|lo_import [0-9]+/large object …/; s/lo_unlink [0-9]+/lo_unlink …/' |
    grep -vxE '(CONTEXT:  )?shard s[0-9]' # an error of one part of a statement says which shard it comes from
}
step() {
  printf '== %s\n' "$1"
  local table
  for table in customers samples documents notes; do psql -Xqc "DELETE FROM $table" || echo '!! clearing'; done
}
customers() {
  local n
  for n in $(seq "$1"); do echo "INSERT INTO customers (id, name, country, balance) VALUES ($n, 'customer $n', 'DE', $n * 10);"; done | psql -Xq
}

printf 'driver: psql %s\n' "$(psql --version | sed 's/[^0-9]*\([0-9.]*\).*/\1/')"

step 'statements and formats'
customers 5
run <<'E'
SELECT id, name, balance, feeling, seen FROM customers ORDER BY id;
\x
SELECT * FROM customers WHERE id = 3;
\x
\pset format csv
SELECT country, count(*), avg(balance) FROM customers GROUP BY country;
\pset format html
SELECT count(*) FROM customers;
\pset format aligned
\pset null (none)
SELECT NULL AS nothing, 1.50 AS number;
SELECT 1 AS one \; SELECT id FROM customers WHERE id = 2 \; SELECT 3 AS three;
TABLE countries ORDER BY code;
VALUES (1, 'a'), (2, 'b');
INSERT INTO customers (id, name) VALUES (6, 'six'), (7, 'seven'), (8, 'eight');
UPDATE customers SET name = upper(name);
DELETE FROM customers WHERE id > 5 RETURNING id > 5 AS more;
SELECT count(*) FROM customers \g (format=unaligned)
SELECT format('SELECT %s AS generated', n) FROM generate_series(1, 2) n \gexec
SELECT 5 AS five, 'x' AS ex \gset
\echo :five :'ex'
SELECT name FROM customers WHERE id = :five;
SELECT id, balance FROM customers \gdesc
SELECT id AS row, country AS col, balance FROM customers ORDER BY 1 \crosstabview
E

step 'errors'
run <<'E'
SELECT 1 / 0;
SELEC 1;
SELECT nme FROM customers;
SELECT *
FROM no_such_table;
\set VERBOSITY verbose
INSERT INTO notes (id, body) VALUES (1, 'a'), (1, 'b');
\set VERBOSITY sqlstate
SELECT 'x'::int;
\set VERBOSITY default
INSERT INTO customers (id, name, country) VALUES (1, 'a', 'XX');
\echo :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE
E
run -v ON_ERROR_STOP=1 -c 'SELECT 1' -c 'SELECT nothing' -c 'SELECT 2'
printf 'status: %d\n' $?

step 'transactions'
customers 3
run <<'E'
BEGIN;
UPDATE customers SET balance = 1 WHERE id = 1;
SAVEPOINT a;
INSERT INTO customers (id, name) VALUES (1, 'a');
SELECT 1;
ROLLBACK TO a;
COMMIT;
\set ON_ERROR_ROLLBACK on
BEGIN;
UPDATE customers SET balance = 2 WHERE id = 2;
SELECT 1 / 0;
COMMIT;
\set AUTOCOMMIT off
UPDATE customers SET balance = 3 WHERE id = 3;
ROLLBACK;
SELECT id, balance FROM customers ORDER BY id;
COMMIT;
\set AUTOCOMMIT on
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SHOW transaction_isolation;
SHOW transaction_read_only;
END;
START TRANSACTION;
SELECT count(*) FROM customers;
COMMIT AND CHAIN;
ROLLBACK;
E
run --single-transaction <<'E'
UPDATE customers SET balance = 9 WHERE id = 1;
SELECT balance FROM customers WHERE id = 1;
E

step 'settings'
run <<'E'
SHOW TimeZone;
SET TIME ZONE 'Asia/Tokyo';
SELECT timestamptz '2024-01-01 00:00:00+00';
SET DateStyle = 'German';
SELECT date '2024-02-03';
BEGIN; SET LOCAL TimeZone = 'UTC'; SHOW TimeZone; COMMIT;
SHOW TimeZone;
RESET ALL;
SHOW DateStyle;
SET search_path = pg_catalog;
SELECT count(*) FROM public.customers;
SELECT 1 FROM customers;
SELECT set_config('my.own', 'value', false);
SHOW my.own;
\encoding
SET client_encoding = 'LATIN1';
SELECT octet_length(convert_to('ab', 'UTF8'));
E

step 'descriptions'
run <<'E'
\d customers
\d orders
\d countries
\d notes
\d+ documents
\dt customers|orders|notes
\di customers_pkey
\ds notes*
\dT mood
\dT+ mood
\dn
\df no_such*
\dv
\d no_such_table
\dp customers
\conninfo
E

step 'copying'
printf '1,one\n2,"two, three"\n3,\n' >"$scratch/in.csv"
run <<E
\copy customers (id, name) FROM '$scratch/in.csv' (FORMAT csv, FORCE_NOT_NULL (name))
SELECT id, name FROM customers ORDER BY id;
\copy (SELECT id, name FROM customers ORDER BY id) TO stdout (FORMAT csv, HEADER)
COPY notes (body) FROM STDIN;
one
two
\.
SELECT body FROM notes ORDER BY id;
COPY countries TO STDOUT;
\copy customers TO '$scratch/out.txt'
E
sort "$scratch/out.txt"

step 'copying what is wrong'
run <<'E'
COPY customers (id, name, balance) FROM STDIN;
10	ten	1
11	eleven	not a number
\.
COPY customers (id, name) FROM STDIN;
x	no key
\.
SELECT count(*) FROM customers;
E

step 'fetching by cursor'
customers 12
run -v FETCH_COUNT=5 -A <<'E'
SELECT id FROM customers ORDER BY id;
SELECT code FROM countries ORDER BY code;
E

step 'prepared in SQL'
customers 3
run <<'E'
PREPARE one (bigint) AS SELECT name FROM customers WHERE id = $1;
EXECUTE one (2);
EXECUTE one (3);
PREPARE note AS INSERT INTO notes (body) VALUES ($1) RETURNING body;
EXECUTE note ('prepared');
DEALLOCATE one;
EXECUTE one (1);
DEALLOCATE ALL;
E

step 'maintenance'
customers 3
run <<'E'
VACUUM notes;
VACUUM ANALYZE customers;
SET client_min_messages = error;
ANALYZE;
RESET client_min_messages;
REINDEX TABLE notes;
CREATE INDEX CONCURRENTLY notes_made ON notes (made);
DROP INDEX CONCURRENTLY notes_made;
CREATE INDEX CONCURRENTLY customers_name ON customers (name);
DROP INDEX CONCURRENTLY customers_name;
CREATE VIEW rich AS SELECT id, name FROM customers WHERE balance > 10;
SELECT count(*) FROM rich;
\d+ rich
DROP VIEW rich;
CREATE TABLE passing (a int);
ALTER TABLE passing ADD COLUMN b text DEFAULT 'x';
INSERT INTO passing VALUES (1);
TABLE passing;
TRUNCATE passing;
DROP TABLE passing;
CREATE SEQUENCE counter START 5;
SELECT nextval('counter');
SELECT setval('counter', 10);
DROP SEQUENCE counter;
COMMENT ON TABLE customers IS 'those who buy';
SELECT obj_description('customers'::regclass);
COMMENT ON TABLE customers IS NULL;
GRANT SELECT ON customers TO PUBLIC;
REVOKE SELECT ON customers FROM PUBLIC;
E

step 'blocks'
# What a block does no parser sees: over several shards it needs a hint, which is a comment elsewhere.
run <<'E'
/* anabranch: shard=s1 */ DO $$ BEGIN RAISE NOTICE 'said in a block'; END $$;
E

step 'functions'
run <<'E'
CREATE FUNCTION twice (n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
SELECT twice(4);
DROP FUNCTION twice;
E

step 'large objects'
printf 'the contents' >"$scratch/in.txt"
run <<E
\lo_import '$scratch/in.txt'
\lo_export :LASTOID '$scratch/out.txt'
\lo_unlink :LASTOID
E
cat "$scratch/out.txt"
echo
