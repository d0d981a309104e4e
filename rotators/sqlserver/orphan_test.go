package sqlserver_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

func TestAnOrphanOfAProvenCloneIsTheClonesAgain(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	clone := user + "_clone"
	r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
	r.Must(t)
	r.Must(t)
	w.server.Orphan(w.shop, clone) // shop is restored from another server
	w.box.Exec(t, w.shop, `GRANT UPDATE ON [sales].[secret] TO `+q(clone), `ALTER ROLE [db_owner] ADD MEMBER `+q(clone))
	if err := r.Preflight(t); err != nil {
		t.Error(err)
	}
	mark := w.server.Mark()
	r.Must(t)
	if err := w.probe(w.users)(t.Context(), r.Current()); err != nil || r.Current().Text("username") != clone {
		t.Errorf("as %s: %v", r.Current().Text("username"), err)
	}
	if err := r.can(t, `UPDATE [sales].[secret] SET id = 1`); err == nil {
		t.Error("what the orphan had is the clone's")
	}
	w.wantTwins(t, user)
	log := w.server.LogSince(mark)
	owner, login := strings.Index(log, "ALTER ROLE [db_owner] DROP MEMBER "), strings.Index(log, "WITH LOGIN = "+q(clone))
	if owner < 0 || login < owner {
		t.Errorf("the orphan was the clone's before its rights were the original's:\n%s", log)
	}
}

// Others are principals of shop that have the clone's name and are not its user.
func others(w *world, clone string) map[string]struct {
	make []string
	drop string
} {
	return map[string]struct {
		make []string
		drop string
	}{
		"the user of another login":  {[]string{`CREATE LOGIN ` + q(clone+"x") + ` WITH PASSWORD = ` + sqlservertest.Literal(old), `USE ` + q(w.shop), `CREATE USER ` + q(clone) + ` FOR LOGIN ` + q(clone+"x")}, "DROP USER "},
		"a user without a login":     {[]string{`CREATE USER ` + q(clone) + ` WITHOUT LOGIN`}, "DROP USER "},
		"a role":                     {[]string{`CREATE ROLE ` + q(clone)}, "DROP ROLE "},
		"an orphan, and no login":    {nil, "DROP USER "},
		"an orphan that owns things": {nil, "ALTER AUTHORIZATION "},
	}
}

func TestAUserWhoOnlyHasTheClonesNameIsNotTouched(t *testing.T) {
	for name := range others(&world{}, "") {
		t.Run(name, func(t *testing.T) {
			w := own(t, sqlservertest.Config{})
			user := w.user(t, "")
			clone := user + "_clone"
			r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
			other := others(w, clone)[name]
			switch name {
			case "an orphan, and no login":
				w.box.Exec(t, "master", `CREATE LOGIN `+q(clone)+` WITH PASSWORD = `+sqlservertest.Literal(old))
				w.box.Exec(t, w.shop, `CREATE USER `+q(clone)+` FOR LOGIN `+q(clone))
				w.box.Exec(t, "master", `DROP LOGIN `+q(clone))
			case "an orphan that owns things":
				r.Must(t)
				r.Must(t)
				w.server.Orphan(w.shop, clone)
				w.box.Exec(t, w.shop, `CREATE SCHEMA [left over] AUTHORIZATION `+q(clone))
			default:
				w.box.Exec(t, w.shop, other.make...)
			}
			mark := w.server.Mark()
			databasetest.Wants(t, r.Preflight(t), rotation.NotItsTwin, q(w.shop), clone, other.drop)
			err := r.Rotate(t)
			databasetest.Wants(t, err, rotation.NotItsTwin, q(w.shop), clone, other.drop)
			for line := range strings.Lines(w.server.LogSince(mark)) {
				for _, verb := range []string{"CREATE", "ALTER USER", "ALTER ROLE", "GRANT", "REVOKE"} {
					if _, statement, _ := strings.Cut(line, "statement of admin: "); strings.HasPrefix(statement, verb) {
						t.Errorf("said of somebody else: %s", statement)
					}
				}
			}
			w.follow(t, err, "USE ", "; If it is somebody's")
			r.Must(t)
			r.Must(t)
			r.Must(t)
		})
	}
}

// follow runs the statements of an error's remedy that stand between two texts, as the server's administrator.
func (w *world) follow(t *testing.T, err error, from, upTo string) {
	t.Helper()
	part := from + databasetest.Remedy(t, err, from, upTo)
	statements := slices.DeleteFunc(strings.Split(part, ";"), func(s string) bool { return strings.TrimSpace(s) == "" })
	for i, s := range statements {
		statements[i] = strings.TrimSpace(s)
	}
	w.box.Exec(t, "master", statements...)
}

func TestAServerRoleOfTheClonesNameIsNoClone(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	w.box.Exec(t, "master", `CREATE SERVER ROLE `+q(user+"_clone"))
	r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
	databasetest.Wants(t, r.Preflight(t), rotation.NotItsTwin, user+"_clone")
	databasetest.Wants(t, r.Rotate(t), rotation.NotItsTwin, user+"_clone")
}
