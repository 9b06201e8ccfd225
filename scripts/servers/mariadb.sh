# MariaDB for scripts/cluster, which reads this. Superuser `root` is trusted on loopback.

readonly bin=/usr/bin
readonly template=$run_root/.template-mariadb-10.11
readonly megabytes_per_server=200

server() { as_server /usr/sbin/mariadbd --no-defaults --lc-messages-dir=/usr/share/mysql "$@"; }

# A new data folder takes seconds and a copy of it does not: it is made once, and every server is a copy.
make_template() {
  [[ -d $template ]] && return
  [[ -x /usr/sbin/mariadbd ]] || die "no MariaDB in /usr/sbin: run scripts/setup"
  local draft=$template.$$
  mkdir "$draft"
  give_to_server "$draft"
  if ! as_server mariadb-install-db --no-defaults --datadir="$draft" --skip-test-db \
      --auth-root-authentication-method=normal >"$template.log" 2>&1; then
    tail -n 5 "$template.log" >&2
    rm -rf "$draft"
    die "mariadb-install-db failed"
  fi
  server --datadir="$draft" --bootstrap --skip-networking >>"$template.log" 2>&1 <<'SQL' ||
USE mysql;
FLUSH PRIVILEGES;
CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
CREATE USER app@'%' IDENTIFIED BY 'app-secret';
GRANT ALL ON *.* TO app@'%';
SQL
    die "the template could not be prepared, see $template.log"
  mv -T "$draft" "$template" 2>/dev/null || rm -rf "$draft"
}

# The server that a folder's pid file names, if it is really that folder's.
server_pid() {  # DATA
  local data=$1 pid
  [[ -f ${data%/data}/pid ]] || return 1
  pid=$(<"${data%/data}/pid")
  [[ $pid =~ ^[0-9]+$ && $(readlink "/proc/$pid/cwd" 2>/dev/null) == "$data" ]] || return 1
  echo "$pid"
}

# Commits are written at once, and never synced: what tests kill is the process, not the machine.
configure() {  # FOLDER SETTING=VALUE...
  local setting
  {
    echo '[mariadbd]'
    printf '%s\n' bind-address=127.0.0.1 skip-name-resolve local-infile=ON max-connections=300 \
      innodb-flush-log-at-trx-commit=2 innodb-doublewrite=OFF innodb-buffer-pool-size=64M innodb-log-file-size=16M \
      default-time-zone=+00:00 character-set-server=utf8mb4 collation-server=utf8mb4_general_ci
    for setting in "${@:2}"; do echo "$setting"; done
  } >"$1/my.cnf"
}

launch() {  # FOLDER PORT
  local folder=$1 port=$2 pid
  # A server that starts removes whatever it takes for its own from where temporary tables are: one that has
  # such a table open there ends.
  mkdir -p "$folder/tmp"
  give_to_server "$folder/tmp"
  as_server setsid /usr/sbin/mariadbd --defaults-file="$folder/my.cnf" --datadir="$folder/data" --port="$port" \
    --socket="$(socket_of "$folder")" --pid-file="$folder/pid" --tmpdir="$folder/tmp" --lc-messages-dir=/usr/share/mysql \
    </dev/null >"$folder/log" 2>&1 9>&- &  # the lock is not the server's
  pid=$!
  for _ in $(seq 300); do
    [[ -f $folder/pid ]] && grep -q 'ready for connections' "$folder/log" && return
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}
# A path in sockaddr_un has 107 bytes.
socket_of() { if [[ ${#1} -lt 90 ]]; then echo "$1/socket"; else mktemp -u "/tmp/mariadb-XXXXXXXX"; fi; }

stop_server() {  # FOLDER
  local pid
  pid=$(server_pid "$1/data") || return 0
  kill -KILL "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}

ask_server() {  # FOLDER ARGUMENT...
  exec mariadb --no-defaults -h 127.0.0.1 -P "$(<"$1/port")" -u root shop "${@:2}"
}
