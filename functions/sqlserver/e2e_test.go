package main_test

import (
	"testing"

	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/rotators/sqlserver"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

// each runs a test on the harness of each server.
func each(t *testing.T, test func(t *testing.T, h functiontest.Harness)) {
	sqlservertest.Each(t, func(t *testing.T, s *sqlservertest.Server) {
		h := harness(t, s)
		h.Bootstrap = functiontest.Bootstrap(t, pkg)
		test(t, h)
	})
}

func TestThreeRotationsInARow(t *testing.T) { each(t, functiontest.RunRotations) }

func TestATrialRunsThePreflight(t *testing.T) { each(t, functiontest.RunTrials) }

func TestTheProcessKeepsItsPromisesWhateverHappensToIt(t *testing.T) { each(t, functiontest.Run) }

func TestARotationThatIsCutOffLeavesNothingOpen(t *testing.T) {
	each(t, func(t *testing.T, h functiontest.Harness) { functiontest.RunInProcess(t, h, sqlserver.Driver) })
}

func TestServersThatCannotBeTrustedGetNoPassword(t *testing.T) {
	start := func(t *testing.T, o servertest.Options) *servertest.Server {
		s, err := sqlservertest.StartWire(sqlservertest.Config{Options: o})
		return &servertest.ForTest(t, s, err).Server
	}
	suspects := harnesstest.Suspects(t, start, "Turn TLS on", map[string]any{"engine": "sqlserver", "dbname": "master"})
	functiontest.RunUntrusted(t, functiontest.Bootstrap(t, pkg), suspects)
}

func TestPoliciesThatTheServerDoesNotTakeStopTheFunction(t *testing.T) {
	functiontest.RunBadSettings(t, functiontest.Bootstrap(t, pkg), map[string]string{"PASSWORD_LENGTH": "129"})
}

func TestThePackageIsSmall(t *testing.T) {
	functiontest.WantSmall(t, functiontest.Bootstrap(t, pkg), 7<<20)
}
