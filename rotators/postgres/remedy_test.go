package postgres_test

import (
	"context"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// What a person does who reads the message at night. Those of a secret's edits are databasetest.Run's.

func TestARoleWhoseValidityIsOverIsLetInByTheRemedy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
		r.Must(t)
		w.exec(t, `ALTER ROLE `+quoted(user)+` VALID UNTIL '2001-01-01'`)
		trial, err := r.Preflight(t), r.Rotate(t)
		databasetest.Wants(t, trial, rotation.PasswordExpired)
		databasetest.Wants(t, err, rotation.PasswordExpired)
		w.exec(t, databasetest.Remedy(t, err, "As an administrator: ", " then rotate again"))
		r.Must(t)
		w.helped(t, rotation.PasswordExpired)
	})
}

// Each of the three ways out of a full house: the user's own limit first.
func TestAUserWithTooManyConnectionsIsLetInByTheRemedy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, strategy := range strategies {
			for way, out := range map[string]func(user string, leave func()){
				"Free connections": func(_ string, leave func()) { leave() },
				"or the user's":    func(user string, _ func()) { w.exec(t, `ALTER ROLE `+quoted(user)+` CONNECTION LIMIT -1`) },
			} {
				user := w.user(t, "", "old")
				w.exec(t, `ALTER ROLE `+quoted(user)+` CONNECTION LIMIT 2`)
				r := w.rotor(t, strategy, user, "old", w.superuser(t))
				one, two := r.application(t), r.application(t)
				for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
					databasetest.Wants(t, err, rotation.TooManyConnections, way)
				}
				out(user, func() { w.leave(t, user, one.Close, two.Close) })
				r.Must(t)
				w.helped(t, rotation.TooManyConnections)
			}
		}
	})
}

// leave closes connections, and waits until the server has noticed.
func (w *world) leave(t *testing.T, user string, close ...func(context.Context) error) {
	t.Helper()
	for _, c := range close {
		if err := c(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for w.value(t, `SELECT count(*)::text FROM pg_stat_activity WHERE usename = $1`, user) != "0" {
	}
}

func TestAUserOfNoConnectionsIsFoundBeforeItsTurn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
		r.Must(t)
		w.exec(t, `ALTER ROLE `+quoted(user)+` CONNECTION LIMIT 0`)
		trial, err := r.Preflight(t), r.Rotate(t)
		databasetest.Wants(t, trial, rotation.TooManyConnections)
		databasetest.Wants(t, err, rotation.TooManyConnections)
		w.box.Connect(t, user+"_clone", r.Current().Text("password"))
		w.exec(t, databasetest.Remedy(t, err, "As an administrator: ", " then rotate again"))
		r.Must(t)
		w.helped(t, rotation.TooManyConnections)
	})
}

// A server that is full lets superusers in, and nobody else, until its limit is raised or others leave.
func TestAFullServerLetsTheUserInByTheRemedy(t *testing.T) {
	w := own(t, postgrestest.Config{Options: servertest.Options{Settings: map[string]string{"max_connections": "10", "superuser_reserved_connections": "5"}}})
	user, others := w.user(t, "", "old"), w.user(t, "", "others")
	r := w.rotor(t, database.SingleUser, user, "old", w.superuser(t))
	var leave []func(context.Context) error
	for range 10 {
		conn, err := w.server.Connect(t.Context(), others, "others", w.box.Database)
		if err != nil {
			break
		}
		leave = append(leave, conn.Close)
	}
	for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
		databasetest.Wants(t, err, rotation.TooManyConnections, "Free connections on the server")
	}
	w.leave(t, others, leave...)
	r.Must(t)
	w.helped(t, rotation.TooManyConnections)
}

func TestAStandbysSecretIsPointedAtTheWriterByTheRemedy(t *testing.T) {
	w := own(t, postgrestest.Config{})
	user := w.user(t, "", "old")
	standby, err := w.server.Standby()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = standby.Close() })
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(standby.CA)
	there := &world{server: standby, box: w.box, roots: roots}
	for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
		r := there.rotor(t, s, user, "old", there.superuser(t))
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			databasetest.Wants(t, err, rotation.ReadOnly, "Point the secret's host at the writer")
		}
		r.Store.Write("user", "edited", w.secret(t, user, "old"))
		r.Store.Stage("user", rotation.Current, "edited")
		r.Store.Write("admin", "v0", w.superuser(t))
		r.Store.End("user")
		r.Must(t)
		w.helped(t, rotation.ReadOnly)
		w.exec(t, `ALTER ROLE `+quoted(user)+` PASSWORD 'old'`)
	}
}

// The original of a clone is gone: it is made again, or the secret gets another user.
func TestAMissingOriginalIsMadeByTheRemedy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, way := range []string{"Create", "put the secret's user back to one that has no clone"} {
			clone := w.user(t, w.box.Role("lonely")+"_clone", "old")
			original := strings.TrimSuffix(clone, "_clone")
			r := w.rotor(t, database.AlternatingUsers, clone, "old", w.superuser(t))
			for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
				databasetest.Wants(t, err, rotation.NoUser, way)
			}
			r.Store.End("user")
			if way == "Create" {
				w.user(t, original, "new")
				databasetest.Wants(t, r.Preflight(t), rotation.NotItsTwin, "CLONE_ADOPT="+original) // which nothing proves
				r.Config.Adopt = []string{original}
			} else {
				r.Store.Write("user", "edited", w.secret(t, w.user(t, "", "of its own"), "of its own"))
				r.Store.Stage("user", rotation.Current, "edited")
			}
			r.Must(t)
			w.helped(t, rotation.NoUser)
			w.drop(t, clone, original)
		}
	})
}
