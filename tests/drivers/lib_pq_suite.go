// lib/pq under database/sql: pools, prepared statements, transactions, contexts, copies, notifications.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/lib/pq"
)

type step struct {
	name string
	work func(db *sql.DB) error
}

func say(what string, values ...interface{}) {
	words := make([]string, len(values))
	for n, value := range values {
		words[n] = fmt.Sprint(value)
	}
	fmt.Println(what+":", strings.Join(words, " "))
}

func open(more string) *sql.DB {
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL")+"?sslmode=disable"+more)
	if err != nil {
		panic(err)
	}
	return db
}

func describe(err error) string {
	var reported *pq.Error
	if errors.As(err, &reported) {
		return fmt.Sprint(reported.Code, " ", reported.Code.Name(), " ", reported.Message, " ", reported.Constraint, " ", reported.Position)
	}
	return fmt.Sprint(err)
}

// The rows of a query as text.
func rows(querier interface {
	Query(string, ...interface{}) (*sql.Rows, error)
}, text string, values ...interface{}) string {
	result, err := querier.Query(text, values...)
	if err != nil {
		return describe(err)
	}
	defer result.Close()
	columns, _ := result.Columns()
	var all []string
	for result.Next() {
		row, places := make([]sql.NullString, len(columns)), make([]interface{}, len(columns))
		for n := range row {
			places[n] = &row[n]
		}
		if err := result.Scan(places...); err != nil {
			return describe(err)
		}
		words := make([]string, len(row))
		for n, value := range row {
			words[n] = value.String
			if !value.Valid {
				words[n] = "NULL"
			}
		}
		all = append(all, "("+strings.Join(words, ", ")+")")
	}
	if err := result.Err(); err != nil {
		return describe(err)
	}
	return strings.Join(all, " ")
}

func addCustomers(db *sql.DB, count int) error {
	insert, err := db.Prepare("INSERT INTO customers (id, name, country, balance) VALUES ($1, $2, $3, $4)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for n := 1; n <= count; n++ {
		if _, err := insert.Exec(n, fmt.Sprint("customer ", n), []string{"DE", "FR", "JP"}[n%3], n*10); err != nil {
			return err
		}
	}
	return nil
}

func valuesOfEveryType(_ *sql.DB) error {
	instant := time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)
	for _, binary := range []string{"no", "yes"} {
		db := open("&binary_parameters=" + binary)
		defer db.Close()
		if _, err := db.Exec("DELETE FROM samples"); err != nil {
			return err
		}
		values := []interface{}{1, -32768, 2147483647, int64(-9223372036854775808), "123456789.000000001", 1.5, 0.1, true, "Grüße, 世界 'x' \\ \U0001f600", "short", "fix",
			[]byte{0, 255, 10}, "2024-02-29", "1999-12-31 23:59:59.999999", instant, "12:34:56", "3 days 00:00:07", "6b1c3f0e-0000-4000-8000-00000000002a",
			`{"a": [1, null]}`, `{"k": 1.5}`, pq.Array([]int64{1, 2}), pq.Array([]string{"a", `b"c`, "d,e"}), "happy", pq.Array([]string{"sad", "ok"}), "192.0.2.7"}
		marks := make([]string, len(values))
		for n := range marks {
			marks[n] = fmt.Sprintf("$%d", n+1)
		}
		text := "INSERT INTO samples VALUES (" + strings.Join(marks, ", ") + ")"
		result, err := db.Exec(text, values...)
		if err != nil {
			return err
		}
		count, _ := result.RowsAffected()
		say("inserted", count)
		nulls := make([]interface{}, len(values))
		nulls[0] = 2
		if _, err := db.Exec(text, nulls...); err != nil {
			return err
		}
		for id := 1; id <= 2; id++ {
			found, err := db.Query("SELECT * FROM samples WHERE id = $1", id)
			if err != nil {
				return err
			}
			types, _ := found.ColumnTypes()
			seen, places := make([]interface{}, len(types)), make([]interface{}, len(types))
			for n := range seen {
				places[n] = &seen[n]
			}
			found.Next()
			if err := found.Scan(places...); err != nil {
				return err
			}
			for n, kind := range types {
				if bytes, ok := seen[n].([]byte); ok && kind.DatabaseTypeName() != "BYTEA" {
					seen[n] = string(bytes)
				}
				say(fmt.Sprintf("binary %s sample %d %s", binary, id, kind.Name()), kind.DatabaseTypeName(), kind.ScanType(), fmt.Sprintf("%T %v", seen[n], seen[n]))
			}
			found.Close()
		}
		say("all", rows(db, "SELECT id, feeling, numbers, exact FROM samples ORDER BY id"))
		var numbers []sql.NullInt64
		if err := db.QueryRow("SELECT numbers FROM samples WHERE id = 1").Scan(pq.Array(&numbers)); err != nil {
			return err
		}
		say("array", numbers)
	}
	return nil
}

