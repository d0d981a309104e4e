package main_test

import (
	"testing"

	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// each runs a test on the harness of each server.
func each(t *testing.T, test func(t *testing.T, h functiontest.Harness)) {
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) { test(t, harness(t, s)) })
}

// newest runs a test on the harness of each product's newest server, which is the test's own.
func newest(t *testing.T, test func(t *testing.T, h functiontest.Harness)) {
	for _, product := range []string{mysqltest.MySQL, mysqltest.MariaDB} {
		t.Run(product, func(t *testing.T) { test(t, harness(t, mysqltest.Start(t, product, mysqltest.Config{}))) })
	}
}

func TestThreeRotationsInARow(t *testing.T) { each(t, functiontest.RunRotations) }

func TestATrialRunsThePreflight(t *testing.T) { each(t, functiontest.RunTrials) }

func TestTheProcessKeepsItsPromisesWhateverHappensToIt(t *testing.T) { newest(t, functiontest.Run) }

// MySQL keeps a second password, MariaDB none.
func TestAnOperatorLeadsOutWhereverTheFunctionWasKilled(t *testing.T) {
	rotor := functiontest.Bootstrap(t, harnesstest.Rotor)
	t.Run("mysql-8.0", func(t *testing.T) {
		functiontest.RunRecoveries(t, overlapping(t, mysqltest.StartNamed(t, "mysql-8.0", mysqltest.Config{})), rotor)
	})
	t.Run(mysqltest.MariaDB, func(t *testing.T) {
		functiontest.RunRecoveries(t, harness(t, mysqltest.Start(t, mysqltest.MariaDB, mysqltest.Config{})), rotor)
	})
}

func TestWhatTheMessagesSayHelps(t *testing.T) { newest(t, functiontest.RunRemedies) }

func TestARotationThatIsCutOffLeavesNothingOpen(t *testing.T) {
	newest(t, func(t *testing.T, h functiontest.Harness) { functiontest.RunInProcess(t, h, mysql.Driver) })
}

func TestASingleUserRotatesWithoutAGapWhereTheServerKeepsTheOldPassword(t *testing.T) {
	mysqltest.EachOf(t, mysqltest.MySQL, func(t *testing.T, s *mysqltest.Server) {
		functiontest.RunRotations(t, overlapping(t, s))
	})
}

// overlapping is a harness of MySQL in which single users may keep their old password.
func overlapping(t *testing.T, s *mysqltest.Server) functiontest.Harness {
	t.Helper()
	h := harness(t, s, "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO %s")
	h.Overlaps = append(h.Overlaps, "single-user")
	told := h.Told
	h.Told = func(t *testing.T, by, log string) {
		if by != "single-user" {
			told(t, by, log)
		}
	}
	return h
}
