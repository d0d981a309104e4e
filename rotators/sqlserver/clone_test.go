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

// changes are what happens to a user between two rotations: of every kind that a clone has to follow.
func (w *world) changes(t *testing.T, user string) {
	t.Helper()
	u := q("shop's user 1")
	if w.contained {
		u = q(user)
	} else {
		w.box.Exec(t, "master", `ALTER LOGIN `+q(user)+` WITH DEFAULT_DATABASE = [master], CHECK_EXPIRATION = OFF`,
			`ALTER SERVER ROLE `+q(w.loaders)+` DROP MEMBER `+q(user), `REVOKE GRANT OPTION FOR VIEW SERVER STATE FROM `+q(user)+` CASCADE`,
			`REVOKE CREATE ANY DATABASE FROM `+q(user), `GRANT VIEW ANY DEFINITION TO `+q(user))
		w.box.Exec(t, w.stock, `ALTER ROLE [db_datareader] DROP MEMBER `+q(user), `ALTER ROLE [db_denydatawriter] DROP MEMBER `+q(user), `ALTER ROLE [db_denydatareader] ADD MEMBER `+q(user))
	}
	w.box.Exec(t, w.shop, `ALTER USER `+u+` WITH DEFAULT_SCHEMA = [dbo]`,
		`REVOKE INSERT ON [sales].[orders] FROM `+u, `REVOKE UPDATE ([price]) ON [sales].[prices] FROM `+u, `GRANT UPDATE ([item]) ON [sales].[prices] TO `+u,
		`REVOKE SELECT ON OBJECT::[sales].[secret] FROM `+u, `DENY SELECT ON OBJECT::[sales].[orders] TO `+u, `GRANT EXECUTE ON [sales].[tidy] TO `+u+` WITH GRANT OPTION`,
		`REVOKE GRANT OPTION FOR DELETE ON [sales].[orders] FROM `+u+` CASCADE`, `REVOKE REFERENCES ON TYPE::[sales].[code] FROM `+u,
		`GRANT UPDATE ([salary]) ON [sales].[people] TO `+u, `DENY SELECT ([name]) ON [sales].[people] TO `+u, `GRANT REFERENCES ON [sales].[orders] TO `+u+` WITH GRANT OPTION`,
		`ALTER ROLE [ana]]lysts] DROP MEMBER `+u, `CREATE CERTIFICATE [cert] WITH SUBJECT = 'x'`, `GRANT VIEW DEFINITION ON CERTIFICATE::[cert] TO `+u)
}

func TestTheCloneFollowsTheOriginal(t *testing.T) {
	for _, contained := range []bool{false, true} {
		sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
			w := newWorld(t, s, contained)
			if s.Real {
				w.box.Exec(t, w.shop, `CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Master-key-1'`)
			}
			user := w.user(t, "")
			r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
			r.Must(t)
			r.Must(t)
			w.changes(t, user)
			r.Must(t)
			if r.Current().Text("username") != user+"_clone" {
				t.Fatal("it is not the clone's turn")
			}
			for _, statement := range []string{`UPDATE [sales].[prices] SET item = 'x'`, `SELECT * FROM [sales].[secret]`, `DELETE FROM [sales].[orders]`, `EXEC [sales].[tidy]`, `UPDATE [sales].[people] SET salary = 1`} {
				if err := r.can(t, statement); err != nil {
					t.Errorf("%s, allowed since, as the clone: %v", statement, err)
				}
			}
			for _, statement := range []string{`INSERT INTO [sales].[orders] VALUES (1, 'tea', 2)`, `UPDATE [sales].[prices] SET price = 1`, `SELECT * FROM [sales].[orders]`, `SELECT name FROM [sales].[people]`} {
				if err := r.can(t, statement); err == nil {
					t.Errorf("%s, forbidden since, still works as the clone", statement)
				}
			}
			if !s.Real && !contained {
				w.wantTwins(t, user)
			}
		})
	}
}

// wantTwins compares all that two logins have, but for what stands for the original's own schema.
func (w *world) wantTwins(t *testing.T, user string) {
	t.Helper()
	was := w.server.Holdings(user)
	has := slices.DeleteFunc(w.server.Holdings(user+"_clone"), func(line string) bool { return strings.Contains(line, "W CONTROL on 3 ") })
	if !slices.Equal(was, has) {
		t.Errorf("the clone has\n%s\nand the original\n%s", strings.Join(has, "\n"), strings.Join(was, "\n"))
	}
}

