package documentdbtest

import (
	"context"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A Fault is what a server answers to a command of Rotor's, a number of times.
type Fault struct {
	Command string
	Code    int32 // instead of running it
	// Unreplicated runs it, and answers that no majority has it yet (WriteConcernTimeout, 64). The imitation has none.
	Unreplicated bool
	Times        int
}

// Faulty is the configuration of a server that takes faults: MongoDB's own fail points.
func Faulty() Config {
	return Config{Options: servertest.Options{Settings: map[string]string{"setParameter.enableTestCommands": "1"}}}
}

// Inject makes the server answer so, until the test ends.
func (s *Server) Inject(t testing.TB, f Fault) {
	t.Helper()
	if s.wire != nil {
		s.wire.inject(&f)
		return
	}
	data := bson.D{{Key: "failCommands", Value: bson.A{f.Command}}, {Key: "appName", Value: rotor}}
	if f.Unreplicated {
		data = append(data, bson.E{Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 64}, {Key: "codeName", Value: "WriteConcernTimeout"}, {Key: "errmsg", Value: "waiting for replication timed out"}}})
	} else {
		data = append(data, bson.E{Key: "errorCode", Value: f.Code})
	}
	s.failPoint(t, bson.D{{Key: "times", Value: f.Times}}, data)
	t.Cleanup(func() { s.failPoint(t, "off", nil) })
}

func (s *Server) failPoint(t testing.TB, mode any, data bson.D) {
	t.Helper()
	command := bson.D{{Key: "configureFailPoint", Value: "failCommand"}, {Key: "mode", Value: mode}}
	if data != nil {
		command = append(command, bson.E{Key: "data", Value: data})
	}
	if _, err := s.Run(context.Background(), "admin", command); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) inject(f *Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, f)
}

// fires finds the fault for a command, and counts it. The cluster is locked.
func (c *cluster) fires(command string) *Fault {
	i := slices.IndexFunc(c.faults, func(f *Fault) bool { return f.Command == command && f.Times > 0 })
	if i < 0 {
		return nil
	}
	c.faults[i].Times--
	return c.faults[i]
}
