# shellcheck shell=bash disable=SC2034,SC2154
# What is PostgreSQL's own in scripts/demo, which reads this.

readonly servers=PostgreSQL listener=postgres
start_servers() { scripts/cluster start demo -n 4; }

client() { PGPASSWORD=app-secret psql -X -h 127.0.0.1 -p "$port" -U app -d shop -v ON_ERROR_STOP=1 "$@"; }
how_to_connect() { echo "PGPASSWORD=app-secret psql -h 127.0.0.1 -p $port -U app shop"; }

run_file() { client -q -f "$1"; }
value_of() { client -At -c "$1"; }  # SQL: its one value
copy_csv() { client -q -c "\\copy $1 FROM '$2' WITH (FORMAT csv, NULL '\\N', ESCAPE '\\')"; }  # TABLE FILE
copy_tabs() { client -q -c "COPY $1 FROM STDIN"; }  # TABLE, from standard input
after_loading() { client -q -c 'ANALYZE airlines' -c 'ANALYZE routes' -c 'ANALYZE hits' -c 'ANALYZE airports'; }
plan_of() { client -At -c "EXPLAIN $1" 2>&1; }
rows_of() { client -q -c '\pset footer off' -c '\timing on' -c "$1" 2>&1 | grep -v '^Default footer' || true; }
