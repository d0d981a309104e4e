package servertest

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// A Log is a real server's log: a file that it writes directly, so that what it did before it answered is there
// when the answer is. The open file outlives its name.
type Log struct {
	mu   sync.Mutex
	file *os.File
	last string // the whole log, once the file is closed
}

// newLog makes the file, for the server to write.
func newLog(path string) (*Log, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the server's log: %w", err)
	}
	return &Log{file: file}, giveAway(path)
}

// Size is the length of the log so far, in bytes.
func (l *Log) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return len(l.last)
	}
	info, err := l.file.Stat()
	if err != nil {
		panic(fmt.Sprintf("looking at the server's log: %v", err)) // as in read
	}
	return int(info.Size())
}

// Since is what was logged after the first offset bytes. It panics if the file
// cannot be read: a test that searches half a log would pass wrongly.
func (l *Log) Since(offset int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return l.last[offset:]
	}
	return l.read(offset)
}

// read takes what the file holds now.
func (l *Log) read(offset int) string {
	text, err := io.ReadAll(io.NewSectionReader(l.file, int64(offset), 1<<62))
	if err != nil {
		panic(fmt.Sprintf("reading the server's log: %v", err))
	}
	return string(text)
}

// close closes the file. The log can be read as before.
func (l *Log) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	l.last = l.read(0)
	file := l.file
	l.file = nil
	return file.Close()
}

// A MemoryLog is an imitation's log. The zero value is an empty one.
type MemoryLog struct {
	mu sync.Mutex
	b  strings.Builder
}

// Size is the length of the log so far, in bytes.
func (l *MemoryLog) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Len()
}

// Since is what was logged after the first offset bytes.
func (l *MemoryLog) Since(offset int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()[offset:]
}

// Addf adds a line.
func (l *MemoryLog) Addf(format string, arguments ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.b, format+"\n", arguments...)
}

// How an imitation's log tells of logins, for [CountLogins].
const (
	LoginAccepted = "login accepted: "
	LoginRefused  = "login refused: "
)

// CountLogins counts the logins in an imitation's log.
func CountLogins(log string) (accepted, refused int) {
	return strings.Count(log, LoginAccepted), strings.Count(log, LoginRefused)
}
