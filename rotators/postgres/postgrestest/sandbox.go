package postgrestest

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience bounds every single thing that the helpers ask of a server.
const patience = 30 * time.Second

// A Sandbox is one test's part of a shared server: a database and role names that no other test has.
type Sandbox struct {
	Server   *Server
	Database string

	tag string // in the names of the database and of every role
}

// Fresh makes a sandbox. When the test ends, its database is dropped, and so is every role whose name contains one of
// the sandbox's role names: clones too.
func (s *Server) Fresh(t testing.TB) *Sandbox {
	t.Helper()
	tag := "t" + strings.ToLower(rand.Text()[:10])
	box := &Sandbox{Server: s, Database: "db_" + tag, tag: tag}
	box.execIn(t, s.Database, "CREATE DATABASE "+box.Database)
	t.Cleanup(func() { box.drop(t) })
	return box
}

// Role is a role name unique to the sandbox: "app" becomes something like "app_tmxk3q". It needs no quotes if base
// needs none. The role itself is the test's to create.
func (b *Sandbox) Role(base string) string { return base + "_" + b.tag }

// Exec runs statements as the administrator, in the sandbox's database, each in a transaction of its own.
func (b *Sandbox) Exec(t testing.TB, statements ...string) {
	t.Helper()
	b.execIn(t, b.Database, statements...)
}

// Admin is the administrator's connection to the sandbox's database. It is closed when the test ends.
func (b *Sandbox) Admin(t testing.TB) *pgx.Conn {
	t.Helper()
	return b.Connect(t, b.Server.AdminUser, b.Server.AdminPassword)
}

// Connect logs in to the sandbox's database; that it fails fails the test. It is closed when the test ends.
func (b *Sandbox) Connect(t testing.TB, user, password string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := b.Server.Connect(ctx, user, password, b.Database)
	if err != nil {
		t.Fatalf("logging in as %s to %s: %v", user, b.Server.Name(), err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func (b *Sandbox) execIn(t testing.TB, database string, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := b.Server.Admin(ctx, database)
	if err != nil {
		t.Fatalf("logging in as the administrator of %s: %v", b.Server.Name(), err)
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %s: %v", b.Server.Name(), statement, err)
		}
	}
}

// drop removes what the test made. The roles' privileges outside the database go first, and all roles in one
// statement: either may stand in the way of dropping a role (2BP01).
func (b *Sandbox) drop(t testing.TB) {
	b.execIn(t, b.Server.Database, "DROP DATABASE "+b.Database+" WITH (FORCE)")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := b.Server.Admin(ctx, "")
	if err != nil {
		t.Errorf("dropping the test's roles: %v", err)
		return
	}
	defer conn.Close(ctx)
	var roles *string
	err = conn.QueryRow(ctx, `SELECT string_agg(quote_ident(rolname), ', ') FROM pg_roles WHERE strpos(rolname, $1) > 0`,
		b.tag).Scan(&roles)
	if err == nil && roles != nil {
		_, err = conn.Exec(ctx, "DROP OWNED BY "+*roles+" CASCADE; DROP ROLE "+*roles)
	}
	if err != nil {
		t.Errorf("dropping the test's roles: %v", err)
	}
}
