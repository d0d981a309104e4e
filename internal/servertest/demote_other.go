//go:build !unix

package servertest

import (
	"errors"
	"os/exec"
)

// demote refuses: the servers are supervised by a shell script.
func demote(*exec.Cmd) error {
	return errors.New("real servers are started on Unix systems only; the wire-level ones run everywhere")
}

// giveAway does nothing.
func giveAway(string) error { return nil }
