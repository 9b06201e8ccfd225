# What scripts/drivers, which reads this, has to know of PostgreSQL's drivers.

readonly all_suites='psql libpq psycopg2 psycopg asyncpg sqlalchemy alembic django node-pg jdbc lib-pq pgx ruby-pg dbd-pg php pgbench'
readonly ways=(proxy=result)

start_servers() {
  local i fillers
  scripts/cluster start "$name" -n 4 --single
  for i in 1 2 3 4 single; do
    scripts/cluster psql "$name" "$i" -q -c 'CREATE DATABASE plain OWNER app'
    # Types get another OID on every shard: so much for proxies that pass them on.
    [[ $i == single ]] || for ((fillers = 0; fillers < i * 3; fillers++)); do
      printf 'CREATE TYPE filler_%d AS ENUM ();\n' "$fillers"
    done | scripts/cluster psql "$name" "$i" -q
  done
}

# What a suite finds in its environment: libpq's variables, and a URL.
endpoint() {  # PORT
  export PGHOST=127.0.0.1 PGPORT=$1 PGUSER=app PGPASSWORD=app-secret PGDATABASE=shop
  export DATABASE_URL=postgresql://app:app-secret@127.0.0.1:$1/shop
}

make_tables() { psql -Xqf "$tests/schema.sql"; }

# Everything that is compiled, once, before anything runs.
prepare() {
  case $1 in
    libpq) clang-19 -std=gnu17 -Wall -Werror -O1 -I/usr/include/postgresql "$tests/libpq_suite.c" -o "$work/libpq" -lpq ;;
    node-pg) install_from_npm ;;
    jdbc) javac -cp /usr/share/java/postgresql.jar -d "$work" "$tests/Suite.java" ;;
    lib-pq | pgx) build_go "$1" "$tests/${1/-/_}_suite.go" ;;
  esac
}

suite() {  # NAME: the transcript
  local bounded=(timeout -k 5 "$suite_seconds")
  case $1 in
    psql) "${bounded[@]}" bash "$tests/psql_suite.sh" ;;
    psycopg2 | psycopg | asyncpg | sqlalchemy | alembic | django) (cd "$tests" && "${bounded[@]}" python3 "$1_suite.py") ;;
    node-pg) NODE_PATH=$work/node_modules "${bounded[@]}" node "$tests/pg_suite.js" ;;
    jdbc) "${bounded[@]}" java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$work:/usr/share/java/postgresql.jar" Suite ;;
    libpq | lib-pq | pgx) "${bounded[@]}" "$work/$1" ;;
    ruby-pg) "${bounded[@]}" ruby "$tests/pg_suite.rb" ;;
    dbd-pg) "${bounded[@]}" perl "$tests/dbd_pg_suite.pl" ;;
    php) "${bounded[@]}" php "$tests/suite.php" ;;
    pgbench) "${bounded[@]}" bash "$tests/pgbench_suite.sh" ;;
    *) die "no suite $1" ;;
  esac
}
