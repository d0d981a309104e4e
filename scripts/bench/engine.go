package main

// An engine is a function to measure. Its server is the one of its name.
type engine struct {
	name     string
	function string // the package to build
}

// engines has one line for each. The first is what the others are compared with: it rotates nothing.
var engines = []engine{
	{"hello", "github.com/seed492efc12/rotor/scripts/bench/hello"},
	{"postgres", "github.com/seed492efc12/rotor/functions/postgres"},
	{"mysql", "github.com/seed492efc12/rotor/functions/mysql"},
	{"sqlserver", "github.com/seed492efc12/rotor/functions/sqlserver"},
	{"oracle", "github.com/seed492efc12/rotor/functions/oracle"}, // started only: there is no server for it
	{"redshift", "github.com/seed492efc12/rotor/functions/redshift"},
	{"documentdb", "github.com/seed492efc12/rotor/functions/documentdb"},
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
