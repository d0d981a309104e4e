package oracle_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

func wantFault(t *testing.T, err error, class rotation.Class, says string) {
	t.Helper()
	var f *rotation.Fault
	if !errors.As(err, &f) || f.Class != class || !strings.Contains(err.Error()+f.Remedy, says) {
		t.Errorf("got %v (%+v), want %s and %q", err, f, class, says)
	}
}

func TestAVerifyFunctionGetsTheOldPassword(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	w.exec(t, `CREATE PROFILE CHECKED LIMIT PASSWORD_VERIFY_FUNCTION CHECKED`)
	for _, strategy := range strategies {
		user := w.user(t, "")
		w.exec(t, `ALTER USER `+user+` PROFILE CHECKED`)
		r := w.rotor(t, strategy, user)
		r.Must(t)
		r.Must(t)
	}
	r := w.rotor(t, database.SingleUser, w.user(t, "weak"))
	w.exec(t, `ALTER USER WEAK PROFILE CHECKED`)
	r.Config.Password = func() string { return "no-digits-in-this-one" }
	databasetest.Wants(t, r.Rotate(t), rotation.PasswordRejected, "ORA-20001", "cancel the pending rotation")
}

// The password of the session is named as the old one, also where it is not
// AWSCURRENT's.
func TestAPasswordFromTheRecycleBinIsReplacedToo(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	w.exec(t, `CREATE PROFILE CHECKED LIMIT PASSWORD_VERIFY_FUNCTION CHECKED`)
	user := w.user(t, "app")
	w.exec(t, `ALTER USER APP PROFILE CHECKED`)
	r := w.rotor(t, database.SingleUser, user)
	r.Store.Write("user", "v0", w.secret(t, user, "wrong1234"))
	r.Store.Write("user", "before", w.secret(t, user, old))
	r.Store.Stage("user", rotation.Previous, "before")
	r.Must(t)
	if err := r.can(t); err != nil {
		t.Error(err)
	}
}

func TestAPasswordThatCannotStandInQuotesIsNotSent(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	for _, strategy := range strategies {
		for _, bad := range []string{`with"quote`, "with\x00nul", `" ACCOUNT UNLOCK --`} {
			r := w.rotor(t, strategy, w.user(t, ""))
			r.Config.Password = func() string { return bad }
			mark := w.StandIn.Mark()
			err := r.Rotate(t)
			if c := class(err); c != rotation.PasswordRejected && c != rotation.BadSecret || strings.Contains(err.Error(), bad) {
				t.Errorf("%q: got %v", bad, err)
			}
			if log := w.StandIn.LogSince(mark); strings.Contains(log, bad) {
				t.Errorf("it was sent:\n%s", log)
			}
		}
	}
}

func TestReuseIsForgivenToTheSamePasswordAlone(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	w.exec(t, `CREATE PROFILE ONCE LIMIT PASSWORD_REUSE_MAX 5`)
	for by, strategy := range strategies {
		user := w.user(t, "")
		w.exec(t, `ALTER USER `+user+` PROFILE ONCE`)
		r := w.rotor(t, strategy, user)
		e := r.Engine(t)
		for _, version := range []string{"a", "b", "c"} {
			r.Store.Begin("user", version)
			for _, step := range rotation.Steps() {
				for n := range 2 {
					if err := e.Handle(t.Context(), rotation.Event{Step: step, SecretID: "user", Token: version}); err != nil {
						t.Fatalf("%s: %s, run %d: %v", by, step, n, err)
					}
				}
			}
			r.Store.End("user")
		}
	}
	r := w.rotor(t, database.SingleUser, w.user(t, "again"))
	w.exec(t, `ALTER USER AGAIN PROFILE ONCE`)
	r.Config.Password = func() string { return "Another0" }
	r.Must(t)
	r.Config.Password = func() string { return old }
	mark := w.StandIn.Mark()
	databasetest.Wants(t, r.Rotate(t), rotation.PasswordRejected, "ORA-28007")
	if _, refused := w.StandIn.LoginsSince(mark); refused != 1 {
		t.Errorf("%d refused logins", refused)
	}
}

