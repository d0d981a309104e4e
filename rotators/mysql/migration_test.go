package mysql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/mysql"
)

// aws is what AWS's function for two users does (SecretsManagerRDSMySQLRotationMultiUser), as its source has it: it copies
// the lines of SHOW GRANTS up to the word TO, so that grant options are lost, and has no mark.
type aws struct {
	*world
	store interface {
		Write(id, version string, d secret.Document)
		Stage(id, stage, version string)
	}
	versions int
}

// twin is the other one of two users.
func twin(user string) string {
	if original, ok := strings.CutSuffix(user, "_clone"); ok {
		return original
	}
	return user + "_clone"
}

// rotates gives the other user a password, and the secret a version.
func (a *aws) rotates(t *testing.T, current secret.Document, password string) secret.Document {
	t.Helper()
	user := twin(current.Text("username"))
	account := quoteName(user) + "@`%`"
	if a.value(t, "SELECT COUNT(*) FROM mysql.user WHERE User = "+quoteText(user)) == "0" {
		a.exec(t, "CREATE USER "+account+" IDENTIFIED BY "+quoteText(password))
	}
	for _, line := range strings.Split(a.all(t, "SHOW GRANTS FOR "+quoteName(current.Text("username"))+"@`%`"), "\n") {
		if what, _, ok := strings.Cut(line, " TO "); ok {
			a.exec(t, what+" TO "+account)
		}
	}
	a.exec(t, "ALTER USER "+account+" REQUIRE NONE", "ALTER USER "+account+" IDENTIFIED BY "+quoteText(password)) // its SET PASSWORD has a form for each version
	pending := current.With("username", user).With("password", password)
	a.versions++
	version := fmt.Sprint("aws", a.versions)
	a.store.Write("user", version, pending)
	a.store.Stage("user", rotation.Previous, "before")
	a.store.Write("user", "before", current)
	a.store.Stage("user", rotation.Current, version)
	return pending
}

// A migration begins with what AWS's function has left, and what was changed since. In its statements %o is the original's
// account, and %c the clone's.
type migration struct {
	name     string
	rotated  int // by AWS's function: the clone is current after an odd number
	since    []string
	edited   bool // the secret, which moves AWSPREVIOUS
	refusals []rotation.Class
	// remedies are what the refusals' says, one after the other.
	remedies []func(t *testing.T, w *world, r *databasetest.Rotations, err error)
}

var migrations = []migration{
	{name: "the original is current", rotated: 2},
	{name: "the clone is current", rotated: 1},
	{name: "the clone is current, and the original got more", rotated: 1, since: []string{"GRANT DELETE ON shop.orders TO %o"}},
	{name: "the original is current, and lost a right", rotated: 2, since: []string{"REVOKE INSERT ON shop.orders FROM %o"}},
	{name: "the original is current, and the clone got more", rotated: 2, since: []string{"GRANT DELETE ON shop.orders TO %c"}},
	{name: "the clone is current, and the original lost a right: grant it", rotated: 1, since: []string{"REVOKE INSERT ON shop.orders FROM %o"},
		refusals: []rotation.Class{rotation.FewerRights}, remedies: []func(*testing.T, *world, *databasetest.Rotations, error){grantIt}},
	{name: "the clone is current, and the original lost a right: revoke it", rotated: 1, since: []string{"REVOKE INSERT ON shop.orders FROM %o"},
		refusals: []rotation.Class{rotation.FewerRights}, remedies: []func(*testing.T, *world, *databasetest.Rotations, error){revokeIt}},
	{name: "the clone is current, and has more: CLONE_DRIFT", rotated: 1, since: []string{"GRANT DELETE ON shop.orders TO %c", "GRANT UPDATE (price) ON shop.prices TO %c"},
		refusals: []rotation.Class{rotation.FewerRights}, remedies: []func(*testing.T, *world, *databasetest.Rotations, error){drifting}},
	{name: "the original is current, and the secret was edited", rotated: 2, edited: true,
		refusals: []rotation.Class{rotation.NotItsTwin}, remedies: []func(*testing.T, *world, *databasetest.Rotations, error){adopt}},
	{name: "the original is current, the secret was edited, and nobody needs the clone", rotated: 2, edited: true,
		refusals: []rotation.Class{rotation.NotItsTwin}, remedies: []func(*testing.T, *world, *databasetest.Rotations, error){dropIt}},
	{name: "the clone is current, and the secret was edited", rotated: 1, edited: true,
		refusals: []rotation.Class{rotation.NotItsTwin}, remedies: []func(*testing.T, *world, *databasetest.Rotations, error){adopt}},
	{name: "the clone is current, has more, and the secret was edited", rotated: 1, edited: true, since: []string{"GRANT DELETE ON shop.orders TO %c"},
		refusals: []rotation.Class{rotation.NotItsTwin, rotation.FewerRights}, remedies: []func(*testing.T, *world, *databasetest.Rotations, error){adopt, revokeIt}},
}

