package sqlserver_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

// own starts a wire-level server that no other test shares.
func own(t *testing.T, c sqlservertest.Config) *world {
	t.Helper()
	s, err := sqlservertest.StartWire(c)
	s = servertest.ForTest(t, s, err)
	if c.Certificate != localtls.NoFault || c.Route != 0 { // nothing can be made there
		w := &world{server: s, box: s.Fresh(t), shop: "master"}
		w.trust()
		return w
	}
	return newWorld(t, s, false)
}

func TestServersThatCannotBeTrustedGetNoPassword(t *testing.T) {
	for name, c := range map[string]struct {
		config sqlservertest.Config
		says   string
	}{
		"without TLS":            {sqlservertest.Config{Options: servertest.NoTLS()}, "TLS_FALLBACK"},
		"another authority":      {sqlservertest.Config{Options: servertest.Faulty(localtls.OtherCA)}, "CA_BUNDLE"},
		"another name":           {sqlservertest.Config{Options: servertest.Faulty(localtls.WrongName)}, "tlsServerName"},
		"an expired certificate": {sqlservertest.Config{Options: servertest.Faulty(localtls.Expired)}, "Renew"},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(name+", "+tls.VersionName(version), func(t *testing.T) {
				c.config.MaxTLS = version
				w := own(t, c.config)
				mark := w.server.Mark()
				for _, strategy := range strategies {
					r := w.rotor(t, strategy, w.server.AdminUser, w.server.AdminPassword, w.administrator(t))
					r.Store.Write("user", "v0", w.administrator(t).With("ssl", "true"))
					databasetest.Wants(t, r.Rotate(t), rotation.TLS, c.says)
				}
				if accepted, refused := w.server.LoginsSince(mark); accepted+refused > 0 {
					t.Error("a password was sent")
				}
			})
		}
	}
}

func TestBothVersionsOfTLSWork(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		w := own(t, sqlservertest.Config{MaxTLS: version, DemandTLS: true})
		r := w.rotor(t, database.AlternatingUsers, w.user(t, ""), old, w.administrator(t))
		r.Must(t)
		if days := r.Gauges["CertificateDaysToExpiry"]; days < 0.5 || days > 1.5 {
			t.Errorf("%s: the certificate's end was not reported: %v", tls.VersionName(version), r.Gauges)
		}
	}
}

func TestWithoutTLSOnlyWhereSomebodySaysSo(t *testing.T) {
	w := own(t, sqlservertest.Config{Options: servertest.NoTLS()})
	r := w.rotor(t, database.SingleUser, w.user(t, ""), old, w.administrator(t))
	r.Store.Write("user", "v0", unsaid(r.Current()))
	databasetest.Wants(t, r.Rotate(t), rotation.TLS)
	r.Config.Plaintext = true
	r.Must(t)
	if !strings.Contains(r.Log.String(), "crosses the network in plain text") {
		t.Errorf("the log does not say so:\n%s", r.Log.String())
	}

	w = own(t, sqlservertest.Config{DemandTLS: true})
	r = w.rotor(t, database.SingleUser, w.user(t, ""), old, w.administrator(t))
	r.Store.Write("user", "v0", r.Current().With("ssl", "false"))
	mark := w.server.Mark()
	databasetest.Wants(t, r.Rotate(t), rotation.TLS, `"ssl"`)
	if accepted, refused := w.server.LoginsSince(mark); accepted+refused > 0 {
		t.Error("a password was sent")
	}
}

// unsaid is a secret that says nothing of TLS.
func unsaid(d secret.Document) secret.Document { return d.With("ssl", "") }

func TestAServerThatSendsClientsOnGetsNoSecondLogin(t *testing.T) {
	elsewhere := own(t, sqlservertest.Config{})
	w := own(t, sqlservertest.Config{Route: elsewhere.server.Port})
	mark, here := elsewhere.server.Mark(), w.server.Mark()
	r := w.rotor(t, database.SingleUser, w.server.AdminUser, w.server.AdminPassword, w.administrator(t))
	databasetest.Wants(t, r.Rotate(t), rotation.Unreachable, "sends clients on", "Proxy")
	if log := elsewhere.server.LogSince(mark); log != "" {
		t.Errorf("the other server saw\n%s", log)
	}
	if accepted, _ := w.server.LoginsSince(here); accepted != 1 {
		t.Errorf("%d logins at the server itself", accepted)
	}
}

