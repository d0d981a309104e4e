package main_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// A backup locks all tables and goes on. The message says how it is found and ended (MySQL), or what it may be: then it
// ends by itself.
func TestAServerThatIsLockedIsFreedByTheRemedy(t *testing.T) {
	for _, product := range []string{mysqltest.MySQL, mysqltest.MariaDB} {
		t.Run(product, func(t *testing.T) {
			w := newWorldOn(t, mysqltest.Start(t, product, mysqltest.Config{Options: servertest.Options{Settings: map[string]string{"performance-schema": "ON"}}}))
			backup := w.holding(t, "FLUSH TABLES WITH READ LOCK")
			_, err := w.Rotate(t.Context(), w.arn, w.function)
			if rig.ErrorType(err) != string(rotation.Timeout) {
				t.Fatalf("got %v", err)
			}
			_, query, printed := strings.Cut(err.Error(), "Run as an administrator what this prints, then rotate again: ")
			switch {
			case printed:
				query, _, _ = strings.Cut(query, " RotateSecret may")
				w.exec(t, w.printed(t, query)...)
			case !strings.Contains(err.Error(), "UNLOCK TABLES"):
				t.Fatalf("nothing is said of locks: %v", err)
			default:
				if _, err := backup.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.Command(t.Context(), err.Error()); err != nil {
				t.Fatalf("after what the message says: %v", err)
			}
			databasetest.Remedied(t, mysql.Driver, w.server.Title, w.server.Real, rotation.Timeout)
		})
	}
}

// holding is a session of an administrator's that has run a statement and goes on.
func (w *world) holding(t *testing.T, statement string) *sql.Conn {
	t.Helper()
	db, err := w.server.Admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(context.Background())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), statement)
	}
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// printed are the statements that a query prints.
func (w *world) printed(t *testing.T, query string) (statements []string) {
	t.Helper()
	rows, err := w.admin.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		statements = append(statements, s)
	}
	if rows.Err() != nil || len(statements) == 0 {
		t.Fatalf("%s prints %q, %v", query, statements, rows.Err())
	}
	return statements
}
