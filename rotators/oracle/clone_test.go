package oracle_test

import (
	"context"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

const clonePassword = `Clone0!#$%&'()*+,-./:;<=>?`

// session logs in through the driver.
func (w *world) session(t *testing.T, doc secret.Document) database.Conn {
	t.Helper()
	r := w.rotor(t, database.SingleUser, "nobody")
	d, err := database.New(r.Config)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.Connect(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (w *world) clone(t *testing.T, original, clone string) error {
	t.Helper()
	return databasetest.Clone(t.Context(), w.session(t, w.admin(t)), original, clone, clonePassword)
}

func TestTheCloneFollowsTheOriginal(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `CREATE ROLE OTHER`, `GRANT SELECT ON `+w.shop+`.COINS TO OTHER`, `CREATE ROLE SILENT`)
	r := w.rotor(t, database.AlternatingUsers, user)
	r.Must(t)
	w.wantTwins(t, "APP", "APP_CLONE")
	r.Must(t)
	w.exec(t, `REVOKE `+w.role+` FROM APP`, `GRANT OTHER TO APP WITH ADMIN OPTION`, `GRANT SILENT TO APP WITH DELEGATE OPTION`, `ALTER USER APP DEFAULT ROLE OTHER`,
		`REVOKE INSERT ON `+w.shop+`.ORDERS FROM APP`,
		`REVOKE DELETE ON `+w.shop+`.ORDERS FROM APP`, `GRANT DELETE ON `+w.shop+`.ORDERS TO APP`,
		`REVOKE UPDATE ON `+w.shop+`."Prices" FROM APP`, `GRANT UPDATE ("of what") ON `+w.shop+`."Prices" TO APP`,
		`REVOKE SELECT ON `+w.shop+`."Prices" FROM APP`, `GRANT SELECT ON `+w.shop+`."Prices" TO APP WITH GRANT OPTION`,
		`REVOKE CREATE TABLE FROM APP`, `GRANT CREATE VIEW TO APP`, `GRANT READ ON DIRECTORY EXPORTS TO APP`, `GRANT SELECT ON SYS.V_$SESSION TO APP`,
		`CREATE PROFILE STRICT LIMIT FAILED_LOGIN_ATTEMPTS 3`, `ALTER USER APP PROFILE STRICT DEFAULT TABLESPACE "Odd space" TEMPORARY TABLESPACE TEMP2 QUOTA 0 ON USERS QUOTA UNLIMITED ON DATA QUOTA 5 ON "Odd space"`)
	r.Must(t)
	if got := r.Current().Text("username"); got != "app_CLONE" {
		t.Fatalf("it is %s's turn", got)
	}
	w.wantTwins(t, "APP", "APP_CLONE")
	for _, statement := range []string{`DELETE FROM ` + w.shop + `.ORDERS`, `UPDATE ` + w.shop + `."Prices" SET "of what" = 'x'`, `SELECT * FROM ` + w.shop + `.COINS`, `SELECT * FROM SYS.V_$SESSION`} {
		if err := r.can(t, statement); err != nil {
			t.Errorf("%s, granted since, as the clone: %v", statement, err)
		}
	}
	for _, statement := range []string{`INSERT INTO ` + w.shop + `.ORDERS VALUES (1)`, `UPDATE ` + w.shop + `."Prices" SET "Price" = 1`, `INSERT INTO ` + w.shop + `.COINS VALUES (1)`, `CREATE TABLE X (N NUMBER)`} {
		if err := r.can(t, statement); err == nil {
			t.Errorf("%s, revoked since, still works as the clone", statement)
		}
	}
}

func TestWhatIsEqualIsNotSaidAgain(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	r.Must(t)
	r.Must(t)
	w.exec(t, `DROP VIEW APP.STALE`) // on which a grant is tried each time
	mark := w.StandIn.Mark()
	r.Must(t)
	if log := w.StandIn.LogSince(mark); strings.Count(log, "ADMIN: ") != 1 || !strings.Contains(log, `ADMIN: ALTER USER "APP_CLONE" IDENTIFIED BY`) {
		t.Errorf("the administrator said\n%s", log)
	}
}

func TestNobodyLogsInToAHalfMadeClone(t *testing.T) {
	for _, text := range []string{`GRANT CREATE SESSION TO "APP_CLONE"`, `GRANT DELETE ON`, `DEFAULT ROLE`, `QUOTA`, `ACCOUNT UNLOCK`, `OWN`} {
		w := standIn(t, oracletest.Config{})
		r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
		w.StandIn.Deny(text, 1031)
		databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, `"ADMIN"`)
		pending := r.Store.Value("user", rotation.Pending)
		if err := w.As(t.Context(), "app_CLONE", pending.Text("password")); err == nil {
			t.Errorf("without %s: the clone can log in", text)
		}
		if err := w.As(t.Context(), "app", old); err != nil {
			t.Errorf("without %s: the original cannot: %v", text, err)
		}
		w.StandIn.Deny(text, 0)
		r.Must(t)
		w.wantTwins(t, "APP", "APP_CLONE")
	}
}

func TestALockIsNotTakenOffSilently(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	r.Must(t)
	r.Must(t)
	w.exec(t, `ALTER USER APP_CLONE ACCOUNT LOCK`)
	databasetest.Wants(t, r.Preflight(t), rotation.AccountLocked, "app_CLONE")
	databasetest.Wants(t, r.Rotate(t), rotation.AccountLocked, "app_CLONE", "ACCOUNT UNLOCK")
	w.exec(t, `ALTER USER APP_CLONE ACCOUNT UNLOCK`)
	r.Must(t)
	w.exec(t, `ALTER USER APP_CLONE ACCOUNT LOCK`)
	databasetest.Wants(t, r.Rotate(t), rotation.AccountLocked, "ORA-28000")
}

func TestClonesOfQuotedNames(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	for _, name := range quoted {
		user := w.user(t, name)
		clone := strings.TrimSuffix(user, `"`) + `_CLONE"`
		for range 2 {
			if err := w.clone(t, user, clone); err != nil {
				t.Fatal(err)
			}
		}
		w.wantTwins(t, exact(user), exact(clone))
		probe := w.probe(exact(user))
		if err := probe(t.Context(), w.secret(t, clone, clonePassword)); err != nil {
			t.Errorf("as %s: %v", clone, err)
		}
		one, err := w.session(t, w.secret(t, user, old)).(database.Administrator).Rights(t.Context(), clone)
		if err != nil {
			t.Fatal(err)
		}
		other, err := w.session(t, w.secret(t, clone, clonePassword)).(database.Administrator).Rights(t.Context(), user)
		if err != nil || strings.Join(one, "\n") != strings.Join(other, "\n") {
			t.Errorf("%s has\n%q\n%s has\n%q (%v)", user, one, clone, other, err)
		}
	}
}

func TestOnlyWhatCanBeSharedIs(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `CREATE TABLE APP.HOLDER (T APP.TAGS) NESTED TABLE T STORE AS NEST`, `CREATE GENERATED TABLE APP.MADE`, `CREATE SECONDARY TABLE APP.SECOND`, `CREATE TABLE APP."BIN$x"`, `CREATE TRIGGER APP.T`,
		`CREATE TABLE `+w.shop+`."BIN$dropped"`, `GRANT SELECT ON `+w.shop+`."BIN$dropped" TO APP`, `GRANT UPDATE ("C") ON `+w.shop+`."BIN$dropped" TO APP`,
		`CREATE MATERIALIZED VIEW APP.MV`, `CREATE TYPE APP.THING`, `CREATE PROCEDURE APP.DOIT`)
	r := w.rotor(t, database.AlternatingUsers, user)
	r.Must(t)
	has := strings.Join(w.StandIn.Holdings("APP_CLONE"), "\n")
	for name, want := range map[string]bool{"NEST": false, "MADE": false, "SECOND": false, "BIN$x": false, "T,": false, "MV": true, "THING": true, "DOIT": true, "OWN": true} {
		if strings.Contains(has, "APP."+name) != want {
			t.Errorf("%s is shared: %v", name, !want)
		}
	}
	for _, statement := range []string{`DELETE FROM APP.RECENT`, `BEGIN APP.DOIT; END;`, `ALTER SESSION SET CURRENT_SCHEMA = APP`, `SELECT * FROM OWN`} {
		if err := r.can(t, statement); err != nil && statement != `SELECT * FROM OWN` {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if err := r.can(t, `ALTER SESSION SET CURRENT_SCHEMA = APP`, `SELECT * FROM OWN`); err != nil {
		t.Errorf("unqualified: %v", err)
	}
}

func TestWhatTheCloneMakesIsTheOriginalsToUse(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	r.Must(t)
	if err := r.can(t, `CREATE TABLE MADE (N NUMBER)`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r.Must(t)
		for _, statement := range []string{`INSERT INTO APP_CLONE.MADE VALUES (1)`, `SELECT * FROM APP_CLONE.MADE`, `INSERT INTO APP.OWN VALUES (1)`} {
			if err := r.can(t, statement); err != nil {
				t.Errorf("%s as %s: %v", statement, r.Current().Text("username"), err)
			}
		}
	}
}

// A session of the clone may outlive the clone's turn.
func TestWhatTheCloneMakesLateIsTheOriginalsToUse(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	r.Must(t)
	clone := r.Current()
	r.Must(t)
	original := r.Current()
	if err := w.As(t.Context(), "app_CLONE", clone.Text("password"), `CREATE TABLE LATE (N NUMBER)`); err != nil {
		t.Fatal(err)
	}
	r.Must(t)
	if err := w.As(t.Context(), "app", original.Text("password"), `SELECT * FROM APP_CLONE.LATE`); err != nil {
		t.Error(err)
	}
}

func TestViewsThatTheOwnerMayNotPassOnStopTheStep(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `CREATE VIEW APP.THEIRS AS SELECT * FROM `+w.shop+`.ORDERS`)
	r := w.rotor(t, database.AlternatingUsers, user)
	err := r.Rotate(t)
	databasetest.Wants(t, err, rotation.MissingPrivilege, "ORA-01720", `GRANT SELECT ON `+w.shop+`."ORDERS" TO "APP" WITH GRANT OPTION;`)
	w.follow(t, err)
	r.Must(t)
	if !strings.Contains(r.Log.String(), "write through the view") {
		t.Errorf("the log does not say what is missing:\n%s", r.Log.String())
	}
	if err := r.can(t, `SELECT * FROM APP.THEIRS`); err != nil {
		t.Error(err)
	}
}

func TestDriftFailsUnlessTheOperatorGrantsIt(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	r.Must(t)
	w.exec(t, `CREATE ROLE EXTRA`, `GRANT EXTRA TO APP_CLONE WITH ADMIN OPTION`, `GRANT CREATE VIEW TO APP_CLONE`, `GRANT UPDATE ("Price") ON `+w.shop+`."Prices" TO APP_CLONE WITH GRANT OPTION`,
		`GRANT SELECT ON `+w.shop+`.COINS TO APP_CLONE`, `ALTER USER APP_CLONE QUOTA 7 ON DATA`, `REVOKE INSERT ON `+w.shop+`.ORDERS FROM APP_CLONE`, `ALTER USER APP DEFAULT ROLE NONE`)
	databasetest.Wants(t, r.Rotate(t), rotation.FewerRights, `role `+w.role+` by default`, `role "EXTRA"`, "CREATE VIEW", `SELECT ON "`, `quota on tablespace "DATA"`, `UPDATE ("Price")`, "CLONE_DRIFT")
	r.Config.GrantDrift = true
	r.Must(t)
	for _, statement := range []string{`SELECT * FROM ` + w.shop + `.COINS`, `INSERT INTO ` + w.shop + `.ORDERS VALUES (1)`} {
		if err := r.can(t, statement); err != nil {
			t.Errorf("%s as the original: %v", statement, err)
		}
	}
	r.Must(t)
	w.wantTwins(t, "APP", "APP_CLONE")
}

func TestUsersThatCannotBeCloned(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	w.exec(t, `CREATE USER OSUSER IDENTIFIED EXTERNALLY`, `CREATE ROLE TAKEN_CLONE`, `CREATE USER OTHER_CLONE IDENTIFIED EXTERNALLY`)
	w.user(t, "taken")
	w.user(t, "other")
	for original, want := range map[string]struct {
		class rotation.Class
		says  string
	}{
		"osuser": {rotation.BadSecret, "EXTERNAL"}, "system": {rotation.BadSecret, "Oracle's own"}, "nobody": {rotation.NoUser, `"NOBODY"`},
		"taken": {rotation.Unavailable, "CLONE_SUFFIX"}, "other": {rotation.BadSecret, "OTHER_CLONE"},
	} {
		err := w.clone(t, original, original+"_CLONE")
		wantFault(t, err, want.class, want.says)
	}
}

func TestAnAdministratorWithoutTheRightsIsToldWhatToGrant(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `CREATE USER "lo%w" IDENTIFIED BY "lowpass"`, `GRANT CREATE SESSION TO "lo%w"`)
	low := w.secret(t, `"lo%w"`, "lowpass")
	for _, c := range []struct{ give, preflight, clone string }{
		{"", `GRANT CREATE USER TO "lo%w"; GRANT ALTER USER TO "lo%w";`, `GRANT SELECT_CATALOG_ROLE TO "lo%w";`},
		{`GRANT CREATE USER TO "lo%w"`, `As an administrator: GRANT ALTER USER TO "lo%w";`, `GRANT SELECT_CATALOG_ROLE TO "lo%w";`},
		{`GRANT ALTER USER TO "lo%w"`, `GRANT SELECT_CATALOG_ROLE TO "lo%w";`, `GRANT SELECT_CATALOG_ROLE TO "lo%w";`},
		{`GRANT SELECT_CATALOG_ROLE TO "lo%w"`, `GRANT CREATE SESSION TO "lo%w" WITH ADMIN OPTION; GRANT CREATE TABLE TO "lo%w" WITH ADMIN OPTION; GRANT DELETE ON ` + w.shop + `."ORDERS" TO "lo%w" WITH GRANT OPTION;`, "WITH ADMIN OPTION"},
		{`GRANT GRANT ANY PRIVILEGE TO "lo%w"`, w.role + ` TO "lo%w" WITH ADMIN OPTION`, "WITH GRANT OPTION"},
		{`GRANT GRANT ANY OBJECT PRIVILEGE TO "lo%w"`, w.role + ` TO "lo%w" WITH ADMIN OPTION`, w.role + ` TO "lo%w" WITH ADMIN OPTION`},
	} {
		if c.give != "" {
			w.exec(t, c.give)
		}
		conn := w.session(t, low)
		wantFault(t, conn.(database.Administrator).PreflightClone(t.Context(), databasetest.Pair(user, user+"_CLONE")), rotation.MissingPrivilege, c.preflight)
		wantFault(t, databasetest.Clone(t.Context(), conn, user, user+"_CLONE", clonePassword), rotation.MissingPrivilege, c.clone)
		if w.As(context.Background(), user+"_CLONE", clonePassword) == nil {
			t.Error("a clone that is not whole can log in")
		}
	}
	w.exec(t, `GRANT GRANT ANY ROLE TO "lo%w"`)
	conn := w.session(t, low)
	if err := conn.(database.Administrator).PreflightClone(t.Context(), databasetest.Pair(user, user+"_CLONE")); err != nil {
		t.Errorf("still lacks: %v", err)
	}
	if err := databasetest.Clone(t.Context(), conn, user, user+"_CLONE", clonePassword); err != nil {
		t.Errorf("does not converge: %v", err)
	}
	w.wantTwins(t, "APP", "APP_CLONE")
}