func preparedStatements(db *sql.DB) error {
	if err := addCustomers(db, 12); err != nil {
		return err
	}
	one, err := db.Prepare("SELECT name, balance FROM customers WHERE id = $1")
	if err != nil {
		return err
	}
	defer one.Close()
	all, err := db.Prepare("SELECT count(*), sum(balance) FROM customers WHERE balance > $1")
	if err != nil {
		return err
	}
	defer all.Close()
	for n := 1; n <= 8; n++ {
		var name, balance, sum string
		var count int
		if err := one.QueryRow(n).Scan(&name, &balance); err != nil {
			return err
		}
		if err := all.QueryRow(n * 10).Scan(&count, &sum); err != nil {
			return err
		}
		say("prepared", name, balance, count, sum)
	}
	err = one.QueryRow(99).Scan(new(string), new(string))
	say("no rows", err == sql.ErrNoRows)
	return nil
}

func transactions(db *sql.DB) error {
	if err := addCustomers(db, 3); err != nil {
		return err
	}
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return err
	}
	say("isolation", rows(tx, "SHOW transaction_isolation"))
	for _, text := range []string{"UPDATE customers SET balance = 1 WHERE id = 1", "SAVEPOINT a", "INSERT INTO customers (id, name) VALUES (1, 'x')", "SELECT 1", "ROLLBACK TO a",
		"INSERT INTO orders VALUES (1, 1, '2024-01-01', 10)"} {
		_, err := tx.Exec(text)
		say(text, describe(err))
	}
	say("commit", tx.Commit())
	tx, _ = db.Begin()
	tx.Exec("DELETE FROM customers WHERE id = 1")
	say("rollback", tx.Rollback())
	say("after", rows(db, "SELECT c.id, balance, amount FROM customers c LEFT JOIN orders o ON o.customer_id = c.id ORDER BY 1"))
	tx, _ = db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	_, err = tx.Exec("DELETE FROM customers WHERE id = 1")
	say("read only", describe(err))
	say("commit of a failed one", tx.Commit())
	return nil
}

func readsAndWrites(db *sql.DB) error {
	if err := addCustomers(db, 20); err != nil {
		return err
	}
	say("aggregates", rows(db, "SELECT count(*), sum(balance), avg(balance), max(name) FROM customers"))
	say("groups", rows(db, "SELECT k.name, count(*) FROM customers c JOIN countries k ON k.code = c.country GROUP BY k.name ORDER BY 1"))
	say("any", rows(db, "SELECT id FROM customers WHERE id = ANY($1) ORDER BY id", pq.Array([]int64{2, 4, 6})))
	say("upsert", rows(db, "INSERT INTO customers (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name", 3, "again"))
	for _, text := range []string{"UPDATE customers SET balance = 0 WHERE country = 'DE'", "DELETE FROM customers WHERE id > 15"} {
		result, err := db.Exec(text)
		if err != nil {
			return err
		}
		count, _ := result.RowsAffected()
		say("affected", count)
	}
	var id int
	if err := db.QueryRow("INSERT INTO notes (body) VALUES ($1) RETURNING id", "x").Scan(&id); err != nil {
		return err
	}
	say("generated", id > 0)
	several, err := db.Query("SELECT 1; SELECT id FROM customers WHERE id < 3 ORDER BY id")
	if err != nil {
		return err
	}
	defer several.Close()
	for more := true; more; more = several.NextResultSet() {
		for several.Next() {
			several.Scan(&id)
			say("result", id)
		}
	}
	return nil
}

