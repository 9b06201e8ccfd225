// go-sql-driver/mysql: texts and statements of the protocol, interpolation, transactions, files, contexts.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/ioutil"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

var steps []func(*sql.DB)
var names []string

func step(name string, work func(*sql.DB)) {
	names = append(names, name)
	steps = append(steps, work)
}

func show(value interface{}) string {
	switch v := value.(type) {
	case nil:
		return "nil"
	case []byte:
		if len(v) > 300 {
			return fmt.Sprintf("%d bytes", len(v))
		}
		return fmt.Sprintf("%q", v)
	case string:
		return v
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []interface{}:
		parts := make([]string, len(v))
		for n, one := range v {
			parts[n] = show(one)
		}
		return "[" + strings.Join(parts, " ") + "]"
	default:
		return fmt.Sprintf("%v", v)
	}
}

func say(what string, values ...interface{}) {
	parts := make([]string, len(values))
	for n, value := range values {
		parts[n] = show(value)
	}
	fmt.Println(what+":", strings.Join(parts, " "))
}

func address() string { return os.Getenv("MYSQL_HOST") + ":" + os.Getenv("MYSQL_TCP_PORT") }

func open(options string) *sql.DB {
	db, err := sql.Open("mysql", "app:app-secret@tcp("+address()+")/shop?"+options)
	if err != nil {
		panic(err)
	}
	return db
}

// Numbers of connections and ports are each endpoint's own.
var own = regexp.MustCompile(`connection \d+|thread id: \d+|127\.0\.0\.1:\d+`)

func fails(what string, err error) {
	var mine *mysql.MySQLError
	switch {
	case err == nil:
		say(what, "no error")
	case errors.As(err, &mine):
		say(what, mine.Number, own.ReplaceAllString(mine.Message, "…"))
	default:
		say(what, own.ReplaceAllString(err.Error(), "…"))
	}
}

type queryer interface {
	QueryContext(ctx context.Context, query string, arguments ...interface{}) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, arguments ...interface{}) (sql.Result, error)
}

var background = context.Background()

func read(found *sql.Rows, err error) []interface{} {
	if err != nil {
		panic(err)
	}
	defer found.Close()
	columns, _ := found.Columns()
	all := []interface{}{}
	for found.Next() {
		row := make([]interface{}, len(columns))
		into := make([]interface{}, len(columns))
		for n := range row {
			into[n] = &row[n]
		}
		if err := found.Scan(into...); err != nil {
			panic(err)
		}
		all = append(all, row)
	}
	if err := found.Err(); err != nil {
		panic(err)
	}
	return all
}

func rows(db queryer, query string, arguments ...interface{}) []interface{} {
	return read(db.QueryContext(background, query, arguments...))
}

func exec(db queryer, query string, arguments ...interface{}) (int64, int64) {
	result, err := db.ExecContext(background, query, arguments...)
	if err != nil {
		panic(err)
	}
	affected, _ := result.RowsAffected()
	id, _ := result.LastInsertId()
	return affected, id
}

func attempt(db queryer, query string, arguments ...interface{}) error {
	found, err := db.QueryContext(background, query, arguments...)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
	}
	return found.Err()
}

func addCustomers(db queryer, count int) {
	for n := 1; n <= count; n++ {
		exec(db, "INSERT INTO customers (id, name, country, balance) VALUES (?, ?, ?, ?)", n, fmt.Sprintf("customer %d", n), []string{"DE", "FR", "JP"}[n%3], n*10)
	}
}

var forms = []string{"", "interpolateParams=true", "parseTime=true", "parseTime=true&interpolateParams=true&loc=Europe%2FBerlin", "clientFoundRows=true&columnsWithAlias=true"}

