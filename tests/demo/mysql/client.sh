# What is MariaDB's own in scripts/demo, which reads this.

readonly title=MariaDB listener=mysql
start_servers() { scripts/cluster start demo -n 4 --mariadb; }

client() { MYSQL_PWD=app-secret mariadb --no-defaults --local-infile=1 -h 127.0.0.1 -P "$port" -u app shop "$@"; }
how_to_connect() { echo "mariadb --no-defaults -h 127.0.0.1 -P $port -u app -papp-secret shop"; }

run_file() { client <"$1"; }
value_of() { client -N -e "$1"; }  # SQL: its one value
copy_csv() {  # TABLE FILE
  client -e "LOAD DATA LOCAL INFILE '$2' INTO TABLE $1 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'"
}
copy_tabs() { client -e "LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE $1"; }  # TABLE, from standard input
after_loading() { :; }
plan_of() { client -N -r -e "EXPLAIN $1" 2>&1; }
rows_of() { client -t -v -v -v -e "$1" 2>&1 | sed '1,/^--------------$/d' | sed '1,/^--------------$/d' | grep -vE '^(Bye)?$' || true; }
