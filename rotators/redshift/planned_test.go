package redshift_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

// To ask for a plan changes nothing, and sends nothing that could. What the rotation then sends and is no query is the plan, word for word.
func TestAPlanChangesNothingAndLeavesNothingOut(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		for name, strategy := range strategies {
			t.Run(name, func(t *testing.T) {
				user := w.user(t, "")
				r := w.rotor(t, strategy, user, old, w.superuser(t))
				w.isPlanned(t, r, user)
				if strategy == database.AlternatingUsers {
					w.isPlanned(t, r, user)
					w.isPlanned(t, r, user)
				}
			})
		}
		t.Run("a clone that differs and whose password is no longer valid", func(t *testing.T) {
			user, clone := w.differing(t)
			w.box.Exec(t, `ALTER USER `+clone+` PASSWORD '`+old+`' VALID UNTIL '2001-01-01'`)
			r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
			r.Config.Adopt = []string{clone}
			plan := w.isPlanned(t, r, user)
			wantRights(t, plan.Gains, `INSERT ON TABLE "`+w.shop+`"."orders"`)
			wantRights(t, plan.Loses, "CREATEDB", `UPDATE ON TABLE "`+w.shop+`"."orders"`)
			w.isPlanned(t, r, user)
			w.isPlanned(t, r, user)
		})
		t.Run("a clone that gives what it has more", func(t *testing.T) {
			user, clone := w.differing(t)
			r := w.rotor(t, database.AlternatingUsers, clone, old, w.superuser(t))
			r.Config.Adopt, r.Config.GrantDrift = []string{user}, true
			plan := w.isPlanned(t, r, user)
			wantRights(t, plan.Gains, "CREATEDB", `UPDATE ON TABLE "`+w.shop+`"."orders"`, `all privileges ON TABLE "`+w.shop+`"."of_`+clone+`"`)
			wantRights(t, plan.Loses)
			w.isPlanned(t, r, user)
			w.isPlanned(t, r, user)
		})
	})
}

func wantRights(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got the rights\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// differing makes a user, and a clone of it by other means. Each has something that the other has not.
func (w *world) differing(t *testing.T) (user, clone string) {
	t.Helper()
	w.users++
	user = w.bare(t, w.box.Name("differing"+strings.Repeat("x", w.users)))
	clone = w.bare(t, user+"_clone")
	w.box.Exec(t, `GRANT INSERT ON TABLE `+w.shop+`.orders TO `+user, `GRANT UPDATE ON TABLE `+w.shop+`.orders TO `+clone, `ALTER USER `+clone+` CREATEDB`,
		`CREATE TABLE `+w.shop+`.of_`+clone+` (n int)`, `ALTER TABLE `+w.shop+`.of_`+clone+` OWNER TO `+clone)
	return user, clone
}

// isPlanned asks for a plan and rotates by it.
func (w *world) isPlanned(t *testing.T, r *rotor, user string) rotation.Plan {
	t.Helper()
	before, mark := w.holdings(user), w.server.Mark()
	plan, err := r.Plan(t)
	if err != nil {
		t.Fatal(err)
	}
	if sent := w.server.ChangesSince(mark); len(sent) > 0 || strings.Contains(w.server.LogSince(mark), "read write") {
		t.Errorf("the plan has sent %q, and what the log has:\n%s", sent, w.server.LogSince(mark))
	}
	if after := w.holdings(user); after != before {
		t.Errorf("the plan has changed\n%s\nto\n%s", before, after)
	}
	mark = w.server.Mark()
	if err := r.Planned(t); err != nil {
		t.Fatal(err)
	}
	if sent := w.server.ChangesSince(mark); w.server.HasLog() && !slices.Equal(sent, plan.Statements) {
		t.Errorf("the server's log has\n%s\nand the plan was\n%s", strings.Join(sent, "\n"), strings.Join(plan.Statements, "\n"))
	}
	return plan
}