// A half-made clone has a password already, which the profile does not take again.
func TestAHalfMadeCloneUnderAReuseRuleIsMended(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	w.exec(t, `CREATE PROFILE ONCE LIMIT PASSWORD_REUSE_MAX 5`)
	user := w.user(t, "app")
	w.exec(t, `ALTER USER APP PROFILE ONCE`)
	r := w.rotor(t, database.AlternatingUsers, user)
	w.StandIn.Deny("DEFAULT ROLE", 1031)
	databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege)
	w.StandIn.Deny("DEFAULT ROLE", 0)
	w.exec(t, `ALTER USER APP DEFAULT ROLE NONE`, `ALTER USER APP DEFAULT ROLE ALL`)
	r.Must(t)
	w.wantTwins(t, "APP", "APP_CLONE")
}

func TestTheOldPasswordOverlapsForTheRolloverTime(t *testing.T) {
	for _, c := range []struct {
		strategy         string
		off, oldIsValid  bool
		accepted, refuse int
	}{
		{"SingleUser", false, true, 2, 0}, {"SingleUserByAdministrator", false, true, 3, 0}, {"SingleUser", true, false, 2, 0}, {"SingleUserByAdministrator", true, false, 3, 0},
	} {
		w := standIn(t, oracletest.Config{})
		w.exec(t, `CREATE PROFILE GENTLE LIMIT PASSWORD_ROLLOVER_TIME 1`)
		user := w.user(t, "app")
		w.exec(t, `ALTER USER APP PROFILE GENTLE`)
		r := w.rotor(t, strategies[c.strategy], user)
		r.Config.NoOverlap = c.off
		mark := w.StandIn.Mark()
		e := r.Engine(t)
		r.Store.Begin("user", "v1")
		for _, step := range rotation.Steps() {
			for range 2 { // a second run takes nothing away
				if err := e.Handle(t.Context(), rotation.Event{Step: step, SecretID: "user", Token: "v1"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := r.can(t); err != nil {
			t.Errorf("%+v: the new password: %v", c, err)
		}
		if err := w.As(t.Context(), user, old); (err == nil) != c.oldIsValid {
			t.Errorf("%+v: the old password: %v", c, err)
		}
		if _, refused := w.StandIn.LoginsSince(mark); !c.off && refused != 0 {
			t.Errorf("%+v: %d logins refused", c, refused)
		}
	}
}

func TestAClonesOldPasswordEndsAtOnce(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	w.exec(t, `CREATE PROFILE GENTLE LIMIT PASSWORD_ROLLOVER_TIME 1`)
	user := w.user(t, "app")
	w.exec(t, `ALTER USER APP PROFILE GENTLE`)
	r := w.rotor(t, database.AlternatingUsers, user)
	r.Must(t)
	first := r.Current()
	r.Must(t)
	r.Must(t)
	if err := w.As(t.Context(), first.Text("username"), first.Text("password")); err == nil {
		t.Error("the password of two rotations ago works")
	}
	if err := r.can(t); err != nil {
		t.Error(err)
	}
}

func TestUsersWithoutAPasswordGetNone(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	w.exec(t, `CREATE USER OSUSER IDENTIFIED EXTERNALLY`)
	admin := w.session(t, w.admin(t))
	wantFault(t, admin.SetPassword(t.Context(), databasetest.Change("osuser", clonePassword)), rotation.BadSecret, "EXTERNAL")
	wantFault(t, admin.SetPassword(t.Context(), databasetest.Change("system", clonePassword)), rotation.BadSecret, "Oracle's own")
	wantFault(t, admin.SetPassword(t.Context(), databasetest.Change("nobody", clonePassword)), rotation.NoUser, `"NOBODY"`)
}

func TestAnAdministratorNeedsNoCatalogToSetAPassword(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `CREATE USER LOW IDENTIFIED BY "lowpass"`, `GRANT CREATE SESSION TO LOW`)
	r := w.rotor(t, database.SingleUserByAdministrator, user)
	r.Store.Add("admin", w.secret(t, "low", "lowpass"))
	databasetest.Wants(t, r.Preflight(t), rotation.MissingPrivilege, `administrator: GRANT ALTER USER TO "LOW";`)
	databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, `administrator: GRANT ALTER USER TO "LOW";`)
	w.exec(t, `GRANT ALTER USER TO LOW`)
	if err := r.Preflight(t); err != nil {
		t.Error(err)
	}
	r.Must(t)
}

func TestAUserWhoMayNotChangeItsPasswordIsSentToTheAdministrator(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.SingleUser, w.user(t, "app"))
	w.StandIn.Deny(" IDENTIFIED BY ", 1031)
	databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "single-user-by-administrator")
}