func main() {
	fmt.Println("driver: Go go-sql-driver/mysql 1.5.0")

	step("connecting", func(db *sql.DB) {
		say("where", rows(db, "SELECT database(), user(), @@character_set_client, @@collation_connection, @@sql_mode, @@autocommit, @@max_allowed_packet"))
		for _, dsn := range []string{"app:wrong@tcp(%s)/shop", "nobody:x@tcp(%s)/shop", "app@tcp(%s)/shop", "app:app-secret@tcp(%s)/nowhere", "app:app-secret@tcp(%s)/"} {
			other, _ := sql.Open("mysql", fmt.Sprintf(dsn, address()))
			fails(strings.ReplaceAll(dsn, "%s", "…"), other.Ping())
			other.Close()
		}
		for _, options := range []string{"charset=latin1", "charset=utf8mb4,utf8", "collation=utf8mb4_unicode_ci", "sql_mode=%27ANSI%27&time_zone=%27%2B03:00%27", "maxAllowedPacket=0", "timeout=5s&readTimeout=5s&writeTimeout=5s", "checkConnLiveness=false"} {
			other := open(options)
			say(options, rows(other, "SELECT @@character_set_client, @@collation_connection, @@sql_mode, @@time_zone"))
			other.Close()
		}
	})

	step("connecting with tls", func(db *sql.DB) {
		pem, _ := ioutil.ReadFile(os.Getenv("MYSQL_CA"))
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		mysql.RegisterTLSConfig("suite", &tls.Config{RootCAs: roots, ServerName: "localhost"})
		for _, options := range []string{"tls=suite", "tls=skip-verify", "tls=preferred", "tls=true"} {
			other := open(options)
			if err := other.Ping(); err != nil {
				fails(options, err)
			} else {
				say(options, rows(other, "SELECT code FROM countries ORDER BY code"), len(rows(other, "SELECT repeat('x', ?)", 200000)))
			}
			other.Close()
		}
	})

	columns := "id, tiny, small, middle, whole, large, larger, exact, single, twice, flag, bits, years, day, clock, moment, stamp, fixed, body, exactly, raw, bytes, letter, photo, feeling, colours, doc"
	step("values of every type", func(db *sql.DB) {
		photo := make([]byte, 256)
		for n := range photo {
			photo[n] = byte(n)
		}
		for _, options := range forms {
			other := open(options)
			exec(other, "DELETE FROM samples")
			sample := []interface{}{1, -128, 65535, -8388608, 42, int64(-9223372036854775808), uint64(18446744073709551615), "12345678901234567890.0123456789", float32(1.5), 0.1, true, []byte{2, 170},
				2024, "2024-02-29", "-838:59:58.999", time.Date(1999, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(2024, 2, 29, 12, 30, 0, 0, time.UTC), "fix", "Grüße, 世界 'x' \\ \U0001f600", "Exactly",
				[]byte{0, 255, 39, 92}, []byte{0, 1, 2}, strings.Repeat("letter", 20), photo, "happy", "red,blue", `{"a": [1, null, "ü"]}`}
			marks := strings.Repeat("?, ", 26) + "?"
			exec(other, "INSERT INTO samples ("+columns+") VALUES ("+marks+")", sample...)
			nulls := make([]interface{}, 27)
			nulls[0] = 2
			exec(other, "INSERT INTO samples ("+columns+") VALUES ("+marks+")", nulls...)
			exec(other, "UPDATE samples SET place = ST_GeomFromText('POINT(1 2)'), token = '6b1c3f0e-0000-4000-8000-00000000002a', address = '::1' WHERE id = 1")
			for _, query := range []string{"SELECT * FROM samples WHERE id = ?", "SELECT * FROM samples WHERE id >= ? ORDER BY id DESC"} {
				for _, row := range rows(other, query, 1) {
					for n, value := range row.([]interface{}) {
						say(fmt.Sprintf("%s %d", options, n), fmt.Sprintf("%T", value), value)
					}
				}
			}
			say("text", rows(other, "SELECT * FROM samples ORDER BY id"))
			say("found", rows(other, "SELECT id FROM samples WHERE body = ? AND exact = ? AND bytes = ?", sample[18], sample[7], sample[21]))
			say("all", rows(other, "SELECT count(*), sum(large), avg(exact), max(moment), min(feeling) FROM samples WHERE id > ?", 0))
			other.Close()
		}
	})

	step("column types", func(db *sql.DB) {
		for _, arguments := range [][]interface{}{{}, {0}} {
			query := "SELECT * FROM samples"
			if len(arguments) > 0 {
				query += " WHERE id > ?"
			}
			found, err := db.Query(query, arguments...)
			if err != nil {
				panic(err)
			}
			types, _ := found.ColumnTypes()
			for _, column := range types {
				nullable, _ := column.Nullable()
				precision, scale, sized := column.DecimalSize()
				say(column.Name(), column.DatabaseTypeName(), nullable, precision, scale, sized, column.ScanType())
			}
			found.Close()
		}
	})

	step("prepared statements", func(db *sql.DB) {
		addCustomers(db, 10)
		one, _ := db.Prepare("SELECT name FROM customers WHERE id = ?")
		all, _ := db.Prepare("SELECT count(*), sum(balance) FROM customers WHERE balance > ?")
		for n := 1; n <= 10; n++ {
			say("executed", read(one.Query(n)), read(all.Query(n*10)))
		}
		say("other types", read(one.Query("3")), read(one.Query(nil)), read(one.Query(3.0)))
		one.Close()
		all.Close()
		_, err := db.Prepare("SELEC ?")
		fails("syntax", err)
		_, err = db.Prepare("SELECT nme FROM customers WHERE id = ?")
		fails("column", err)
		fails("too few", attempt(db, "SELECT ?, ?", 1))
		say("long", rows(db, "SELECT length(?), md5(?)", strings.Repeat("x", 1000000), []byte("y")))
	})

	step("transactions", func(db *sql.DB) {
		addCustomers(db, 3)
		tx, _ := db.Begin()
		exec(tx, "UPDATE customers SET balance = 1 WHERE id = ?", 1)
		exec(tx, "SAVEPOINT a")
		fails("duplicate", attempt(tx, "INSERT INTO customers (id, name) VALUES (?, 'x')", 1))
		exec(tx, "INSERT INTO orders VALUES (1, 2, NULL, 10, 'new')")
		exec(tx, "ROLLBACK TO a")
		exec(tx, "INSERT INTO orders VALUES (1, 1, '2024-01-01', 10, 'new')")
		fails("commit", tx.Commit())
		tx, _ = db.Begin()
		exec(tx, "DELETE FROM customers WHERE id = 1")
		fails("rollback", tx.Rollback())
		say("after", rows(db, "SELECT c.id, balance, amount FROM customers c LEFT JOIN orders o ON o.customer_id = c.id ORDER BY 1"))
		for _, level := range []sql.IsolationLevel{sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable, sql.LevelSnapshot} {
			tx, err := db.BeginTx(background, &sql.TxOptions{Isolation: level, ReadOnly: level == sql.LevelRepeatableRead})
			if err != nil {
				fails(level.String(), err)
				continue
			}
			say(level.String(), rows(tx, "SELECT name FROM customers WHERE id = ?", 1))
			fails("write", attempt(tx, "UPDATE customers SET name = 'y' WHERE id = 1"))
			tx.Rollback()
		}
	})

	step("reads and writes over all shards", func(db *sql.DB) {
		addCustomers(db, 15)
		for _, query := range []string{"SELECT count(*), sum(balance), avg(balance), min(name) FROM customers", "SELECT country, count(*) FROM customers GROUP BY country ORDER BY country",
			"SELECT id FROM customers ORDER BY balance DESC LIMIT 3", "SELECT k.name, max(c.balance) FROM customers c JOIN countries k ON k.code = c.country GROUP BY k.name ORDER BY 1",
			"SELECT DISTINCT country FROM customers ORDER BY 1"} {
			say(query, rows(db, query), rows(db, query+" -- ?", []interface{}{}...))
		}
		say("parameters", rows(db, "SELECT country, count(*) FROM customers WHERE balance BETWEEN ? AND ? GROUP BY country HAVING count(*) >= ? ORDER BY country", 20, 120, 3))
		for _, options := range []string{"", "clientFoundRows=true"} {
			other := open(options)
			for _, query := range []string{"UPDATE customers SET balance = balance WHERE id = ?", "UPDATE customers SET country = 'DE' WHERE id <= ?", "INSERT INTO customers (id, name) VALUES (?, 'up') ON DUPLICATE KEY UPDATE name = VALUES(name)",
				"REPLACE INTO customers (id, name) VALUES (?, 'replaced')", "DELETE FROM customers WHERE id = ?", "INSERT IGNORE INTO customers (id, name) VALUES (?, 'ignored')"} {
				affected, id := exec(other, query, 5)
				say(options+" "+query, affected, id)
			}
			other.Close()
		}
	})

	step("insert ids", func(db *sql.DB) {
		connection, _ := db.Conn(background)
		for _, body := range []string{"a", "b", "c"} {
			affected, id := exec(connection, "INSERT INTO notes (body) VALUES (?)", body)
			say("id", affected, id, rows(connection, "SELECT LAST_INSERT_ID()"))
		}
		affected, id := exec(connection, "INSERT INTO notes (body) VALUES ('d'), ('e')")
		say("several", affected, id)
		connection.Close()
	})

	step("several statements and results", func(db *sql.DB) {
		other := open("multiStatements=true")
		defer other.Close()
		found, err := other.Query("SELECT 1; SELECT 2, 3; SELECT code FROM countries ORDER BY code")
		if err != nil {
			panic(err)
		}
		for more := true; more; more = found.NextResultSet() {
			columns, _ := found.Columns()
			for found.Next() {
				row, into := make([]interface{}, len(columns)), make([]interface{}, len(columns))
				for n := range row {
					into[n] = &row[n]
				}
				found.Scan(into...)
				say("row", row)
			}
		}
		found.Close()
		fails("not two", attempt(db, "SELECT 1; SELECT 2"))
		exec(other, "DROP PROCEDURE IF EXISTS suite_go; CREATE PROCEDURE suite_go(a INT) BEGIN SELECT a; SELECT a * 2; END")
		say("called", rows(other, "CALL suite_go(5)"), rows(other, "CALL suite_go(?)", 6))
		say("goes on", rows(other, "SELECT 1"))
		exec(other, "DROP PROCEDURE suite_go")
	})

	step("files", func(db *sql.DB) {
		var text strings.Builder
		for n := 1; n <= 5000; n++ {
			fmt.Fprintf(&text, "%d\tloaded %d\n", n, n)
		}
		mysql.RegisterReaderHandler("suite", func() io.Reader { return strings.NewReader(text.String()) })
		affected, _ := exec(db, "LOAD DATA LOCAL INFILE 'Reader::suite' INTO TABLE customers (id, name)")
		say("loaded", affected, rows(db, "SELECT count(*), sum(id), max(name) FROM customers"))
		fails("not registered", attempt(db, "LOAD DATA LOCAL INFILE '/etc/nothing' INTO TABLE customers (id, name)"))
		say("goes on", rows(db, "SELECT 1"))
	})

	step("large values", func(db *sql.DB) {
		other := open("maxAllowedPacket=0")
		defer other.Close()
		for n, size := range []int{17 << 20, 0xffffff, 0xfffffe} {
			exec(other, "INSERT INTO documents VALUES (?, 'large', ?)", n+1, strings.Repeat("b", size))
			var body []byte
			if err := other.QueryRow("SELECT body FROM documents WHERE id = ?", n+1).Scan(&body); err != nil {
				panic(err)
			}
			say("read", len(body), strings.Count(string(body), "b"))
		}
		say("lengths", rows(other, "SELECT id, length(body) FROM documents ORDER BY id"))
	})

	step("errors", func(db *sql.DB) {
		addCustomers(db, 2)
		for _, query := range []string{"INSERT INTO customers (id, name) VALUES (1, 'x')", "SELEC 1", "SELECT nme FROM customers", "SELECT * FROM nothing", "INSERT INTO orders VALUES (777, 1, NULL, 1, '')",
			"INSERT INTO orders VALUES (1, 1, NULL, -1, '')", "SELECT 9223372036854775807 + 1", "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ours'", "SET STATEMENT max_statement_time = 0.1 FOR SELECT SLEEP(20)"} {
			fails(query, attempt(db, query))
		}
		strict := open("sql_mode=%27%27")
		affected, _ := exec(strict, "INSERT INTO customers (id, name) VALUES (9, REPEAT('long', 40))")
		say("shortened", affected)
		strict.Close()
		bounded, cancel := context.WithTimeout(background, 300*time.Millisecond)
		_, err := db.QueryContext(bounded, "SELECT SLEEP(20)")
		cancel()
		fails("context", err)
		say("goes on", rows(db, "SELECT 1"))
	})

	step("kills", func(db *sql.DB) {
		victim, _ := db.Conn(background)
		var number int64
		victim.QueryRowContext(background, "SELECT connection_id()").Scan(&number)
		time.AfterFunc(300*time.Millisecond, func() { exec(db, fmt.Sprintf("KILL QUERY %d", number)) })
		began := time.Now()
		fails("query", attempt(victim, "SELECT SLEEP(20)"))
		say("early", time.Since(began) < 15*time.Second, rows(victim, "SELECT 1"))
		exec(db, fmt.Sprintf("KILL %d", number))
		// A lost connection shows in one way or another; how is a matter of when it is found out.
		say("killed", attempt(victim, "SELECT 1") != nil)
		victim.Close()
		say("pool goes on", rows(db, "SELECT 1"))
	})

	step("many sessions", func(db *sql.DB) {
		addCustomers(db, 10)
		db.SetMaxOpenConns(12)
		var group sync.WaitGroup
		wrong := make([]int, 10)
		for n := 0; n < 10; n++ {
			group.Add(1)
			go func(n int) {
				defer group.Done()
				connection, err := db.Conn(background)
				if err != nil {
					wrong[n] = -1
					return
				}
				defer connection.Close()
				exec(connection, fmt.Sprintf("SET @mine = %d", n))
				for turn := 0; turn < 15; turn++ {
					tx, _ := connection.BeginTx(background, nil)
					if fmt.Sprint(rows(tx, "SELECT @mine")) != fmt.Sprint([]interface{}{[]interface{}{[]byte(fmt.Sprint(n))}}) && fmt.Sprint(rows(tx, "SELECT @mine")) != fmt.Sprintf("[[%d]]", n) {
						wrong[n]++
					}
					exec(tx, "UPDATE customers SET balance = balance + 1 WHERE id = ?", n+1)
					if turn%3 == 0 {
						tx.Rollback()
					} else {
						tx.Commit()
					}
				}
			}(n)
		}
		group.Wait()
		say("wrong", fmt.Sprint(wrong), rows(db, "SELECT balance - id * 10 FROM customers ORDER BY id"))
	})

	for n, work := range steps {
		fmt.Println("==", names[n])
		func() {
			db := open("")
			defer db.Close()
			defer func() {
				if problem := recover(); problem != nil {
					fmt.Println("!!", strings.Join(strings.Fields(fmt.Sprint(problem)), " "))
				}
			}()
			for _, table := range []string{"orders", "customers", "samples", "documents", "notes"} {
				exec(db, "DELETE FROM "+table)
			}
			exec(db, "ALTER TABLE notes AUTO_INCREMENT = 1")
			work(db)
		}()
	}
}