// lacked is what a remedy about rights is about: the first that the message names.
func lacked(t *testing.T, err error) (privilege, object string) {
	t.Helper()
	_, rest, _ := strings.Cut(err.Error(), "It lacks: ")
	right, _, ok := strings.Cut(rest, " (from host")
	privilege, object, is := strings.Cut(right, " on ")
	if !ok || !is {
		t.Fatalf("%v\nnames no right", err)
	}
	return privilege, object
}

func grantIt(t *testing.T, w *world, r *databasetest.Rotations, err error) {
	privilege, object := lacked(t, err)
	w.exec(t, "GRANT "+privilege+" ON "+object+" TO "+quoteName(twin(r.Current().Text("username")))+"@`%`")
}

func revokeIt(t *testing.T, w *world, r *databasetest.Rotations, err error) {
	privilege, object := lacked(t, err)
	w.exec(t, "REVOKE "+privilege+" ON "+object+" FROM "+quoteName(r.Current().Text("username"))+"@`%`")
}

func dropIt(t *testing.T, w *world, r *databasetest.Rotations, _ error) {
	w.exec(t, "DROP USER "+quoteName(twin(r.Current().Text("username")))+"@`%`")
}

func adopt(t *testing.T, _ *world, r *databasetest.Rotations, err error) {
	r.Config.Adopt = []string{databasetest.Remedy(t, err, "CLONE_ADOPT=", " in the function's")}
}

func drifting(t *testing.T, _ *world, r *databasetest.Rotations, err error) {
	r.Config.GrantDrift = databasetest.Remedy(t, err, "CLONE_DRIFT=", " does") == "grant"
}

// A secret of AWS's function for two users goes on with Rotor, and could go back: each trial is right, and each remedy
// helps as it stands.
func TestRotationsGoOnFromWhatAWSsFunctionLeft(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.hosts, w.grants = []string{"%"}, []string{"GRANT SELECT, INSERT ON shop.orders TO %s", "GRANT SELECT (item) ON shop.prices TO %s", "GRANT EXECUTE ON PROCEDURE shop.nothing TO %s",
			"GRANT SELECT ON `shop\\_2`.* TO %s WITH GRANT OPTION", "GRANT PROCESS ON *.* TO %s", "GRANT cashier TO %s"}
		for _, m := range migrations {
			t.Run(m.name, func(t *testing.T) { w.migrates(t, m) })
		}
	})
}

func (w *world) migrates(t *testing.T, m migration) {
	user := w.user(t, "", firstPassword)
	first := w.secret(t, user, firstPassword).With("note", "the application's own").With("dbname", w.own("shop"))
	r := databasetest.NewRotations(t, mysql.Driver, database.AlternatingUsers, databasetest.Fixture{User: first, Admin: w.secret(t, w.server.AdminUser, w.server.AdminPassword), Roots: w.roots})
	before := aws{world: w, store: &r.Store}
	for n := range m.rotated {
		before.rotates(t, r.Current(), fmt.Sprint("Aws-password-", n))
	}
	for _, s := range m.since {
		w.exec(t, strings.NewReplacer("%o", quoteName(user)+"@`%`", "%c", quoteName(user+"_clone")+"@`%`").Replace(s))
	}
	if m.edited {
		r.Store.Write("user", "before", r.Current())
		r.Store.Write("user", "edit", r.Current().With("note", "edited"))
		r.Store.Stage("user", rotation.Current, "edit")
	}
	note := r.Current().Text("note")
	for i, refusal := range m.refusals {
		trial := r.Preflight(t)
		databasetest.Wants(t, trial, refusal)
		databasetest.Wants(t, r.Rotate(t), refusal)
		w.bothLogIn(t, r)
		r.Store.End("user")
		m.remedies[i](t, w, r, trial)
	}
	defer func() {
		for _, c := range m.refusals {
			w.helped(t, c)
		}
	}()
	for range 3 {
		if err := r.Preflight(t); err != nil {
			t.Fatalf("the trial says %v\n%s", err, r.Log.String())
		}
		r.Must(t)
		r.Config.Adopt = nil // until one rotation has ended well
		w.bothLogIn(t, r)
	}
	if fields := secret.Differ(first.With("note", note), r.Current()); slices.ContainsFunc(fields, func(f string) bool { return f != "username" && f != "password" }) {
		t.Errorf("the secret changed in %q", fields)
	}
	for n := range 2 { // and back
		before.rotates(t, r.Current(), fmt.Sprint("Aws-again-", n))
		w.bothLogIn(t, r)
	}
}

// bothLogIn: whoever has AWSCURRENT can work, and whoever still has AWSPREVIOUS too, if that is the other user's.
func (w *world) bothLogIn(t *testing.T, r *databasetest.Rotations) {
	t.Helper()
	current, previous := r.Current(), r.Store.Value("user", rotation.Previous)
	for _, doc := range []secret.Document{current, previous} {
		if doc.IsZero() {
			continue
		}
		if err := w.do(t, doc.Text("username"), doc.Text("password"), "SELECT * FROM shop.orders"); err != nil {
			t.Errorf("%s: %v", doc.Text("username"), err)
		}
	}
}
