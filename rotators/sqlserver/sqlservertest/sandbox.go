package sqlservertest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"slices"
	"strings"
	"testing"
)

// A Sandbox is one test's part of a shared server: names that no other test has.
// Its methods are for one goroutine at a time.
type Sandbox struct {
	Server *Server

	tag   string // in every name
	pool  *sql.DB
	admin *sql.Conn
}

// Fresh makes a sandbox. When the test ends, databases and logins that have one
// of the sandbox's names in their own are dropped: clones too.
func (s *Server) Fresh(t testing.TB) *Sandbox {
	t.Helper()
	b := &Sandbox{Server: s, tag: strings.ToLower(rand.Text()[:10])}
	t.Cleanup(func() { b.sweep(t) })
	return b
}

// Name is a name unique to the sandbox: "app" becomes something like
// "app_tmxk3q".
func (b *Sandbox) Name(base string) string { return base + "_" + b.tag }

// Exec runs statements as the administrator, one by one, in a database.
func (b *Sandbox) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	admin := b.connection(t)
	for _, statement := range append([]string{"USE " + Quote(database)}, statements...) {
		if _, err := admin.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%s: %s: %v", b.Server.Name(), statement, err)
		}
	}
}

// connection is the administrator's, which the sandbox's helpers share.
func (b *Sandbox) connection(t testing.TB) *sql.Conn {
	t.Helper()
	if b.admin != nil {
		return b.admin
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	pool, err := b.Server.Open(ctx, b.Server.AdminUser, b.Server.AdminPassword, "master")
	if err != nil {
		t.Fatalf("logging in as the administrator of %s: %v", b.Server.Name(), err)
	}
	b.pool = pool
	if b.admin, err = pool.Conn(ctx); err != nil {
		t.Fatal(err)
	}
	return b.admin
}

// hangUp ends the administrator's connection.
func (b *Sandbox) hangUp() {
	if b.admin != nil {
		_ = b.admin.Close()
		_ = b.pool.Close()
		b.admin = nil
	}
}

// Connect logs in to a database. The connection is closed when the test ends.
func (b *Sandbox) Connect(t testing.TB, user, password, database string) *sql.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	pool, err := b.Server.Open(ctx, user, password, database)
	if err != nil {
		t.Fatalf("logging in as %s to %s: %v", user, b.Server.Name(), err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

// sweep drops the sandbox's databases and logins.
func (b *Sandbox) sweep(t testing.TB) {
	b.hangUp()
	if b.Server.wire != nil {
		b.Server.wire.change(func(c *catalog) { c.dropAll(b.tag) })
		return
	}
	admin := b.connection(t)
	defer b.hangUp()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	for _, what := range []struct{ query, before, after string }{
		{`SELECT name FROM sys.databases WHERE CHARINDEX(@p1, name) > 0`, `DROP DATABASE `, ``},
		{`SELECT name FROM sys.server_principals WHERE CHARINDEX(@p1, name) > 0 AND type = 'S'`, `DROP LOGIN `, ``},
		{`SELECT name FROM sys.server_principals WHERE CHARINDEX(@p1, name) > 0 AND type = 'R'`, `DROP SERVER ROLE `, ``},
	} {
		for _, name := range names(ctx, t, admin, what.query, b.tag) {
			if _, err := admin.ExecContext(ctx, what.before+Quote(name)+what.after); err != nil {
				t.Logf("left over: %s%s: %v", what.before, Quote(name), err)
			}
		}
	}
}

func names(ctx context.Context, t testing.TB, conn *sql.Conn, query, tag string) (all []string) {
	rows, err := conn.QueryContext(ctx, query, tag)
	if err != nil {
		t.Logf("cleaning up: %v", err)
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if rows.Scan(&name) == nil {
			all = append(all, name)
		}
	}
	return all
}

func (c *catalog) dropAll(tag string) {
	c.databases = slices.DeleteFunc(c.databases, func(d *database) bool { return strings.Contains(d.name, tag) })
	for _, l := range slices.Clone(c.principals) {
		if strings.Contains(l.name, tag) {
			c.drop(l)
		}
	}
}

// Drop drops users: logins, what they have in databases, and contained users. On
// a real server it drops logins alone; the rest goes with the databases.
func (b *Sandbox) Drop(t testing.TB, users ...string) {
	t.Helper()
	if b.Server.wire != nil {
		b.Server.wire.change(func(c *catalog) {
			for _, name := range users {
				c.dropUser(name)
			}
		})
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, name := range users {
		_, _ = b.connection(t).ExecContext(ctx, "DROP LOGIN "+Quote(name)) // it may never have been made
	}
}

// dropUser drops a login and its users, or a contained user.
func (c *catalog) dropUser(name string) {
	l := c.login(name)
	for _, d := range c.databases {
		u := d.user(name)
		if l != nil {
			u = d.bySID(l.sid)
		}
		if u != nil {
			d.dropOwned(u)
			d.drop(u)
		}
	}
	if l != nil {
		c.drop(l)
	}
}

// dropOwned drops what a user owns, with what is in its schemas.
func (d *database) dropOwned(u *user) {
	gone := map[int]bool{}
	d.entities = slices.DeleteFunc(d.entities, func(e *entity) bool {
		gone[e.id] = gone[e.id] || e.owner == u.id || gone[e.schema]
		return gone[e.id]
	})
	d.permissions = slices.DeleteFunc(d.permissions, func(p *permission) bool { return gone[p.major] })
}

// Quote quotes a name.
func Quote(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

// Literal quotes a text.
func Literal(text string) string { return "N'" + strings.ReplaceAll(text, "'", "''") + "'" }
