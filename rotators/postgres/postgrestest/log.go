package postgrestest

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"
)

// logPrefix is the setting log_line_prefix: time, process, SQLSTATE. The patterns below rely on it.
const logPrefix = "%m [%p] %e "

// readyLine ends the start of a server; a standby's ends so too ("... read-only connections").
var readyLine = regexp.MustCompile(`(?m)` + logLine + `LOG:  database system is ready to accept `)

// logLine matches the prefix of one log entry and captures process and SQLSTATE. The lines that continue an entry
// start with a tab, so a statement cannot pose as an entry.
const logLine = `^\S+ \S+ \S+ \[(\d+)\] (\w{5}) `

var loginLine = regexp.MustCompile(`(?m)` + logLine + `(?:LOG:  connection (received|authorized): |(FATAL):  )`)

// A journal is what a server has logged so far.
type journal interface {
	size() int
	since(offset int) string
}

// countLogins reads how many logins a log tells of. A login that authenticates and is refused all the same (NOLOGIN,
// for one) is a refused one. Connections that end before a password was asked for are neither.
func countLogins(log string) (accepted, refused int) {
	authorized := map[string]bool{} // by process
	for _, m := range loginLine.FindAllStringSubmatch(log, -1) {
		process, code, event, fatal := m[1], m[2], m[3], m[4]
		switch {
		case event == "received":
			delete(authorized, process)
		case event == "authorized":
			authorized[process] = true
			accepted++
		case fatal != "" && (code == "28P01" || code == "28000"):
			refused++
			if authorized[process] {
				accepted--
			}
		}
	}
	return accepted, refused
}

// A fileLog is a real server's log: a file that it writes directly, so that what it did before it answered is there
// when the answer is. The open file outlives its name.
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
	return &fileLog{file: file}, nil
}

func (l *fileLog) size() int {
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

func (l *fileLog) since(offset int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return l.last[offset:]
	}
	return l.read(offset)
}

// read takes what the file holds now. It panics if it cannot: a test that searches half a log would pass wrongly.
func (l *fileLog) read(offset int) string {
	text, err := io.ReadAll(io.NewSectionReader(l.file, int64(offset), 1<<62))
	if err != nil {
		panic(fmt.Sprintf("reading the server's log: %v", err))
	}
	return string(text)
}

func (l *fileLog) close() error {
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
