package sqlserver_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

// thrice rotates until each of the two users has had its turn, and looks whether both can do the same.
func (r *rotor) thrice(t *testing.T, user string, statements ...string) {
	t.Helper()
	for range 3 {
		if err := r.Preflight(t); err != nil {
			t.Errorf("the trial: %v", err)
		}
		r.Must(t)
		for _, s := range statements {
			if err := r.can(t, s); err != nil {
				t.Errorf("as %s: %s: %v", r.Current().Text("username"), s, err)
			}
		}
	}
	if !r.w.server.Real {
		r.w.wantTwins(t, user)
	}
}

func TestRightsOnWhatTheOtherOwnsByItsSchema(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		u := q("shop's user 1")
		w.box.Exec(t, w.shop, `GRANT CREATE SCHEMA TO `+u)
		r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
		r.Must(t)
		if err := r.can(t, `CREATE SCHEMA [clone's]`); err != nil {
			t.Fatal(err)
		}
		w.box.Exec(t, w.shop, `CREATE TABLE [clone's].[notes] (id int, text int)`, `CREATE TYPE [clone's].[code] FROM int`,
			`GRANT SELECT ON [clone's].[notes] TO `+u+` WITH GRANT OPTION`, `GRANT UPDATE ([text]) ON [clone's].[notes] TO `+u, `GRANT REFERENCES ON TYPE::[clone's].[code] TO `+u)
		for range 4 {
			if err := r.Preflight(t); err != nil {
				t.Errorf("the trial: %v", err)
			}
			r.Must(t)
			if err := r.can(t, `INSERT INTO [clone's].[notes] VALUES (1, 1)`); err != nil {
				t.Errorf("as %s: %v", r.Current().Text("username"), err)
			}
		}
	})
}

func TestAColumnThatMayNotBeGrantedOn(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		u := q("shop's user 1")
		w.box.Exec(t, w.shop, `CREATE TABLE [sales].[wide] (a int, b int, c int, d int)`,
			`GRANT SELECT ON [sales].[wide] TO `+u+` WITH GRANT OPTION`, `REVOKE GRANT OPTION FOR SELECT ([b]) ON [sales].[wide] FROM `+u+` CASCADE`,
			`REVOKE SELECT ([c]) ON [sales].[wide] FROM `+u+` CASCADE`, `DENY SELECT ([d]) ON [sales].[wide] TO `+u+` CASCADE`)
		r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
		r.Must(t)
		r.thrice(t, user, `SELECT a FROM [sales].[wide]`, `SELECT b FROM [sales].[wide]`)
		for _, c := range []string{"c", "d"} {
			if err := r.can(t, `SELECT `+c+` FROM [sales].[wide]`); err == nil {
				t.Errorf("column %s can be read", c)
			}
		}
		w.box.Exec(t, w.shop, `GRANT SELECT ([b]) ON [sales].[wide] TO `+u+` WITH GRANT OPTION`, `GRANT SELECT ([c]) ON [sales].[wide] TO `+u+` WITH GRANT OPTION`,
			`REVOKE GRANT OPTION FOR SELECT ([a]) ON [sales].[wide] FROM `+u+` CASCADE`)
		if r.Current().Text("username") != user {
			r.Must(t)
		}
		r.thrice(t, user, `SELECT a FROM [sales].[wide]`, `SELECT c FROM [sales].[wide]`)
	})
}

func TestAGrantOptionOfAThirdPrincipal(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		clone, u := q(user+"_clone"), q("shop's user 1")
		w.box.Exec(t, w.shop, `CREATE USER [third] WITHOUT LOGIN`, `GRANT INSERT ON [sales].[orders] TO [third] WITH GRANT OPTION`, `GRANT UPDATE ON [sales].[orders] TO [third] WITH GRANT OPTION`,
			`GRANT UPDATE ON [sales].[orders] TO `+u+` AS [third]`)
		r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
		r.Must(t)
		r.Must(t)
		w.box.Exec(t, w.shop, `GRANT INSERT ON [sales].[orders] TO `+clone+` WITH GRANT OPTION AS [third]`)
		r.Must(t)
		if r.Current().Text("username") != user+"_clone" {
			t.Fatal("it is not the clone's turn")
		}
		if err := r.can(t, `GRANT INSERT ON [sales].[orders] TO [third]`); err == nil {
			t.Error("the clone may still grant on what its original may not")
		}
		if err := r.can(t, `INSERT INTO [sales].[orders] VALUES (1, 'tea', 2)`); err != nil {
			t.Error(err)
		}
		r.Must(t)
	})
}

