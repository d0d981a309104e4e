// Package functiontest is the suite of built rotation functions. What databasetest asks of a driver, it asks of the
// process that is deployed: nobody is locked out wherever it is killed, runs that overlap agree, no password is seen,
// nothing stays open.
//
//	func TestTheFunctionKeepsItsPromises(t *testing.T) {
//		functiontest.Run(t, functiontest.Harness{Engine: "postgres", Bootstrap: functiontest.Bootstrap(t, "."), ...})
//	}
//
// [RunRotations] is healthy rotations and what they cost, [RunTrials] the service's own test of a secret, [RunUntrusted]
// servers that nobody can tell, [RunRemedies] what messages say of the function's surroundings, [RunRecoveries] how an
// operator leads out of a rotation that was cut off, and [RunInProcess] the driver in the test's own process.
//
// Between the function and the world stand proxies ([rig.Points]): each request to Secrets Manager and each exchange
// with the database is a place at which the process can be killed or held up. It imports no database driver.
package functiontest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A Harness is a built function and a server to try it on.
type Harness struct {
	// Engine and Server name what is tested, in the log's lines that begin with GUARANTEE: "mysql" and "MySQL 8.0.33".
	Engine, Server string
	// Real says that the server is somebody else's software. An imitation proves less.
	Real bool
	// Bootstrap is the path of the built function.
	Bootstrap string
	// Env is what the function needs to reach the server, such as CA_BUNDLE.
	Env map[string]string
	// Address is the server's host and port, on this machine.
	Address string
	// New makes a user whom nothing else uses, with some rights, and an administrator. It is called once at a time; the
	// fixtures that it has made are used at the same time.
	New func(t *testing.T) Fixture
	// Log begins to listen to the server's log: the result is what it said since then. Nil says that it is out of reach.
	Log func() func() string
	// Logins begins to count logins, as the server's log tells of them. Nil says that it is out of reach.
	Logins func() func() (accepted, refused int)
	// Refused says whether an error of Fixture.Login is that the server did not take user or password.
	Refused func(err error) bool
	// Unmarked says that the server has no place for a mark: see database.Standing.
	Unmarked bool
	// Overlaps are the strategies of single users whose old password stays valid until the next rotation.
	Overlaps []string
	// UsersAdminister says that a user who may change its own password may change everybody's: none of them is too weak to
	// be an administrator.
	UsersAdminister bool
	// Told is given what the function wrote during the rotations of RunRotations. It may be nil.
	Told func(t *testing.T, by, log string)
	// Refuse makes the server refuse every new password until the test ends. It may be nil.
	Refuse func(t *testing.T)
}

// A Fixture is two secrets for one server. Their host and port are replaced.
type Fixture struct {
	User, Administrator secret.Document
	// Login logs in and proves that the user can do its work. It returns the user's rights as the server words them,
	// the same for the user and its clone: [Rights] is one way to tell them.
	Login func(ctx context.Context, user, password string) (rights string, err error)
}

// Rights tries statements one by one, and tells in a text which of them the server lets a session run.
func Rights(run func(statement string) error, statements ...string) string {
	var b strings.Builder
	for _, statement := range statements {
		fmt.Fprintf(&b, "%s: %v\n", statement, run(statement) == nil)
	}
	return b.String()
}

// strategies are the values of ROTATION_STRATEGY.
func strategies() []string {
	return []string{"single-user", "single-user-by-administrator", alternating}
}

const alternating = "alternating-users"

// turnsOf is how many rotations it takes until each user of a strategy has had its turn.
func turnsOf(by string) int {
	if by == alternating {
		return 2
	}
	return 1
}

// oneAtATime is a harness whose New may be called from several goroutines.
func (h Harness) oneAtATime() Harness {
	var mu sync.Mutex
	one := h.New
	h.New = func(t *testing.T) Fixture {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		return one(t)
	}
	return h
}

// log tells docs/guarantees.md what was covered: names and numbers in turn.
func (h Harness) log(t *testing.T, kind, by string, numbers ...any) {
	t.Helper()
	if t.Failed() {
		return
	}
	line := fmt.Sprintf("GUARANTEE %s engine=%s strategy=%s server=%q real=%v", kind, h.Engine, by, h.Server, h.Real)
	for i := 0; i < len(numbers); i += 2 {
		line += fmt.Sprintf(" %v=%v", numbers[i], numbers[i+1])
	}
	t.Log(line)
}

// Run checks that the harness's function keeps its promises with each strategy;
// at every point as far as [rotationtest.WantedSweep] goes. Slow runs beside
// their retries are left to a full sweep.
func Run(t *testing.T, h Harness) {
	h = h.oneAtATime()
	wanted := rotationtest.WantedSweep()
	for _, by := range strategies() {
		t.Run(by, func(t *testing.T) {
			if wanted != rotationtest.NoSweep {
				t.Run("KilledAnywhere", func(t *testing.T) { h.killed(t, by) })
			}
			if wanted == rotationtest.FullSweep {
				t.Run("ASlowRunBesideItsRetry", func(t *testing.T) { h.overlapping(t, by) })
			}
			t.Run("TheSameStepAtOnce", func(t *testing.T) { h.atOnce(t, by) })
			t.Run("NothingStaysOpen", func(t *testing.T) { h.open(t, by) })
			t.Run("NoPasswordIsSeen", func(t *testing.T) { h.unseen(t, by) })
		})
	}
}
