package postgres_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// What RDS keeps of a database that it manages.
const (
	managedHost = "shop.abc123.eu-west-1.rds.amazonaws.com"
	managedTag  = "aws:rds:primaryDBInstanceArn"
	managedBy   = "arn:aws:rds:eu-west-1:111122223333:db:shop"
	managedUser = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:user"
)

// certify gives the server a certificate for hosts, of an authority whose clients trust it from then on.
func (w *world) certify(t *testing.T, hosts ...string) {
	t.Helper()
	ca, err := localtls.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server(hosts...)
	if err != nil {
		t.Fatal(err)
	}
	for setting, pem := range map[string][]byte{"ssl_cert_file": cert.CertPEM, "ssl_key_file": cert.KeyPEM} {
		path := w.value(t, "SELECT pg_catalog.current_setting('"+setting+"')")
		w.exec(t, `COPY (SELECT pg_catalog.unnest(pg_catalog.string_to_array('`+strings.TrimSpace(string(pem))+`', E'\n'))) TO '`+path+`'`)
	}
	w.exec(t, `SELECT pg_catalog.pg_reload_conf()`)
	w.server.CA, w.roots = ca.PEM(), ca.Pool()
	for { // until the server has read its files again, or the test's time is up
		conn, err := w.server.Connect(t.Context(), w.server.AdminUser, w.server.AdminPassword, w.box.Database)
		if err == nil {
			_ = conn.Close(t.Context())
			return
		}
		if !strings.Contains(err.Error(), "certificate") {
			t.Fatal(err)
		}
	}
}

// master makes an administrator, and returns how to read from the server's log how it was let in so far.
func (w *world) master(t *testing.T) (name string, logins func() []string) {
	t.Helper()
	w.users++
	name = w.box.Role(fmt.Sprint("master", w.users))
	w.exec(t, `CREATE ROLE `+quoted(name)+` SUPERUSER LOGIN PASSWORD 'of-the-master'`)
	t.Cleanup(func() { w.exec(t, `DROP ROLE `+quoted(name)) })
	return name, func() (lines []string) {
		for line := range strings.Lines(w.server.Log()) {
			if strings.Contains(line, "connection authorized: user="+name+" ") {
				lines = append(lines, line)
			}
		}
		return lines
	}
}

// Whoever may write the user's secret decides how the user logs in. The administrator that RDS manages logs in by verified TLS
// to the host that RDS made for it, whatever stands there.
func TestAManagedAdministratorGoesToItsOwnHostAlone(t *testing.T) {
	s := postgrestest.Start(t, postgrestest.Config{Options: servertest.Options{TLS: servertest.TLSOptional}})
	w := newWorld(t, s)
	master, logins := w.master(t)
	rotate := func(t *testing.T, strategy database.Strategy, managed bool, field, value string) error {
		user := w.user(t, "", "old")
		admin := w.secret(t, master, "of-the-master").With("host", managedHost).With("tlsServerName", value)
		if managed {
			admin = mustParse(t, `{}`).With("username", master).With("password", "of-the-master")
		}
		r := w.rotor(t, strategy, user, "old", admin)
		r.Config.Plaintext = true
		r.Config.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(s.Host, fmt.Sprint(s.Port)))
		}
		doc := r.Current().With("host", managedHost)
		if field != "" {
			doc = doc.With(field, value)
		}
		r.Store.Add(managedUser, doc)
		r.Store.Tag("admin", managedTag, managedBy)
		return rotationtest.Rotate(t.Context(), r.Engine(t), &r.Store, managedUser, "v1")
	}
	for name, strategy := range map[string]database.Strategy{"alternating": database.AlternatingUsers, "by administrator": database.SingleUserByAdministrator} {
		t.Run(name, func(t *testing.T) {
			w.certify(t, managedHost, s.Host)
			for _, field := range []string{"", "ssl"} {
				before := len(logins())
				if err := rotate(t, strategy, true, field, "false"); err != nil {
					t.Error(err)
				}
				for _, line := range logins()[before:] {
					if !strings.Contains(line, "SSL enabled") {
						t.Errorf("without TLS: %s", line)
					}
				}
				if len(logins()) == before {
					t.Error("the master never logged in")
				}
			}
			w.certify(t, "evil.example.com", s.Host)
			before := len(logins())
			databasetest.Wants(t, rotate(t, strategy, true, "tlsServerName", "evil.example.com"), rotation.TLS)
			if n := len(logins()); n != before {
				t.Errorf("the master logged in to another's server: %q", logins()[before:])
			}
			if err := rotate(t, strategy, false, "tlsServerName", "evil.example.com"); err != nil || len(logins()) == before {
				t.Errorf("one that names its own host goes where the secrets say: %v", err)
			}
		})
	}
}

func mustParse(t *testing.T, json string) secret.Document {
	t.Helper()
	d, err := secret.Parse([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Whoever may write a secret, and does not know the user's password, has an administrator do nothing.
func TestASecretThatDoesNotWorkBorrowsNoAdministrator(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if !w.server.HasLog() {
			t.Skip("somebody's server, whose log is out of reach: NOT COVERED")
		}
		for name, strategy := range strategies {
			master, logins := w.master(t)
			admin := w.secret(t, master, "of-the-master")
			r := w.rotor(t, strategy, w.user(t, "", "old"), "wrong", admin)
			for range 2 {
				databasetest.Wants(t, r.Rotate(t), rotation.LoginRefused)
			}
			if n := len(logins()); n != 0 {
				t.Errorf("%s: the administrator logged in %d times", name, n)
			}
			if strategy == database.SingleUser {
				continue
			}
			w.rotor(t, strategy, w.user(t, "", "old"), "old", admin).Must(t)
			if len(logins()) == 0 {
				t.Errorf("%s: the log does not show the administrator at all", name)
			}
		}
	})
}

// Whoever may write a secret learns no password by having it sent to a server of theirs.
func TestOnlyTheServerOfAWSCURRENTIsDialled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		evil, err := net.Listen("tcp", net.JoinHostPort(w.server.Host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = evil.Close() }()
		visited := make(chan struct{}, 100)
		go func() {
			for {
				conn, err := evil.Accept()
				if err != nil {
					return
				}
				visited <- struct{}{}
				_ = conn.Close()
			}
		}()
		_, port, _ := net.SplitHostPort(evil.Addr().String())
		for name, strategy := range strategies {
			for _, whose := range []string{"user", "admin"} {
				r := w.rotor(t, strategy, w.user(t, "", "old"), "old", w.superuser(t))
				r.Store.Begin("user", "v1")
				step := func(step rotation.Step) error {
					return r.Engine(t).Handle(t.Context(), rotation.Event{Step: step, SecretID: "user", Token: "v1"})
				}
				if err := step(rotation.CreateSecret); err != nil {
					t.Fatal(err)
				}
				if whose == "user" {
					r.Store.Write("user", "v1", r.Store.Value("user", rotation.Pending).With("port", port))
				} else {
					r.Store.Write("admin", "v0", r.Store.Value("admin", rotation.Current).With("port", port))
				}
				for range 2 {
					if err := step(rotation.SetSecret); whose == "admin" && strategy == database.SingleUser {
						if err != nil {
							t.Errorf("%s: the administrator is not asked for, but: %v", name, err)
						}
					} else {
						databasetest.Wants(t, err, rotation.BadSecret)
					}
				}
			}
		}
		if n := len(visited); n != 0 {
			t.Errorf("somebody else's server was dialled %d times", n)
		}
	})
}
