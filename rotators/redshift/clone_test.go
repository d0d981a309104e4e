package redshift_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

func TestTheCloneFollowsTheOriginal(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		user := w.user(t, "")
		q, clone, other := quoted(user), user+"_clone", w.box.Name("others")
		r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
		r.Must(t)
		r.Must(t)
		w.box.Exec(t, `CREATE GROUP `+other, `ALTER GROUP `+other+` ADD USER `+q, `ALTER GROUP `+w.group+` DROP USER `+q,
			`REVOKE INSERT ON TABLE `+w.shop+`.orders FROM `+q, `REVOKE UPDATE (price), SELECT (item, price) ON TABLE `+w.shop+`.prices FROM `+q,
			`GRANT SELECT ON TABLE `+w.shop+`.prices TO `+q+` WITH GRANT OPTION`,
			`REVOKE GRANT OPTION FOR DELETE ON TABLE `+w.shop+`.orders FROM `+q,
			`REVOKE EXECUTE ON FUNCTION `+w.shop+`.twice(integer) FROM `+q, `REVOKE EXECUTE ON PROCEDURE `+w.shop+`.tidy(integer) FROM `+q,
			`ALTER DEFAULT PRIVILEGES FOR USER `+s.AdminUser+` IN SCHEMA `+w.shop+` REVOKE SELECT ON TABLES FROM `+q,
			`ALTER DEFAULT PRIVILEGES FOR USER `+s.AdminUser+` IN SCHEMA `+w.shop+` GRANT INSERT ON TABLES TO `+q,
			`ALTER USER `+q+` RESET search_path`, `ALTER USER `+q+` SET datestyle TO 'SQL, DMY'`, `ALTER USER `+q+` CONNECTION LIMIT 70`,
			`ALTER USER `+q+` CREATEDB`, `ALTER USER `+q+` PASSWORD '`+r.Current().Text("password")+`' VALID UNTIL '2037-01-02 03:04:05+00'`)
		if w.role != "" {
			w.box.Exec(t, `REVOKE ROLE `+w.role+` FROM `+q, `GRANT ROLE `+w.role+` TO `+q, `ALTER USER `+q+` RESET SESSION TIMEOUT`,
				`ALTER USER `+q+` SYSLOG ACCESS RESTRICTED`, `REVOKE SELECT FOR TABLES IN SCHEMA `+w.shop+` FROM `+q)
		}
		r.Must(t)
		if r.Current().Text("username") != clone {
			t.Fatal("it is not the clone's turn")
		}
		for _, statement := range []string{`DELETE FROM ` + w.shop + `.orders`, `UPDATE ` + w.shop + `.prices SET item = 'x'`} {
			if err := r.can(t, statement); err != nil && s.Kind != redshifttest.Wire {
				t.Errorf("%s, granted since, as the clone: %v", statement, err)
			}
		}
		for _, statement := range []string{`INSERT INTO ` + w.shop + `.orders VALUES (1)`, `UPDATE ` + w.shop + `.prices SET price = 2`, `SELECT ` + w.shop + `.twice(2)`, `CALL ` + w.shop + `.tidy(2)`} {
			if err := r.can(t, statement); err == nil {
				t.Errorf("%s, revoked since, still works as the clone", statement)
			}
		}
		if s.Kind == redshifttest.Wire {
			w.wantTwins(t, user, clone)
		}
	})
}