func TestPreflightPassesWhereARotationWould(t *testing.T) {
	w := newWorld(t, oracletest.Best(t))
	for by, strategy := range strategies {
		if err := w.rotor(t, strategy, w.user(t, "")).Preflight(t); err != nil {
			t.Errorf("%s: %v", by, err)
		}
	}
}

// A right that the clone has granted to the original ends with the clone's.
func TestTheOriginalLosesNothingWithTheClone(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	r.Must(t)
	clone := r.Current()
	r.Must(t)
	original := r.Current()
	w.exec(t, `GRANT INSERT ON `+w.shop+`.COINS TO APP_CLONE WITH GRANT OPTION`, `GRANT UPDATE ("Price") ON `+w.shop+`."Prices" TO APP_CLONE WITH GRANT OPTION`, `REVOKE UPDATE ON `+w.shop+`."Prices" FROM APP`)
	if err := w.As(t.Context(), "app_CLONE", clone.Text("password"), `GRANT INSERT ON `+w.shop+`.COINS TO APP`, `GRANT UPDATE ("Price") ON `+w.shop+`."Prices" TO APP`); err != nil {
		t.Fatal(err)
	}
	r.Must(t)
	for _, doc := range []secret.Document{original, r.Current()} {
		if err := w.As(t.Context(), doc.Text("username"), doc.Text("password"), `INSERT INTO `+w.shop+`.COINS VALUES (1)`, `UPDATE `+w.shop+`."Prices" SET "Price" = 1`); err != nil {
			t.Errorf("as %s: %v", doc.Text("username"), err)
		}
	}
}

