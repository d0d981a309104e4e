package main

import "context"

// An engine is a function to measure.
type engine struct {
	name     string
	function string // the package to build
	open     func(ctx context.Context) (*target, error)
}

// engines has one line for each. The first is what the others are compared with: it rotates nothing.
var engines = []engine{
	{"hello", "github.com/seed492efc12/rotor/scripts/bench/hello", nil},
	{"postgres", "github.com/seed492efc12/rotor/functions/postgres", openPostgres},
	{"mysql", "github.com/seed492efc12/rotor/functions/mysql", openMySQL},
	{"sqlserver", "github.com/seed492efc12/rotor/functions/sqlserver", openSQLServer},
	{"redshift", "github.com/seed492efc12/rotor/functions/redshift", openRedshift},
	{"documentdb", "github.com/seed492efc12/rotor/functions/documentdb", openDocumentDB},
}

// A strategy, with what a healthy rotation by it may cost.
type strategy struct {
	name   string
	calls  int // to Secrets Manager, at most
	logins int
}

var strategies = []strategy{
	{"single-user", 11, 2},
	{"single-user-by-administrator", 12, 3},
	{"alternating-users", 13, 4},
}

// A target is a database server with an administrator and a user to rotate.
type target struct {
	name                string            // the server's, and whether it is a real one
	env                 map[string]string // what the function needs to reach it
	administrator, user map[string]any    // the secrets' fields
	// logins counts since the server started.
	logins func() (accepted, refused int)
	close  func() error
}
