package redshifttest

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

// A Sandbox is one test's part of a shared server: names that no other test has, and on the stand-in a database. Its
// methods are for one goroutine at a time.
type Sandbox struct {
	Server   *Server
	Database string

	tag   string // in every name
	admin *pgx.Conn
}

// Fresh makes a sandbox. When the test ends, what has one of the sandbox's names in its own is dropped: clones too.
func (s *Server) Fresh(t testing.TB) *Sandbox {
	t.Helper()
	b := &Sandbox{Server: s, Database: s.Database, tag: "t" + strings.ToLower(rand.Text()[:10])}
	switch s.Kind {
	case Wire:
		t.Cleanup(func() { s.wire.change(func(c *catalog) { c.dropAll(b.tag) }) })
	case StandIn:
		inner := s.postgres.Fresh(t)
		b.Database, b.tag = inner.Database, strings.TrimPrefix(inner.Role(""), "_")
		inner.Exec(t, standInViews)
	case Cluster:
		t.Cleanup(func() { b.sweep(t) })
	}
	t.Cleanup(b.hangUp)
	return b
}

// Name is a name unique to the sandbox: "app" becomes something like "app_tmxk3q". It needs no quotes if base needs
// none.
func (b *Sandbox) Name(base string) string { return base + "_" + b.tag }

// Exec runs statements as the administrator, in one transaction.
func (b *Sandbox) Exec(t testing.TB, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := b.Connection(t).Exec(ctx, strings.Join(statements, ";\n")); err != nil {
		t.Fatalf("%s: %s: %v", b.Server.Name(), strings.Join(statements, ";\n"), err)
	}
}

// Connection is the administrator's, which the sandbox's helpers share.
func (b *Sandbox) Connection(t testing.TB) *pgx.Conn {
	t.Helper()
	if b.admin != nil {
		return b.admin
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var err error
	if b.admin, err = b.Server.Connect(ctx, b.Server.AdminUser, b.Server.AdminPassword, b.Database); err != nil {
		t.Fatalf("logging in as the administrator of %s: %v", b.Server.Name(), err)
	}
	return b.admin
}

func (b *Sandbox) hangUp() {
	if b.admin != nil {
		_ = b.admin.Close(context.Background())
	}
}

// Connect logs in to the sandbox's database. The connection is closed when the test ends.
func (b *Sandbox) Connect(t testing.TB, user, password string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := b.Server.Connect(ctx, user, password, b.Database)
	if err != nil {
		t.Fatalf("logging in as %s to %s: %v", user, b.Server.Name(), err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Drop drops users, those of them that exist, with what they own. On a live cluster it leaves them to the end of the
// sandbox.
func (b *Sandbox) Drop(t testing.TB, users ...string) {
	t.Helper()
	switch b.Server.Kind {
	case Wire:
		b.Server.wire.change(func(c *catalog) {
			for _, u := range users {
				c.dropUser(u)
			}
		})
	case StandIn:
		b.dropRoles(t, users)
	}
}

func (b *Sandbox) dropRoles(t testing.TB, names []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn := b.Connection(t)
	for _, name := range names {
		var exists bool
		err := conn.QueryRow(ctx, `SELECT count(*) > 0 FROM pg_roles WHERE rolname = $1`, name).Scan(&exists)
		if err == nil && exists {
			_, err = conn.Exec(ctx, `DROP OWNED BY `+quote(name)+` CASCADE; DROP ROLE `+quote(name))
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// sweep drops what a test made on a live cluster, as far as Redshift lets it: what it does not is said, and left to a
// person. Nobody could try this out.
func (b *Sandbox) sweep(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	conn, err := b.Server.Connect(ctx, b.Server.AdminUser, b.Server.AdminPassword, b.Database)
	if err != nil {
		t.Errorf("cleaning up: %v", err)
		return
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, what := range []struct{ query, statement, after string }{
		{`SELECT nspname FROM pg_namespace WHERE position($1 in nspname) > 0`, `DROP SCHEMA `, ` CASCADE`},
		{`SELECT usename FROM pg_user WHERE position($1 in usename) > 0`, `REVOKE ALL ON DATABASE ` + quote(b.Database) + ` FROM `, ``},
		{`SELECT usename FROM pg_user WHERE position($1 in usename) > 0`, `DROP USER `, ``},
		{`SELECT groname FROM pg_group WHERE position($1 in groname) > 0`, `DROP GROUP `, ``},
		{`SELECT role_name FROM svv_roles WHERE position($1 in role_name) > 0`, `DROP ROLE `, ` FORCE`},
	} {
		found, err := conn.Query(ctx, what.query, b.tag)
		if err != nil {
			t.Logf("cleaning up: %s: %v", what.query, err)
			continue
		}
		names, _ := pgx.CollectRows(found, pgx.RowTo[string])
		for _, name := range names {
			if _, err := conn.Exec(ctx, what.statement+quote(name)+what.after); err != nil {
				t.Logf("left over: %s%s%s: %v", what.statement, quote(name), what.after, err)
			}
		}
	}
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
