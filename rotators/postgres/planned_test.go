package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// To ask for a plan changes nothing, and sends nothing that could: of the statements that reach the server during the question, all read.
// Those that change something during the rotation are the plan, word for word.
func TestAPlanChangesNothingAndLeavesNothingOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, s := range strategies {
			t.Run(name, func(t *testing.T) {
				r := w.rotor(t, s, w.user(t, "", "old"), "old", w.superuser(t))
				w.isPlanned(t, r)
				if s == database.AlternatingUsers {
					w.isPlanned(t, r)
					w.isPlanned(t, r)
				}
			})
		}
		t.Run("a clone that differs and could not log in", func(t *testing.T) {
			app, clone := w.differing(t)
			w.exec(t, `ALTER ROLE `+clone+` NOLOGIN VALID UNTIL '2001-01-01'`)
			r := w.rotor(t, database.AlternatingUsers, app, "old", w.superuser(t))
			r.Config.Adopt = []string{clone}
			plan := w.isPlanned(t, r)
			wantRights(t, plan.Gains, "BYPASSRLS")
			wantRights(t, plan.Loses, "CREATEDB", "DELETE on table shop.orders", "ownership on table shop."+clone)
			w.isPlanned(t, r)
			w.isPlanned(t, r)
		})
		t.Run("a clone that gives what it has more", func(t *testing.T) {
			app, clone := w.differing(t)
			r := w.rotor(t, database.AlternatingUsers, clone, "old", w.superuser(t))
			r.Config.Adopt, r.Config.GrantDrift = []string{app}, true
			plan := w.isPlanned(t, r)
			wantRights(t, plan.Gains, "CREATEDB", "DELETE on table shop.orders", "ownership on table shop."+clone)
			wantRights(t, plan.Loses)
			w.isPlanned(t, r)
			w.isPlanned(t, r)
		})
	})
}

func wantRights(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got the rights\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// differing makes a user, and a clone of it as AWS's function does, by membership alone. Each has something that the other has not.
func (w *world) differing(t *testing.T) (app, clone string) {
	t.Helper()
	app = w.user(t, "", "old")
	clone = app + "_clone"
	w.exec(t, `CREATE ROLE `+clone+` LOGIN CREATEDB PASSWORD 'old'`, `GRANT `+app+` TO `+clone, `ALTER ROLE `+clone+` SET statement_timeout = '7s'`,
		`GRANT DELETE ON shop.orders TO `+clone, `CREATE TABLE shop.`+clone+` (n int)`, `ALTER TABLE shop.`+clone+` OWNER TO `+clone,
		`ALTER ROLE `+app+` BYPASSRLS`)
	return app, clone
}

// isPlanned asks for a plan and rotates by it.
func (w *world) isPlanned(t *testing.T, r *rotor) rotation.Plan {
	t.Helper()
	before, mark := w.dump(t), w.server.Mark()
	plan, err := r.Plan(t)
	if err != nil {
		t.Fatal(err)
	}
	if sent := w.server.ChangesSince(mark); len(sent) > 0 || strings.Contains(w.server.LogSince(mark), "READ WRITE") {
		t.Errorf("the plan has sent %q, and what the log has:\n%s", sent, w.server.LogSince(mark))
	}
	if after := w.dump(t); after != before {
		t.Errorf("the plan has changed\n%s\nto\n%s", before, after)
	}
	mark = w.server.Mark()
	if err := r.Planned(t); err != nil {
		t.Fatal(err)
	}
	if sent := w.server.ChangesSince(mark); w.server.HasLog() && !slices.Equal(sent, plan.Statements) {
		t.Errorf("the server's log has\n%s\nand the plan was\n%s", strings.Join(sent, "\n"), strings.Join(plan.Statements, "\n"))
	}
	if w.dump(t) == before {
		t.Error("the dump does not show a rotation")
	}
	return plan
}
