package main_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/postgres"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// Somebody has changed the user and does not commit. The message says who it is, and how that ends: by itself, or by an
// administrator.
func TestAUserThatSomebodyHoldsIsFreedByTheRemedy(t *testing.T) {
	s := postgrestest.Newest(t)
	for by, end := range map[string]bool{"single-user": true, "single-user-by-administrator": false, "alternating-users": true} {
		t.Run(by, func(t *testing.T) {
			w := newWorld(t, build(t), s, local.Options{})
			f := w.startWith(t, local.FunctionConfig{Timeout: 9 * time.Second}, "ROTATION_STRATEGY", by) // of which a second is for the question who it is
			app := w.role(t, "app", firstPassword)
			arn := w.secret(t, "app", w.document(app, firstPassword).with(document{"masterarn": w.masterARN}))
			if by == "alternating-users" { // its clone is what is changed
				must(w.Rotate(t.Context(), arn, f))(t)
				must(w.Rotate(t.Context(), arn, f))(t)
				app += "_clone"
			}
			holder := must(w.box.Admin(t).Begin(t.Context()))(t)
			must(holder.Exec(t.Context(), `ALTER ROLE `+quote(app)+` CONNECTION LIMIT 50`))(t)
			old := w.read(t, arn, "AWSCURRENT")
			_, err := w.Rotate(t.Context(), arn, f)
			if rig.ErrorType(err) != string(rotation.Timeout) {
				t.Fatalf("got %v", err)
			}
			_, rest, _ := strings.Cut(err.Error(), "Let that session commit or roll back, or end it. As an administrator: ")
			statement, _, found := strings.Cut(rest, ";")
			switch {
			case !found:
				t.Fatalf("nobody is named: %v", err)
			case end:
				must(w.box.Admin(t).Exec(t.Context(), statement))(t)
			default:
				if err := holder.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.Command(t.Context(), err.Error()); err != nil {
				t.Fatalf("after what the message says: %v", err)
			}
			if l := w.read(t, arn, "AWSCURRENT"); l.Password == old.Password || !w.accepts(t, l) {
				t.Error("the password has not changed, or does not work")
			}
			databasetest.Remedied(t, postgres.Driver, s.Title, s.Real, rotation.Timeout)
		})
	}
}