func TestMustChangeEndsBeforeThePolicyDoes(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
	r.Must(t)
	r.Must(t)
	w.server.SetLogin(user+"_clone", "must-change")
	w.box.Exec(t, "master", `ALTER LOGIN `+q(user)+` WITH CHECK_EXPIRATION = OFF, CHECK_POLICY = OFF`)
	if err := r.Preflight(t); err != nil {
		t.Error(err)
	}
	// Cut short, it goes on.
	w.server.FailStatement("ALTER LOGIN "+q(user+"_clone")+" WITH DEFAULT_DATABASE", 1222)
	databasetest.Wants(t, r.Rotate(t), rotation.Timeout)
	r.Must(t)
	r.Must(t)
	w.wantTwins(t, user)
}

func TestWhatIsNotCopiedIsNamed(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	for kind, name := range map[string]string{"link": "depot", "key": "vault", "job": "nightly", "proxy": "files", "mail": "post"} {
		w.server.Give(user, kind, name)
	}
	r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
	if err := r.Preflight(t); err != nil {
		t.Error(err)
	}
	r.Must(t)
	for _, name := range []string{"linked server [depot]", "keys [vault]", "job [nightly]", "proxy [files]", "mail profile [post]"} {
		if strings.Count(r.Log.String(), name) != 2 {
			t.Errorf("trial and rotation do not both name the %s:\n%s", name, r.Log.String())
		}
	}
}

// Whoever may make triggers in a database has the administrator's rights at each rotation.
func TestTriggersOfADatabaseAreNamed(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		w.box.Exec(t, w.shop, "CREATE TRIGGER [owner's] ON DATABASE FOR CREATE_USER, ADD_ROLE_MEMBER AS ALTER SERVER ROLE [sysadmin] ADD MEMBER [somebody]")
		w.box.Exec(t, w.shop, "CREATE TRIGGER [other] ON DATABASE FOR CREATE_TABLE AS PRINT 1")
		r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
		for _, run := range []func(*testing.T) error{r.Preflight, r.Rotate} {
			r.Log.Reset()
			if err := run(t); err != nil {
				t.Error(err)
			}
			if log := r.Log.String(); strings.Count(log, "[owner's]") != 1 || strings.Contains(log, "[other]") {
				t.Errorf("not only the trigger is named that is fired, and once:\n%s", log)
			}
		}
	})
}

func TestEncryptedValuesMayBeCopiedByBoth(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		for _, contained := range []bool{false, true} {
			w := newWorld(t, s, contained)
			user := w.user(t, "")
			u := q(map[bool]string{true: user, false: "shop's user 1"}[contained])
			w.box.Exec(t, w.shop, `ALTER USER `+u+` WITH ALLOW_ENCRYPTED_VALUE_MODIFICATIONS = ON`)
			r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
			r.Must(t)
			w.box.Exec(t, w.shop, `ALTER USER `+u+` WITH ALLOW_ENCRYPTED_VALUE_MODIFICATIONS = OFF`)
			databasetest.Wants(t, r.Preflight(t), rotation.FewerRights, "ALLOW_ENCRYPTED_VALUE_MODIFICATIONS")
			w.box.Exec(t, w.shop, `ALTER USER `+u+` WITH ALLOW_ENCRYPTED_VALUE_MODIFICATIONS = ON`)
			r.Must(t)
			w.box.Exec(t, w.shop, `ALTER USER `+u+` WITH ALLOW_ENCRYPTED_VALUE_MODIFICATIONS = OFF`)
			r.Must(t)
			r.Must(t)
		}
	})
}

func TestWhatOnlyTheServersOwnersCanDoIsSaidByTheTrial(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user, admin := w.user(t, ""), w.box.Name("dba")
		w.box.Exec(t, "master", `ALTER SERVER ROLE [dbcreator] ADD MEMBER `+q(user), `CREATE LOGIN `+q(admin)+` WITH PASSWORD = `+sqlservertest.Literal(old), `GRANT CONTROL SERVER TO `+q(admin))
		r := w.rotor(t, database.AlternatingUsers, user, old, w.secret(t, admin, old))
		err := r.Preflight(t)
		databasetest.Wants(t, err, rotation.MissingPrivilege, "membership in server role [dbcreator]", "db_owner", "db_datareader")
		if strings.Contains(err.Error(), "db_executor") {
			t.Errorf("a role of the customer's own is taken for a fixed one: %v", err)
		}
		for range 4 { // each remedy shows what comes next
			if err = r.Preflight(t); err == nil {
				break
			}
			w.obey(t, err)
		}
		if err != nil {
			t.Fatal(err)
		}
		r.Must(t)
		r.Must(t)
	})
}

// obey runs all statements of an error's remedy, as the server's administrator.
func (w *world) obey(t *testing.T, err error) {
	t.Helper()
	var e *rotation.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, and no remedy", err)
	}
	_, remedy, _ := strings.Cut(e.Remedy, ": ")
	var statements []string
	for statement := range strings.SplitSeq(remedy, ";") {
		statement = strings.TrimSpace(statement)
		for _, verb := range []string{"USE ", "GRANT ", "ALTER ", "CREATE "} {
			if strings.HasPrefix(statement, verb) {
				statements = append(statements, statement)
			}
		}
	}
	w.box.Exec(t, "master", statements...)
}

