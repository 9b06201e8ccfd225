# TPC-H over four shards, which scripts/bench, that reads this, times against one server with all rows and against
# postgres_fdw before the same shards.

readonly scale=${ANABRANCH_BENCH_SCALE:-1} tpch=$root/tests/differential/tpch
readonly tpch_limit='60s'

tpch_tables() { sed -n 's/^CREATE TABLE \([a-z]*\) .*/\1/p' "$tpch/schema.sql"; }
tpch_queries() { grep -E '^(SELECT|WITH) ' "$tpch/cases/tpch.case"; }
# The key by which hash partitions, and the scheme, place a table's rows.
tpch_key() { sed -n "s/^      $1: {scheme: [a-z_]*, key: \([a-z_]*\)}.*/\1/p" "$tpch/map.yaml.in"; }

load_tpch() {
  local table
  echo "loading TPC-H at scale $scale" >&2
  on "$CLUSTER_PORT_SINGLE" -v scale="$scale" -f "$tpch/schema.sql" -f "$tpch/data.sql" >/dev/null
  on "$anabranch_port" -f "$tpch/schema.sql"
  for table in $(tpch_tables); do
    on "$CLUSTER_PORT_SINGLE" -c "COPY $table TO STDOUT" | on "$anabranch_port" -c "COPY $table FROM STDIN"
  done
  for port in "$CLUSTER_PORT_SINGLE" "$CLUSTER_PORT_1" "$CLUSTER_PORT_2" "$CLUSTER_PORT_3" "$CLUSTER_PORT_4"; do
    on "$port" -f "$tpch/indexes.sql"
  done
}

# A parent of foreign partitions, set as well as it can be; reference tables are its own.
make_tpch_parent() {
  local i table key ports=("$CLUSTER_PORT_1" "$CLUSTER_PORT_2" "$CLUSTER_PORT_3" "$CLUSTER_PORT_4")
  scripts/cluster psql bench single -q -d shop -c 'CREATE EXTENSION IF NOT EXISTS postgres_fdw' \
    -c 'GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO app'
  {
    echo 'CREATE SCHEMA fdw; SET search_path = fdw;'
    for i in 0 1 2 3; do
      echo "CREATE SERVER tpch$i FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${ports[i]}', dbname 'shop', use_remote_estimate 'true', fetch_size '50000', async_capable 'true');"
      echo "CREATE USER MAPPING FOR app SERVER tpch$i OPTIONS (user 'app', password 'app-secret');"
    done
    for table in $(tpch_tables); do
      key=$(tpch_key "$table")
      if [[ -z $key ]]; then
        echo "CREATE TABLE $table AS TABLE public.$table;"
        continue
      fi
      echo "CREATE TABLE $table (LIKE public.$table) PARTITION BY HASH ($key);"
      for i in 0 1 2 3; do
        echo "CREATE FOREIGN TABLE ${table}_$i PARTITION OF $table FOR VALUES WITH (MODULUS 4, REMAINDER $i) SERVER tpch$i OPTIONS (schema_name 'public', table_name '$table');"
      done
    done
    for table in $(tpch_tables); do echo "ANALYZE $table;"; done
  } | on "$CLUSTER_PORT_SINGLE"
}

# Its rows, sorted, go to a file: what follows compares them.
tpch_seconds() {  # PORT SETTINGS SQL FILE: seconds, or nothing where it took too long
  local began ended
  began=$(date +%s%N)
  on "$1" -At -c "SET statement_timeout = '$tpch_limit'; $2" -c "$3" >"$work/rows" 2>"$work/error" || {
    grep -q 'statement timeout' "$work/error" || die "$(<"$work/error")"
    return 0
  }
  ended=$(date +%s%N)
  sort "$work/rows" >"$4"
  awk -v ns=$((ended - began)) 'BEGIN {printf "%.3f\n", ns / 1e9}'
}

bench_tpch() {
  load_tpch
  make_tpch_parent
  printf '\n%-8s | %9s %12s %10s | %13s %11s\n' "TPC-H" 'one server' postgres_fdw anabranch 'div one server' 'div fdw'
  local number=0 sql run faster=0
  : >"$work/ratios"
  while IFS= read -r sql; do
    number=$((number + 1))
    : >"$work/one"; : >"$work/fdw"; : >"$work/anabranch"
    tpch_seconds "$CLUSTER_PORT_SINGLE" 'SET search_path = fdw; SET enable_partitionwise_aggregate = on; SET enable_partitionwise_join = on' \
      "$sql" "$work/rows-fdw" >>"$work/fdw"
    for ((run = 0; run < runs; run++)); do
      tpch_seconds "$CLUSTER_PORT_SINGLE" '' "$sql" "$work/rows-one" >>"$work/one"
      tpch_seconds "$anabranch_port" '' "$sql" "$work/rows-anabranch" >>"$work/anabranch"
    done
    local one fdw anabranch against against_fdw bar=''
    read -r one _ <<<"$(summary <"$work/one")"
    read -r anabranch _ <<<"$(summary <"$work/anabranch")"
    fdw=$(<"$work/fdw")
    if [[ -n $one && -n $anabranch ]]; then
      cmp -s "$work/rows-one" "$work/rows-anabranch" || die "the answers differ: query $number"
      [[ -z $fdw ]] || cmp -s "$work/rows-one" "$work/rows-fdw" || die "postgres_fdw's answer differs: query $number"
      against=$(ratio "$anabranch" "$one")
      echo "$against" >>"$work/ratios"
      bar=$(verdict "$against" '<=' 3)
    else
      against='-' bar=$(verdict 1 '<=' 0)
    fi
    against_fdw=$([[ -z $fdw || -z $anabranch ]] && echo '<' || ratio "$anabranch" "$fdw")
    [[ $against_fdw != '<' && ${against_fdw%.*} -ge 1 || -z $anabranch ]] || faster=$((faster + 1))
    printf '%-8s | %9s %12s %10s | %13s %11s  %s\n' "$number" "${one:-> $tpch_limit}" "${fdw:-> $tpch_limit}" "${anabranch:-> $tpch_limit}" \
      "$against" "$against_fdw" "$bar"
  done < <(tpch_queries)
  local mean
  mean=$(awk '{sum += log($1)} END {printf "%.2f", exp(sum / NR)}' "$work/ratios")
  printf 'geometric mean: %s of one server: %s\n' "$mean" "$(verdict "$mean" '<=' 1)"
  printf 'faster than postgres_fdw: %s of %s: %s\n' "$faster" "$number" "$(verdict "$faster" '>=' 20)"
}
