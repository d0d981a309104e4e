package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// An engine is what the demo can show.
type engine struct {
	name     string
	function string // the package to build
	open     func(ctx context.Context) (*database, error)
}

// engines has one line for each.
var engines = []engine{
	{"postgres", "github.com/seed492efc12/rotor/functions/postgres", openPostgres},
	{"mysql", "github.com/seed492efc12/rotor/functions/mysql", openMySQL},
}

func findEngine(name string) (engine, error) {
	for _, e := range engines {
		if e.name == name {
			return e, nil
		}
	}
	return engine{}, fmt.Errorf("unknown engine %q: it is one of %s", name, engineNames())
}

func engineNames() string {
	var names []string
	for _, e := range engines {
		names = append(names, e.name)
	}
	return strings.Join(names, ", ")
}

// errRefused is the server's no to a user or a password.
var errRefused = errors.New("the login was refused")

// A database is a running server with two users to rotate and an administrator.
type database struct {
	name   string            // the server's, and whether it is a real one
	advice string            // how to see it with a real server; empty if this is one
	env    map[string]string // what the function needs to reach it

	// The secrets' fields. The demo adds the administrator's ARN.
	single, alternating, administrator map[string]any

	// login tries the user and password of a secret. A refusal is errRefused.
	login func(ctx context.Context, secret map[string]any) error
	// create makes something that the users of a secret work on, as its user; use works on it. Both are nil where the
	// server keeps no data.
	create, use func(ctx context.Context, secret map[string]any) error
	// client is the command to connect with; %s is the user.
	client string
	// log is all that the server has logged since it was prepared; it is empty where the log is out of reach. Logins
	// counts from any time on.
	log    func() string
	logins func() (accepted, refused int)
	close  func() error
}