// wantTwins compares all that two users have, apart from what one owns and what the other has of it.
func (w *world) wantTwins(t *testing.T, original, clone string) {
	t.Helper()
	strip := func(user string) []string {
		return slices.DeleteFunc(w.server.Holdings(user), func(l string) bool { return strings.Contains(l, " own") || strings.HasPrefix(l, "owns") })
	}
	if a, b := strip(original), strip(clone); !slices.Equal(a, b) {
		t.Errorf("the original has\n%s\nthe clone has\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

func TestWhatTheCloneMakesIsHandedOver(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		user := w.user(t, "")
		r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
		r.Must(t)
		make := w.box.Connect(t, r.Current().Text("username"), r.Current().Text("password"))
		if _, err := make.Exec(context.Background(), `CREATE TABLE `+w.shop+`.made (n int)`); err != nil {
			t.Fatal(err)
		}
		for _, as := range []string{user, user + "_clone"} {
			r.Must(t)
			if r.Current().Text("username") != as {
				t.Fatalf("it is the turn of %s", r.Current().Text("username"))
			}
			if err := r.can(t, `INSERT INTO `+w.shop+`.made VALUES (1)`); err != nil && s.Kind != redshifttest.Wire {
				t.Errorf("as %s: %v", as, err)
			}
		}
		if s.Kind != redshifttest.Wire {
			return
		}
		if !slices.ContainsFunc(s.Holdings(user), func(l string) bool { return strings.HasPrefix(l, "owns") && strings.Contains(l, " made ") }) {
			t.Errorf("the original does not own it:\n%s", strings.Join(s.Holdings(user), "\n"))
		}
	})
}

func TestDriftOfAForeignClone(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		for _, grant := range []bool{false, true} {
			user := w.user(t, "")
			clone, group := user+"_clone", w.box.Name("group"+user)
			// As AWS's function leaves it: in use, with copies of grants, and some of its own.
			w.box.Exec(t, `CREATE GROUP `+group, `CREATE USER `+clone+` PASSWORD '`+old+`'`, `ALTER GROUP `+group+` ADD USER `+clone,
				`GRANT SELECT, UPDATE ON TABLE `+w.shop+`.orders TO `+clone+` WITH GRANT OPTION`, `ALTER USER `+clone+` CREATEDB`)
			if w.role != "" {
				w.box.Exec(t, `GRANT ROLE `+w.role+` TO `+clone)
			}
			if w.share != "" {
				w.box.Exec(t, `ATTACH RLS POLICY mine ON TABLE `+w.shop+`.orders TO `+clone, `ATTACH MASKING POLICY blur ON `+w.shop+`.prices (item) TO `+clone+` PRIORITY 10`)
			}
			r := w.rotor(t, database.AlternatingUsers, clone, old, w.superuser(t))
			r.Config.GrantDrift, r.Config.Adopt = grant, []string{user}
			if grant {
				r.Must(t)
				if err := r.can(t, `UPDATE `+w.shop+`.orders SET price = 1`); err != nil && s.Kind != redshifttest.Wire {
					t.Error(err)
				}
				continue
			}
			databasetest.Wants(t, r.Rotate(t), rotation.FewerRights, `UPDATE ON TABLE "`+w.shop+`"."orders"`, `UPDATE ON TABLE "`+w.shop+`"."orders" with grant option`,
				`member of group "`+group+`"`, "CREATEDB", "CLONE_DRIFT=grant")
		}
	})
}

func TestASuperuserIsCloned(t *testing.T) {
	redshifttest.EachWire(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		user := w.user(t, "")
		w.box.Exec(t, `ALTER USER `+user+` CREATEUSER`)
		r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
		r.Must(t)
		r.Must(t)
		w.box.Exec(t, `ALTER USER `+user+` NOCREATEUSER`)
		r.Must(t)
		if s.Kind == redshifttest.Wire {
			w.wantTwins(t, user, user+"_clone")
		}
	})
}

// Who became a superuser while its clone was in use lacks nothing.
func TestASuperuserLacksNothingThatItsCloneHas(t *testing.T) {
	redshifttest.EachWire(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		for _, drift := range []bool{false, true} {
			user := w.user(t, "")
			r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
			r.Config.GrantDrift = drift
			r.Must(t)
			w.box.Exec(t, `GRANT SELECT (item) ON TABLE `+w.shop+`.orders TO `+user+`_clone`, `ALTER USER `+user+` CREATEUSER`)
			if err := r.Preflight(t); err != nil {
				t.Errorf("the trial: %v", err)
			}
			r.Must(t)
		}
	})
}

