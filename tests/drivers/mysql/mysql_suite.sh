#!/bin/bash
# The mysql client and the programs that come with it, as one types them and as scripts use them.
set -uo pipefail

client() { mariadb --no-defaults -u app shop "$@" 2>&1 | own; }
# Times, numbers of connections, ports, and what a server has done since it was started are each endpoint's own.
own() {
  sed -E 's/\([0-9]+(\.[0-9]+)? sec\)/(sec)/; s/^(Connection id:[[:space:]]+)[0-9]+/\1…/; s/^(Your MariaDB connection id is ).*/\1…/; s/connection [0-9]+|thread id: [0-9]+/…/g; s/^(TCP port:?[ \t]+)[0-9]+/\1…/; s/^(Uptime:[ \t]+).*/\1…/; s/Threads: [0-9].*/…/; s/^Records\/sec.*//'
}
step() { echo "== $1"; }

fill() {
  mariadb --no-defaults -u app shop <<'SQL'
DELETE FROM orders; DELETE FROM customers; DELETE FROM notes; DELETE FROM documents;
INSERT INTO customers (id, name, country, balance, seen) VALUES (1, 'one', 'DE', 10, '2024-02-29 12:00:00.5'), (2, 'two\ttab', 'FR', 20.5, NULL), (3, 'three <&> "q"', NULL, -3, NULL);
INSERT INTO customers (id, name, country) VALUES (4, 'vier Grüße 世界', 'JP'), (5, 'line\nbreak', 'DE'), (6, '', 'FR'), (7, 'back\\slash', 'JP');
INSERT INTO orders (customer_id, order_no, placed, amount) VALUES (1, 1, '2024-01-01', 10), (1, 2, '2024-01-02', 20), (2, 1, NULL, 5), (4, 1, '2024-02-01', 7);
INSERT INTO documents VALUES (1, 'bytes', x'00ff0a27'), (2, NULL, NULL);
SQL
}

printf 'driver: mysql %s\n' "$(mariadb --version | sed -E 's/.*Distrib ([0-9.]+).*/\1/')"
fill

step 'statements and formats'
client -t -e 'SELECT * FROM customers ORDER BY id'
client -B -e 'SELECT * FROM customers ORDER BY id'
client -N -e 'SELECT id, name FROM customers ORDER BY id'
client -r -B -e 'SELECT name FROM customers ORDER BY id'
client -E -e 'SELECT * FROM customers WHERE id IN (1, 3) ORDER BY id'
client -H -e 'SELECT id, name FROM customers WHERE id < 4 ORDER BY id'
client -X -e 'SELECT id, name, country FROM customers WHERE id < 4 ORDER BY id'
client -t --column-type-info -e 'SELECT id, name, balance, feeling, seen FROM customers WHERE id = 1'
client -t --binary-as-hex -e 'SELECT * FROM documents ORDER BY id'
client -t --quick -e 'SELECT id FROM customers ORDER BY id'
client -vvv -e 'SELECT 1; SELECT id FROM customers WHERE id = 1\G'
client -t -e 'SELECT country, count(*), sum(balance) FROM customers GROUP BY country ORDER BY country; SELECT c.name, sum(o.amount) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.name ORDER BY 2'

step 'commands of the client'
client -t <<'SQL'
\s
status
use shop
\u shop
SELECT database();
use nowhere
SELECT database();
prompt suite>
tee /dev/null
notee
\C utf8mb4
warnings
SELECT 1/0;
nowarning
delimiter //
SELECT 1//
delimiter ;
connect shop
SELECT database()\G
SELECT 1 \c
SELECT 2;
help contents
\! echo from the shell
SQL

step 'other databases'
client -t <<'SQL'
\u mysql
SELECT database();
SQL

