package sqlserver_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/sqlserver"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

var names = []string{`br[ack]ets`, `clo]]sing`, `apo'strophe`, `quote"d`, `per%cent`, `sp ace`, ` around `, `semi;colon--`, `com/*ment`, "new\nline", `dollar$(1)`,
	`ünïcødé 漢字`, `emoji 😀𝄞`, `UPPER`, strings.Repeat("x", 128-len("_clone"))}

// What a fault does to contained users is much the same: ROTOR_TEST_SWEEP=all puts it there too.
func TestConformance(t *testing.T) {
	for name, contained := range map[string]bool{"logins": false, "contained users": true} {
		t.Run(name, func(t *testing.T) {
			sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
				databasetest.Run(t, databasetest.Harness{Driver: sqlserver.Driver, Server: map[bool]string{false: "", true: "contained users, "}[contained] + s.Title, Real: s.Real, Databases: !contained, New: newWorld(t, s, contained).fixture, Names: names, NoSweep: contained, Unmarked: true})
			})
		})
	}
}

var strategies = map[string]database.Strategy{"SingleUser": database.SingleUser, "SingleUserByAdministrator": database.SingleUserByAdministrator, "AlternatingUsers": database.AlternatingUsers}

func TestTheServersLogHoldsNoPasswordAndNoRefusal(t *testing.T) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		if !s.HasLog() {
			t.Skip("the log is out of reach: NOT COVERED")
		}
		for _, contained := range []bool{false, true} {
			w := newWorld(t, s, contained)
			user := w.user(t, "")
			mark := s.Mark()
			passwords := []string{old}
			for _, strategy := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
				r := w.rotor(t, strategy, user, passwords[len(passwords)-1], w.administrator(t))
				for range 2 {
					r.Must(t)
					passwords = append(passwords, r.Store.Value("user", rotation.Current).Text("password"))
				}
			}
			log := s.LogSince(mark)
			for _, p := range passwords {
				if strings.Contains(log, p) || strings.Contains(log, strings.ReplaceAll(p, "'", "''")) {
					t.Error("the server's log holds a password")
				}
			}
			if !strings.Contains(log, "WITH PASSWORD = '******' OLD_PASSWORD = '******'") {
				t.Error("the server's log does not even hold the statements")
			}
			if _, refused := s.LoginsSince(mark); refused != 0 {
				t.Errorf("%d logins were refused", refused)
			}
		}
	})
}