func TestAnUnchangedCloneIsLeftAlone(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, ""), old, w.administrator(t))
	r.Must(t)
	r.Must(t)
	mark := w.server.Mark()
	r.Must(t)
	r.Must(t)
	for line := range strings.Lines(w.server.LogSince(mark)) {
		_, statement, _ := strings.Cut(line, "statement of admin: ")
		for _, verb := range []string{"GRANT", "DENY", "REVOKE", "CREATE", "ALTER ROLE", "ALTER SERVER ROLE", "ALTER USER"} {
			if strings.HasPrefix(statement, verb) {
				t.Errorf("said again: %s", statement)
			}
		}
	}
}

func TestTheNewPasswordComesAfterTheRights(t *testing.T) {
	for _, contained := range []bool{false, true} {
		s := own(t, sqlservertest.Config{}).server
		w := newWorld(t, s, contained)
		user := w.user(t, "")
		r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
		for _, statement := range []string{"ALTER ROLE", "GRANT", "DENY"} {
			s.FailStatement(statement, 50000)
			if err := r.Rotate(t); class(err) != rotation.Unknown {
				t.Fatalf("%s: got %v", statement, err)
			}
			pending := r.Store.Value("user", rotation.Pending)
			if conn, err := s.Open(t.Context(), pending.Text("username"), pending.Text("password"), w.shop); err == nil {
				_ = conn.Close()
				if !contained { // whom nobody can disable
					t.Errorf("after %s failed, the clone's new password works already", statement)
				}
			}
		}
		r.Must(t)
		if err := w.probe(w.users)(t.Context(), r.Current()); err != nil {
			t.Error(err)
		}
	}
}

func TestACloneLosesWhatOnlyItHas(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
		r.Must(t)
		r.Must(t)
		clone := q(user + "_clone")
		w.box.Exec(t, "master", `GRANT VIEW ANY DEFINITION TO `+clone, `ALTER SERVER ROLE [dbcreator] ADD MEMBER `+clone)
		w.box.Exec(t, w.shop, `CREATE USER [third] WITHOUT LOGIN`, `GRANT UPDATE ON [sales].[orders] TO [third] WITH GRANT OPTION`,
			`GRANT UPDATE ON [sales].[orders] TO `+clone+` AS [third]`, `ALTER ROLE [db_owner] ADD MEMBER `+clone)
		w.box.Exec(t, "msdb", `CREATE USER `+clone+` FOR LOGIN `+clone)
		r.Must(t)
		if err := r.can(t, `UPDATE [sales].[orders] SET price = 1`); err == nil {
			t.Error("a grant of a third principal is still there")
		}
		if !s.Real {
			if has := strings.Join(s.Holdings(user+"_clone"), "\n"); strings.Contains(has, "dbcreator") || strings.Contains(has, "VIEW ANY DEFINITION") || strings.Contains(has, "db_owner") || strings.Contains(has, "msdb: G") {
				t.Errorf("the clone has\n%s", has)
			}
		}
	})
}

func TestADenialOfTheOriginalStopsTheRotation(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
		r.Must(t) // the clone is in use
		u := q("shop's user 1")
		w.box.Exec(t, w.shop, `DENY DELETE ON [sales].[orders] TO `+u+` CASCADE`)
		databasetest.Wants(t, r.Rotate(t), rotation.FewerRights, "DELETE on OBJECT::[sales].[orders]", "denied")
		if got := r.Current().Text("username"); got != user+"_clone" {
			t.Fatalf("the label moved to %s", got)
		}
		// Less is denied to the original than to its clone: nothing stands in the way.
		w.box.Exec(t, w.shop, `REVOKE DELETE ON [sales].[orders] FROM `+u, `GRANT DELETE ON [sales].[orders] TO `+u+` WITH GRANT OPTION`, `REVOKE SELECT ON [sales].[secret] FROM `+u)
		r.Must(t)
	})
}

func TestDriftIsNamedOrGranted(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
		r.Must(t)
		clone := q(user + "_clone")
		w.box.Exec(t, "master", `GRANT VIEW ANY DEFINITION TO `+clone)
		w.box.Exec(t, w.shop, `GRANT UPDATE ON [sales].[orders] TO `+clone, `GRANT UPDATE ON [sales].[secret] TO `+clone)
		w.box.Exec(t, "msdb", `CREATE USER `+clone+` FOR LOGIN `+clone, `ALTER ROLE [db_datareader] ADD MEMBER `+clone)
		databasetest.Wants(t, r.Rotate(t), rotation.FewerRights, "UPDATE on OBJECT::[sales].[orders] in database "+q(w.shop), "VIEW ANY DEFINITION on the server", "[db_datareader] in database [msdb]", "user in database [msdb]")
		r.Config.GrantDrift = true
		r.Must(t)
		if err := r.can(t, `UPDATE [sales].[orders] SET price = 1`); err != nil || r.Current().Text("username") != user {
			t.Errorf("as %s: %v", r.Current().Text("username"), err)
		}
	})
}

