#!/bin/bash
# mysqldump: a schema with everything a dump holds, dumped, restored, and compared.
set -uo pipefail

client() { mariadb --no-defaults -u app "$@"; }
# Without what says when, and from where, the dump was made.
dump() { mariadb-dump --no-defaults -h "$MYSQL_HOST" -u app --skip-dump-date --order-by-primary "$@" 2>&1 | sed -E '/^-- Host:/d; s|/tmp/anabranch[^/]*|…|g; s/(Create|Update)_time="[^"]*"//g'; }
digest() {  # of standard input, which is a whole dump
  tee "$WORK/dump.out" | md5sum
  grep -c . "$WORK/dump.out"
  grep -qE '^(-- Dump completed|</mysqldump>)' "$WORK/dump.out" || echo '!! an unfinished dump'
}
step() { echo "== $1"; }
rows() {  # DATABASE
  local table
  for table in customers orders countries notes samples documents; do
    client -N "$1" -e "SELECT '$table', count(*) FROM $table; CHECKSUM TABLE $table" | sed "s/$1\./…/"
  done
}

printf 'driver: mysqldump %s\n' "$(mariadb-dump --version | sed -E 's/.*Distrib ([0-9.]+).*/\1/')"
readonly quotes="ü\\'\"\\\\"
{
  echo "INSERT INTO customers (id, name, country, balance, seen) VALUES (0, 'nobody', NULL, 0, NULL)"
  for n in $(seq 500); do printf ", (%d, 'customer %d %s', ELT(%d, 'DE', 'FR', 'JP'), %d / 7, '2024-02-29 12:00:00.123456')" "$n" "$n" "$quotes" $((1 + n % 3)) "$n"; done
  printf ";\nINSERT INTO orders (customer_id, order_no, placed, amount) VALUES (0, 0, NULL, 0)"
  for n in $(seq 2000); do printf ", (%d, %d, '2024-01-01' + INTERVAL %d DAY, %d)" $((1 + n % 500)) "$n" "$n" "$n"; done
  printf ";\nINSERT INTO documents VALUES (0, NULL, NULL)"
  for n in $(seq 20); do printf ", (%d, 'bytes', UNHEX(CONCAT('00FF0A27', HEX(%d))))" "$n" "$n"; done
  echo ';'
} | client shop
client shop <<'SQL'
INSERT INTO notes (id, body, made) SELECT seq, IF(seq % 5, CONCAT('note ', seq), NULL), '2024-01-01 00:00:00' FROM seq_1_to_50;
INSERT INTO samples (id, bits, clock, moment, raw, bytes, photo, doc, place, twice, colours) VALUES (1, b'1010101010', '-838:59:58.999', '1999-12-31 23:59:59.999999', x'00ff', x'0001', x'00ff0d0a1a', '{"a": "\\u00fc"}', POINT(1, 2), 0.1, 'red,blue');
SQL
client shop <<'SQL'
CREATE OR REPLACE VIEW rich AS SELECT id, name FROM customers WHERE balance > 50;
CREATE OR REPLACE TRIGGER notes_trim BEFORE INSERT ON notes FOR EACH ROW SET NEW.body = TRIM(NEW.body);
CREATE OR REPLACE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
DELIMITER //
CREATE OR REPLACE PROCEDURE listed() BEGIN SELECT body FROM notes; END//
CREATE OR REPLACE EVENT once ON SCHEDULE AT '2030-01-01 00:00:00' DISABLE DO DELETE FROM notes//
DELIMITER ;
SQL

step 'dumping'
dump shop | tee "$WORK/plain.sql" | digest
dump --no-data --routines --triggers --events shop | tee "$WORK/schema.sql"
dump --skip-extended-insert --complete-insert --hex-blob --skip-triggers --no-create-info shop notes documents samples | digest
dump --compact --where='id < 3' shop customers
dump --databases shop --add-drop-database --routines | digest
dump --xml shop countries
dump --replace --skip-add-locks --skip-disable-keys shop countries
dump --lock-all-tables --flush-logs shop countries | digest
dump shop nothing
dump nowhere

step 'all databases'
dump --all-databases --no-data --ignore-table=mysql.event 2>&1 | grep -c 'CREATE TABLE'

step 'restoring'
rows shop
client shop -e 'SET foreign_key_checks = 0; DELETE FROM orders; DELETE FROM notes; DROP TABLE customers, countries'
client shop <"$WORK/plain.sql"
echo "$?"
rows shop

step 'of one moment'
dump --single-transaction --quick shop | tee "$WORK/single.sql" | digest

step 'restoring into another database'
for one in plain single; do
  client -e 'CREATE OR REPLACE DATABASE suite_copy'
  client suite_copy <"$WORK/$one.sql"
  echo "$one: $?"
  rows suite_copy
done
dump --routines --events --no-data suite_copy | digest
client -e 'DROP DATABASE suite_copy'

step 'what is in the schema besides'
client -N shop -e 'SELECT count(*) FROM rich; SELECT twice(4); SHOW TRIGGERS' | cut -f 1-5

step 'cleaning up'
client shop -e 'DROP VIEW rich; DROP TRIGGER notes_trim; DROP FUNCTION twice; DROP PROCEDURE listed; DROP EVENT once'
client -N shop -e 'SHOW TABLES'
