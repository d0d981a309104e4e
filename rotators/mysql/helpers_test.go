package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// connect logs in through the driver, as a rotation does.
func (w *world) connect(t *testing.T, user, password string) (database.Conn, error) {
	t.Helper()
	r := w.rotator(t, database.Config{Strategy: database.SingleUser, Password: func() string { return "" }})
	c, err := r.Connect(t.Context(), w.secret(t, user, password))
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

// as is connect for logins that have to work.
func (w *world) as(t *testing.T, user, password string) database.Conn {
	t.Helper()
	c, err := w.connect(t, user, password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// administrator is a session of the server's administrator.
func (w *world) administrator(t *testing.T) database.Conn {
	t.Helper()
	return w.as(t, w.server.AdminUser, w.server.AdminPassword)
}

// clone makes user_clone with a password.
func (w *world) clone(t *testing.T, user, password string) {
	t.Helper()
	c := w.administrator(t)
	if err := databasetest.Clone(t.Context(), c, user, user+"_clone", password); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil { // which frees the lock
		t.Fatal(err)
	}
}

// do runs a statement as a user.
func (w *world) do(t *testing.T, user, password, statement string) error {
	t.Helper()
	db, err := again(func() (*sql.DB, error) { return w.server.Connect(t.Context(), user, password, "") })
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(t.Context(), w.own(statement))
	return err
}

// again repeats a login that the client driver spoils: one in 256 by ed25519.
func again[T any](login func() (T, error)) (T, error) {
	for {
		got, err := login()
		if !errors.Is(err, driver.ErrMalformPkt) {
			return got, err
		}
	}
}

// value asks as the administrator.
func (w *world) value(t *testing.T, query string) string {
	t.Helper()
	var v string
	if err := w.admin.QueryRowContext(context.Background(), w.own(query)).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// install loads a plug-in of MariaDB's for the test. Not every build has it.
func (w *world) install(t *testing.T, name string) {
	t.Helper()
	_, err := w.admin.ExecContext(t.Context(), "INSTALL SONAME '"+name+"'")
	var me *driver.MySQLError
	if errors.As(err, &me) && me.Number == 1126 {
		t.Skipf("NOT COVERED: the server lacks %s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.exec(t, "UNINSTALL SONAME '"+name+"'") })
}

// wantClass checks an error's class, and that it says something.
func wantClass(t *testing.T, err error, want rotation.Class, says string) {
	t.Helper()
	var f *rotation.Fault
	if !errors.As(err, &f) || f.Class != want || !strings.Contains(f.Error()+f.Remedy, says) {
		t.Errorf("got %v, want %s that says %q", err, want, says)
		if f != nil {
			t.Logf("class %s, remedy %q", f.Class, f.Remedy)
		}
	}
}
