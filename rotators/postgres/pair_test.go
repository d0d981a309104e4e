package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Whoever may create roles makes a clone of a user whose password is beyond its reach, and a secret for the clone. It
// gives that clone all of the mark that it may give.
func TestAMarkIsNotForged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bosses := map[string]string{"a superuser": "SUPERUSER", "a user that replicates": "REPLICATION"}
		if w.server.Major >= 16 { // before, CREATEROLE could change an ordinary user's password
			bosses["an ordinary user"] = ""
		}
		for name, attribute := range bosses {
			t.Run(name, func(t *testing.T) {
				boss, tenant := w.user(t, "", "boss own"), w.box.Role("tenant")
				clone := boss + "_clone"
				w.exec(t, `ALTER ROLE `+boss+` LOGIN `+attribute, `CREATE ROLE `+tenant+` LOGIN CREATEROLE PASSWORD 'tenant'`)
				conn, granted := w.box.Connect(t, tenant, "tenant"), 0
				t.Cleanup(func() { w.drop(t, clone, tenant) })
				if _, err := conn.Exec(t.Context(), `CREATE ROLE `+clone+` LOGIN PASSWORD 'tenant'`); err != nil {
					t.Fatal(err)
				}
				for _, statement := range []string{`ALTER ROLE ` + clone + ` SET role TO ` + boss, `GRANT ` + boss + ` TO ` + clone, `GRANT ` + clone + ` TO ` + boss} {
					if _, err := conn.Exec(t.Context(), statement); err == nil {
						granted++
					}
				}
				if granted == 0 {
					t.Error("the tenant could do nothing: this proves nothing")
				}
				r := w.rotor(t, database.AlternatingUsers, clone, "tenant", w.superuser(t))
				for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
					if class(err) != rotation.NotItsTwin {
						t.Errorf("got %v", err)
					}
				}
				w.box.Connect(t, boss, "boss own") // still
			})
		}
	})
}

// People are members of a role that is named like their department's application.
func TestAMemberIsNotACloneByThatAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		friend := w.user(t, "", "friend")
		for _, setting := range []string{`work_mem TO '5MB'`, `search_path = shop, "$user", public`, `role TO ` + friend} { // the second is the user's too
			user := w.user(t, "", "old")
			clone := user + "_clone"
			w.exec(t, `CREATE ROLE `+clone+` LOGIN PASSWORD 'its own'`, `GRANT `+user+`, `+friend+` TO `+clone, `ALTER ROLE `+clone+` SET `+setting)
			t.Cleanup(func() { w.drop(t, clone) })
			r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
			if err := r.Rotate(t); class(err) != rotation.NotItsTwin {
				t.Errorf("got %v", err)
			}
			w.box.Connect(t, clone, "its own") // still
		}
	})
}

// An edit of the secret moves AWSPREVIOUS to a version of the user in use: the mark tells.
func TestAnEditOfTheSecretHidesNoClone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.rotor(t, database.AlternatingUsers, w.user(t, "", "old"), "old", w.superuser(t))
		r.Must(t)
		r.Store.Write("user", "edit", r.Current().With("note", "edited"))
		r.Store.Stage("user", rotation.Previous, "v1")
		r.Store.Stage("user", rotation.Current, "edit")
		r.Must(t)
		r.Must(t)
	})
}

// What a clone has and its original has not, however it came to it: at the original's turn it is named before a password
// is set, or given to the original if CLONE_DRIFT says so; at the clone's it is taken away.
func TestACloneThatHasMoreIsToldBeforeThePassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		friend := w.user(t, "", "friend")
		w.exec(t, `CREATE TABLE shop.coins (n int)`, `GRANT SELECT ON shop.coins TO `+friend+` WITH GRANT OPTION`)
		for name, grant := range map[string]string{
			"a right that somebody else granted": `GRANT SELECT ON shop.coins TO %s`,
			"rights on tables to come":           `ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO %s`,
			"a role with the admin option":       `GRANT pg_monitor TO %s WITH ADMIN OPTION`,
			"an attribute":                       `ALTER ROLE %s CREATEDB`,
			"ownership":                          `GRANT CREATE ON SCHEMA shop TO %[1]s; CREATE TABLE shop."%[1]s" (n int); ALTER TABLE shop."%[1]s" OWNER TO %[1]s`,
		} {
			t.Run(name, func(t *testing.T) {
				user := w.user(t, "", "old")
				clone, foreign := user+"_clone", strings.Contains(name, "somebody else")
				as := func(statement string) {
					conn := w.admin
					if foreign {
						conn = w.box.Connect(t, friend, "friend")
					}
					if _, err := conn.Exec(t.Context(), fmt.Sprintf(statement, clone)); err != nil {
						t.Fatal(err)
					}
				}
				r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
				r.Must(t)
				as(grant)
				for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
					if class(err) != rotation.FewerRights || !strings.Contains(err.Error(), "CLONE_DRIFT=grant") {
						t.Fatalf("the original's turn: %v", err)
					}
				}
				w.box.Connect(t, user, "old") // still: nothing was set
				r.Config.GrantDrift = true
				r.Must(t)
				r.Config.GrantDrift = false
				r.Must(t)
				if foreign {
					as(`REVOKE SELECT ON shop.coins FROM %s`) // so that the role can be dropped: the right is the original's now
				}

				other := w.user(t, "", "old")
				clone = other + "_clone"
				r = w.rotor(t, database.AlternatingUsers, other, "old", w.superuser(t))
				r.Must(t)
				r.Must(t)
				as(grant)
				r.Must(t)
				r.Must(t)
			})
		}
	})
}

