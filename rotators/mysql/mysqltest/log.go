package mysqltest

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
)

// loginLine is a general log's line of a connection: its number, and who logged in or why nobody did. The line of a
// login that fails follows that of its attempt.
var loginLine = regexp.MustCompile(`(?m)^[^\n]*?\t +(\d+) Connect\t(.*)$`)

// A journal is what a server has logged so far.
type journal interface {
	text() string
}

// countLogins reads how many logins a log tells of.
func countLogins(log string) (accepted, refused int) {
	open := map[string]bool{} // by connection
	for _, m := range loginLine.FindAllStringSubmatch(log, -1) {
		connection, text := m[1], m[2]
		if strings.HasPrefix(text, "Access denied") {
			refused++
			if open[connection] {
				accepted--
			}
			continue
		}
		open[connection] = true
		accepted++
	}
	return accepted, refused
}

// A fileLog is a file that a server writes directly, so that what it did before it answered is there when the answer
// is. The open file outlives its name.
type fileLog struct {
	mu   sync.Mutex
	file *os.File
	last string // the whole log, once the file is closed
}

func newFileLog(path string) (*fileLog, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the server's log: %w", err)
	}
	return &fileLog{file: file}, giveAway(path)
}

func (l *fileLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return l.last
	}
	var b strings.Builder
	if _, err := io.Copy(&b, io.NewSectionReader(l.file, 0, 1<<62)); err != nil {
		panic(fmt.Sprintf("reading the server's log: %v", err)) // a test that searches half a log would pass wrongly
	}
	return b.String()
}

func (l *fileLog) close() error {
	last := l.text()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	l.last = last
	file := l.file
	l.file = nil
	return file.Close()
}
