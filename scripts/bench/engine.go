package main

// hello is the function that the others are compared with: it rotates nothing.
const hello = "hello"

// A strategy, with what a healthy rotation by it may cost.
type strategy struct {
	name   string
	calls  int // to Secrets Manager, at most
	logins int
}

var strategies = []strategy{
	{"single-user", 11, 3},
	{"single-user-by-administrator", 12, 4},
	{"alternating-users", 14, 6}, // 13 and 5 where the server has a mark of the pair
}
