package mysql

import (
	"slices"
	"strings"
	"testing"
)

func TestVersionsTellTheDialect(t *testing.T) {
	for version, want := range map[string]dialect{
		"8.0.36":                         {false, 8, 0, 36},
		"9.1.0":                          {false, 9, 1, 0},
		"10.0.1-cloud":                   {false, 10, 0, 1}, // a MySQL to come
		"5.7.44-log":                     {false, 5, 7, 44},
		"8.0.mysql_aurora.3.08.0":        {false, 8, 0, 0},
		"10.11.19-MariaDB-0+deb12u1-log": {true, 10, 11, 19},
		"5.5.5-10.6.16-MariaDB":          {true, 10, 6, 16},
	} {
		if got := parseVersion(version); got != want {
			t.Errorf("%s: %+v", version, got)
		}
	}
	for version, dual := range map[string]bool{"8.0.13": false, "8.0.14": true, "8.4.3": true, "9.1.0": true, "10.1.0": true, "5.7.44": false, "10.11.19-MariaDB": false} {
		if parseVersion(version).dualPasswords() != dual {
			t.Errorf("%s keeps old passwords: %v", version, !dual)
		}
	}
}

func TestNamesThatCannotBeRotated(t *testing.T) {
	for _, name := range []string{"", "mysql.sys", "mysql.session", "mysql.infoschema", "mariadb.sys", "rdsadmin", "rdsrepladmin", "rds_superuser_role", "app ", strings.Repeat("é", 81)} {
		if checkUser(name) == nil {
			t.Errorf("%q was accepted", name)
		}
	}
	for _, name := range []string{"app", "rds", strings.Repeat("é", 80), "mysql"} {
		if err := checkUser(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	long := strings.Repeat("é", 33)
	if (dialect{}).checkUser(long) == nil || (dialect{maria: true}).checkUser(long) != nil || (dialect{}).checkUser(long[2:]) != nil {
		t.Error("the limit of 32 characters is not MySQL's alone")
	}
}

func TestHashesAreTheServers(t *testing.T) {
	for _, c := range []struct{ plugin, password, want string }{
		{native, "password", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"},
		{ed, "too short", ""},
		{"caching_sha2_password", "password", ""},
	} {
		if got := hash(c.plugin, c.password); got != c.want {
			t.Errorf("%s of %q is %q", c.plugin, c.password, got)
		}
	}
}

// holdingsFrom reads lines of SHOW GRANTS for an account.
func holdingsFrom(t testing.TB, a account, lines ...string) *holdings {
	t.Helper()
	h := newHoldings()
	for _, line := range lines {
		g, err := parseGrant(line, a)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		h.add(g)
	}
	return h
}

func TestChangesTurnOneAccountIntoTheOther(t *testing.T) {
	a, b := account{"a", "%"}, account{"b", "%"}
	for _, c := range []struct {
		name      string
		has, want []string
		changes   []string
	}{
		{"nothing to do", []string{"GRANT SELECT ON `d`.* TO `b`@`%`"}, []string{"GRANT SELECT ON `d`.* TO `a`@`%`"}, nil},
		{
			"granted and revoked", []string{"GRANT SELECT, DELETE ON `d`.`t` TO `b`@`%`"}, []string{"GRANT SELECT, INSERT (`x`, `y`) ON `d`.`t` TO `a`@`%` WITH GRANT OPTION"},
			[]string{"REVOKE DELETE ON `d`.`t` FROM `b`@`%`", "GRANT INSERT (`x`), INSERT (`y`) ON `d`.`t` TO `b`@`%` WITH GRANT OPTION"},
		},
		{
			"the grant option alone", []string{"GRANT SELECT ON `d`.* TO `b`@`%`"}, []string{"GRANT SELECT ON `d`.* TO `a`@`%` WITH GRANT OPTION"},
			[]string{"GRANT USAGE ON `d`.* TO `b`@`%` WITH GRANT OPTION"},
		},
		{
			"the grant option back", []string{"GRANT EXECUTE ON PROCEDURE `d`.`p` TO `b`@`%` WITH GRANT OPTION"}, []string{"GRANT EXECUTE ON PROCEDURE `d`.`p` TO `a`@`%`"},
			[]string{"REVOKE GRANT OPTION ON PROCEDURE `d`.`p` FROM `b`@`%`"},
		},
		{
			"some of all", []string{"GRANT ALL PRIVILEGES ON `d`.* TO `b`@`%`"}, []string{"GRANT SELECT ON `d`.* TO `a`@`%`"},
			[]string{"REVOKE ALL PRIVILEGES ON `d`.* FROM `b`@`%`", "GRANT SELECT ON `d`.* TO `b`@`%`"},
		},
		{
			"all of some", []string{"GRANT SELECT ON `d`.* TO `b`@`%`"}, []string{"GRANT ALL PRIVILEGES ON `d`.* TO `a`@`%`"},
			[]string{"GRANT ALL PRIVILEGES ON `d`.* TO `b`@`%`"},
		},
		{
			"dynamic privileges", []string{"GRANT A_X,B_X ON *.* TO `b`@`%` WITH GRANT OPTION"}, []string{"GRANT A_X ON *.* TO `a`@`%`", "GRANT C_X ON *.* TO `a`@`%` WITH GRANT OPTION"},
			[]string{"REVOKE A_X, B_X ON *.* FROM `b`@`%`", "GRANT C_X ON *.* TO `b`@`%` WITH GRANT OPTION", "GRANT A_X ON *.* TO `b`@`%`"},
		},
		{
			"denied in a database", []string{"GRANT SELECT ON *.* TO `b`@`%`", "REVOKE SELECT ON `old`.* FROM `b`@`%`"}, []string{"GRANT SELECT ON *.* TO `a`@`%`", "REVOKE SELECT ON `mysql`.* FROM `a`@`%`"},
			[]string{"REVOKE SELECT ON `mysql`.* FROM `b`@`%`", "GRANT SELECT ON `old`.* TO `b`@`%`"},
		},
	} {
		var got []string
		for _, ch := range changes(holdingsFrom(t, b, c.has...), holdingsFrom(t, a, c.want...), b.String()) {
			got = append(got, ch.statement)
		}
		if !slices.Equal(got, c.changes) {
			t.Errorf("%s:\n%q, want\n%q", c.name, got, c.changes)
		}
	}
}

func TestPatternsOfDatabases(t *testing.T) {
	for _, c := range []struct {
		outer, inner string
		want         bool
	}{
		{"*.*", "`d`.`t`", true},
		{"`d`.*", "`d`.`t`", true},
		{"`d`.*", "PROCEDURE `d`.`p`", true},
		{"`my\\_db`.*", "`my_db`.`t`", true},
		{"`my\\_db`.*", "`myxdb`.`t`", false},
		{"`my_db`.*", "`myxdb`.`t`", true},
		{"`%`.*", "`any``thing`.`t`", true},
		{"`d%`.*", "`d\\_e`.*", true},
		{"`d`.`t`", "`d`.*", false},
		{"`e`.*", "`d`.`t`", false},
	} {
		if got := contains(c.outer, c.inner); got != c.want {
			t.Errorf("%s contains %s: %v", c.outer, c.inner, got)
		}
	}
}

// What an administrator may do on everything, it may not grant where that is denied to it.
func TestWhatIsDeniedIsNotGranted(t *testing.T) {
	a := account{"a", "%"}
	for _, c := range []struct {
		denied, privilege, name string
		may                     bool
	}{
		{"REVOKE SELECT ON `d`.* FROM `a`@`%`", "SELECT", "`d`.`t`", false},
		{"REVOKE SELECT ON `d`.* FROM `a`@`%`", "INSERT", "`d`.`t`", true},
		{"REVOKE SELECT ON `d`.* FROM `a`@`%`", "SELECT", "`e`.*", true},
		{"REVOKE SELECT ON `d`.* FROM `a`@`%`", "SELECT", "*.*", true}, // who gets it is denied the same
		{"REVOKE  ON `d`.* FROM `a`@`%`", "EXECUTE", "PROCEDURE `d`.`p`", false},
		{"REVOKE  ON `d`.* FROM `a`@`%`", "EXECUTE", "PROCEDURE `e`.`p`", true},
	} {
		h := holdingsFrom(t, a, "GRANT SELECT, INSERT, EXECUTE ON *.* TO `a`@`%` WITH GRANT OPTION", c.denied)
		if got := h.mayGrant(right{privilege: c.privilege}, c.name, dialect{major: 8}); got != c.may {
			t.Errorf("%s: %s on %s: %v", c.denied, c.privilege, c.name, got)
		}
	}
}
