# What scripts/drivers, which reads this, has to know of MySQL's drivers.

readonly all_suites='mysql pymysql mysqlclient sqlalchemy django mysql2 connector-j go-mysql dbd-mysql php mysqldump sysbench'
readonly ways=('relay=one server behind it' 'shards=four shards')

start_servers() {
  local i
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 30 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
  chmod 644 "$work"/*.pem
  # 1 to 4 are the shards, 5 is behind a proxy by itself.
  scripts/cluster start "$name" --mariadb -n 5 --single -o max-allowed-packet=64M -o ssl-cert="$work/cert.pem" -o ssl-key="$work/key.pem"
  for i in 1 2 3 4 5 single; do
    scripts/cluster psql "$name" "$i" -e "CREATE USER other@'%' IDENTIFIED BY 'other-secret'; GRANT SELECT ON shop.* TO other@'%'"
  done
}

# What a suite finds in its environment: the variables of MySQL's programs and others like them, and a URL.
endpoint() {  # PORT
  export MYSQL_HOST=127.0.0.1 MYSQL_TCP_PORT=$1 MYSQL_USER=app MYSQL_PWD=app-secret MYSQL_DATABASE=shop
  export MYSQL_CA=$work/cert.pem DATABASE_URL=mysql://app:app-secret@127.0.0.1:$1/shop
}

make_tables() { mariadb --no-defaults -u app shop <"$tests/schema.sql"; }

# Everything that is compiled, once, before anything runs.
prepare() {
  case $1 in
    mysql2) install_from_npm ;;
    connector-j) javac -cp /usr/share/java/mariadb-java-client.jar -d "$work" "$tests/Suite.java" ;;
    go-mysql) build_go "$1" "$tests/go_mysql_suite.go" ;;
  esac
}

suite() {  # NAME: the transcript
  local bounded=(timeout -k 5 "$suite_seconds")
  case $1 in
    mysql | mysqldump | sysbench) WORK=$work "${bounded[@]}" bash "$tests/$1_suite.sh" ;;
    pymysql | mysqlclient | sqlalchemy | django) (cd "$tests" && "${bounded[@]}" python3 "$1_suite.py") ;;
    mysql2) NODE_PATH=$work/node_modules "${bounded[@]}" node "$tests/mysql2_suite.js" ;;
    connector-j) "${bounded[@]}" java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$work:/usr/share/java/mariadb-java-client.jar" Suite ;;
    go-mysql) "${bounded[@]}" "$work/go-mysql" ;;
    dbd-mysql) "${bounded[@]}" perl "$tests/dbd_mysql_suite.pl" ;;
    php) "${bounded[@]}" php -d mysqli.allow_local_infile=1 "$tests/suite.php" ;;
    *) die "no suite $1" ;;
  esac
}
