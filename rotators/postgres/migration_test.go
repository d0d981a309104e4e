package postgres_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A migration is what AWS's function has left, and what was changed since.
type migration struct {
	current string   // "" or "_clone"
	first   []string // what happened before, $APP and $CLONE being the two
	class   rotation.Class
	remedy  []string // as the message says
}

var migrations = map[string]migration{
	"the original is current":    {current: ""},
	"the clone is current":       {current: "_clone"},
	"objects of either":          {current: "", first: []string{`CREATE TABLE shop.$APP (n int)`, `ALTER TABLE shop.$APP OWNER TO $APP`, `CREATE TABLE shop.$CLONE (n int)`, `ALTER TABLE shop.$CLONE OWNER TO $CLONE`}},
	"the current clone has more": {current: "_clone", first: []string{`GRANT DELETE ON shop.orders TO $CLONE`}, class: rotation.FewerRights, remedy: []string{`GRANT DELETE ON shop.orders TO $APP`}},
	"more, which is taken away":  {current: "_clone", first: []string{`GRANT DELETE ON shop.orders TO $CLONE`}, class: rotation.FewerRights, remedy: []string{`REVOKE DELETE ON shop.orders FROM $CLONE`}},
	"the current clone owns":     {current: "_clone", first: []string{`CREATE TABLE shop.$CLONE (n int)`, `ALTER TABLE shop.$CLONE OWNER TO $CLONE`}, class: rotation.FewerRights, remedy: []string{`REASSIGN OWNED BY $CLONE TO $APP`}},
	"a right was revoked":        {current: "_clone", first: []string{`REVOKE SELECT ON shop.prices FROM $APP`}},
	"the next clone has more":    {current: "", first: []string{`GRANT DELETE ON shop.orders TO $CLONE`}},
	"a limit for the clone":      {current: "_clone", first: []string{`ALTER ROLE $CLONE CONNECTION LIMIT 7`}},
}

// What AWS's function for alternating users leaves: a clone made by GRANT app TO app_clone that acts as itself, and a secret whose
// AWSPREVIOUS is the other user's. Rotor goes on from there, and AWS's function could go on from Rotor.
func TestRotationsGoOnFromWhatAWSsFunctionLeft(t *testing.T) {
	for name, m := range migrations {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) { w.migrates(t, m) })
		})
	}
}

func (w *world) migrates(t *testing.T, m migration) {
	app := w.user(t, "", "password of app")
	clone := app + "_clone"
	run := func(statements []string) {
		w.exec(t, strings.NewReplacer("$APP", app, "$CLONE", clone).Replace(strings.Join(statements, ";")))
	}
	run([]string{`CREATE ROLE $CLONE WITH LOGIN PASSWORD 'password of clone'`, `GRANT $APP TO $CLONE`})
	run(m.first)
	passwords := map[string]string{app: "password of app", clone: "password of clone"}
	current, previous := app+m.current, clone
	if current == clone {
		previous = app
	}
	r := w.rotor(t, database.AlternatingUsers, current, passwords[current], w.superuser(t))
	r.Store.Write("user", "before", w.secret(t, previous, passwords[previous]))
	r.Store.Stage("user", rotation.Previous, "before")
	before := r.Current()

	trial := r.Preflight(t)
	if class(trial) != m.class {
		t.Fatalf("the trial says %v", trial)
	}
	if trial != nil {
		if err := r.Rotate(t); class(err) != m.class {
			t.Fatalf("the rotation says %v", err)
		}
		r.Store.End("user")
		run(m.remedy)
		if err := r.Preflight(t); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		r.Must(t)
		if err := r.can(t, `INSERT INTO shop.orders (item) VALUES ('x')`); err != nil {
			t.Error(err)
		}
	}
	if trial != nil && !t.Failed() {
		w.helped(t, m.class)
	}
	wantAWSsFunctionCouldGoOn(t, r, before, app, clone)
}

// wantAWSsFunctionCouldGoOn sees that the secret has the fields that it had, that its two versions are the two users, who can log in, and
// that what AWS's function does next works: it sets the password of the other user, whom it does not make again.
func wantAWSsFunctionCouldGoOn(t *testing.T, r *rotor, before secret.Document, app, clone string) {
	t.Helper()
	current, previous := r.Current(), r.Store.Value("user", rotation.Previous)
	users := map[string]bool{current.Text("username"): true, previous.Text("username"): true}
	if !users[app] || !users[clone] || !r.w.logsIn(t, current) || !r.w.logsIn(t, previous) {
		t.Errorf("the two versions are those of %v, or one does not log in", users)
	}
	if back := current.With("username", before.Text("username")).With("password", before.Text("password")); !bytes.Equal(back.Bytes(), before.Bytes()) {
		t.Error("other fields of the secret have changed")
	}
	next := previous.Text("username")
	r.w.exec(t, `ALTER USER `+quoted(next)+` WITH PASSWORD 'of AWS''s function'`)
	r.Store.Write("user", "theirs", r.w.secret(t, next, "of AWS's function"))
	r.Store.Stage("user", rotation.Previous, "theirs")
	r.Store.Stage("user", rotation.Current, "theirs")
	if err := r.can(t, `INSERT INTO shop.orders (item) VALUES ('x')`); err != nil {
		t.Errorf("after AWS's function: %v", err)
	}
}
