// pgx: binary everywhere, its cache of prepared statements, batches, copies, a pool.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

var background = context.Background()

func say(what string, values ...interface{}) {
	words := make([]string, len(values))
	for n, value := range values {
		words[n] = fmt.Sprint(value)
	}
	fmt.Println(what+":", strings.Join(words, " "))
}

func describe(err error) string {
	var reported *pgconn.PgError
	if errors.As(err, &reported) {
		return fmt.Sprint(reported.Code, " ", reported.Message, " ", reported.ConstraintName, " ", reported.Position)
	}
	return fmt.Sprint(err)
}

func connect(more string) (*pgx.Conn, error) {
	return pgx.Connect(background, os.Getenv("DATABASE_URL")+"?sslmode=disable"+more)
}

type querier interface {
	Query(context.Context, string, ...interface{}) (pgx.Rows, error)
}

func rows(from querier, text string, values ...interface{}) string {
	result, err := from.Query(background, text, values...)
	if err != nil {
		return describe(err)
	}
	defer result.Close()
	var all []string
	for result.Next() {
		row, err := result.Values()
		if err != nil {
			return describe(err)
		}
		words := make([]string, len(row))
		for n, value := range row {
			words[n] = fmt.Sprintf("%T %v", value, value)
			if number, ok := value.(interface{ Value() (interface{}, error) }); ok {
				words[n] = fmt.Sprint(number.Value())
			}
		}
		all = append(all, "("+strings.Join(words, ", ")+")")
	}
	if result.Err() != nil {
		return describe(result.Err())
	}
	return strings.Join(all, " ")
}

func addCustomers(conn *pgx.Conn, count int) error {
	for n := 1; n <= count; n++ {
		if _, err := conn.Exec(background, "INSERT INTO customers (id, name, country, balance) VALUES ($1, $2, $3, $4::int)", n, fmt.Sprint("customer ", n), []string{"DE", "FR", "JP"}[n%3], n*10); err != nil {
			return err
		}
	}
	return nil
}

func valuesInEachMode(_ *pgx.Conn) error {
	for _, mode := range []string{"&statement_cache_mode=prepare", "&statement_cache_mode=describe", "&prefer_simple_protocol=true"} {
		conn, err := connect(mode)
		if err != nil {
			return err
		}
		defer conn.Close(background)
		if _, err := conn.Exec(background, "DELETE FROM samples"); err != nil {
			return err
		}
		for n := 1; n <= 3; n++ {
			if _, err := conn.Exec(background, "INSERT INTO samples (id, small, whole, large, double, flag, body, raw, day, instant, token, docb, numbers, words) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
				n, int16(-7), int32(n), int64(1)<<60, 0.1, n%2 == 0, "Grüße 世界", []byte{0, 255}, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC),
				"6b1c3f0e-0000-4000-8000-00000000002a", fmt.Sprintf(`{"a": %d}`, n), []int32{1, 2}, []string{"x", "y,z"}); err != nil {
				return err
			}
		}
		for n := 1; n <= 3; n++ {
			say(mode, rows(conn, "SELECT small, whole, large, double, flag, body, raw, day, instant AT TIME ZONE 'UTC', docb, numbers, words FROM samples WHERE id = $1", n))
		}
		say(mode+" all", rows(conn, "SELECT whole, sum(large), count(*) FROM samples WHERE whole >= $1 GROUP BY whole ORDER BY whole", 2))
		if _, err := conn.Exec(background, "UPDATE samples SET feeling = $1 WHERE id = $2", "happy", 1); err != nil {
			return err
		}
		var feeling string
		if err := conn.QueryRow(background, "SELECT feeling FROM samples WHERE id = $1", 1).Scan(&feeling); err != nil {
			return err
		}
		say("enum", feeling)
	}
	return nil
}

