package postgrestest

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// A memoryLog is the wire-level server's log, in the form that a real server's has with logPrefix.
type memoryLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *memoryLog) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Len()
}

func (l *memoryLog) Since(offset int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()[offset:]
}

// add writes one entry. Lines after the first start with a tab, as a real server's do.
func (l *memoryLog) add(process uint32, code, level, format string, arguments ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, arguments...), "\n", "\n\t")
	now := time.Now().UTC().Format("2006-01-02 15:04:05.000 MST")
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.b, "%s [%d] %s %s:  %s\n", now, process, code, level, text)
}