func TestProxiesAreNamed(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	w.exec(t, `ALTER USER APP GRANT CONNECT THROUGH ADMIN`)
	r.Must(t)
	if !strings.Contains(r.Log.String(), `GRANT CONNECT THROUGH`) {
		t.Errorf("the log says\n%s", r.Log.String())
	}
}

func TestWhatCannotBeRevokedEndsTheStepBeforeThePassword(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	r.Must(t)
	r.Must(t)
	w.exec(t, `CREATE USER FRIEND IDENTIFIED BY "friend1"`, `GRANT CREATE SESSION TO FRIEND`, `GRANT INSERT ON `+w.shop+`.COINS TO FRIEND WITH GRANT OPTION`)
	if err := w.As(t.Context(), "friend", "friend1", `GRANT INSERT ON `+w.shop+`.COINS TO APP_CLONE`); err != nil {
		t.Fatal(err)
	}
	databasetest.Wants(t, r.Preflight(t), rotation.MoreRights, `as "FRIEND": REVOKE INSERT ON `+w.shop+`."COINS" FROM "APP_CLONE";`)
	databasetest.Wants(t, r.Rotate(t), rotation.MoreRights, "INSERT ON", "COINS")
	if !strings.Contains(r.Log.String(), "ORA-01927") {
		t.Errorf("the log says\n%s", r.Log.String())
	}
	if err := w.As(t.Context(), "app_CLONE", r.Store.Value("user", rotation.Previous).Text("password")); err != nil {
		t.Errorf("AWSPREVIOUS's password: %v", err)
	}
	if err := w.As(t.Context(), "friend", "friend1", `REVOKE INSERT ON `+w.shop+`.COINS FROM APP_CLONE`); err != nil {
		t.Fatal(err)
	}
	r.Must(t)
}

