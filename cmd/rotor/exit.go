package main

import "errors"

// The exit statuses.
const (
	exitWell    = 0
	exitUnknown = 1  // it could not tell
	exitAct     = 2  // somebody must act
	exitUsage   = 64 // as sysexits.h has it
)

// errAct is of a command that did what it should, and found that somebody must act.
var errAct = errors.New("somebody must act")

// errTold is of a command that has said by now what it could not do.
var errTold = errors.New("it could not tell")

// usageError is of a command line that cannot be understood.
type usageError struct{ error }
