#!/bin/bash
# sysbench: its oltp_* tests, a fixed number of transactions each. The seed is fixed and one thread writes, so
# that the rows at the end are the same everywhere.
set -uo pipefail

bench() {  # TEST COMMAND ARGUMENT…
  sysbench "$1" --db-driver=mysql --mysql-host="$MYSQL_HOST" --mysql-port="$MYSQL_TCP_PORT" --mysql-user=app --mysql-password=app-secret \
    --mysql-db=shop --tables=2 --table-size=1000 --auto_inc=off --rand-seed=42 --time=0 "${@:3}" "$2" 2>&1 |
    sed -E 's/ +\([0-9.]+ per sec\.\)//' |
    grep -E '^Creating|^Inserting|^Dropping|read:|write:|other:|total:|transactions:|queries:|errors:|reconnects:|FATAL|ALERT|error' || echo '!! sysbench said nothing'
}
rows() {
  local table
  for table in sbtest1 sbtest2; do
    mariadb --no-defaults -u app shop -N -e "SELECT count(*), sum(id), sum(k), sum(crc32(c)), sum(crc32(pad)) FROM $table"
  done
}
step() { echo "== $1"; }

printf 'driver: sysbench %s\n' "$(sysbench --version | sed 's/sysbench //')"
mariadb --no-defaults -u app shop -e 'DROP TABLE IF EXISTS sbtest1, sbtest2'

step 'preparing'
bench oltp_read_write prepare
# What it has filled in is not the seed's.
for table in sbtest1 sbtest2; do
  mariadb --no-defaults -u app shop -e "UPDATE $table SET k = 1 + id * 7919 % 1000, c = CONCAT('text ', id * 31), pad = CONCAT('pad ', id * 17)"
done
rows

step 'reading'
for prepared in auto disable; do
  bench oltp_point_select run --events=500 --threads=4 --db-ps-mode=$prepared
  bench oltp_read_only run --events=40 --threads=4 --db-ps-mode=$prepared
  bench select_random_points run --events=50 --threads=2 --db-ps-mode=$prepared
  bench select_random_ranges run --events=50 --threads=2 --db-ps-mode=$prepared
done

step 'writing to one row at a time'
for prepared in auto disable; do
  bench oltp_update_index run --events=100 --threads=1 --db-ps-mode=$prepared
  bench oltp_update_non_index run --events=100 --threads=1 --db-ps-mode=$prepared
  bench oltp_delete run --events=50 --threads=1 --db-ps-mode=$prepared
  rows
done

step 'transactions that write to several shards'
for prepared in auto disable; do
  bench oltp_read_write run --events=40 --threads=1 --db-ps-mode=$prepared
  bench oltp_write_only run --events=40 --threads=1 --db-ps-mode=$prepared
  rows
done
bench oltp_read_write run --events=60 --threads=4 --mysql-ignore-errors=1062,1213,1020 --skip-trx=on | grep -E 'transactions:'

step 'cleaning up'
bench oltp_read_write cleanup