func TestASilentServerIsLeftInTime(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	w := own(t, sqlservertest.Config{})
	r := w.rotor(t, database.SingleUser, "app", "x", w.administrator(t))
	r.Store.Write("user", "v0", r.Current().With("port", listener.Addr().String()[len("127.0.0.1:"):]))
	r.Config.ConnectTimeout = 50 * time.Millisecond
	begin := time.Now()
	databasetest.Wants(t, r.Rotate(t), rotation.Unreachable, "CONNECT_TIMEOUT")
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAServerThatFallsSilentIsLeftInTime(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	r := w.rotor(t, database.SingleUser, w.user(t, ""), old, w.administrator(t))
	w.server.FailStatement("ALTER LOGIN", sqlservertest.Silence)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	begin := time.Now()
	err := rotationtest.Rotate(ctx, r.Engine(t), &r.Store, "user", "v1")
	databasetest.Wants(t, err, rotation.Timeout)
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
	r.Must(t)
}

func TestADatabaseThatOnlyThePrimaryOpensIsNamed(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, ""), old, w.administrator(t))
	w.server.FailStatement("USE [msdb]", 978)
	r.Must(t)
	if !strings.Contains(r.Log.String(), "[msdb]") {
		t.Errorf("the log does not name it:\n%s", r.Log.String())
	}
}

func TestADeniedViewOfDatabasesIsNamed(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		w.box.Exec(t, "master", `DENY VIEW ANY DATABASE TO `+q(user))
		r := w.rotor(t, database.AlternatingUsers, user, old, w.administrator(t))
		r.Must(t)
		if !strings.Contains(r.Log.String(), "VIEW ANY DATABASE is denied") {
			t.Errorf("the log does not say so:\n%s", r.Log.String())
		}
	})
}

func TestUsersThatCannotLogIn(t *testing.T) {
	for state, want := range map[string]struct {
		class rotation.Class
		says  string
	}{
		"disabled": {rotation.AccountLocked, "ENABLE"}, "locked": {rotation.AccountLocked, "UNLOCK"}, "expired": {rotation.PasswordExpired, "CHECK_EXPIRATION"},
		"must-change": {rotation.PasswordExpired, "MUST_CHANGE"}, "windows": {rotation.LoginRefused, "18456"},
	} {
		w := own(t, sqlservertest.Config{})
		user := w.user(t, "")
		w.server.SetLogin(user, state)
		for _, strategy := range strategies {
			databasetest.Wants(t, w.rotor(t, strategy, user, old, w.administrator(t)).Rotate(t), want.class, want.says)
		}
	}
}

func TestADatabaseThatCannotBeOpenedIsNoRefusedLogin(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		r := w.rotor(t, database.SingleUser, user, old, w.administrator(t))
		r.Store.Write("user", "v0", r.Current().With("dbname", w.box.Name("nowhere")))
		databasetest.Wants(t, r.Rotate(t), rotation.NoDatabase, "dbname")
	})
}

func TestPasswordsThatThePolicyRefusesAreNamed(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user := w.user(t, "")
		for by, strategy := range strategies {
			r := w.rotor(t, strategy, user, old, w.administrator(t))
			r.Config.Password = func() string { return "Short-1" }
			err := r.Rotate(t)
			databasetest.Wants(t, err, rotation.PasswordRejected, "PASSWORD_LENGTH")
			if err != nil && strings.Contains(err.Error(), "Short-1") {
				t.Errorf("%s: the message holds the password", by)
			}
		}
	})
}

func TestPrivilegesThatAreMissingAreNamedBeforeTheyAreMissed(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user, admin := w.user(t, ""), w.box.Name("dba")
		w.box.Exec(t, "master", `CREATE LOGIN `+q(admin)+` WITH PASSWORD = `+sqlservertest.Literal(old))
		w.box.Exec(t, w.shop, `CREATE USER `+q(admin)+` FOR LOGIN `+q(admin))
		w.box.Exec(t, w.stock, `CREATE USER `+q(admin)+` FOR LOGIN `+q(admin))
		as := func(strategy database.Strategy) *rotor {
			return w.rotor(t, strategy, user, old, w.secret(t, admin, old))
		}
		databasetest.Wants(t, as(database.SingleUserByAdministrator).Preflight(t), rotation.NoUser, "ALTER ANY LOGIN")
		databasetest.Wants(t, as(database.SingleUserByAdministrator).Rotate(t), rotation.NoUser, "ALTER ANY LOGIN")

		w.box.Exec(t, "master", `GRANT ALTER ANY LOGIN TO `+q(admin))
		for _, err := range []error{as(database.SingleUserByAdministrator).Preflight(t), as(database.SingleUser).Preflight(t)} {
			if err != nil {
				t.Error(err)
			}
		}
		// Without VIEW DEFINITION there may be more than can be seen.
		databasetest.Wants(t, as(database.AlternatingUsers).Preflight(t), rotation.MissingPrivilege, "VIEW ANY DEFINITION TO "+q(admin))
		w.box.Exec(t, "master", `GRANT VIEW ANY DEFINITION TO `+q(admin))
		w.box.Exec(t, w.shop, `DENY VIEW DEFINITION TO `+q(admin))
		databasetest.Wants(t, as(database.AlternatingUsers).Preflight(t), rotation.MissingPrivilege, "does not see", q(w.shop), "db_owner", q(admin))
		w.box.Exec(t, w.shop, `REVOKE VIEW DEFINITION FROM `+q(admin))

		databasetest.Wants(t, as(database.AlternatingUsers).Preflight(t), rotation.MissingPrivilege, "VIEW SERVER STATE on the server", w.loaders, "in database "+q(w.shop), "db_datareader", "db_owner")
		r := as(database.AlternatingUsers)
		databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "server roles")

		w.box.Exec(t, "master", `GRANT ALTER ANY SERVER ROLE TO `+q(admin), `GRANT VIEW SERVER STATE TO `+q(admin)+` WITH GRANT OPTION`, `GRANT CREATE ANY DATABASE TO `+q(admin)+` WITH GRANT OPTION`)
		databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "db_owner")
		w.box.Exec(t, w.shop, `ALTER ROLE [db_owner] ADD MEMBER `+q(admin))
		w.box.Exec(t, w.stock, `ALTER ROLE [db_owner] ADD MEMBER `+q(admin))
		r.Must(t)
		r.Must(t)
		if err := r.Preflight(t); err != nil {
			t.Error(err)
		}
	})
}

