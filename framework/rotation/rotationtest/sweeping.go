package rotationtest

import "os"

// A Sweeping is how thoroughly the suites of drivers and functions put a fault
// at every point.
type Sweeping string

const (
	// NoSweep leaves it to another run, as beside the race detector, which makes
	// it slow.
	NoSweep Sweeping = "none"
	// DyingSweep puts faults of which the function dies, on one server of a
	// kind; of what goes to a database, at every third point.
	DyingSweep Sweeping = ""
	// DyingEverywhere puts the same on all servers, at every point.
	DyingEverywhere Sweeping = "servers"
	// FullSweep puts passing ones too, on all servers.
	FullSweep Sweeping = "all"
)

// WantedSweep is what the environment wants: ROTOR_TEST_SWEEP.
func WantedSweep() Sweeping { return Sweeping(os.Getenv("ROTOR_TEST_SWEEP")) }
