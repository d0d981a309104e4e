package oracle_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

// low makes an administrator who may do little, and lets r work with it.
func (w *world) low(t *testing.T, r *rotor, may ...string) {
	t.Helper()
	w.exec(t, `CREATE USER LOW IDENTIFIED BY "lowpass"`, `GRANT CREATE SESSION TO LOW`, `GRANT SELECT_CATALOG_ROLE TO LOW`)
	t.Cleanup(func() { w.drop(t, "LOW") })
	for _, privilege := range append(may, "CREATE USER", "ALTER USER") {
		w.exec(t, `GRANT `+privilege+` TO LOW`)
	}
	r.Store.Write("admin", "low", w.secret(t, "low", "lowpass"))
	r.Store.Stage("admin", rotation.Current, "low")
}

// A trial and a rotation name the same; what the trial says is done, word for word,
// and the rotation succeeds.
func TestATrialAsksForWhatARotationNeeds(t *testing.T) {
	for name, c := range map[string]struct {
		release string
		has     []string // of the administrator's
		setup   []string
		before  int // rotations by an administrator who may all
		class   rotation.Class
		says    string
	}{
		"a system privilege":  {has: []string{"GRANT ANY OBJECT PRIVILEGE", "GRANT ANY ROLE"}, says: `GRANT CREATE SESSION TO "LOW" WITH ADMIN OPTION;`},
		"a role":              {has: []string{"GRANT ANY OBJECT PRIVILEGE", "GRANT ANY PRIVILEGE"}, says: ` TO "LOW" WITH ADMIN OPTION;`},
		"an object privilege": {has: []string{"GRANT ANY ROLE", "GRANT ANY PRIVILEGE"}, says: `GRANT GRANT ANY OBJECT PRIVILEGE TO "LOW";`},
		"a schema privilege": {release: "23.0.0.0.0", has: []string{"GRANT ANY ROLE", "GRANT ANY PRIVILEGE", "GRANT ANY OBJECT PRIVILEGE"},
			setup: []string{`GRANT SELECT ANY TABLE ON SCHEMA $SHOP TO APP`}, says: `GRANT SELECT ANY TABLE ON SCHEMA $SHOP TO "LOW" WITH ADMIN OPTION;`},
		"what is SYS's": {has: []string{"GRANT ANY ROLE", "GRANT ANY PRIVILEGE", "GRANT ANY OBJECT PRIVILEGE"},
			setup: []string{`GRANT SELECT ON SYS.V_$SESSION TO APP`}, says: `GRANT SELECT ON "SYS"."V_$SESSION" TO "LOW" WITH GRANT OPTION;`},
		"what the clone owns": {has: []string{"GRANT ANY ROLE", "GRANT ANY PRIVILEGE"}, before: 1,
			setup: []string{`CREATE TABLE APP_CLONE.MADE (N NUMBER)`}, says: `GRANT GRANT ANY OBJECT PRIVILEGE TO "LOW";`},
		"a view's bases": {has: []string{"GRANT ANY ROLE", "GRANT ANY PRIVILEGE", "GRANT ANY OBJECT PRIVILEGE"},
			setup: []string{`CREATE VIEW APP.THEIRS AS SELECT * FROM $SHOP.ORDERS`}, says: `GRANT SELECT ON $SHOP."ORDERS" TO "APP" WITH GRANT OPTION;`},
	} {
		t.Run(name, func(t *testing.T) {
			w := standIn(t, oracletest.Config{Version: c.release})
			r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
			for range c.before {
				r.Must(t)
			}
			shop := strings.NewReplacer("$SHOP", w.shop)
			for _, statement := range c.setup {
				w.exec(t, shop.Replace(statement))
			}
			w.low(t, r, c.has...)
			trial := r.Preflight(t)
			databasetest.Wants(t, trial, rotation.MissingPrivilege, shop.Replace(c.says))
			databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege)
			w.follow(t, trial)
			if err := r.Preflight(t); err != nil {
				t.Errorf("the trial, after what it said was done: %v", err)
			}
			r.Must(t)
			if !t.Failed() {
				databasetest.Remedied(t, w.Driver, w.Title, w.Real, rotation.MissingPrivilege)
			}
		})
	}
}