// A clone that acts as itself, as AWS's functions make them, uses a user mapping of its own.
func TestUserMappingsAreRights(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		clone := user + "_clone"
		w.exec(t, `CREATE FOREIGN DATA WRAPPER far`, `CREATE SERVER elsewhere FOREIGN DATA WRAPPER far`, `CREATE ROLE `+clone+` LOGIN PASSWORD 'clone'`, `GRANT `+user+` TO `+clone,
			`CREATE USER MAPPING FOR `+clone+` SERVER elsewhere`)
		t.Cleanup(func() { w.exec(t, `DROP FOREIGN DATA WRAPPER far CASCADE`) })
		r := w.rotor(t, database.AlternatingUsers, clone, "clone", w.superuser(t))
		r.Config.Adopt = []string{user}
		if err := r.Rotate(t); class(err) != rotation.FewerRights || !strings.Contains(err.Error(), "a user mapping on server elsewhere") {
			t.Errorf("got %v", err)
		}
		w.exec(t, `CREATE USER MAPPING FOR `+user+` SERVER elsewhere`)
		r.Must(t) // the original
		r.Config.Adopt = nil
		r.Must(t) // the clone, which acts as the original from now on
		r.Must(t)
	})
}

// What reads session_user sees the clone: the trial says so, and the rotation that makes the clone.
func TestWhatReadsTheSessionsUserIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.rotor(t, database.AlternatingUsers, w.user(t, "", "old"), "old", w.superuser(t))
		if err := r.Preflight(t); err != nil || strings.Contains(r.Log.String(), "session_user") {
			t.Errorf("got %v, and the log says\n%s", err, r.Log.String())
		}
		w.exec(t, `CREATE TABLE shop.mine (owner name)`, `ALTER TABLE shop.mine ENABLE ROW LEVEL SECURITY`, `CREATE POLICY "own rows" ON shop.mine USING (owner = session_user)`,
			`CREATE FUNCTION shop.who() RETURNS name LANGUAGE sql AS 'SELECT SESSION_USER'`)
		for _, run := range []func(*testing.T) error{r.Preflight, r.Rotate} {
			r.Log.Reset()
			if err := run(t); err != nil {
				t.Error(err)
			}
			for _, name := range []string{`policy \"own rows\" on shop.mine`, "function shop.who()"} {
				if !strings.Contains(r.Log.String(), name) && !strings.Contains(r.Log.String(), strings.ReplaceAll(name, `\"`, `\\\"`)) {
					t.Errorf("the log does not name %s:\n%s", name, r.Log.String())
				}
			}
		}
		r.Log.Reset()
		r.Must(t)
		if strings.Contains(r.Log.String(), "session_user") {
			t.Errorf("told again:\n%s", r.Log.String())
		}
	})
}

// A role that the original acts as in vain, not being its member, is none that its clone has to act as: it acts as the original, and may do
// what that may. Nor is one that the clone alone inherits.
func TestACloneActsAsItsOriginalWhateverThatIsSetToActAs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		team := w.box.Role("vain")
		w.exec(t, `CREATE ROLE `+team)
		t.Cleanup(func() { w.drop(t, team) })
		for name, settings := range map[string][]string{
			"in vain":                     {`ALTER ROLE $APP SET role = $TEAM`},
			"in vain, in one database":    {`ALTER ROLE $APP IN DATABASE $DB SET role = $TEAM`},
			"nobody":                      {`ALTER ROLE $APP SET role = none`},
			"no longer":                   {`CREATE ROLE $TEAM_2`, `ALTER ROLE $APP SET role = $TEAM_2`, `DROP ROLE $TEAM_2`},
			"in vain, inheriting nothing": {`ALTER ROLE $APP NOINHERIT`, `ALTER ROLE $APP SET role = $TEAM`},
			"inheriting nothing":          {`ALTER ROLE $APP NOINHERIT`, `GRANT $TEAM TO $APP`},
		} {
			t.Run(name, func(t *testing.T) {
				app := w.user(t, "", "old")
				of := strings.NewReplacer("$APP", app, "$TEAM", team, "$DB", quoted(w.box.Database))
				w.exec(t, of.Replace(strings.Join(settings, ";")))
				r := w.rotor(t, database.AlternatingUsers, app, "old", w.superuser(t))
				for n := range 3 {
					if n == 2 {
						w.exec(t, of.Replace(`GRANT $TEAM TO $APP_clone`)) // which is taken away, where it is more than the original has
					}
					r.Must(t)
					var is string
					if err := r.application(t).QueryRow(t.Context(), `SELECT current_user`).Scan(&is); err != nil || is != app {
						t.Errorf("%s acts as %s, %v", r.Current().Text("username"), is, err)
					}
					if err := r.can(t, `INSERT INTO shop.orders (item) VALUES ('x')`); err != nil {
						t.Error(err)
					}
				}
			})
		}
	})
}

// Whoever acts as a role, its member or not, and has its ADMIN option has that right like any other.
func TestAnOriginalThatActsAsARoleIsGivenItsAdminOption(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		team, app := w.box.Role("acted"), w.user(t, "", "old")
		w.exec(t, `CREATE ROLE `+team, `ALTER ROLE `+app+` SET role = `+team)
		t.Cleanup(func() { w.drop(t, team) })
		r := w.rotor(t, database.AlternatingUsers, app, "old", w.superuser(t))
		r.Config.GrantDrift = true
		r.Must(t)
		w.exec(t, `GRANT `+team+` TO `+app+`_clone WITH ADMIN OPTION`, `ALTER ROLE `+app+`_clone RESET ALL`)
		if err := r.Preflight(t); err != nil {
			t.Fatal(err)
		}
		r.Must(t)
	})
}