func descriptions(conn *pgx.Conn) error {
	prepared, err := conn.Prepare(background, "named", "SELECT id, name, balance, seen FROM customers WHERE id = $1 AND balance > $2")
	if err != nil {
		return err
	}
	say("parameters", prepared.ParamOIDs)
	for _, field := range prepared.Fields {
		say(string(field.Name), field.DataTypeOID, field.TypeModifier, field.DataTypeSize)
	}
	if err := addCustomers(conn, 5); err != nil {
		return err
	}
	for n := 1; n <= 5; n++ {
		var name string
		if err := conn.QueryRow(background, "named", n, 0).Scan(new(int64), &name, new(float64), new(*time.Time)); err != nil {
			return err
		}
		say("named", name)
	}
	say("deallocated", conn.Deallocate(background, "named"))
	return nil
}

func batches(conn *pgx.Conn) error {
	if err := addCustomers(conn, 6); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for n := 1; n <= 4; n++ {
		batch.Queue("SELECT name FROM customers WHERE id = $1", n)
	}
	batch.Queue("SELECT count(*) FROM customers")
	batch.Queue("INSERT INTO notes (body) VALUES ($1)", "in a batch")
	results := conn.SendBatch(background, batch)
	for n := 1; n <= 4; n++ {
		var name string
		if err := results.QueryRow().Scan(&name); err != nil {
			return err
		}
		say("name", name)
	}
	var count int
	if err := results.QueryRow().Scan(&count); err != nil {
		return err
	}
	tag, err := results.Exec()
	say("count", count, tag, err, results.Close())
	batch = &pgx.Batch{}
	batch.Queue("INSERT INTO notes (body) VALUES ('lost')")
	batch.Queue("SELECT 1 / $1::int", 0)
	results = conn.SendBatch(background, batch)
	_, err = results.Exec()
	say("first", describe(err))
	_, err = results.Exec()
	say("second", describe(err))
	results.Close()
	say("notes", rows(conn, "SELECT body FROM notes"))
	return nil
}

