package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// Passwords with characters that JSON and SQL write in another way.
const (
	firstPassword = `F1rst&<"pass'word"> \ %s $1`
	wrongPassword = `Wr0ng&<"pass'word"> \ %s $1`
	adminPassword = `Adm1n&<"pass'word"> \ %s $1`
)

const function = "github.com/seed492efc12/rotor/functions/postgres"

var strategies = []string{"single-user", "single-user-by-administrator", "alternating-users"}

func TestMain(m *testing.M) { postgrestest.Main(m) }

// build is the binary that the tests drive.
func build(t *testing.T) (bootstrap string) {
	t.Helper()
	return functiontest.Bootstrap(t, function)
}

// closing closes c when the test ends.
func closing(t *testing.T, c io.Closer) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// must is for calls that have to succeed: must(call())(t) is their result.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// A world is what one test has for itself: a sandbox in a server, a Secrets Manager, an administrator's secret, and the
// function. It ends by searching all that the function wrote for what must not be there.
type world struct {
	*rig.Rig
	bootstrap string
	server    *postgrestest.Server
	box       *postgrestest.Sandbox
	admin     *pgx.Conn // the administrator, who is no superuser
	masterARN string
	ca        []byte // what functions trust: the server's CA

	mu        sync.Mutex
	requests  []local.Request
	functions []*rig.Function
	passwords []string
}

// newWorld opens one. Failed rotations are not retried, unless o says so.
func newWorld(t *testing.T, bootstrap string, s *postgrestest.Server, o local.Options) *world {
	t.Helper()
	w := &world{bootstrap: bootstrap, server: s, ca: s.CA}
	if o.Retries == 0 {
		o.Retries = -1
	}
	o.OnRequest = w.observe
	w.Rig = must(rig.Open(o))(t)
	t.Cleanup(func() { w.finish(t) })
	w.box = s.Fresh(t)
	dba := w.box.Role("dba")
	w.box.Exec(t, `CREATE ROLE `+dba+` LOGIN CREATEROLE PASSWORD `+literal(adminPassword))
	w.admin = w.box.Connect(t, dba, adminPassword)
	w.masterARN = w.secret(t, "administrator", w.document(dba, adminPassword))
	return w
}

func (w *world) observe(q local.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, q)
}

// finish closes the rig, so that the functions' logs are complete.
func (w *world) finish(t *testing.T) {
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	for _, f := range w.functions {
		w.wantNothingSensitive(t, f.Log())
	}
}

// start starts the function with the server's CA and settings given as name and value in turn.
func (w *world) start(t *testing.T, settings ...string) *rig.Function {
	t.Helper()
	return w.startWith(t, local.FunctionConfig{}, settings...)
}

func (w *world) startWith(t *testing.T, c local.FunctionConfig, settings ...string) *rig.Function {
	t.Helper()
	if c.Name == "" {
		c.Name = fmt.Sprint("function", len(w.functions))
	}
	c.Bootstrap, c.Env = w.bootstrap, map[string]string{"CA_BUNDLE": string(w.ca)}
	for i := 0; i < len(settings); i += 2 {
		c.Env[settings[i]] = settings[i+1]
	}
	f := must(w.Start(c))(t)
	w.functions = append(w.functions, f)
	return f
}

// role makes the administrator create a user, and returns its name.
func (w *world) role(t *testing.T, base, password string) string {
	t.Helper()
	name := w.box.Role(base)
	w.exec(t, `CREATE ROLE `+quote(name)+` LOGIN PASSWORD `+literal(password))
	return name
}

func literal(text string) string { return `'` + strings.ReplaceAll(text, `'`, `''`) + `'` }

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func (w *world) exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := w.admin.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// A document is a secret's JSON before it is text.
type document map[string]any

// document is the secret of a user of the world's database.
func (w *world) document(user, password string) document {
	return document{
		"engine": "postgres", "host": w.server.Host, "port": w.server.Port, "dbname": w.box.Database,
		"username": user, "password": password,
	}
}

// with is a copy with other fields; a nil one is left out.
func (d document) with(fields document) document {
	d = maps.Clone(d)
	for name, value := range fields {
		if d[name] = value; value == nil {
			delete(d, name)
		}
	}
	return d
}

func (d document) String() string {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// secret stores d and returns its ARN.
func (w *world) secret(t *testing.T, name string, d document) (arn string) {
	t.Helper()
	if password, ok := d["password"].(string); ok {
		w.passwords = append(w.passwords, password)
	}
	return w.rawSecret(t, name, d.String())
}

func (w *world) rawSecret(t *testing.T, name, value string) (arn string) {
	t.Helper()
	return must(w.CreateSecret(t.Context(), name, value))(t)
}

// login is what a version of a secret says.
type login struct{ Username, Password string }

// read reads a version of a secret that must be there.
func (w *world) read(t *testing.T, arn, stage string) (l login) {
	t.Helper()
	value := must(w.Value(t.Context(), arn, stage))(t)
	if err := json.Unmarshal([]byte(value), &l); err != nil {
		t.Fatal(err)
	}
	w.passwords = append(w.passwords, l.Password)
	return l
}

// accepts tells whether the server accepts a login. Any other answer than yes or no fails the test.
func (w *world) accepts(t *testing.T, l login) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := w.server.Connect(ctx, l.Username, l.Password, w.box.Database)
	if err == nil {
		if err := conn.Close(ctx); err != nil {
			t.Error(err)
		}
		return true
	}
	if !strings.Contains(err.Error(), "28P01") {
		t.Fatal(err)
	}
	return false
}