func TestAnAdministratorOfAContainedDatabase(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, true)
		user, admin := w.user(t, ""), w.box.Name("dba")
		w.box.Exec(t, w.shop, `CREATE USER `+q(admin)+` WITH PASSWORD = `+sqlservertest.Literal(old), `GRANT VIEW DEFINITION TO `+q(admin))
		as := func(strategy database.Strategy) *rotor {
			return w.rotor(t, strategy, user, old, w.secret(t, admin, old))
		}
		for _, strategy := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
			databasetest.Wants(t, as(strategy).Preflight(t), rotation.MissingPrivilege, "ALTER ANY USER")
			databasetest.Wants(t, as(strategy).Rotate(t), rotation.MissingPrivilege, "ALTER ANY USER")
		}
		w.box.Exec(t, w.shop, `ALTER ROLE [db_owner] ADD MEMBER `+q(admin))
		r := as(database.AlternatingUsers)
		if err := r.Preflight(t); err != nil {
			t.Error(err)
		}
		r.Must(t)
	})
}

func TestProtectedLoginsTakeMoreThanAlterAnyLogin(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		w := newWorld(t, s, false)
		user, admin := w.user(t, ""), w.box.Name("dba")
		w.box.Exec(t, "master", `ALTER SERVER ROLE [sysadmin] ADD MEMBER `+q(user), `CREATE LOGIN `+q(admin)+` WITH PASSWORD = `+sqlservertest.Literal(old), `GRANT ALTER ANY LOGIN TO `+q(admin))
		w.box.Exec(t, w.shop, `CREATE USER `+q(admin)+` FOR LOGIN `+q(admin))
		r := w.rotor(t, database.SingleUserByAdministrator, user, old, w.secret(t, admin, old))
		databasetest.Wants(t, r.Preflight(t), rotation.MissingPrivilege, "CONTROL SERVER")
		databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "CONTROL SERVER")
	})
}

func TestTheOldPasswordIsThatOfTheSession(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		for _, contained := range []bool{false, true} {
			w := newWorld(t, s, contained)
			r := w.rotor(t, database.SingleUser, w.user(t, ""), old, w.administrator(t))
			r.Must(t)
			good := r.Current()
			r.Must(t)
			// Somebody restores a backup: what works is AWSPREVIOUS's.
			what := map[bool]string{true: "USER ", false: "LOGIN "}[contained]
			w.box.Exec(t, w.shop, `ALTER `+what+q(good.Text("username"))+` WITH PASSWORD = `+sqlservertest.Literal(good.Text("password")))
			r.Must(t)
		}
	})
}

func TestTheRaceOfTwoRunsIsTriedAgain(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	w.server.FailStatement("ALTER LOGIN", 15151) // as if the password had just been changed
	w.rotor(t, database.SingleUser, user, old, w.administrator(t)).Must(t)
	other := w.user(t, "")
	w.server.FailStatement("CREATE LOGIN", 15025)
	w.server.FailStatement("GRANT", 1205)
	w.rotor(t, database.AlternatingUsers, other, old, w.administrator(t)).Must(t)
}

func TestAStatementIsNeverQuoted(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	user := w.user(t, "")
	r := w.rotor(t, database.SingleUser, user, old, w.administrator(t))
	w.server.FailStatement("ALTER LOGIN", 102)
	err := r.Rotate(t)
	if err == nil || strings.Contains(err.Error(), "said the test") || errors.Is(err, database.ErrLoginRefused) {
		t.Errorf("got %v", err)
	}
}
