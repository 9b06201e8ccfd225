# shellcheck shell=bash disable=SC2034,SC2154
# What is MariaDB's own in scripts/demo, which reads this. The data comes as that of a database that has outgrown its
# server: one more server holds it all, and its dump is loaded through Anabranch.

readonly servers=MariaDB listener=mysql
start_servers() { scripts/cluster start demo -n 4 --single --mariadb; }

server() { mariadb --no-defaults --default-character-set=utf8mb4 --local-infile=1 -h 127.0.0.1 -u app shop "$@"; }
export MYSQL_PWD=app-secret
client() { server -P "$port" "$@"; }
outgrown() { server -P "$CLUSTER_PORT_SINGLE" "$@"; }
how_to_connect() { echo "mariadb --no-defaults -h 127.0.0.1 -P $port -u app -papp-secret shop"; }

run_file() {
  outgrown <"$1"
  client <"$1"
}
value_of() { client -N -e "$1"; }  # SQL: its one value
move() {  # TABLE
  mariadb-dump --no-defaults -h 127.0.0.1 -P "$CLUSTER_PORT_SINGLE" -u app --no-create-info --compact --no-tablespaces \
    --skip-lock-tables shop "$1" | client
}
copy_csv() {  # TABLE FILE
  outgrown -e "LOAD DATA LOCAL INFILE '$2' INTO TABLE $1 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'"
  move "$1"
}
copy_tabs() {  # TABLE, from standard input
  outgrown -e "LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE $1"
  move "$1"
}
after_loading() { :; }
# A refusal is shown where the rows would be.
plan_of() { client -N -r -e "EXPLAIN $1" 2>/dev/null | grep -v '^--' || true; }
rows_of() { client -t -v -v -v -e "$1" 2>&1 | grep -E '^(\+|\||ERROR|Empty set|[0-9]+ rows? in set)' || true; }
