package documentdbtest

import (
	"context"
	"errors"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// Example opens a server.
func Example(context.Context) (*servertest.Example, error) { return nil, errors.New("soon") }
