// Package servers opens a database server for an engine, with an administrator
// and a user to rotate: what the tools behind make have in common.
package servers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrNone is what Open returns for an engine of which no server, and none that
// stands in for one on the wire, can be had.
var ErrNone = errors.New("there is no server for it")

// A Server is a running database server with two users.
type Server struct {
	Name string            // what it is, and whether it is a real one
	Env  map[string]string // what the function needs to reach it

	// Administrator and User are the fields of the two secrets, but for the
	// user's masterarn. The user may change its own password.
	Administrator, User map[string]any

	// Login tries the user and password of a secret.
	Login func(ctx context.Context, secret map[string]any) error
	// Logins counts since the users were made.
	Logins func() (accepted, refused int)
	Close  func() error
}

type opener func(ctx context.Context) (*Server, error)

func openers() map[string]opener {
	return map[string]opener{
		"postgres":   openPostgres,
		"mysql":      openMySQL,
		"sqlserver":  openSQLServer,
		"redshift":   openRedshift,
		"documentdb": openDocumentDB,
		"oracle":     none,
	}
}

func none(context.Context) (*Server, error) { return nil, ErrNone }

// Open starts the best server of an engine, which is named as its folder in
// functions/ is. Close it when done. The error is ErrNone where there is none.
func Open(ctx context.Context, engine string) (*Server, error) {
	open, known := openers()[engine]
	if !known {
		return nil, fmt.Errorf("unknown engine %q: it is one of %s", engine, strings.Join(slices.Sorted(maps.Keys(openers())), ", "))
	}
	s, err := open(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening a server for %s: %w", engine, err)
	}
	return s, nil
}

func text(secret map[string]any, field string) string { return fmt.Sprint(secret[field]) }
