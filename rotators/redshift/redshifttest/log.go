package redshifttest

import (
	"fmt"
	"strings"
	"sync"
)

// How a login stands in the log.
const (
	loginAccepted = "login accepted: "
	loginRefused  = "login refused: "
)

// A memoryLog is the wire-level server's log.
type memoryLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *memoryLog) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Len()
}

func (l *memoryLog) since(offset int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()[offset:]
}

func (l *memoryLog) addf(format string, arguments ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.b, format+"\n", arguments...)
}