func transactions(conn *pgx.Conn) error {
	if err := addCustomers(conn, 3); err != nil {
		return err
	}
	err := conn.BeginFunc(background, func(tx pgx.Tx) error {
		if _, err := tx.Exec(background, "UPDATE customers SET balance = $1::int WHERE id = $2", 1, 1); err != nil {
			return err
		}
		inner, err := tx.Begin(background)
		if err != nil {
			return err
		}
		_, err = inner.Exec(background, "INSERT INTO customers (id, name) VALUES ($1, 'x')", 1)
		say("inner", describe(err))
		_, err = inner.Exec(background, "SELECT 1")
		say("failed", describe(err))
		return inner.Rollback(background)
	})
	say("outer", err)
	tx, err := conn.BeginTx(background, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	_, err = tx.Exec(background, "DELETE FROM customers WHERE id = 1")
	say("read only", describe(err))
	say("commit of a failed one", tx.Commit(background))
	say("after", rows(conn, "SELECT id, balance::text FROM customers ORDER BY id"))
	return nil
}

func copying(conn *pgx.Conn) error {
	values := make([][]interface{}, 100)
	for n := range values {
		values[n] = []interface{}{int64(n + 1), fmt.Sprint("copied ", n+1)}
	}
	count, err := conn.CopyFrom(background, pgx.Identifier{"customers"}, []string{"id", "name"}, pgx.CopyFromRows(values))
	say("copied", count, describe(err))
	say("customers", rows(conn, "SELECT count(*), min(name), max(id) FROM customers"))
	count, err = conn.CopyFrom(background, pgx.Identifier{"notes"}, []string{"body"}, pgx.CopyFromRows([][]interface{}{{"a"}, {"b"}, {"a"}}))
	say("duplicate", count, describe(err))
	return nil
}

func changesOfTables(conn *pgx.Conn) error {
	query := "SELECT * FROM notes WHERE body = $1"
	for n := 0; n < 3; n++ {
		say("before", rows(conn, query, "none"))
	}
	if _, err := conn.Exec(background, "ALTER TABLE notes ADD COLUMN extra int"); err != nil {
		return err
	}
	fresh, err := connect("")
	if err != nil {
		return err
	}
	defer fresh.Close(background)
	result, err := fresh.Query(background, query, "none")
	if err != nil {
		return err
	}
	say("columns", len(result.FieldDescriptions()))
	result.Close()
	_, err = fresh.Exec(background, "ALTER TABLE notes DROP COLUMN extra")
	say("dropped", describe(err))
	return nil
}

func cancelling(conn *pgx.Conn) error {
	if err := addCustomers(conn, 5); err != nil {
		return err
	}
	if _, err := conn.Exec(background, "SET statement_timeout = 200"); err != nil {
		return err
	}
	for _, text := range []string{"SELECT pg_sleep(20)", "SELECT count(*) FROM customers, generate_series(1, 100000000)"} {
		_, err := conn.Exec(background, text)
		say("timeout", describe(err))
	}
	_, err := conn.Exec(background, "SELECT $1::int", "x")
	say("encoding", err != nil)
	say("goes on", rows(conn, "SELECT 1"))
	return nil
}

func aPool(conn *pgx.Conn) error {
	if err := addCustomers(conn, 12); err != nil {
		return err
	}
	pool, err := pgxpool.Connect(background, os.Getenv("DATABASE_URL")+"?sslmode=disable&pool_max_conns=8")
	if err != nil {
		return err
	}
	defer pool.Close()
	var wait sync.WaitGroup
	wrong := make([]string, 12)
	for n := 0; n < 12; n++ {
		wait.Add(1)
		go func(n int) {
			defer wait.Done()
			for turn := 0; turn < 8; turn++ {
				err := pool.BeginFunc(background, func(tx pgx.Tx) error {
					name := fmt.Sprintf("worker %d", n)
					if _, err := tx.Exec(background, "SELECT set_config('application_name', $1, true)", name); err != nil {
						return err
					}
					if _, err := tx.Exec(background, "UPDATE customers SET balance = balance + 1 WHERE id = $1", n+1); err != nil {
						return err
					}
					var seen string
					if err := tx.QueryRow(background, "SELECT current_setting('application_name')").Scan(&seen); err != nil {
						return err
					}
					if seen != name {
						return errors.New(seen)
					}
					return nil
				})
				if err != nil {
					wrong[n] = describe(err)
				}
			}
		}(n)
	}
	wait.Wait()
	say("wrong", fmt.Sprintf("%q", wrong))
	say("balances", rows(conn, "SELECT (balance - id * 10)::int FROM customers ORDER BY id"))
	return nil
}

func notifications(conn *pgx.Conn) error {
	listener, err := connect("")
	if err != nil {
		return err
	}
	defer listener.Close(background)
	if _, err := listener.Exec(background, "LISTEN news"); err != nil {
		return err
	}
	conn.Exec(background, "SELECT pg_notify('news', $1)", "one")
	limited, cancel := context.WithTimeout(background, 5*time.Second)
	defer cancel()
	notification, err := listener.WaitForNotification(limited)
	if err != nil {
		return err
	}
	say("heard", notification.Channel, notification.Payload)
	return nil
}

func main() {
	version, _ := exec.Command("dpkg-query", "-W", "-f=${Version}", "golang-github-jackc-pgx-v4-dev").Output()
	fmt.Println("driver: Go pgx", strings.Split(string(version), "-")[0])
	for _, one := range []struct {
		name string
		work func(*pgx.Conn) error
	}{{"values in each mode", valuesInEachMode}, {"descriptions", descriptions}, {"batches", batches}, {"transactions", transactions}, {"copying", copying},
		{"changes of tables", changesOfTables}, {"cancelling", cancelling}, {"a pool", aPool}, {"notifications", notifications}} {
		fmt.Println("==", one.name)
		conn, err := connect("")
		if err != nil {
			fmt.Println("!!", err)
			continue
		}
		for _, table := range []string{"customers", "samples", "documents", "notes"} {
			if _, err := conn.Exec(background, "DELETE FROM "+table); err != nil {
				fmt.Println("!!", err)
			}
		}
		if err := one.work(conn); err != nil {
			fmt.Println("!!", describe(err))
		}
		conn.Close(background)
	}
}