func TestTheRemediesLeadFromNothingToARotation(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		for _, dbname := range []string{"", "shop"} {
			w := newWorld(t, s, false)
			user, admin := w.user(t, ""), w.box.Name("dba")
			w.box.Exec(t, "master", `CREATE LOGIN `+q(admin)+` WITH PASSWORD = `+sqlservertest.Literal(old), `GRANT CONNECT ANY DATABASE TO `+q(admin))
			w.box.Exec(t, w.shop, `CREATE USER [the boss] FOR LOGIN `+q(admin)) // its name is not the login's
			boss, app := w.secret(t, admin, old), w.secret(t, user, old)
			if dbname == "" {
				boss, app = boss.With("dbname", ""), app.With("dbname", "")
			}
			r := w.rotor(t, database.AlternatingUsers, user, old, boss)
			r.Store.Write("user", "v0", app)
			var err error
			for range 12 {
				if err = r.Preflight(t); err == nil {
					break
				}
				databasetest.Wants(t, err, class(err), q(admin))
				w.obey(t, err)
			}
			if err != nil {
				t.Fatal(err)
			}
			r.Must(t)
			r.Must(t)
			r.Must(t)
		}
	})
}

func TestServerRolesThatDoNotShowStopTheTrial(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user, admin := w.user(t, ""), w.box.Name("dba")
		w.box.Exec(t, "master", `CREATE LOGIN `+q(admin)+` WITH PASSWORD = `+sqlservertest.Literal(old), `GRANT ALTER ANY LOGIN TO `+q(admin),
			`GRANT VIEW SERVER STATE TO `+q(admin)+` WITH GRANT OPTION`, `GRANT CREATE ANY DATABASE TO `+q(admin)+` WITH GRANT OPTION`)
		for _, in := range []string{w.shop, w.stock} {
			w.box.Exec(t, in, `CREATE USER `+q(admin)+` FOR LOGIN `+q(admin), `ALTER ROLE [db_owner] ADD MEMBER `+q(admin))
		}
		r := w.rotor(t, database.AlternatingUsers, user, old, w.secret(t, admin, old))
		databasetest.Wants(t, r.Preflight(t), rotation.MissingPrivilege, "VIEW ANY DEFINITION", q(admin))
		databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "VIEW ANY DEFINITION")
		w.box.Exec(t, "master", `GRANT VIEW ANY DEFINITION TO `+q(admin))
		databasetest.Wants(t, r.Preflight(t), rotation.MissingPrivilege, w.loaders)
		w.box.Exec(t, "master", `GRANT ALTER ANY SERVER ROLE TO `+q(admin))
		r.Must(t)
		r.Must(t)
	})
}

func TestAzureSQLDatabaseIsRefusedBeforeAnythingIsChanged(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	w.server.BecomeAzure()
	for name, strategy := range strategies {
		r := w.rotor(t, strategy, user, old, w.administrator(t))
		mark := w.server.Mark()
		databasetest.Wants(t, r.Preflight(t), rotation.BadSecret, "Azure")
		databasetest.Wants(t, r.Rotate(t), rotation.BadSecret, "Azure")
		if log := w.server.LogSince(mark); strings.Contains(log, "ALTER ") || strings.Contains(log, "CREATE ") {
			t.Errorf("%s: said there:\n%s", name, log)
		}
	}
}

func TestThingsOfEveryClass(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	u := q("shop's user 1")
	for _, class := range []string{"CERTIFICATE", "SYMMETRIC KEY", "ASSEMBLY", "MESSAGE TYPE", "CONTRACT", "SERVICE", "FULLTEXT CATALOG", "DATABASE SCOPED CREDENTIAL", "EXTERNAL LANGUAGE"} {
		w.box.Exec(t, w.shop, `CREATE `+class+` [its own] AUTHORIZATION `+u, `CREATE `+class+` [dbo's]`, `GRANT VIEW DEFINITION ON `+class+`::[dbo's] TO `+u+` WITH GRANT OPTION`)
	}
	r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
	for range 3 {
		if err := r.Preflight(t); err != nil {
			t.Errorf("the trial: %v", err)
		}
		r.Must(t)
	}
	has := strings.Join(w.server.Holdings(user+"_clone"), "\n")
	for _, class := range []string{"5", "15", "16", "17", "23", "24", "25", "32", "34"} {
		for _, want := range []string{": W CONTROL on " + class + " ", ": W VIEW DEFINITION on " + class + " "} {
			if !strings.Contains(has, want) {
				t.Errorf("the clone has no%s:\n%s", want, has)
			}
		}
	}
}
