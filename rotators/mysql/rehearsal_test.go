package mysql

import (
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// What a rehearsal sends without leave, if there were such a slip, MariaDB refuses.
func TestARehearsalIsHeldToReading(t *testing.T) {
	mysqltest.EachOf(t, mysqltest.MariaDB, func(t *testing.T, s *mysqltest.Server) {
		x := newExhibition(t, s)
		c := x.session(t, s.AdminUser, s.AdminPassword)
		c.login.Report = rotation.Rehearsal()
		if _, err := c.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"CREATE USER %a", "CREATE ROLE %r", "SET PASSWORD = ''", "SET DEFAULT ROLE NONE", "GRANT PROCESS ON *.* TO %a", "ALTER USER CURRENT_USER() REQUIRE SSL"} {
			if _, err := c.sql.ExecContext(t.Context(), x.own(statement)); !isCode(err, 1792) {
				t.Errorf("%s: %v", statement, err)
			}
		}
		if _, err := c.ownHoldings(t.Context()); err != nil {
			t.Error(err)
		}
		c.login.Report = new(rotation.Report)
		if err := c.exec(t.Context(), x.own("CREATE USER %a")); !isCode(err, 1792) {
			t.Errorf("the session is held no longer: %v", err)
		}
	})
}
