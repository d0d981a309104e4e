package main

import (
	"bytes"
	"encoding/json"
	"sync"
)

// A live is what the functions write, while they write it: their log lines, once it is to be shown.
type live struct {
	mu   sync.Mutex
	out  *screen // nil until then
	rest []byte  // of a line
}

// show prints what comes from now on.
func (l *live) show(out *screen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out = out
}

// Write takes what a function has written.
func (l *live) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.rest = rest
		if l.out != nil {
			l.print(line)
		}
	}
}

// print shows a log line by its level and message. Metrics are left out, and what is no JSON is shown as it is.
func (l *live) print(line []byte) {
	var entry struct {
		Level, Message, Msg string
		AWS                 json.RawMessage `json:"_aws"`
	}
	switch err := json.Unmarshal(line, &entry); {
	case err != nil:
		l.out.line("  %s", line)
	case entry.AWS == nil:
		l.out.line("  %s %s", l.out.paint(dim, entry.Level), entry.Msg+entry.Message)
	}
}
