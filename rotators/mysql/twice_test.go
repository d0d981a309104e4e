package mysql_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// ownServers are the tests that the two suites leave out: this one, those that start servers of their own, and of the two
// conformance tests the one that does less.
const ownServers = "TestTwoSuites|TestTheWritersHost|TestRoomOnTheServer|TestABlockedUser|TestATrialSeesWhatIsDenied|TestDriftLifts|" +
	"TestTheImitation|TestHardNamesUnder|TestWhatIsDenied|OfWhatIsDenied|TestACloneCutShort|TestALostReply|TestPlainText|TestAServerThatWantsTLS|TestABadCertificate|TestConformanceOfMySQLWithoutOverlap|Fuzz|/MySQL5.7"

// With ROTOR_TEST_MYSQL the tests run on a server that somebody else uses, perhaps for the same: they drop what they made,
// nothing else, and change nothing for all.
func TestTwoSuitesAtOnceLeaveSomebodysServerAsItWas(t *testing.T) {
	if os.Getenv("ROTOR_TEST_MYSQL") != "" {
		t.Skip("it takes servers of its own")
	}
	products := []string{mysqltest.MySQL}
	if wanted := rotationtest.WantedSweep(); wanted == rotationtest.FullSweep || wanted == rotationtest.DyingEverywhere {
		products = append(products, mysqltest.MariaDB)
	}
	for _, product := range products {
		t.Run(product, func(t *testing.T) {
			s := mysqltest.Start(t, product, mysqltest.Config{})
			before := inventory(t, s)
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() { suite(t, s) })
			}
			both.Wait()
			after := inventory(t, s)
			for what, was := range before {
				if is := after[what]; !slices.Equal(is, was) {
					t.Errorf("%s: it had\n%s\nand now\n%s", what, strings.Join(was, "\n"), strings.Join(is, "\n"))
				}
			}
		})
	}
}

// suite runs this binary's tests on a server, as if it were somebody's.
func suite(t *testing.T, s *mysqltest.Server) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		t.Error(err)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.v", "-test.count=1", "-test.timeout=9m", "-test.skip="+ownServers)
	cmd.Env = append(os.Environ(), "ROTOR_TEST_SWEEP=none", "ROTOR_TEST_WORLD=1", "ROTOR_TEST_MYSQL_ALL=", "ROTOR_TEST_MYSQL_CA="+ca,
		fmt.Sprintf("ROTOR_TEST_MYSQL=%s:%s@tcp(%s:%d)/", s.AdminUser, s.AdminPassword, s.Host, s.Port))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("the suite says %v: %s", err, failures(string(out)))
	}
	on := fmt.Sprintf("SERVER real %q", s.Title+" at "+s.Host)
	if n := strings.Count(string(out), on); n < 20 {
		t.Errorf("%d tests ran on it", n)
	}
}

// failures are the lines of a test's output around what failed.
func failures(output string) string {
	lines := strings.Split(output, "\n")
	var some []string
	for i, line := range lines {
		if strings.Contains(line, "_test.go:") || strings.Contains(line, "suite.go:") || strings.Contains(line, "--- FAIL") || strings.HasPrefix(line, "panic") || i > len(lines)-5 {
			some = append(some, line)
		}
	}
	return strings.Join(some[max(0, len(some)-60):], "\n")
}

// inventory is what a server has that is not for one session: accounts, rights, databases, settings.
func inventory(t *testing.T, s *mysqltest.Server) map[string][]string {
	t.Helper()
	db, err := s.Admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	queries := []string{"SHOW DATABASES", "SHOW GLOBAL VARIABLES", "SHOW PLUGINS"}
	tables := []string{"user", "db", "tables_priv", "columns_priv", "procs_priv", "proxies_priv", "proc", "global_priv", "roles_mapping"}
	if s.Product() == mysqltest.MySQL {
		tables = []string{"user", "db", "tables_priv", "columns_priv", "procs_priv", "proxies_priv", "global_grants", "role_edges", "default_roles", "password_history", "component"}
	}
	for _, table := range tables {
		queries = append(queries, "SELECT * FROM mysql."+table)
	}
	all := map[string][]string{}
	for _, query := range queries {
		a := ask(t, db, query)
		if a.code != 0 {
			t.Fatalf("%s: error %d", query, a.code)
		}
		for _, row := range a.rows {
			all[query] = append(all[query], strings.Join(row, " | "))
		}
		slices.SortFunc(all[query], cmp.Compare[string])
	}
	return all
}
