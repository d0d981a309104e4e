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
	// kind; of what goes to a database, at every tenth point.
	DyingSweep Sweeping = ""
	// DyingEverywhere puts the same on all servers, at every point.
	DyingEverywhere Sweeping = "servers"
	// FullSweep puts passing ones too, on all servers.
	FullSweep Sweeping = "all"
)

// Stride is how far the points that are taken lie apart, of those of which a sweep
// of one server takes some: in a conversation there are a hundred and more.
func (s Sweeping) Stride() int {
	if s == DyingSweep {
		return thin
	}
	return 1
}

// Some is whether the ith of a list is among those of it that a run takes which
// has no sweep of the server.
func Some(i int) bool { return i%thin == 0 }

const thin = 10

// WantedSweep is what the environment wants: ROTOR_TEST_SWEEP.
func WantedSweep() Sweeping { return Sweeping(os.Getenv("ROTOR_TEST_SWEEP")) }
