package sqlservertest

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

// masked is a statement as the server's own audit and trace show it: a text
// after PASSWORD is not there.
func masked(source string, tokens []token) string {
	var b strings.Builder
	at := 0
	for i, t := range tokens {
		if t.kind == stringToken && i > 1 && tokens[i-1].is("=") && (tokens[i-2].is("password") || tokens[i-2].is("old_password")) {
			b.WriteString(source[at:t.begin] + "'******'")
			at = t.end
		}
	}
	return b.String() + source[at:]
}
