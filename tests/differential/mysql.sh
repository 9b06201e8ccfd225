# What scripts/differential, which reads this, has done with MariaDB's servers and MySQL's clients.

readonly map_template=$tests/mysql/map.yaml.in case_folder=$tests/mysql
# What a server works at for longer would fill the disk with temporary tables.
readonly cluster_options=(--mariadb -o max_statement_time=15) runner_options=(--mysql)

# The proxy's port, and those of its servers: rows are put back there.
conninfo() { local IFS=,; echo "$1${2:+/${*:2}}"; }
way_in() { echo "mariadb --no-defaults -h 127.0.0.1 -P ${1%%/*} -u app -papp-secret --default-character-set=utf8mb4 shop"; }
mysql_app() {  # PORT ARGUMENT...
  mariadb --no-defaults --default-character-set=utf8mb4 -h 127.0.0.1 -P "$1" -u app -papp-secret shop "${@:2}"
}
# PORT. @shards: how many there are to name.
load() { { echo "SET @shards = ${count:-4};"; cat "$tests/mysql/schema.sql" "$tests/mysql/data.sql"; } | mysql_app "$1"; }

load_single() { load "$2"; }  # CLUSTER PORT
load_plain() { load "$2"; }   # CLUSTER PORT

# Which rows of a table are not this shard's, as conditions, a line a shard: `anabranch route` says it of each key.
strangers() {  # MAP TABLE KEY-EXPRESSION PORT
  local keys literals at
  mapfile -t literals < <(mysql_app "$4" -N -r -e "SELECT DISTINCT QUOTE($3) FROM $2 ORDER BY 1")
  mapfile -t keys < <(mysql_app "$4" -N -r -e "SELECT COALESCE($3, '\\\\N') FROM $2 GROUP BY QUOTE($3) ORDER BY QUOTE($3)")
  at=0
  "$build/anabranch" route -c "$1" -d shop -t "$2" -- "${keys[@]}" | while IFS= read -r line; do
    echo "${line##*$'\t'} $2 $3 <=> ${literals[at]}"
    at=$((at + 1))
  done
}

# The same of a key of two columns, whose parts are a record of CSV.
strangers_of_two() {  # MAP TABLE FIRST SECOND PORT
  local keys literals at=0 from="FROM (SELECT DISTINCT $3 AS a, $4 AS b FROM $2) AS pairs ORDER BY a, b"
  mapfile -t literals < <(mysql_app "$5" -N -r -e "SELECT CONCAT('$3 <=> ', QUOTE(a), ' AND $4 <=> ', QUOTE(b)) $from")
  mapfile -t keys < <(mysql_app "$5" -N -r -e "SELECT CONCAT(COALESCE(a, '\\\\N'), ',', COALESCE(CONCAT('\"', b, '\"'), '\\\\N')) $from")
  "$build/anabranch" route -c "$1" -d shop -t "$2" -- "${keys[@]}" | while IFS= read -r line; do
    echo "${line##*$'\t'} $2 ${literals[at]}"
    at=$((at + 1))
  done
}

# Every shard gets all rows, and loses those that are another's: what is tested does not place its own rows.
load_shards() {  # CLUSTER SHARDS MAP PORT...
  local map=$3 ports=("${@:4}") i rows=$work/placement-$2
  for i in "${!ports[@]}"; do load "${ports[i]}"; done
  {
    strangers "$map" users id "${ports[0]}"
    strangers "$map" orders user_id "${ports[0]}"
    strangers "$map" order_items user_id "${ports[0]}"
    strangers "$map" events 'EXTRACT(YEAR_MONTH FROM created_at)' "${ports[0]}"
    strangers "$map" measurements sensor "${ports[0]}"
    strangers "$map" kinds k "${ports[0]}"
    strangers "$map" tags tag "${ports[0]}"
    strangers "$map" places country "${ports[0]}"
    strangers "$map" logins user_id "${ports[0]}"
    strangers "$map" accounts tenant "${ports[0]}"
    strangers "$map" invoices tenant "${ports[0]}"
    strangers_of_two "$map" shelves warehouse sku "${ports[0]}"
    strangers_of_two "$map" moves warehouse sku "${ports[0]}"
  } >"$rows"
  for i in "${!ports[@]}"; do
    awk -v mine="s$((i + 1))" '$1 != mine { table = $2; sub(/^[^ ]+ [^ ]+ /, ""); print "DELETE FROM " table " WHERE " $0 ";" }' \
      "$rows" >"$work/strangers.sql"
    [[ $i -eq 0 ]] || echo 'DROP TABLE notes, stock, tenancies; DROP PROCEDURE list_notes;' >>"$work/strangers.sql"
    [[ $i -eq $((${#ports[@]} - 1)) ]] || echo 'DROP TABLE audit_log;' >>"$work/strangers.sql"
    mysql_app "${ports[i]}" <"$work/strangers.sql"
  done
}
load_through() { :; }

# A database without schemes in front of another server.
plain_map() {  # PROXY_PORT SERVER_PORT
  cat <<YAML
listen: {mysql: "127.0.0.1:$1"}
threads: 2
users: [{name: app, password: app-secret}]
databases:
  "*":
    kind: mysql
    backend: {user: app, password: app-secret, tls: disable}
    shards: {s1: {primary: "127.0.0.1:$2"}}
YAML
}
ask() { scripts/cluster psql "$1" "$2" -N -e "$3"; }  # CLUSTER SERVER SQL
