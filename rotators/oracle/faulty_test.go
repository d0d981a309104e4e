package oracle_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

var statements = regexp.MustCompile(`(GRANT|REVOKE) [^;]*;`)

// follow runs the statements of an error's remedy, as they are.
func (w *world) follow(t *testing.T, err error) {
	t.Helper()
	var e *rotation.Error
	if !errors.As(err, &e) {
		t.Fatalf("no error with a remedy: %v", err)
	}
	all := statements.FindAllString(e.Remedy, -1)
	if len(all) == 0 {
		t.Fatalf("no statement in %q", e.Remedy)
	}
	for _, statement := range all {
		w.exec(t, strings.TrimSuffix(statement, ";"))
	}
}

func TestEachPrivilegeIsListedOnceWithAllItsColumns(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	prices := ` ON ` + w.shop + `."Prices"`
	w.exec(t, `GRANT REFERENCES ("Price")`+prices+` TO APP WITH GRANT OPTION`, `GRANT DELETE, INSERT`+prices+` TO APP`)
	r := w.rotor(t, database.AlternatingUsers, user)
	mark := w.StandIn.Mark()
	r.Must(t)
	log := w.StandIn.LogSince(mark)
	for _, statement := range []string{
		`GRANT INSERT ("Price"), UPDATE ("Price", "of what")` + prices + ` TO "APP_CLONE" []`,
		`GRANT REFERENCES ("Price")` + prices + ` TO "APP_CLONE" WITH GRANT OPTION []`,
		`GRANT DELETE, INSERT` + prices + ` TO "APP_CLONE" []`,
	} {
		if !strings.Contains(log, statement) {
			t.Errorf("no %s in\n%s", statement, log)
		}
	}
	w.wantTwins(t, "APP", "APP_CLONE")
	r.Must(t)
	// One column can be revoked with all others alone, and the whole object's with it.
	w.exec(t, `REVOKE UPDATE`+prices+` FROM APP`, `GRANT UPDATE ("Price")`+prices+` TO APP`, `REVOKE INSERT`+prices+` FROM APP`, `GRANT INSERT ("Price", "of what")`+prices+` TO APP`)
	r.Must(t)
	w.wantTwins(t, "APP", "APP_CLONE")
}

func TestTheHierarchyOptionComesBeforeTheGrantOption(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `GRANT SELECT ON `+w.shop+`."Prices" TO APP WITH HIERARCHY OPTION WITH GRANT OPTION`)
	w.rotor(t, database.AlternatingUsers, user).Must(t)
	w.wantTwins(t, "APP", "APP_CLONE")
}

// Whosever it is, a view with errors is named, and the rotation goes on.
func TestAViewWithErrorsStopsNoRotation(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `CREATE TABLE `+w.shop+`.LEGACY (N NUMBER)`, `CREATE VIEW `+w.shop+`.OLD AS SELECT * FROM `+w.shop+`.LEGACY`,
		`GRANT SELECT ON `+w.shop+`.OLD TO APP`, `DROP TABLE `+w.shop+`.LEGACY`)
	r := w.rotor(t, database.AlternatingUsers, user)
	if err := r.Preflight(t); err != nil {
		t.Errorf("the trial: %v", err)
	}
	r.Must(t)
	for _, view := range []string{`"APP"."STALE"`, w.shop + `."OLD"`} {
		if !strings.Contains(r.Log.String(), "ALTER VIEW "+strings.ReplaceAll(view, `"`, `\"`)+" COMPILE") {
			t.Errorf("nothing of %s in\n%s", view, r.Log.String())
		}
	}
	clone := r.Current()
	if err := w.As(t.Context(), clone.Text("username"), clone.Text("password"), `CREATE TABLE LEFT_OVER (N NUMBER)`); err != nil {
		t.Fatal(err)
	}
	w.exec(t, `CREATE FORCE VIEW APP_CLONE.BROKEN AS SELECT * FROM APP_CLONE.NOTHING`)
	for range 4 {
		if err := r.Preflight(t); err != nil {
			t.Errorf("the trial: %v", err)
		}
		r.Must(t)
	}
	// Mended, they are shared at the clone's next turn.
	w.exec(t, `CREATE TABLE APP.GONE (N NUMBER)`, `CREATE TABLE `+w.shop+`.LEGACY (N NUMBER)`)
	r.Must(t)
	r.Must(t)
	if err := r.can(t, `SELECT * FROM APP.STALE`, `SELECT * FROM `+w.shop+`.OLD`); err != nil {
		t.Errorf("as %s: %v", r.Current().Text("username"), err)
	}
}

// INVALID is not yet wrong: GRANT compiles what is made of something that has
// changed.
func TestAViewThatHasToBeCompiledIsShared(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `ALTER TABLE APP.OWN ADD (M NUMBER)`)
	r := w.rotor(t, database.AlternatingUsers, user)
	r.Must(t)
	if err := r.can(t, `SELECT * FROM APP.RECENT`); err != nil {
		t.Error(err)
	}
}

// What only the clone may read is not forgotten because it is INVALID.
func TestDriftOnAViewThatHasToBeCompiledIsSeen(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	r := w.rotor(t, database.AlternatingUsers, user)
	r.Must(t)
	w.exec(t, `CREATE VIEW `+w.shop+`.LATEST AS SELECT * FROM `+w.shop+`.ORDERS`, `GRANT SELECT ON `+w.shop+`.LATEST TO APP_CLONE`, `ALTER TABLE `+w.shop+`.ORDERS ADD (M NUMBER)`)
	databasetest.Wants(t, r.Preflight(t), rotation.FewerRights, `SELECT ON `+w.shop+`."LATEST"`)
	databasetest.Wants(t, r.Rotate(t), rotation.FewerRights, `SELECT ON `+w.shop+`."LATEST"`)
}

func TestWhatIsDroppedMeanwhileStopsNoRotation(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.StandIn.Before(`GRANT DELETE ON `+w.shop+`."ORDERS"`, `DROP TABLE `+w.shop+`.ORDERS`)
	w.StandIn.Before(`ON "APP"."OWN"`, `DROP TABLE APP.OWN`)
	r := w.rotor(t, database.AlternatingUsers, user)
	r.Must(t)
	for _, name := range []string{`\"ORDERS\" was dropped meanwhile`, `\"OWN\" was dropped meanwhile`} {
		if !strings.Contains(r.Log.String(), name) {
			t.Errorf("the log has no %s:\n%s", name, r.Log.String())
		}
	}
}

// What a trigger raises has no message of its own for passwords here.
func TestATriggerThatForbidsAGrantIsNamed(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	w.StandIn.Deny("GRANT DELETE ON", 20001)
	databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "ORA-20001", "A trigger of the database")
}

func TestExternalTablesAreShared(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `CREATE TABLE APP.FILES (N NUMBER) ORGANIZATION EXTERNAL (TYPE ORACLE_LOADER DEFAULT DIRECTORY EXPORTS LOCATION ('x'))`)
	r := w.rotor(t, database.AlternatingUsers, user)
	r.Must(t)
	if err := r.can(t, `SELECT * FROM APP.FILES`); err != nil {
		t.Error(err)
	}
	r.Must(t)
}