func TestRDSGrantsWhatIsSYSs(t *testing.T) {
	w := standIn(t, oracletest.Config{RDS: true})
	user := w.user(t, "app")
	w.exec(t, `GRANT `+w.role+` TO ADMIN WITH ADMIN OPTION`, `GRANT SELECT ON SYS.V_$SESSION TO APP`, `GRANT EXECUTE ON SYS.DBMS_CRYPTO TO APP WITH GRANT OPTION`, `GRANT READ ON DIRECTORY EXPORTS TO APP`)
	r := w.rotor(t, database.AlternatingUsers, user)
	if err := r.Preflight(t); err != nil {
		t.Errorf("the trial: %v", err)
	}
	mark := w.StandIn.Mark()
	r.Must(t)
	if log := w.StandIn.LogSince(mark); !strings.Contains(log, `grant_sys_object(p_obj_name => :1, p_grantee => :2, p_privilege => :3); END; ["V_$SESSION" "APP_CLONE" "SELECT"]`) || strings.Contains(log, `ON "SYS"."V_`) {
		t.Errorf("the log has\n%s", log)
	}
	w.wantTwins(t, "APP", "APP_CLONE")
	r.Must(t)
	w.exec(t, `REVOKE SELECT ON SYS.V_$SESSION FROM APP`, `REVOKE EXECUTE ON SYS.DBMS_CRYPTO FROM APP`, `GRANT EXECUTE ON SYS.DBMS_CRYPTO TO APP`)
	r.Must(t)
	w.wantTwins(t, "APP", "APP_CLONE")
}

