package postgres_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

func TestTheServersLogHoldsNoPasswordAndNoRefusal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if !w.server.HasLog() {
			t.Skip("NOT COVERED: somebody's server, whose log is out of reach")
		}
		user := w.user(t, "", "first-password")
		mark := w.server.Mark()
		passwords := []string{"first-password"}
		for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
			r := w.rotor(t, s, user, passwords[len(passwords)-1], w.superuser(t))
			for range 2 {
				r.Must(t)
				passwords = append(passwords, r.Current().Text("password"))
			}
		}
		log := w.server.LogSince(mark)
		for _, p := range passwords {
			if strings.Contains(log, p) {
				t.Errorf("the server's log holds a password")
			}
		}
		if !strings.Contains(log, "SCRAM-SHA-256$") {
			t.Error("the server's log does not even hold the statements")
		}
		if _, refused := w.server.LoginsSince(mark); refused != 0 {
			t.Errorf("%d logins were refused", refused)
		}
	})
}

func TestAUserThatActsAsAnotherRole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user, owner := w.user(t, "", "old"), w.box.Role("owner")
		w.exec(t, `CREATE ROLE `+owner, `GRANT `+owner+` TO `+user, `ALTER ROLE `+user+` SET role TO `+owner)
		for _, s := range []database.Strategy{database.SingleUser, database.AlternatingUsers} {
			r := w.rotor(t, s, user, "old", w.superuser(t))
			r.Must(t)
			var acts string
			if err := r.application(t).QueryRow(t.Context(), `SELECT current_user`).Scan(&acts); err != nil || acts != owner {
				t.Errorf("acts as %s, %v", acts, err)
			}
			w.exec(t, `ALTER ROLE `+user+` PASSWORD 'old'`)
		}
	})
}

func TestAUserThatOnlyReads(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		w.exec(t, `ALTER ROLE `+quoted(user)+` SET default_transaction_read_only = 'on'`)
		w.rotor(t, database.SingleUser, user, "old", w.superuser(t)).Must(t)
	})
}

func TestUsersThatCannotLogIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			name, change string
			strategy     database.Strategy
			class        rotation.Class
			says         string
		}{
			{"NOLOGIN", `NOLOGIN`, database.SingleUser, rotation.AccountLocked, "LOGIN"},
			{"expired", `VALID UNTIL '2001-01-01'`, database.SingleUser, rotation.LoginRefused, "VALID UNTIL"},
		} {
			user := w.user(t, "", "old")
			w.exec(t, `ALTER ROLE `+quoted(user)+` `+c.change)
			r := w.rotor(t, c.strategy, user, "old", w.superuser(t))
			if err := r.Rotate(t); class(err) != c.class || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: got %v", c.name, err)
			}
		}
	})
}

func TestAnOriginalThatCannotBeUsedFailsBeforeTheLabelMoves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			name, change string
			class        rotation.Class
			says         string
		}{
			{"NOLOGIN", `NOLOGIN`, rotation.AccountLocked, "LOGIN;"},
			{"expired", `VALID UNTIL '2001-01-01'`, rotation.PasswordExpired, "VALID UNTIL 'infinity'"},
		} {
			user := w.user(t, "", "old")
			r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
			r.Must(t)
			w.exec(t, `ALTER ROLE `+quoted(user)+` `+c.change)
			if err := r.Rotate(t); class(err) != c.class || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: got %v", c.name, err)
			}
			if got := r.Current().Text("username"); got != user+"_clone" {
				t.Errorf("%s: the label moved to %s", c.name, got)
			}
		}
	})
}

func TestAMissingOriginalIsNamed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clone := w.user(t, w.box.Role("lonely")+"_clone", "old")
		r := w.rotor(t, database.AlternatingUsers, clone, "old", w.superuser(t))
		err := r.Rotate(t)
		if class(err) != rotation.NoUser || !strings.Contains(err.Error(), strings.TrimSuffix(clone, "_clone")) {
			t.Errorf("got %v", err)
		}
	})
}

func TestNamesOf63BytesAndMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		long := strings.Repeat("é", 31) + "x" // 63 bytes
		user := w.user(t, long, "old")
		w.rotor(t, database.SingleUser, user, "old", w.superuser(t)).Must(t)
		if err := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t)).Rotate(t); class(err) != rotation.BadSecret || !strings.Contains(err.Error(), "69 bytes") {
			t.Errorf("got %v", err)
		}
		if err := w.rotor(t, database.SingleUser, long+"x", "old", w.superuser(t)).Rotate(t); class(err) != rotation.BadSecret || !strings.Contains(err.Error(), "64 bytes") {
			t.Errorf("got %v", err)
		}
		for _, reserved := range []string{"pg_monitor", "rdsadmin", "rds_superuser"} {
			if err := w.rotor(t, database.SingleUser, reserved, "old", w.superuser(t)).Rotate(t); class(err) != rotation.BadSecret {
				t.Errorf("%s: got %v", reserved, err)
			}
		}
	})
}

// own starts a server that no other test shares.
func own(t *testing.T, c postgrestest.Config) *world {
	t.Helper()
	return newWorld(t, postgrestest.Start(t, c))
}

func TestMD5Servers(t *testing.T) {
	w := own(t, postgrestest.Config{MD5: true})
	user := w.user(t, "", "old")
	mark := w.server.Mark()
	for _, s := range []database.Strategy{database.SingleUser, database.AlternatingUsers} {
		r := w.rotor(t, s, user, "old", w.superuser(t))
		r.Must(t)
		_ = r.application(t)
		r.Must(t)
		if strings.Contains(w.server.LogSince(mark), r.Current().Text("password")) {
			t.Error("the server's log holds the password")
		}
		w.exec(t, `ALTER ROLE `+quoted(user)+` PASSWORD 'old'`)
	}
}

func TestAServerWithoutTLS(t *testing.T) {
	w := own(t, postgrestest.Config{Options: servertest.NoTLS()})
	user := w.user(t, "", "old")
	r := w.rotor(t, database.SingleUser, user, "old", w.superuser(t))
	if err := r.Rotate(t); class(err) != rotation.TLS || !strings.Contains(err.Error(), "TLS_FALLBACK") {
		t.Fatalf("got %v", err)
	}
	r.Config.Plaintext = true
	r.Must(t)
	if !strings.Contains(r.Log.String(), "plain text") {
		t.Errorf("the log does not say so:\n%s", r.Log.String())
	}
	r.Config.Plaintext = false
	r.Store.Write("user", "edit", r.Current().With("ssl", "false"))
	r.Store.Stage("user", rotation.Current, "edit")
	r.Must(t)
}

func TestTheDaysOfTheServersCertificateAreReported(t *testing.T) {
	w := own(t, postgrestest.Config{})
	r := w.rotor(t, database.SingleUser, w.user(t, "", "old"), "old", w.superuser(t))
	e, days := r.Engine(t), map[rotation.Step]float64{}
	e.Observe = func(o rotation.Outcome) { days[o.Event.Step] = o.Gauges["CertificateDaysToExpiry"] }
	if err := rotationtest.Rotate(t.Context(), e, &r.Store, "user", "v1"); err != nil {
		t.Fatal(err)
	}
	if days[rotation.SetSecret] <= 0 || days[rotation.TestSecret] <= 0 || days[rotation.CreateSecret] != 0 {
		t.Errorf("days by step: %v", days)
	}
}
