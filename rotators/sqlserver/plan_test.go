package sqlserver_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

// changesIn are the statements of a server's log that are no queries and do not just move the session to a database.
func changesIn(log string) (all []string) {
	for line := range strings.Lines(log) {
		_, statement, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if ok && strings.HasPrefix(line, "statement of ") && !strings.HasPrefix(statement, "/* rotor: ") && !strings.HasPrefix(statement, "USE ") {
			all = append(all, statement)
		}
	}
	return all
}

// planned asks for a plan and rotates as it says. The server has changed nothing for the plan, and was told nothing for the rotation that is not in it.
func (r *rotor) planned(t *testing.T) rotation.Plan {
	t.Helper()
	before, mark := r.w.server.State(), r.w.server.Mark()
	plan, err := r.Plan(t)
	if err != nil {
		t.Fatal(err)
	}
	log := r.w.server.LogSince(mark)
	if said := changesIn(log); len(said) > 0 || strings.Contains(log, "rotor: lock") || r.w.server.State() != before {
		t.Errorf("for a plan the server was told %q, and its state is the same: %v", said, r.w.server.State() == before)
	}
	mark = r.w.server.Mark()
	if err := r.Planned(t); err != nil {
		t.Fatal(err)
	}
	sent := slices.Clone(plan.Statements)
	for i, s := range sent {
		sent[i] = strings.NewReplacer("'<new password>'", "'******'", "'<old password>'", "'******'").Replace(s)
	}
	if told := changesIn(r.w.server.LogSince(mark)); !slices.Equal(told, sent) {
		t.Errorf("the server was told\n%s\nand the plan\n%s", strings.Join(told, "\n"), strings.Join(sent, "\n"))
	}
	return plan
}

func TestAPlanChangesNothingAndLeavesNothingOut(t *testing.T) {
	for name, contained := range map[string]bool{"logins": false, "contained users": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, own(t, sqlservertest.Config{}).server, contained)
			for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator} {
				r := w.rotor(t, s, w.user(t, ""), old, w.administrator(t))
				r.planned(t)
				r.planned(t)
			}
			w = newWorld(t, own(t, sqlservertest.Config{}).server, contained)
			user := w.user(t, "")
			r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
			r.Config.GrantDrift = true
			if p := r.planned(t); !slices.Contains(p.Gains, "INSERT on OBJECT::[sales].[orders] in database "+q(w.shop)) || len(p.Loses) > 0 {
				t.Errorf("a clone that is not there yet gains %q and loses %q", p.Gains, p.Loses)
			}
			w.box.Exec(t, w.shop, `GRANT UPDATE ON [sales].[orders] TO `+q(user+"_clone"), `ALTER ROLE [db_datawriter] ADD MEMBER `+q(user+"_clone"))
			wantRights(t, r.planned(t), []string{"UPDATE on OBJECT::[sales].[orders] in database " + q(w.shop), "member of role [db_datawriter] in database " + q(w.shop)}, nil)
			wantRights(t, r.planned(t), nil, nil)
			wantRights(t, r.planned(t), nil, nil)
			w.box.Exec(t, w.shop, `GRANT UPDATE ON [sales].[secret] TO `+q(user+"_clone"), `REVOKE INSERT ON [sales].[orders] FROM `+q(user+"_clone"))
			wantRights(t, r.planned(t), []string{"INSERT on OBJECT::[sales].[orders] in database " + q(w.shop)}, []string{"UPDATE on OBJECT::[sales].[secret] in database " + q(w.shop)})
			r.planned(t)
			w.changes(t, user)
			r.planned(t)
		})
	}
}

func wantRights(t *testing.T, p rotation.Plan, gains, loses []string) {
	t.Helper()
	if !slices.Equal(p.Gains, gains) || !slices.Equal(p.Loses, loses) {
		t.Errorf("%q gains %q and loses %q; want %q and %q", p.User, p.Gains, p.Loses, gains, loses)
	}
}

func TestThereIsAPlanForACloneInAnyState(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	clone := user + "_clone"
	r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
	r.Must(t)
	for name, happens := range map[string]func(){
		"disabled":    func() { w.server.SetLogin(clone, "disabled") },
		"must change": func() { w.server.SetLogin(clone, "must-change") },
		"must change, and its original has another policy": func() {
			w.server.SetLogin(clone, "must-change")
			w.box.Exec(t, "master", `ALTER LOGIN `+q(user)+` WITH CHECK_EXPIRATION = OFF, CHECK_POLICY = OFF`)
		},
		"an orphan": func() {
			w.server.Orphan(w.shop, clone)
			w.box.Exec(t, w.shop, `GRANT UPDATE ON [sales].[secret] TO `+q(clone), `GRANT SELECT ([price]) ON [sales].[orders] TO `+q(clone), `ALTER ROLE [db_owner] ADD MEMBER `+q(clone),
				`ALTER USER `+q(clone)+` WITH DEFAULT_SCHEMA = [own's]`)
		},
		"no user in a database": func() { w.box.Exec(t, w.stock, `DROP USER `+q(clone)) },
	} {
		r.Must(t)
		happens()
		t.Run(name, func(t *testing.T) { r.planned(t) })
	}
}

func TestThereIsAPlanForAnOriginalThatIsNotInADatabase(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
	r.Config.GrantDrift = true
	r.Must(t)
	w.box.Exec(t, "msdb", `CREATE USER `+q(user+"_clone")+` FOR LOGIN `+q(user+"_clone"), `ALTER ROLE [db_datareader] ADD MEMBER `+q(user+"_clone"))
	wantRights(t, r.planned(t), []string{"CONNECT in database [msdb]", "member of role [db_datareader] in database [msdb]", "nothing is denied in database [msdb]", "user in database [msdb]"}, nil)
}
