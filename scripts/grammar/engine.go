package main

import "regexp"

// An engine is one whose statements are read.
type engine struct {
	name    string
	readers []reader
	// tag is what makes a test's names its own: statements that differ in it alone are one.
	tag *regexp.Regexp
	// open and close are the delimiters of names; close is doubled in a name that has it.
	open, close string
	// fold is how the server reads a name without delimiters.
	fold func(string) string
	// suffixes are what the driver puts after a user's name.
	suffixes []string
	// own are names that the server has by itself, or the imitation from the beginning.
	own []string
	// texts are literals that the driver's commands have as they are.
	texts []string
	// hard are what the names of the worlds must hold, so that there is something to get wrong.
	hard []string
	// batches are statements that are meant to be several, by how they begin.
	batches map[string]int
}

// A reader is a parser that others wrote.
type reader struct {
	name     string
	platform string      // the one that it is published for, "" for all
	command  []string    // the program and its arguments; "python" and "node" are those of the cache
	unknown  []exception // what it does not know
}

// An exception is a form of statement that a parser does not know, although the vendor's manual has it.
type exception struct {
	form *regexp.Regexp // of a whole statement
	page string         // the title of the manual's page that has it
}

func unknown(form, page string) exception {
	return exception{regexp.MustCompile(`(?s)^(?:` + form + `)$`), page}
}
