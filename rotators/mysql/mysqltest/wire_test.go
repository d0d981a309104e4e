package mysqltest

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/internal/servertest"
)

func startWire(t *testing.T) *Server {
	t.Helper()
	s, err := StartWire(Config{})
	return servertest.ForTest(t, s, err)
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

func TestTheImitationChecksPasswordsAndHidesThem(t *testing.T) {
	s := startWire(t)
	if n := s.admin(t, "CREATE USER app@'%' IDENTIFIED BY 'it''s \\\\ it'", "ALTER USER app@'%' IDENTIFIED WITH 'mysql_native_password' BY 'it''s \\\\ it'"); n != 0 {
		t.Fatal(n)
	}
	for password, want := range map[string]uint16{`it's \ it`: 0, "x": 1045, `it's \ it `: 1045, "": 1045} {
		if n := s.run(t, "app", password, "SELECT 1"); n != want {
			t.Errorf("%q: error %d, want %d", password, n, want)
		}
	}
	if a, r := s.Logins(); a != 2 || r != 3 {
		t.Errorf("%d logins and %d refused", a, r)
	}
	if strings.Contains(s.Log(), "it''s") {
		t.Error("the password is in the log")
	}
}

func TestWhatIsNotKnownIsASyntaxError(t *testing.T) {
	s := startWire(t)
	for _, statement := range []string{
		"SELECT 2", "ALTER USER", "ALTER USER admin@'%' IDENTIFIED BY 'x' AND MORE", "DELETE FROM mysql.user", "SELECT 'unclosed", "GRANT SELECT ON *.* TO admin@'%' WITH ALL", "/* unclosed",
		// What came after 5.7:
		"ALTER USER admin@'%' IDENTIFIED BY 'x' RETAIN CURRENT PASSWORD", "ALTER USER admin@'%' IDENTIFIED BY 'x' REPLACE 'y'", "ALTER USER admin@'%' DISCARD OLD PASSWORD",
		"GRANT XA_RECOVER_ADMIN ON *.* TO admin@'%'", "CREATE ROLE r", "GRANT r TO admin@'%'",
	} {
		if n := s.admin(t, statement); n != 1064 {
			t.Errorf("%s: %d", statement, n)
		}
	}
}
