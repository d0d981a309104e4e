package documentdbtest

import "slices"

// A Fault is what a server does wrong, once.
type Fault struct {
	// Command is the one that it happens to. Empty is any command of a session that is logged in.
	Command string
	// Code and Message are the answer, and the command is not run.
	Code    int32
	Message string
	// WriteConcern runs the command, and answers that no majority has it yet (code 64).
	WriteConcern bool
	// Drop closes the connection after the command was run, without an answer.
	Drop bool
	// StepDown runs the command, and makes another member the primary before the answer.
	StepDown bool
	// Refuse closes a connection as soon as it is made, as MongoDB does when it has too many. Command is unused.
	Refuse bool
	// Times is how often; 0 is once.
	Times int
}

// Inject adds a fault.
func (s *Server) Inject(f Fault) {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	f.Times = max(f.Times, 1)
	s.wire.faults = append(s.wire.faults, &f)
}

// Heal removes all faults.
func (s *Server) Heal() {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	s.wire.faults = nil
}

// fires finds the fault for a command, and counts it. The cluster is locked.
func (c *cluster) fires(command string, kind func(*Fault) bool) *Fault {
	i := slices.IndexFunc(c.faults, func(f *Fault) bool {
		return kind(f) && (f.Refuse || f.Command == "" || f.Command == command)
	})
	if i < 0 {
		return nil
	}
	f := c.faults[i]
	if f.Times--; f.Times == 0 {
		c.faults = slices.Delete(c.faults, i, i+1)
	}
	return f
}