func TestBothCanUseWhatTheCloneMakes(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		for _, contained := range []bool{false, true} {
			w := newWorld(t, s, contained)
			user := w.user(t, "")
			w.box.Exec(t, w.shop, `GRANT CREATE SCHEMA TO `+q(map[bool]string{true: user, false: "shop's user 1"}[contained]))
			r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
			r.Must(t)
			if err := r.can(t, `CREATE SCHEMA [made by the clone]`); err != nil {
				t.Fatal(err)
			}
			w.box.Exec(t, w.shop, `CREATE TABLE [made by the clone].[notes] (id int)`)
			for range 3 {
				r.Must(t)
				if err := r.can(t, `INSERT INTO [made by the clone].[notes] VALUES (1)`); err != nil {
					t.Errorf("as %s: %v", r.Current().Text("username"), err)
				}
			}
		}
	})
}

func TestDatabasesThatCannotBeChanged(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
		w.box.Exec(t, "master", `ALTER DATABASE `+q(w.stock)+` SET READ_ONLY WITH ROLLBACK IMMEDIATE`)
		databasetest.Wants(t, r.Rotate(t), rotation.ReadOnly, w.stock)
		w.box.Exec(t, "master", `ALTER DATABASE `+q(w.stock)+` SET READ_WRITE WITH ROLLBACK IMMEDIATE`)
		r.Must(t)
		w.box.Exec(t, "master", `ALTER DATABASE `+q(w.stock)+` SET READ_ONLY WITH ROLLBACK IMMEDIATE`)
		r.Must(t) // nothing has to be changed there
		w.box.Exec(t, "master", `ALTER DATABASE `+q(w.stock)+` SET OFFLINE WITH ROLLBACK IMMEDIATE`)
		r.Must(t)
		if !strings.Contains(r.Log.String(), "offline") || !strings.Contains(r.Log.String(), w.stock) {
			t.Errorf("the log does not name the database:\n%s", r.Log.String())
		}
	})
}

func TestOriginalsThatCannotBeCloned(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		owner, gone := w.user(t, ""), w.user(t, "")
		estate := w.box.Name("estate")
		w.box.Exec(t, "master", `CREATE DATABASE `+q(estate))
		w.box.Exec(t, estate, `ALTER AUTHORIZATION ON DATABASE::`+q(estate)+` TO `+q(owner))
		r := w.rotor(t, database.AlternatingUsers, owner, old, w.administrator(t))
		databasetest.Wants(t, r.Preflight(t), rotation.FewerRights, estate)
		databasetest.Wants(t, r.Rotate(t), rotation.FewerRights, estate, "ALTER AUTHORIZATION")

		r = w.rotor(t, database.AlternatingUsers, gone, old, w.administrator(t))
		r.Must(t)
		w.box.Exec(t, "master", `ALTER LOGIN `+q(gone)+` DISABLE`)
		databasetest.Wants(t, r.Rotate(t), rotation.AccountLocked, "ENABLE")
		w.box.Exec(t, "master", `DROP LOGIN `+q(gone))
		databasetest.Wants(t, r.Rotate(t), rotation.NoUser, gone)
	})
}

func TestADisabledCloneIsEnabledAndALockedOneIsNobodysYet(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
	r.Must(t)
	r.Must(t)
	for _, state := range []string{"disabled", "must-change", "expired"} {
		w.server.SetLogin(user+"_clone", state)
		r.Must(t)
		r.Must(t)
	}
	// Nobody gets an answer about the password of a login that is locked out.
	w.server.SetLogin(user+"_clone", "locked")
	databasetest.Wants(t, r.Preflight(t), rotation.AccountLocked, user+"_clone", "UNLOCK")
	databasetest.Wants(t, r.Rotate(t), rotation.AccountLocked, user+"_clone", "UNLOCK")
	w.server.SetLogin(user+"_clone", "unlocked")
	r.Must(t)
	r.Must(t)
	w.server.SetLogin(user, "windows")
	r = w.rotor(t, database.AlternatingUsers, user+"_clone", r.Store.Value("user", rotation.Previous).Text("password"), w.administrator(t))
	r.Config.Adopt = []string{user}
	databasetest.Wants(t, r.Rotate(t), rotation.BadSecret, "Windows")
}
