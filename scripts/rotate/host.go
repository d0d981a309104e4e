package main

import (
	"bytes"
	"context"
	"sync"
)

// A host runs functions.
type host struct {
	// start makes a function of an engine ready, with a strategy and
	// environment variables.
	start func(ctx context.Context, engine, strategy string, env map[string]string) (*function, error)
	// listen is the address on which to listen for the functions, and address is
	// what it is to them.
	listen, address string
}

// A function is ready to be invoked.
type function struct {
	how    string // it runs, for people
	invoke func(ctx context.Context, event []byte) error
	log    *journal // what it wrote
	close  func() error
}

// A journal keeps what is written to it.
type journal struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all.String()
}
