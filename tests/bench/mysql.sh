# MariaDB: one server directly and through HAProxy in TCP mode, and four shards behind Anabranch. scripts/bench reads this.

mysql_on() { mariadb --no-defaults --local-infile=1 -h 127.0.0.1 -u app -papp-secret shop -P "$@"; }
sysbench_on() {  # PORT TEST COMMAND CLIENTS ARGUMENT…
  sysbench "$2" --db-driver=mysql --mysql-host=127.0.0.1 --mysql-port="$1" --mysql-user=app --mysql-password=app-secret --mysql-db=shop \
    --tables=1 --table-size=400000 --auto_inc=off --threads="$4" --time="$seconds" --mysql-ignore-errors=1213,1020,1062 "${@:5}" "$3"
}

start_mariadb() {
  [[ -z ${mariadb_started:-} ]] || return 0
  mariadb_started=yes
  scripts/cluster start bench-mysql -n 4 --single --mariadb -o innodb-buffer-pool-size=512M -o innodb-log-file-size=256M
  # shellcheck disable=SC1090
  . <(scripts/cluster env bench-mysql)
  start_mariadb_anabranch
}

start_mariadb_anabranch() {
  mysql_port=$(free_port)
  cat >"$work/mysql.yaml" <<YAML
listen: {mysql: 127.0.0.1:$mysql_port}
threads: 1
users: [{name: app, password: app-secret}]
databases:
  shop:
    kind: mysql
    backend: {user: app, password: app-secret, tls: disable}
    pool: {size: 100}
    # What sysbench writes in one transaction lies on several shards.
    transactions: {two_phase: off}
    shards:
      s1: {primary: "127.0.0.1:$CLUSTER_PORT_1"}
      s2: {primary: "127.0.0.1:$CLUSTER_PORT_2"}
      s3: {primary: "127.0.0.1:$CLUSTER_PORT_3"}
      s4: {primary: "127.0.0.1:$CLUSTER_PORT_4"}
    default_shard: s1
    schemes:
      by_id: {type: bigint, hash: intHash64, strategy: buckets, buckets: 64}
    tables:
      sbtest1: {scheme: by_id, key: id}
      facts: {scheme: by_id, key: id}
limits: {query_memory: 1GiB}
YAML
  setsid build/release/anabranch serve -c "$work/mysql.yaml" >"$work/mysql.log" 2>&1 &
  pids+=($!)
  for _ in $(seq 100); do grep -q ' ready$' "$work/mysql.log" && return; sleep 0.1; done
  cat "$work/mysql.log" >&2
  die 'the proxy did not start'
}

# haproxy_port: before the server with all rows; haproxy_ports: before each of the four.
start_haproxy() {
  local i servers=("$CLUSTER_PORT_SINGLE" "$CLUSTER_PORT_1" "$CLUSTER_PORT_2" "$CLUSTER_PORT_3" "$CLUSTER_PORT_4")
  haproxy_ports=()
  cat >"$work/haproxy.cfg" <<CFG
global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
CFG
  for i in "${!servers[@]}"; do
    haproxy_ports+=("$(free_port)")
    printf 'listen mysql%s\n  bind 127.0.0.1:%s\n  server one 127.0.0.1:%s\n' "$i" "${haproxy_ports[i]}" "${servers[i]}" >>"$work/haproxy.cfg"
  done
  haproxy_port=${haproxy_ports[0]}
  setsid haproxy -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
  pids+=($!)
  for _ in $(seq 50); do mysql_on "$haproxy_port" -e 'SELECT 1' >/dev/null 2>&1 && return; sleep 0.1; done
  die 'haproxy did not start'
}

transactions_per_second() {  # PORT TEST CLIENTS MODE
  sysbench_on "$1" "$2" run "$3" --db-ps-mode="$4" 2>"$work/sysbench.err" | sed -n 's/.*transactions:.*(\([0-9.]*\) per sec.*/\1/p'
}

# HAProxy before the same four servers: the clients are divided among them by hand.
transactions_of_four() {  # TEST CLIENTS MODE
  if [[ $2 -lt 4 ]]; then
    transactions_per_second "${haproxy_ports[1]}" "$1" "$2" "$3"
    return
  fi
  local i running=()
  for i in 1 2 3 4; do
    transactions_per_second "${haproxy_ports[i]}" "$1" $(($2 / 4)) "$3" >"$work/four.$i" &
    running+=($!)
  done
  wait "${running[@]}"
  cat "$work"/four.[1-4] | awk '{sum += $1} END {print sum}'
}

bench_sysbench() {
  start_haproxy
  local port test mode clients run direct haproxy four anabranch low high quotient against_four bar
  # What sysbench fills in differs from run to run; the numbers of its rows do not.
  local numbers='SELECT count(*), sum(id) FROM sbtest1'
  for port in "$CLUSTER_PORT_SINGLE" "$mysql_port"; do
    sysbench_on "$port" oltp_read_write prepare 1 --rand-seed=42 >"$work/prepare" 2>&1 || { cat "$work/prepare" >&2; die 'sysbench prepare'; }
  done
  [[ $(mysql_on "$CLUSTER_PORT_SINGLE" -N -e "$numbers") == "$(mysql_on "$mysql_port" -N -e "$numbers")" ]] || die 'rows are missing'
  printf '\n%-18s %-10s %7s | %8s %8s %12s %10s | %12s %18s %11s\n' sysbench statements clients direct haproxy 'haproxy of 4' anabranch \
    'div haproxy' 'div haproxy of 4' 'div direct'
  for test in oltp_point_select oltp_read_only oltp_read_write; do
    for mode in disable auto; do
      for clients in 1 16 64; do
        : >"$work/direct"; : >"$work/haproxy"; : >"$work/four"; : >"$work/anabranch"
        for ((run = 0; run < runs; run++)); do
          transactions_per_second "$CLUSTER_PORT_SINGLE" "$test" "$clients" "$mode" >>"$work/direct"
          transactions_per_second "$haproxy_port" "$test" "$clients" "$mode" >>"$work/haproxy"
          # Only a point select is the same work on a server that has a quarter of the rows.
          [[ $test != oltp_point_select ]] || transactions_of_four "$test" "$clients" "$mode" >>"$work/four"
          transactions_per_second "$mysql_port" "$test" "$clients" "$mode" >>"$work/anabranch"
        done
        read -r direct _ <<<"$(summary <"$work/direct")"
        read -r haproxy _ <<<"$(summary <"$work/haproxy")"
        read -r anabranch low high <<<"$(summary <"$work/anabranch")"
        quotient=$(ratio "$anabranch" "$haproxy") bar='' four=- against_four=-
        if [[ $test == oltp_point_select ]]; then
          read -r four _ <<<"$(summary <"$work/four")"
          against_four=$(ratio "$anabranch" "$four")
          bar=$(verdict "$quotient" '>=' 0.9)
        fi
        printf '%-18s %-10s %7s | %8.0f %8.0f %12s %10.0f | %12s %18s %11s  [%.0f..%.0f] %s\n' "$test" "$([[ $mode == auto ]] && echo prepared || echo text)" \
          "$clients" "$direct" "$haproxy" "${four%.*}" "$anabranch" "$quotient" "$against_four" "$(ratio "$anabranch" "$direct")" "$low" "$high" "$bar"
      done
    done
  done
}
