//go:build !unix

package mysqltest

import (
	"errors"
	"os/exec"
)

// demote refuses: the servers are supervised by a shell script.
func demote(*exec.Cmd) error {
	return errors.New("real PostgreSQL servers are started on Unix systems only; the wire-level server runs everywhere")
}

func giveAway(string) error { return nil }
