# What scripts/differential, which reads this, has done with PostgreSQL's servers and clients.

readonly folder=$tests${corpus:+/$corpus}
readonly schema=$folder/schema.sql map_template=$folder/map.yaml.in case_folder=$folder/cases
readonly cluster_options=() runner_options=()

conninfo() { echo "host=127.0.0.1 port=$1 user=app password=app-secret dbname=shop"; }
way_in() { echo "psql '$(conninfo "$1")'"; }
quietly() {  # CLUSTER SERVER PSQL-ARGUMENT...: superuser, stops at the first error
  scripts/cluster psql "$1" "$2" -q -v ON_ERROR_STOP=1 "${@:3}" >/dev/null
}
# Types get another OID on every shard: so much for proxies that pass them on.
make_types() {  # CLUSTER SERVER NUMBER
  local i arguments=()
  for ((i = 0; i < $3; i++)); do arguments+=(-c "CREATE TYPE filler_$i AS ENUM ('x')"); done
  quietly "$1" "$2" "${arguments[@]}" -c 'SET ROLE app' -f "$tests/types.sql"
}
psql_app() {  # PORT ARGUMENT...
  PGPASSWORD=app-secret /usr/lib/postgresql/15/bin/psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 \
    -p "$1" -U app -d shop "${@:2}" >"${psql_out:-/dev/null}"
}

load() { psql_app "$1" -v scale="$scale" -v shards="${count:-4}" -f "$schema" -f "$folder/data.sql"; }  # PORT
load_documents() { [[ -n $corpus ]] || psql_app "$1" -v names="$2" -v bucket="$3" -f "$tests/documents.sql"; }  # PORT NAMES BUCKET
load_single() {  # CLUSTER PORT
  make_types "$1" single 0
  load "$2"
  load_documents "$2" '' -1
}
load_plain() {  # CLUSTER PORT
  make_types "$1" 1 5
  load "$2"
  load_documents "$2" '' -1
}
# Tables and rows come through the proxy.
load_shards() {  # CLUSTER SHARDS MAP PORT...
  local i
  for ((i = 1; i <= $2; i++)); do
    make_types "$1" "$i" "$((i * 3))"
    # Few rows seem to cost much to two shards: gathers take turns wherever they can.
    [[ $2 -ne 2 ]] || quietly "$1" "$i" -c 'ALTER ROLE app SET cpu_tuple_cost = 10000' -c 'ALTER ROLE app SET jit = off'
  done
  [[ -n $corpus ]] || load_buckets "$3" "${@:4}"
}
# Each bucket's tables, where the map has them.
load_buckets() {  # MAP PORT...
  local key bucket shard ports=("${@:2}")
  while read -r key bucket shard; do
    load_documents "${ports[${shard#s} - 1]}" "$(printf '%02d' "$bucket")" "$bucket"
  done < <("$build/anabranch" route -c "$1" -d shop -t documents {0..15})
}
load_through() {  # PROXY_PORT SINGLE_PORT
  if [[ -z $corpus ]]; then load "$1"; else copy_tables "$2" "$1"; fi
}
# Rows that one server has made.
copy_tables() {  # FROM_PORT TO_PORT
  local table
  psql_app "$2" -f "$schema"
  for table in $(sed -n 's/^CREATE TABLE \([a-z]*\) .*/\1/p' "$schema"); do
    psql_out=/dev/stdout psql_app "$1" -c "COPY $table TO STDOUT" | psql_app "$2" -c "COPY $table FROM STDIN"
  done
}
plain_map() { :; }
ask() { scripts/cluster psql "$1" "$2" -Atc "$3"; }  # CLUSTER SERVER SQL
