package mysqltest

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func startWire(t *testing.T, c WireConfig) *Server {
	t.Helper()
	s, err := StartWire(Config{Wire: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// run runs statements as a user and returns the number of the error, or 0.
func (s *Server) run(t *testing.T, user, password string, statements ...string) uint16 {
	t.Helper()
	db, err := s.Connect(t.Context(), user, password, "")
	if err == nil {
		defer func() { _ = db.Close() }()
	}
	for _, statement := range statements {
		if err == nil {
			_, err = db.ExecContext(t.Context(), statement)
		}
	}
	var me *mysql.MySQLError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &me):
		return me.Number
	}
	t.Fatal(err)
	return 0
}

func (s *Server) admin(t *testing.T, statements ...string) uint16 {
	t.Helper()
	return s.run(t, s.AdminUser, s.AdminPassword, statements...)
}

func TestBothPluginsAuthenticate(t *testing.T) {
	for _, native := range []bool{false, true} {
		s := startWire(t, WireConfig{NativePassword: native})
		for _, plugin := range []string{sha2Plugin, nativePlugin} {
			if n := s.admin(t, "CREATE USER "+plugin+"@'%' IDENTIFIED WITH '"+plugin+"' BY 'it''s \\\\ it'"); n != 0 {
				t.Fatal(n)
			}
			for range 3 { // the first one in full, the others fast
				if n := s.run(t, plugin, `it's \ it`, "SELECT 1"); n != 0 {
					t.Errorf("%s: error %d", plugin, n)
				}
			}
			for _, wrong := range []string{"x", `it's \ it `} {
				if n := s.run(t, plugin, wrong, "SELECT 1"); n != 1045 {
					t.Errorf("%s: a wrong password: %d", plugin, n)
				}
			}
		}
		if a, r := s.Logins(); a != 8 || r != 4 {
			t.Errorf("%d logins and %d refused", a, r)
		}
	}
}

// Source: MySQL manual, 8.2.15 "Password Management", "Dual Password Support".
func TestDualPasswordsFollowTheManual(t *testing.T) {
	s := startWire(t, WireConfig{})
	s.admin(t, "CREATE USER app@'%' IDENTIFIED BY 'one'")
	for _, c := range []struct {
		who, statement string
		want           uint16
		primary, old   string
	}{
		{"app one", "ALTER USER app@'%' IDENTIFIED BY 'two' RETAIN CURRENT PASSWORD", 1227, "one", ""},
		{"admin", "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO app@'%'", 0, "one", ""},
		{"app one", "ALTER USER app@'%' IDENTIFIED BY 'two' RETAIN CURRENT PASSWORD", 0, "two", "one"},
		{"app one", "ALTER USER CURRENT_USER() IDENTIFIED BY 'three' RETAIN CURRENT PASSWORD", 0, "three", "two"}, // drops the older
		{"app one", "SELECT 1", 1045, "three", "two"},
		{"app two", "ALTER USER app@'%' IDENTIFIED BY 'four'", 0, "four", "two"}, // without RETAIN the old one stays
		{"app two", "ALTER USER app@'%' IDENTIFIED BY 'five' REPLACE 'two'", 3891, "four", "two"},
		{"app two", "ALTER USER app@'%' IDENTIFIED BY 'five' REPLACE 'four' RETAIN CURRENT PASSWORD", 0, "five", "four"},
		{"app four", "ALTER USER app@'%' DISCARD OLD PASSWORD", 0, "five", ""},
		{"app four", "SELECT 1", 1045, "five", ""},
		{"app five", "ALTER USER app@'%' IDENTIFIED BY '' RETAIN CURRENT PASSWORD", 3895, "five", ""},
		{"app five", "ALTER USER admin@'%' IDENTIFIED BY 'x'", 1227, "five", ""},
		{"app five", "ALTER USER app@'%' ACCOUNT LOCK", 1227, "five", ""},
		{"admin", "ALTER USER app@'%' IDENTIFIED WITH 'mysql_native_password' BY 'x' RETAIN CURRENT PASSWORD", 3894, "five", ""},
		{"admin", "ALTER USER app@'%' IDENTIFIED BY 'six' REPLACE 'five'", 3893, "five", ""},
		{"admin", "ALTER USER app@'%' IDENTIFIED BY 'six' RETAIN CURRENT PASSWORD", 0, "six", "five"},
		{"admin", "ALTER USER app@'%' IDENTIFIED WITH 'mysql_native_password' BY 'seven'", 0, "seven", ""}, // another plug-in
		{"admin", "ALTER USER app@'%' IDENTIFIED BY '', nobody@'%' IDENTIFIED BY 'x'", 1396, "seven", ""},  // all or nothing
		{"admin", "ALTER USER app@'%' IDENTIFIED BY ''", 0, "", ""},
		{"admin", "ALTER USER app@'%' IDENTIFIED BY 'x' RETAIN CURRENT PASSWORD", 3878, "", ""},
	} {
		user, password, _ := strings.Cut(c.who, " ")
		if user == "admin" {
			password = s.AdminPassword
		}
		if n := s.run(t, user, password, c.statement); n != c.want {
			t.Errorf("%s: error %d, want %d", c.statement, n, c.want)
		}
		if p, old := s.Wire().Passwords("app", "%"); p != c.primary || old != c.old {
			t.Errorf("after %s: %q and %q", c.statement, p, old)
		}
	}
	for _, password := range []string{"'two'", "'four'", "'six'"} {
		if strings.Contains(s.Log(), password) {
			t.Errorf("%s is in the log", password)
		}
	}
}

func TestWhatIsNotKnownIsASyntaxError(t *testing.T) {
	s := startWire(t, WireConfig{})
	for _, statement := range []string{"SELECT 2", "ALTER USER", "ALTER USER admin@'%' IDENTIFIED BY 'x' AND MORE", "DELETE FROM mysql.user", "SELECT 'unclosed", "GRANT SELECT ON *.* TO admin@'%' WITH ALL", "/* unclosed"} {
		if n := s.admin(t, statement); n != 1064 {
			t.Errorf("%s: %d", statement, n)
		}
	}
	old := startWire(t, WireConfig{Version: "8.0.13"})
	for _, statement := range []string{"ALTER USER admin@'%' IDENTIFIED BY 'x' RETAIN CURRENT PASSWORD", "ALTER USER admin@'%' DISCARD OLD PASSWORD"} {
		if n := old.admin(t, statement); n != 1064 {
			t.Errorf("8.0.13 knows %s", statement)
		}
	}
	if s := startWire(t, WireConfig{Version: "5.7.44"}); s.admin(t, "ALTER USER admin@'%' IDENTIFIED BY 'x' REPLACE 'y'") != 1064 || s.admin(t, "GRANT XA_RECOVER_ADMIN ON *.* TO admin@'%'") == 0 {
		t.Error("5.7 knows what came later")
	}
}

func TestFaultsHappenOnce(t *testing.T) {
	s := startWire(t, WireConfig{})
	s.Wire().DropReply("CREATE USER")
	db, err := s.Admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE USER app@'%' IDENTIFIED BY 'x'"); err == nil {
		t.Error("the reply came")
	}
	if n := s.admin(t, "CREATE USER app@'%' IDENTIFIED BY 'x'"); n != 1396 {
		t.Errorf("the statement had no effect: %d", n)
	}
	s.Wire().SetReadOnly(true)
	if n := s.admin(t, "ALTER USER app@'%' IDENTIFIED BY 'x'"); n != 1290 {
		t.Error(n)
	}
	s.Wire().SetReadOnly(false)
	s.Wire().Answer("ALTER USER", 1819, "policy")
	if n := s.admin(t, "ALTER USER app@'%' IDENTIFIED BY 'x'"); n != 1819 {
		t.Error(n)
	}
	s.Wire().SetMaxConnections(1)
	if n := s.admin(t, "SELECT 1"); n != 1040 && n != 0 { // the first session may be gone already
		t.Error(n)
	}
}