func TestLoginsThatTheServerTurnsAwayAreNamed(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	for code, want := range map[int]rotation.Class{28001: rotation.PasswordExpired, 1033: rotation.Unavailable, 12514: rotation.NoDatabase, 12520: rotation.TooManyConnections, 28040: rotation.LoginRefused} {
		w.StandIn.RefuseLogins(code)
		databasetest.Wants(t, w.rotor(t, database.SingleUser, user).Rotate(t), want, "said the test")
	}
	w.StandIn.RefuseLogins(0)
	for statement, c := range map[string]struct {
		class rotation.Class
		says  string
	}{
		`ALTER USER APP ACCOUNT LOCK`:       {rotation.AccountLocked, "ACCOUNT UNLOCK"},
		`ALTER USER APP PASSWORD EXPIRE`:    {rotation.PasswordExpired, "PASSWORD_LIFE_TIME"},
		`REVOKE CREATE SESSION FROM APP`:    {rotation.MissingPrivilege, `GRANT CREATE SESSION TO "APP";`},
		`ALTER USER APP IDENTIFIED BY "x1"`: {rotation.LoginRefused, "AWSCURRENT"},
	} {
		w := standIn(t, oracletest.Config{})
		user := w.user(t, "app")
		w.exec(t, statement)
		for _, strategy := range strategies {
			databasetest.Wants(t, w.rotor(t, strategy, user).Rotate(t), c.class, c.says)
		}
	}
}

func TestFewFailedLoginsAreEnough(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	w.exec(t, `CREATE PROFILE STRICT LIMIT FAILED_LOGIN_ATTEMPTS 1`)
	for by, strategy := range strategies {
		user := w.user(t, "")
		w.exec(t, `ALTER USER `+user+` PROFILE STRICT`)
		r := w.rotor(t, strategy, user)
		for range 3 {
			if err := r.Rotate(t); err != nil {
				t.Errorf("%s: %v", by, err)
			}
		}
	}
}

func TestAStandbyIsNamed(t *testing.T) {
	w := standIn(t, oracletest.Config{ReadOnly: true})
	user := w.user(t, "app")
	for _, strategy := range strategies {
		databasetest.Wants(t, w.rotor(t, strategy, user).Rotate(t), rotation.ReadOnly, "primary")
	}
}

func TestAMissingServiceOrSIDIsNamed(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.SingleUser, w.user(t, "app"))
	good := r.Current()
	for field, value := range map[string]string{"dbname": "elsewhere", "sid": "ELSE"} {
		r.Store.Write("user", "v0", good.With(field, value))
		databasetest.Wants(t, r.Rotate(t), rotation.NoDatabase, "lsnrctl")
		r.Store.End("user")
	}
	r.Store.Write("user", "v0", good.With("dbname", ""))
	databasetest.Wants(t, r.Rotate(t), rotation.BadSecret, "dbname")
	r.Store.End("user")
	if _, err := w.session(t, good.With("dbname", "whatever").With("sid", oracletest.SID)).(database.Administrator).Rights(t.Context(), "app_CLONE"); err != nil {
		t.Errorf("by SID: %v", err)
	}
}
