package documentdbtest

import (
	"fmt"
	"strings"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// An Entry is a command that a server got, or a login.
type Entry struct {
	Member   int
	User     string // the session's
	Database string
	Command  string // its name, or "login accepted" or "login refused"
	// Text is the whole command in extended JSON, passwords and all, so that a test can tell which commands hold one.
	// A real server leaves them out.
	Text string
}

// A Mark is a place in a server's log.
type Mark int

// A journal is a server's log.
type journal struct {
	mu      sync.Mutex
	entries []Entry
}

const loginAccepted, loginRefused = "login accepted", "login refused"

func (j *journal) add(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, e)
}

func (j *journal) command(s *session, database string, d bson.D) {
	text, err := bson.MarshalExtJSON(d, false, false)
	if err != nil {
		text = []byte(fmt.Sprint(d))
	}
	j.add(Entry{Member: s.member, User: s.user.name, Database: database, Command: d[0].Key, Text: string(text)})
}

// Mark is the place that the log has come to.
func (s *Server) Mark() Mark {
	s.wire.log.mu.Lock()
	defer s.wire.log.mu.Unlock()
	return Mark(len(s.wire.log.entries))
}

// Entries is what the server logged after a mark.
func (s *Server) Entries(since Mark) []Entry {
	s.wire.log.mu.Lock()
	defer s.wire.log.mu.Unlock()
	return append([]Entry(nil), s.wire.log.entries[since:]...)
}

// Log is what the server logged after a mark, as text: a line for each entry.
func (s *Server) Log(since Mark) string {
	var b strings.Builder
	for _, e := range s.Entries(since) {
		fmt.Fprintf(&b, "[%d] %s: %s on %s %s\n", e.Member, e.User, e.Command, e.Database, e.Text)
	}
	return b.String()
}

// Logins counts the logins after a mark.
func (s *Server) Logins(since Mark) (accepted, refused int) {
	for _, e := range s.Entries(since) {
		switch e.Command {
		case loginAccepted:
			accepted++
		case loginRefused:
			refused++
		}
	}
	return accepted, refused
}