step 'procedures'
client -t <<'SQL'
delimiter //
DROP PROCEDURE IF EXISTS suite_shell//
CREATE PROCEDURE suite_shell(a INT) BEGIN SELECT a; SELECT a + 1; SELECT 1/0; END//
CALL suite_shell(3)//
DROP PROCEDURE suite_shell//
SQL

step 'writing, with warnings'
client -vv --show-warnings <<'SQL'
INSERT INTO customers (id, name) VALUES (20, 'x'), (21, 'y');
UPDATE customers SET name = 'z' WHERE id >= 20;
UPDATE customers SET name = 'z' WHERE id >= 20;
INSERT IGNORE INTO customers (id, name) VALUES (22, REPEAT('long', 40));
INSERT INTO customers (id, name) VALUES (20, 'up') ON DUPLICATE KEY UPDATE name = VALUES(name);
REPLACE INTO customers (id, name) VALUES (20, 'replaced'), (23, 'new');
DELETE FROM customers WHERE id >= 20;
DELETE o FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.country = 'JP';
UPDATE customers c JOIN orders o ON o.customer_id = c.id SET c.balance = c.balance + o.amount;
SELECT id, balance FROM customers ORDER BY id;
INSERT INTO customers (id, name) VALUES (30, 'r') RETURNING id, name;
DELETE FROM customers WHERE id = 30 RETURNING name;
TRUNCATE TABLE documents;
SQL
fill

step 'warnings of several rows'
client -vv --show-warnings -e "INSERT IGNORE INTO customers (id, name) VALUES (20, 'x'), (22, REPEAT('long', 40)); DELETE FROM customers WHERE id >= 20"

step 'transactions'
client -vv <<'SQL'
BEGIN; UPDATE customers SET balance = 0 WHERE id = 1; SAVEPOINT a; DELETE FROM orders WHERE customer_id = 1; ROLLBACK TO a; COMMIT;
SET autocommit = 0; DELETE FROM customers WHERE id = 7; ROLLBACK; SET autocommit = 1;
SELECT balance, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) n FROM customers c WHERE id = 1; SELECT count(*) FROM customers;
START TRANSACTION READ ONLY; SELECT count(*) FROM orders; COMMIT;
SQL

step 'xa'
client -vv -e "XA START 'suite'; UPDATE customers SET balance = 1 WHERE id = 2; XA END 'suite'; XA PREPARE 'suite'; XA RECOVER; XA ROLLBACK 'suite'"

step 'errors'
client -e 'SELECT 1; SELEC 2; SELECT 3'; echo "status ${PIPESTATUS[0]}"
client --force -t -e 'SELECT 1; SELEC 2; SELECT nme FROM customers; SELECT * FROM nothing; INSERT INTO customers (id, name) VALUES (1, 2); SELECT 3'
client --safe-updates --force -e 'UPDATE customers SET name = 1; DELETE FROM customers; SELECT @@sql_safe_updates, @@sql_select_limit'
client -pwrong -e 'SELECT 1'
mariadb --no-defaults -u nobody -px shop -e 'SELECT 1' 2>&1 | own
mariadb --no-defaults -u app nowhere -e 'SELECT 1' 2>&1 | own
client --connect-timeout=5 --init-command='SELEC 1' -e 'SELECT 2'

step 'with and without tls'
client --ssl --ssl-ca="$MYSQL_CA" --ssl-verify-server-cert -e 'SELECT 1' 
client --ssl -e '\s' | grep -E '^SSL'
client --skip-ssl -e '\s' | grep -E '^SSL'

step 'character sets'
for charset in latin1 utf8mb3 cp1252; do client --default-character-set=$charset -N -e "SELECT name, @@character_set_client, @@collation_connection FROM customers WHERE id = 4" | od -c; done

