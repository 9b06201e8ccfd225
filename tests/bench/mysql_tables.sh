# GROUP BY over four MariaDB shards against the Spider engine over the same tables, and loads against one server.
# scripts/bench reads this.

readonly mysql_facts='id bigint PRIMARY KEY, few int, many int, most int, amount decimal(20,2), label varchar(32)'

write_facts() {  # FILE ROWS
  awk -v rows="$2" 'BEGIN {for (i = 1; i <= rows; i++) printf "%d\t%d\t%d\t%d\t%d.%02d\tlabel %d\n",
    i, i % 10, (i * 7919) % 100000, (i * 104729) % 1000000, i % 1000, i % 100, i % 5000}' >"$1"
}

load_file() {  # PORT FILE TABLE
  mysql_on "$1" -e "LOAD DATA LOCAL INFILE '$2' INTO TABLE $3"
}

same_mysql_answer() {  # PORT PORT SQL
  local left right
  left=$(mysql_on "$1" -N -e "$3" | sort | md5sum) right=$(mysql_on "$2" -N -e "$3" | sort | md5sum)
  [[ $left == "$right" ]] || die "the answers differ: $3"
}

load_mysql_facts() {
  [[ -z ${mysql_facts_loaded:-} ]] || return 0
  mysql_facts_loaded=yes
  write_facts "$work/facts.tsv" "$rows"
  mysql_on "$CLUSTER_PORT_SINGLE" -e 'DROP TABLE IF EXISTS facts'
  mysql_on "$mysql_port" -e "DROP TABLE IF EXISTS facts; CREATE TABLE facts ($mysql_facts)"
  load_file "$mysql_port" "$work/facts.tsv" facts
}

# A parent of Spider's partitions, searching all of them at once.
make_spider_parent() {
  local i ports=("$CLUSTER_PORT_1" "$CLUSTER_PORT_2" "$CLUSTER_PORT_3" "$CLUSTER_PORT_4") partitions=()
  as_root() { scripts/cluster psql bench-mysql single "$@"; }
  as_root -e "INSTALL SONAME 'ha_spider'"
  for i in 0 1 2 3; do
    as_root -e "CREATE SERVER shard$i FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1', PORT ${ports[i]}, DATABASE 'shop', USER 'app', PASSWORD 'app-secret')"
    partitions+=("PARTITION p$i COMMENT 'srv \"shard$i\"'")
  done
  local IFS=,
  as_root -e "SET GLOBAL spider_bgs_mode = 2, GLOBAL spider_quick_mode = 1, GLOBAL spider_conn_recycle_mode = 1,
    GLOBAL spider_same_server_link = 1, GLOBAL optimizer_use_condition_selectivity = 1"
  as_root -e "CREATE TABLE facts ($mysql_facts) ENGINE = SPIDER COMMENT 'wrapper \"mysql\", table \"facts\"'
    PARTITION BY HASH (id) (${partitions[*]})"
}

time_mysql_query() {  # PORT SQL: seconds
  local began ended
  began=$(date +%s%N)
  mysql_on "$1" -N -e "$2" >/dev/null
  ended=$(date +%s%N)
  awk -v ns=$((ended - began)) 'BEGIN {printf "%.3f\n", ns / 1e9}'
}

bench_spider() {
  load_mysql_facts
  make_spider_parent
  printf '\n%-44s | %12s %10s | %s\n' 'GROUP BY over 4 MariaDB shards (seconds)' Spider anabranch 'Spider / anabranch'
  local column groups sql run spider anabranch low high quotient
  for column in few many most; do
    sql="SELECT $column, count(*), sum(amount) FROM facts GROUP BY $column"
    same_mysql_answer "$CLUSTER_PORT_SINGLE" "$mysql_port" "$sql"
    groups=$(mysql_on "$mysql_port" -N -e "SELECT count(DISTINCT $column) FROM facts")
    : >"$work/spider"; : >"$work/anabranch"
    for ((run = 0; run < runs; run++)); do
      time_mysql_query "$CLUSTER_PORT_SINGLE" "$sql" >>"$work/spider"
      time_mysql_query "$mysql_port" "$sql" >>"$work/anabranch"
    done
    read -r spider _ <<<"$(summary <"$work/spider")"
    read -r anabranch low high <<<"$(summary <"$work/anabranch")"
    quotient=$(ratio "$spider" "$anabranch")
    printf '%-44s | %12s %10s | %s  [%s..%s] %s\n' "$groups groups" "$spider" "$anabranch" "$quotient" "$low" "$high" "$(verdict "$quotient" '>=' 3)"
  done
}

# An INSERT of 1000 rows a line.
write_inserts() {  # FILE TABLE
  awk -v table="$2" -F'\t' 'NR % 1000 == 1 {if (NR > 1) print ";"; printf "INSERT INTO %s VALUES ", table} NR % 1000 != 1 {printf ","}
    {printf "(%s,%s,%s,%s,%s,\x27%s\x27)", $1, $2, $3, $4, $5, $6} END {print ";"}' >"$1"
}

rows_per_second() {  # PORT WAY: what is loaded is emptied before
  local began ended
  mysql_on "$1" -e "DROP TABLE IF EXISTS facts; CREATE TABLE facts ($mysql_facts)"
  began=$(date +%s%N)
  if [[ $2 == 'LOAD DATA' ]]; then load_file "$1" "$work/load.tsv" facts; else mysql_on "$1" <"$work/load.sql"; fi
  ended=$(date +%s%N)
  awk -v rows="$load_rows" -v ns=$((ended - began)) 'BEGIN {printf "%.0f\n", rows / (ns / 1e9)}'
}

bench_load() {
  local way run direct anabranch low high quotient
  local -r load_rows=$((rows / 8))
  write_facts "$work/load.tsv" "$load_rows"
  write_inserts "$work/load.sql" facts <"$work/load.tsv"
  printf '\n%-44s | %12s %10s | %s\n' "$load_rows rows into 4 MariaDB shards (rows/s)" 'one server' anabranch 'anabranch / one server'
  for way in 'LOAD DATA' INSERT; do
    : >"$work/direct"; : >"$work/anabranch"
    for ((run = 0; run < runs; run++)); do
      rows_per_second "$CLUSTER_PORT_SINGLE" "$way" >>"$work/direct"
      rows_per_second "$mysql_port" "$way" >>"$work/anabranch"
      same_mysql_answer "$CLUSTER_PORT_SINGLE" "$mysql_port" 'SELECT count(*), sum(id), sum(amount) FROM facts'
    done
    read -r direct _ <<<"$(summary <"$work/direct")"
    read -r anabranch low high <<<"$(summary <"$work/anabranch")"
    quotient=$(ratio "$anabranch" "$direct")
    printf '%-44s | %12s %10s | %s  [%s..%s] %s\n' "$way$([[ $way == INSERT ]] && echo ' of 1000 rows each')" "$direct" "$anabranch" "$quotient" "$low" "$high" \
      "$(verdict "$quotient" '>=' 0.8)"
  done
}