// What the clone has made is shared by the rotation itself: no reason to refuse it.
func TestATrialPassesWhereTheCloneHasMadeTables(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	r.Must(t)
	if err := r.can(t, `CREATE TABLE MADE (N NUMBER)`); err != nil {
		t.Fatal(err)
	}
	if err := r.Preflight(t); err != nil {
		t.Error(err)
	}
	r.Must(t)
}

func TestATrialSaysThatARoleHasTheClonesName(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `CREATE ROLE APP_CLONE`)
	databasetest.Wants(t, w.rotor(t, database.AlternatingUsers, user).Preflight(t), rotation.BadConfig, "CLONE_SUFFIX")
}

func TestATrialNamesWhatGRANTDoesNotKnow(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	user := w.user(t, "app")
	w.exec(t, `CREATE QUEUE `+w.shop+`.JOBS`, `GRANT ENQUEUE ON `+w.shop+`.JOBS TO APP`)
	r := w.rotor(t, database.AlternatingUsers, user)
	databasetest.Wants(t, r.Preflight(t), rotation.MissingPrivilege, "ENQUEUE ON "+w.shop, "to a role")
	databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "ENQUEUE ON "+w.shop, "to a role")
	w.exec(t, `CREATE ROLE QUEUES`, `GRANT ENQUEUE ON `+w.shop+`.JOBS TO QUEUES`, `GRANT QUEUES TO APP`, `REVOKE ENQUEUE ON `+w.shop+`.JOBS FROM APP`)
	r.Must(t)
}

func TestATrialNamesWhatRDSCannotPassOn(t *testing.T) {
	w := standIn(t, oracletest.Config{RDS: true})
	user := w.user(t, "app")
	w.exec(t, `GRANT `+w.role+` TO ADMIN WITH ADMIN OPTION`, `CREATE TABLE SYS.HIDDEN (N NUMBER)`, `GRANT SELECT ON SYS.HIDDEN TO APP`)
	r := w.rotor(t, database.AlternatingUsers, user)
	databasetest.Wants(t, r.Preflight(t), rotation.MissingPrivilege, `lacks SELECT ON "SYS"."HIDDEN"`, "by a role")
	databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "ORA-20900", "by a role")
	w.exec(t, `CREATE ROLE READERS`, `GRANT READERS TO ADMIN WITH ADMIN OPTION`, `GRANT SELECT ON SYS.HIDDEN TO READERS`, `GRANT READERS TO APP`, `REVOKE SELECT ON SYS.HIDDEN FROM APP`)
	r.Must(t)
	w.exec(t, `GRANT SELECT ON SYS.HIDDEN TO APP`) // which the master user has by that role
	r.Must(t)
	if err := r.Preflight(t); err != nil {
		t.Error(err)
	}
	r.Must(t)
}

// The manual asks for a direct grant, and earlier ones did not.
func TestATrialSaysWhatIsNotKnownOfARole(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	w.low(t, r, "GRANT ANY PRIVILEGE", "GRANT ANY OBJECT PRIVILEGE")
	w.exec(t, `CREATE ROLE KEEPER`, `GRANT `+w.role+` TO KEEPER WITH ADMIN OPTION`, `GRANT KEEPER TO LOW`)
	if err := r.Preflight(t); err != nil {
		t.Error(err)
	}
	if log := r.Log.String(); !strings.Contains(log, "is not known before it does") {
		t.Errorf("the log says\n%s", log)
	}
	databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, `GRANT `+w.role+` TO "LOW" WITH ADMIN OPTION`)
}

// A remedy is whole, however much is missing.
func TestARemedyForManyPrivilegesIsEnough(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
	for n := range 25 {
		name := w.shop + `.T` + strings.Repeat("X", n)
		w.exec(t, `CREATE TABLE `+name+` (N NUMBER)`, `GRANT SELECT ON `+name+` TO APP`)
	}
	w.low(t, r)
	trial := r.Preflight(t)
	databasetest.Wants(t, trial, rotation.MissingPrivilege, "GRANT GRANT ANY OBJECT PRIVILEGE", "GRANT GRANT ANY PRIVILEGE", "GRANT GRANT ANY ROLE")
	w.follow(t, trial)
	r.Must(t)
}