func TestPrivilegesOnSchemasAreCopied(t *testing.T) {
	w := standIn(t, oracletest.Config{Version: "23.0.0.0.0"})
	user := w.user(t, "app")
	w.exec(t, `GRANT SELECT ANY TABLE ON SCHEMA `+w.shop+` TO APP WITH ADMIN OPTION`)
	r := w.rotor(t, database.AlternatingUsers, user)
	r.Must(t)
	w.wantTwins(t, "APP", "APP_CLONE")
	if err := r.can(t, `SELECT * FROM `+w.shop+`.COINS`); err != nil {
		t.Error(err)
	}
	r.Must(t)
	w.exec(t, `REVOKE SELECT ANY TABLE ON SCHEMA `+w.shop+` FROM APP`, `GRANT SELECT ANY TABLE ON SCHEMA `+w.shop+` TO APP`)
	r.Must(t)
	w.wantTwins(t, "APP", "APP_CLONE")
	w.exec(t, `REVOKE SELECT ANY TABLE ON SCHEMA `+w.shop+` FROM APP`)
	databasetest.Wants(t, r.Rotate(t), rotation.FewerRights, "SELECT ANY TABLE ON SCHEMA")
}

func TestOldReleasesSayLess(t *testing.T) {
	w := standIn(t, oracletest.Config{Version: "11.2.0.4.0"})
	user := w.user(t, "app")
	w.exec(t, `GRANT READ ON DIRECTORY EXPORTS TO APP`)
	r := w.rotor(t, database.AlternatingUsers, user)
	r.Must(t)
	w.wantTwins(t, "APP", "APP_CLONE")
	long := w.rotor(t, database.AlternatingUsers, w.user(t, "a2345678901234567890123456"))
	databasetest.Wants(t, long.Rotate(t), rotation.BadSecret, "takes 30")
}

func TestWhatAnotherRunHasRevokedIsRevoked(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	r.Must(t)
	r.Must(t)
	w.exec(t, `GRANT CREATE VIEW TO APP_CLONE`, `CREATE ROLE EXTRA`, `GRANT EXTRA TO APP_CLONE`)
	w.StandIn.Anticipate(`REVOKE CREATE VIEW`)
	w.StandIn.Anticipate(`REVOKE "EXTRA"`)
	mark := w.StandIn.Mark()
	e := r.Engine(t)
	r.Store.Begin("user", "v9")
	for _, step := range []rotation.Step{rotation.CreateSecret, rotation.SetSecret} {
		if err := e.Handle(t.Context(), rotation.Event{Step: step, SecretID: "user", Token: "v9"}); err != nil {
			t.Error(err)
		}
	}
	if accepted, _ := w.StandIn.LoginsSince(mark); accepted != 4 || strings.Contains(r.Log.String(), "could not") {
		t.Errorf("%d logins, and the log says\n%s", accepted, r.Log.String())
	}
}