func copying(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	into, err := tx.Prepare(pq.CopyIn("notes", "body"))
	if err != nil {
		return err
	}
	for n := 0; n < 50; n++ {
		if _, err := into.Exec(fmt.Sprintf("note\t%d", n)); err != nil {
			return err
		}
	}
	_, err = into.Exec()
	say("flushed", describe(err))
	say("closed", into.Close())
	say("commit", tx.Commit())
	say("notes", rows(db, "SELECT count(*), min(body) FROM notes"))
	return nil
}

func failures(db *sql.DB) error {
	if err := addCustomers(db, 2); err != nil {
		return err
	}
	for _, text := range []string{"INSERT INTO customers (id, name) VALUES (1, 'x')", "SELEC 1", "SELECT nme FROM customers", "SELECT 'x'::int", "INSERT INTO orders VALUES (999, 1, NULL, 1)"} {
		_, err := db.Exec(text)
		say(text, describe(err))
	}
	_, err := db.Query("SELECT * FROM customers WHERE id = $1", "one")
	say("type", describe(err))
	for _, text := range []string{"SELECT pg_sleep(20)", "SELECT count(*) FROM customers, generate_series(1, 100000000)"} {
		limited, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		_, err := db.ExecContext(limited, text)
		cancel()
		say("cancelled", describe(err))
	}
	say("goes on", rows(db, "SELECT count(*) FROM customers"))
	return nil
}

func manySessions(db *sql.DB) error {
	if err := addCustomers(db, 10); err != nil {
		return err
	}
	var wait sync.WaitGroup
	wrong := make([]int, 10)
	for n := 0; n < 10; n++ {
		wait.Add(1)
		go func(n int) {
			defer wait.Done()
			mine, err := db.Conn(context.Background())
			if err != nil {
				wrong[n] = -1
				return
			}
			defer mine.Close()
			zone := fmt.Sprintf("Etc/GMT+%d", n)
			mine.ExecContext(context.Background(), "SET TIME ZONE '"+zone+"'")
			for turn := 0; turn < 12; turn++ {
				var seen string
				tx, err := mine.BeginTx(context.Background(), nil)
				if err != nil {
					wrong[n]++
					continue
				}
				if err := tx.QueryRow("SELECT current_setting('TimeZone')").Scan(&seen); err != nil || seen != zone {
					wrong[n]++
				}
				if _, err := tx.Exec("UPDATE customers SET balance = balance + 1 WHERE id = $1", n+1); err != nil {
					wrong[n]++
				}
				if err := tx.Commit(); err != nil {
					wrong[n]++
				}
			}
		}(n)
	}
	wait.Wait()
	say("wrong", wrong)
	say("balances", rows(db, "SELECT balance - id * 10 FROM customers ORDER BY id"))
	return nil
}

func notifications(db *sql.DB) error {
	listener := pq.NewListener(os.Getenv("DATABASE_URL")+"?sslmode=disable", time.Second, time.Second, nil)
	listening := make(chan error, 1)
	go func() { listening <- listener.Listen("news") }() // it waits for ever where LISTEN fails
	select {
	case err := <-listening:
		if err != nil {
			return err
		}
	case <-time.After(5 * time.Second):
		return errors.New("LISTEN does not end")
	}
	db.Exec("NOTIFY news, 'one'")
	db.Exec("SELECT pg_notify('news', $1)", "two")
	for n := 0; n < 2; n++ {
		select {
		case notification := <-listener.Notify:
			say("heard", notification.Channel, notification.Extra)
		case <-time.After(5 * time.Second):
			say("heard", "nothing")
		}
	}
	return listener.Close()
}

func main() {
	version, _ := exec.Command("dpkg-query", "-W", "-f=${Version}", "golang-github-lib-pq-dev").Output()
	fmt.Println("driver: Go lib/pq", strings.Split(string(version), "-")[0])
	db := open("")
	defer db.Close()
	for _, one := range []step{{"values of every type", valuesOfEveryType}, {"prepared statements", preparedStatements}, {"transactions", transactions}, {"reads and writes", readsAndWrites},
		{"copying", copying}, {"failures", failures}, {"many sessions", manySessions}, {"notifications", notifications}} {
		fmt.Println("==", one.name)
		for _, table := range []string{"customers", "samples", "documents", "notes"} {
			if _, err := db.Exec("DELETE FROM " + table); err != nil {
				fmt.Println("!!", err)
			}
		}
		if err := one.work(db); err != nil {
			fmt.Println("!!", describe(err))
		}
	}
}
