# sysbench before MariaDB: directly, through HAProxy in TCP mode, and through Anabranch. scripts/bench reads this.

mysql_on() { mariadb --no-defaults -h 127.0.0.1 -u app -papp-secret shop -P "$@"; }
sysbench_on() {  # PORT TEST COMMAND CLIENTS ARGUMENT…
  sysbench "$2" --db-driver=mysql --mysql-host=127.0.0.1 --mysql-port="$1" --mysql-user=app --mysql-password=app-secret --mysql-db=shop \
    --tables=1 --table-size=400000 --auto_inc=off --threads="$4" --time="$seconds" --mysql-ignore-errors=1213,1020,1062 "${@:5}" "$3"
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
    shards: {s1: {primary: "127.0.0.1:$CLUSTER_PORT_1"}}
YAML
  setsid build/release/anabranch serve -c "$work/mysql.yaml" >"$work/mysql.log" 2>&1 &
  pids+=($!)
  for _ in $(seq 100); do grep -q ' ready$' "$work/mysql.log" && return; sleep 0.1; done
  cat "$work/mysql.log" >&2
  die 'the proxy did not start'
}

start_haproxy() {
  haproxy_port=$(free_port)
  cat >"$work/haproxy.cfg" <<CFG
global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
listen mysql
  bind 127.0.0.1:$haproxy_port
  server single 127.0.0.1:$CLUSTER_PORT_SINGLE
CFG
  setsid haproxy -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
  pids+=($!)
  for _ in $(seq 50); do mysql_on "$haproxy_port" -e 'SELECT 1' >/dev/null 2>&1 && return; sleep 0.1; done
  die 'haproxy did not start'
}

transactions_per_second() {  # PORT TEST CLIENTS MODE
  sysbench_on "$1" "$2" run "$3" --db-ps-mode="$4" 2>"$work/sysbench.err" | sed -n 's/.*transactions:.*(\([0-9.]*\) per sec.*/\1/p'
}

bench_mysql() {
  scripts/cluster start bench-mysql -n 1 --single --mariadb -o innodb-buffer-pool-size=512M
  # shellcheck disable=SC1090
  . <(scripts/cluster env bench-mysql)
  start_mariadb_anabranch
  start_haproxy
  local port test mode clients run direct haproxy anabranch low high quotient bar
  for port in "$CLUSTER_PORT_SINGLE" "$mysql_port"; do sysbench_on "$port" oltp_read_write prepare 1 --rand-seed=42 >/dev/null; done
  # What sysbench fills in differs from run to run; the numbers of its rows do not.
  local numbers='SELECT count(*), sum(id) FROM sbtest1'
  [[ $(mysql_on "$CLUSTER_PORT_SINGLE" -N -e "$numbers") == "$(mysql_on "$mysql_port" -N -e "$numbers")" ]] || die 'rows are missing'
  printf '\n%-18s %-10s %7s | %8s %8s %10s | %12s %11s\n' sysbench statements clients direct haproxy anabranch 'div haproxy' 'div direct'
  for test in oltp_point_select oltp_read_only oltp_read_write; do
    for mode in disable auto; do
      for clients in 1 16 64; do
        : >"$work/direct"; : >"$work/haproxy"; : >"$work/anabranch"
        for ((run = 0; run < runs; run++)); do
          transactions_per_second "$CLUSTER_PORT_SINGLE" "$test" "$clients" "$mode" >>"$work/direct"
          transactions_per_second "$haproxy_port" "$test" "$clients" "$mode" >>"$work/haproxy"
          transactions_per_second "$mysql_port" "$test" "$clients" "$mode" >>"$work/anabranch"
        done
        read -r direct _ <<<"$(summary <"$work/direct")"
        read -r haproxy _ <<<"$(summary <"$work/haproxy")"
        read -r anabranch low high <<<"$(summary <"$work/anabranch")"
        quotient=$(ratio "$anabranch" "$haproxy") bar=''
        [[ $test != oltp_point_select ]] || bar=$(verdict "$quotient" '>=' 0.9)
        printf '%-18s %-10s %7s | %8.0f %8.0f %10.0f | %12s %11s  [%.0f..%.0f] %s\n' "$test" "$([[ $mode == auto ]] && echo prepared || echo text)" "$clients" \
          "$direct" "$haproxy" "$anabranch" "$quotient" "$(ratio "$anabranch" "$direct")" "$low" "$high" "$bar"
      done
    done
  done
  scripts/cluster stop bench-mysql
}
