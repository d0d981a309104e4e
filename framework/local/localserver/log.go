package localserver

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// A Log is a real server's log: a file that it writes directly, so that what it did before it answered is there
// when the answer is. The open file outlives its name.
type Log struct {
	mu   sync.Mutex
	file *os.File
	last string // the whole log, once the file is closed
}

// NewLog makes the file, for the server to write.
func NewLog(path string) (*Log, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the server's log: %w", err)
	}
	return &Log{file: file}, GiveAway(path)
}

// File is what the server's output goes to, until Close.
func (l *Log) File() *os.File { return l.file }

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

// Close closes the file. The log can be read as before.
func (l *Log) Close() error {
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