step 'files in and out'
seq 100 5000 | sed 's/.*/&\tloaded &/' >"$WORK/rows.txt"
client --local-infile=1 -vv -e "LOAD DATA LOCAL INFILE '$WORK/rows.txt' INTO TABLE customers (id, name)" | sed "s|$WORK|…|"
client -N -e 'SELECT count(*), sum(id), max(name) FROM customers WHERE id >= 100'
cp "$WORK/rows.txt" "$WORK/customers.txt"
mariadb-import --no-defaults -h "$MYSQL_HOST" -u app --local --ignore --columns=id,name shop "$WORK/customers.txt" 2>&1 | sed "s|$WORK|…|"
mariadb-import --no-defaults -h "$MYSQL_HOST" -u app --local --replace --columns=id,name shop "$WORK/customers.txt" 2>&1 | sed "s|$WORK|…|"
client -N -e 'DELETE FROM customers WHERE id >= 100; SELECT ROW_COUNT()'
client --local-infile=0 -e "LOAD DATA LOCAL INFILE '$WORK/rows.txt' INTO TABLE customers (id, name)" | sed "s|$WORK|…|"
printf 'SELECT 1;\nsource %s\nSELECT 3;\n' "$WORK/inner.sql" >"$WORK/outer.sql"
echo 'SELECT 2;' >"$WORK/inner.sql"
client <"$WORK/outer.sql"

step 'a large statement'
{ printf "INSERT INTO documents VALUES (9, 'large', '"; head -c 20000000 /dev/zero | tr '\0' b; printf "');\n"; } | client --max-allowed-packet=64M
client -N -e 'SELECT id, length(body) FROM documents ORDER BY id'
client -N --max-allowed-packet=64M -e 'SELECT body FROM documents WHERE id = 9' | wc -c
client -e 'DELETE FROM documents WHERE id = 9'

step 'what describes the schema'
client -t -e 'SHOW TABLES; DESCRIBE orders; SHOW CREATE TABLE customers; SHOW INDEX FROM orders; SHOW FULL COLUMNS FROM notes; SHOW TABLE STATUS LIKE "countries"' | sed -E 's/\| A +\| +[0-9]+ +\|/| A | … |/; s/2[0-9]{3}-[0-9]{2}-[0-9]{2} [0-9:]{8}/…/g'
mariadb-show --no-defaults -h "$MYSQL_HOST" -u app 2>&1
mariadb-show --no-defaults -h "$MYSQL_HOST" -u app shop 2>&1
mariadb-show --no-defaults -h "$MYSQL_HOST" -u app --count shop countries 2>&1
mariadb-show --no-defaults -h "$MYSQL_HOST" -u app --keys shop orders 2>&1 | sed -E 's/(\| A +\| )[0-9]+ /\1… /' 
client -t -e 'EXPLAIN SELECT * FROM customers WHERE id = 1; EXPLAIN FORMAT=JSON SELECT * FROM countries'

step 'administration'
admin() { mariadb-admin --no-defaults -h "$MYSQL_HOST" -u app "$@" 2>&1 | own; }
admin ping
admin -pwrong ping
admin version | grep -v -E 'Ver|Uptime|^…'
admin flush-tables
admin extended-status | grep -c .
admin processlist | grep -c 'Query'
admin kill 1999999999
admin debug refresh
mariadb-check --no-defaults -h "$MYSQL_HOST" -u app shop 2>&1
mariadb-check --no-defaults -h "$MYSQL_HOST" -u app --analyze shop countries 2>&1

step 'databases made and dropped'
admin create suite_made
admin create suite_made
client -N -e "SHOW DATABASES LIKE 'suite%'"
admin -f drop suite_made

step 'kills'
mariadb --no-defaults -u app -N shop -e 'SELECT connection_id(); SELECT SLEEP(30), id FROM customers WHERE id = 1' >"$WORK/slept" 2>&1 -n &
slept=$!
for _ in $(seq 100); do [[ -s $WORK/slept ]] && break; sleep 0.1; done
client -e "KILL QUERY $(head -n 1 "$WORK/slept")"
wait "$slept"
echo "ended with $?"
tail -n +2 "$WORK/slept"
