package mysqltest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"
)

// patience bounds every single thing that the helpers ask of a server.
const patience = 30 * time.Second

// A Sandbox is one test's part of a shared server: names that no other test has, nor anybody else on that server. Its
// methods are for one goroutine at a time.
type Sandbox struct {
	Server *Server
	Admin  *sql.DB // the administrator's session
	tag    string  // in every name
}

// Fresh makes a sandbox. When the test ends, every account, role and database whose name contains the sandbox's tag is
// dropped: clones too.
func (s *Server) Fresh(t testing.TB) *Sandbox {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	admin, err := s.Admin(ctx)
	if err != nil {
		t.Fatalf("logging in as the administrator of %s: %v", s.Name(), err)
	}
	b := &Sandbox{Server: s, Admin: admin, tag: "m" + strings.ToLower(rand.Text()[:7])}
	t.Cleanup(func() {
		if err := errors.Join(b.sweep(), admin.Close()); err != nil {
			t.Errorf("dropping what the test made: %v", err)
		}
	})
	return b
}

// Name is a name unique to the sandbox: "app" becomes something like "app_k3q7xw2m". It needs no quotes if base needs
// none. With its 9 characters more, and a clone's suffix, it must stay within 32.
func (b *Sandbox) Name(base string) string { return base + "_" + b.tag }

// Exec runs statements as the administrator.
func (b *Sandbox) Exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := b.Admin.ExecContext(context.Background(), statement); err != nil {
			t.Fatalf("%s: %s: %v", b.Server.Name(), statement, err)
		}
	}
}

// sweep drops what has the tag in its name, on a session of its own: a test may have used up the other.
func (b *Sandbox) sweep() error {
	if !b.Server.Real {
		return nil // it ends with its test
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*patience)
	defer cancel()
	db, err := b.Server.Admin(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	return errors.Join(
		dropAll(ctx, db, "SELECT CONCAT('DROP DATABASE `', REPLACE(schema_name, '`', '``'), '`') FROM information_schema.schemata WHERE LOCATE(?, schema_name) > 0", b.tag),
		dropAll(ctx, db, "SELECT CONCAT("+b.dropAccount()+") FROM mysql.user WHERE LOCATE(?, User) > 0", b.tag))
}

// dropAccount is what DROP statement a row of mysql.user needs. MariaDB keeps roles there too, with no host.
func (b *Sandbox) dropAccount() string {
	account := "'`', REPLACE(User, '`', '``'), '`@`', REPLACE(Host, '`', '``'), '`'"
	if b.Server.product == MySQL {
		return "'DROP USER ', " + account
	}
	return "IF(is_role = 'Y', CONCAT('DROP ROLE `', REPLACE(User, '`', '``'), '`'), CONCAT('DROP USER ', " + account + "))"
}

// dropAll runs the statements that a query returns.
func dropAll(ctx context.Context, db *sql.DB, query, tag string) error {
	rows, err := db.QueryContext(ctx, query, tag)
	if err != nil {
		return err
	}
	var statements []string
	for rows.Next() {
		var statement string
		if err := rows.Scan(&statement); err != nil {
			return errors.Join(err, rows.Close())
		}
		statements = append(statements, statement)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	var errs []error
	for _, statement := range statements {
		_, err := db.ExecContext(ctx, statement)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
