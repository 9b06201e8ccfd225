#!/bin/bash
# pgbench: initialization and every built-in script in every query mode. The seed is fixed, and what is
# added does not depend on the order, so that the sums at the end are the same everywhere.
set -uo pipefail

sums() {
  psql -XAtc 'SELECT count(*), sum(abalance) FROM pgbench_accounts' -c 'SELECT sum(tbalance) FROM pgbench_tellers' -c 'SELECT sum(bbalance) FROM pgbench_branches' \
    -c 'SELECT count(*), sum(delta) FROM pgbench_history'
}
bench() {  # what counts of pgbench's report
  pgbench -n --random-seed=42 "$@" 2>&1 | grep -E 'transaction type|query mode|actually processed|failed|ERROR|FATAL|aborted' || echo '!! pgbench said nothing'
}
initialize() {
  pgbench -i -q "$@" 2>&1 | sed -E 's/ in [0-9.]+ s.*//; s/[0-9.]+ s[,)].*//; s/\(elapsed.*//; s/\(drop.*//' | grep -v '^ *$' | tr '\r' '\n' | grep -Ev 'tuples \('
}
modes() {
  local mode script
  for script in simple-update select-only "$@"; do
    for mode in simple extended prepared; do bench -b "$script" -M "$mode" -c 6 -j 2 -t 20; done
  done
  sums
}

drop() {
  local table
  for table in accounts branches history tellers; do psql -Xqc "DROP TABLE IF EXISTS pgbench_$table" 2>/dev/null || echo '!! dropping'; done
}

printf 'driver: pgbench %s\n' "$(pgbench --version | sed 's/.* \([0-9.]*\) .*/\1/')"

echo '== one server behind it: initialization'
PGDATABASE=plain initialize -s 1
echo '== one server behind it: all scripts'
PGDATABASE=plain modes tpcb-like
PGDATABASE=plain initialize -I d

echo '== sharded accounts: tables'
drop
initialize -I t
psql -Xqc "\\copy pgbench_branches (bid, bbalance) FROM PROGRAM 'printf \"1\\t0\\n\"'"
psql -Xqc "INSERT INTO pgbench_tellers (tid, bid, tbalance) SELECT n, 1, 0 FROM generate_series(1, 10) n"
seq 1 100000 | sed 's/$/\t1\t0\t/' | psql -Xc '\copy pgbench_accounts FROM stdin'
initialize -I vp
echo '== sharded accounts: scripts that keep to one account'
modes
echo '== sharded accounts: scripts of several shards'
bench -b tpcb-like -t 5
sums
echo '== sharded accounts: initialization'
drop
initialize -s 1
drop
