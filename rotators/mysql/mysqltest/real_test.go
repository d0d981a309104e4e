package mysqltest

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
)

func TestARealServerCountsLoginsAndHasNoOpenAccount(t *testing.T) {
	Each(t, func(t *testing.T, s *Server) {
		mark := s.Mark()
		db, err := s.Admin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var cipher, open string
		if err := db.QueryRow("SHOW STATUS LIKE 'Ssl_cipher'").Scan(new(string), &cipher); err != nil || cipher == "" {
			t.Errorf("the session is not encrypted: %q, %v", cipher, err)
		}
		if err := db.QueryRow("SELECT IFNULL(GROUP_CONCAT(User), '') FROM mysql.user WHERE Host <> '' AND authentication_string = '' AND User NOT IN ('mariadb.sys')").Scan(&open); err != nil || open != "" {
			t.Errorf("accounts without a password: %q, %v", open, err)
		}
		if _, err := s.Connect(t.Context(), s.AdminUser, "wrong", ""); err == nil || !strings.Contains(err.Error(), "1045") {
			t.Errorf("a wrong password: %v", err)
		}
		if a, r := s.LoginsSince(mark); s.HasLog() && (a != 1 || r != 1) {
			t.Errorf("%d logins and %d refused, want 1 and 1:\n%s", a, r, s.LogSince(mark))
		}
		if s.HasLog() && !strings.Contains(s.LogSince(mark), "SHOW STATUS LIKE") {
			t.Error("a statement is not in the log")
		}
	})
}

func TestAServerIsAsConfigured(t *testing.T) {
	for name, c := range map[string]struct {
		options  servertest.Options
		variable string
		want     string // or the error
	}{
		"plain text":         {servertest.NoTLS(), "SHOW STATUS LIKE 'Ssl_cipher'", ""},
		"a setting":          {servertest.Options{Settings: map[string]string{"max-connections": "17"}}, "SHOW VARIABLES LIKE 'max_connections'", "17"},
		"an old certificate": {servertest.Faulty(localtls.Expired), "SHOW STATUS LIKE 'Ssl_cipher'", "expired"},
	} {
		for _, product := range []string{MySQL, MariaDB} {
			t.Run(name+" "+product, func(t *testing.T) {
				s := Start(t, product, Config{Options: c.options})
				got := "nothing"
				db, err := s.Admin(t.Context())
				if err == nil {
					defer db.Close()
					err = db.QueryRow(c.variable).Scan(new(string), &got)
				}
				if got != c.want && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
	}
}

func TestASandboxLeavesNothingBehind(t *testing.T) {
	Each(t, func(t *testing.T, s *Server) {
		var box *Sandbox
		t.Run("inner", func(t *testing.T) {
			box = s.Fresh(t)
			app, role, shop := box.Name("app"), box.Name("role"), box.Name("shop")
			box.Exec(t, "CREATE DATABASE "+shop, "CREATE USER "+app+"@'%', `"+app+"``q`@localhost", "CREATE ROLE "+role, "GRANT "+role+" TO "+app+"@'%'")
		})
		db, err := s.Admin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var left string
		if err := db.QueryRow("SELECT CONCAT((SELECT COUNT(*) FROM mysql.user WHERE LOCATE(?, User) > 0), ' ', (SELECT COUNT(*) FROM information_schema.schemata WHERE LOCATE(?, schema_name) > 0))", box.tag, box.tag).Scan(&left); err != nil || left != "0 0" {
			t.Errorf("left behind: %s accounts and databases, %v", left, err)
		}
	})
}