func TestNamesWithUpperCaseLettersKeepThem(t *testing.T) {
	redshifttest.EachWire(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		user, mixed := w.user(t, ""), quoted(w.box.Name("Mixed"))
		w.box.Exec(t, `SET enable_case_sensitive_identifier TO true`)
		w.box.Exec(t, `CREATE TABLE `+w.shop+`.`+mixed+` (n int)`, `GRANT SELECT ON TABLE `+w.shop+`.`+mixed+` TO `+user)
		r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
		r.Must(t)
		if s.Kind == redshifttest.Wire {
			w.wantTwins(t, user, user+"_clone")
		}
	})
}

func TestAClusterThatGrantsOutsideTransactionsOnly(t *testing.T) {
	w := own(t, redshifttest.Config{GrantsAlone: true})
	user := w.user(t, "")
	r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
	for range 3 {
		if err := r.Planned(t); err != nil {
			t.Fatal(err)
		}
	}
	w.wantTwins(t, user, user+"_clone")
}

func TestWhatTheAdministratorMayNotTakeAwayIsNamedBeforeThePassword(t *testing.T) {
	for deny, says := range map[string]string{
		"REVOKE UPDATE":      "UPDATE ON TABLE",
		"DROP USER":          "take ",
		"REVOKE ROLE":        "the role",
		"REVOKE SELECT ON T": "SELECT on future tables",
	} {
		t.Run(deny, func(t *testing.T) {
			w := own(t, redshifttest.Config{Deny: deny})
			user := w.userWithForeignClone(t)
			r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
			r.Config.Adopt = []string{user + "_clone"}
			databasetest.Wants(t, r.Rotate(t), rotation.MoreRights, user+"_clone")
			if log := r.Log.String(); !strings.Contains(log, "The administrator could not ") || !strings.Contains(log, says) {
				t.Errorf("the log does not say %q:\n%s", says, r.Log.String())
			}
			w.box.Connect(t, user+"_clone", old) // whose password was not changed
		})
	}
}

// What cannot be handed over is shared.
func TestWhatCannotBeHandedOverStaysAndIsShared(t *testing.T) {
	for _, alone := range []bool{false, true} {
		w := own(t, redshifttest.Config{Deny: `"made" OWNER TO`, GrantsAlone: alone})
		user := w.userWithForeignClone(t)
		r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
		r.Config.Adopt = []string{user + "_clone"}
		for range 2 {
			if err := r.Preflight(t); err != nil {
				t.Errorf("the trial: %v", err)
			}
			r.Must(t)
		}
		if !strings.Contains(r.Log.String(), "hand over what") {
			t.Errorf("the log does not say so:\n%s", r.Log.String())
		}
		w.wantHolding(t, user, "DELETE() on  {table "+w.shop+" made }, option true")
		w.wantHolding(t, user+"_clone", "owns {table "+w.shop+" made }")
	}
}

// userWithForeignClone makes a user without rights, and a clone by other means that has more.
func (w *world) userWithForeignClone(t *testing.T) string {
	t.Helper()
	user, group := w.box.Name("bare"), w.box.Name("more")
	clone, table := user+"_clone", w.shop+".made"
	w.box.Exec(t, `CREATE USER `+user+` PASSWORD '`+old+`'`, `CREATE USER `+clone+` PASSWORD '`+old+`'`, `CREATE GROUP `+group, `ALTER GROUP `+group+` ADD USER `+clone,
		`GRANT ROLE `+w.role+` TO `+clone, `GRANT UPDATE ON TABLE `+w.shop+`.orders TO `+clone, `GRANT CREATE ON SCHEMA `+w.shop+` TO `+clone,
		`ALTER DEFAULT PRIVILEGES FOR USER admin GRANT SELECT ON TABLES TO `+clone)
	if _, err := w.box.Connect(t, clone, old).Exec(context.Background(), `CREATE TABLE `+table+` (n int)`); err != nil {
		t.Fatal(err)
	}
	return user
}
