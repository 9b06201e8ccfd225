# PostgreSQL 15 for scripts/cluster, which reads this. Superuser `postgres` is trusted on loopback.

readonly bin=/usr/lib/postgresql/15/bin
readonly template=$run_root/.template-15.2
readonly megabytes_per_server=80

# initdb takes seconds and a copy of its result does not: it runs once, and every server is a copy.
make_template() {
  [[ -d $template ]] && return
  [[ -x $bin/initdb ]] || die "no PostgreSQL 15 in $bin: run scripts/setup"
  local draft=$template.$$
  mkdir "$draft"
  give_to_server "$draft"
  chmod 700 "$draft"
  if ! as_server "$bin/initdb" -D "$draft" -U postgres --no-sync --locale-provider=icu \
      --icu-locale=en-US --locale=C.UTF-8 --encoding=UTF8 --auth=trust >"$template.log" 2>&1; then
    tail -n 5 "$template.log" >&2
    rm -rf "$draft"
    die "initdb failed"
  fi
  cat >"$draft/pg_hba.conf" <<'HBA'
local all postgres              trust
host  all postgres 127.0.0.1/32 trust
local all all                   scram-sha-256
host  all all      127.0.0.1/32 scram-sha-256
host  replication all 127.0.0.1/32 scram-sha-256
HBA
  cat >>"$draft/postgresql.conf" <<'CONF'
listen_addresses = '127.0.0.1'
max_connections = 200
max_prepared_transactions = 50
fsync = off
synchronous_commit = off
full_page_writes = off
timezone = 'UTC'
log_timezone = 'UTC'
CONF
  as_server "$bin/postgres" --single -D "$draft" postgres >>"$template.log" 2>&1 <<'SQL' ||
CREATE ROLE app LOGIN PASSWORD 'app-secret'
CREATE DATABASE shop OWNER app
SQL
    die "the template could not be prepared, see $template.log"
  mv -T "$draft" "$template" 2>/dev/null || rm -rf "$draft"
}

# The server that a data folder's pid file names, if it is really that folder's.
server_pid() {
  local data=$1 pid
  [[ -f $data/postmaster.pid ]] || return 1
  pid=$(head -n 1 "$data/postmaster.pid")
  [[ $pid =~ ^[0-9]+$ && $(readlink "/proc/$pid/cwd" 2>/dev/null) == "$data" ]] || return 1
  echo "$pid"
}

configure() {  # FOLDER SETTING=VALUE...
  local setting socket=$1
  [[ ${#socket} -lt 90 ]] || socket=''
  {
    echo "unix_socket_directories = '$socket'"
    for setting in "${@:2}"; do echo "${setting%%=*} = '${setting#*=}'"; done
  } >>"$1/data/postgresql.conf"
}

launch() {  # FOLDER PORT
  as_server "$bin/pg_ctl" start -w -t 60 -s -D "$1/data" -l "$1/log" -o "-p $2" </dev/null >/dev/null 2>&1
}

stop_server() {  # FOLDER
  local data=$1/data
  server_pid "$data" >/dev/null || return 0
  as_server "$bin/pg_ctl" stop -s -D "$data" -m immediate -t 20 || {
    local pid
    pid=$(server_pid "$data") && kill -KILL "$pid"
  }
}

ask_server() {  # FOLDER ARGUMENT...
  exec "$bin/psql" -X -h 127.0.0.1 -p "$(<"$1/port")" -U postgres -d shop "${@:2}"
}
