package documentdbtest

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A journal is the log of all members of a replica set, or of the one server that there is: JSON, a line for each event,
// in the order in which it was read.
type journal struct {
	members []*servertest.Process

	mu   sync.Mutex
	read []int // bytes of each member's log
	text strings.Builder
}

// gather reads what the members have logged since, up to the last whole line.
func (j *journal) gather() {
	if j.read == nil {
		j.read = make([]int, len(j.members))
	}
	for i, m := range j.members {
		more := m.Log.Since(j.read[i])
		more = more[:strings.LastIndexByte(more, '\n')+1]
		j.read[i] += len(more)
		j.text.WriteString(more)
	}
}

// Size implements [servertest.Journal].
func (j *journal) Size() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.gather()
	return j.text.Len()
}

// Since implements [servertest.Journal].
func (j *journal) Since(offset int) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.gather()
	return j.text.String()[offset:]
}

// The identifiers of log messages. The imitation uses them as well.
const (
	idMetadata = 51800 // what a client says of itself
	idAccepted = 20250
	idRefused  = 20249
	idCommand  = 51803
	idEnded    = 22944 // a connection
)

// A line is one of a log, as far as anybody reads it here.
type line struct {
	ID   int        `json:"id"`
	Ctx  string     `json:"ctx"` // names the connection within a member
	Attr attributes `json:"attr"`
}

type attributes struct {
	Remote  string          `json:"remote,omitempty"` // the client's address
	Client  string          `json:"client,omitempty"` // the same, in MongoDB 4.4's lines of logins
	User    string          `json:"principalName,omitempty"`
	App     string          `json:"appName,omitempty"`
	Command json.RawMessage `json:"command,omitempty"`
	Doc     *metadata       `json:"doc,omitempty"`
}

type metadata struct {
	Application struct {
		Name string `json:"name"`
	} `json:"application"`
}

// connection names it among those of all members.
func (l line) connection() string {
	if l.ID == idAccepted || l.ID == idRefused {
		return l.Ctx + " " + l.Attr.Remote + l.Attr.Client
	}
	return l.Ctx + " " + l.Attr.Remote
}

// lines reads a log. What is no JSON, and what has attributes of other kinds, is nothing that anybody looks for.
func lines(log string) (all []line) {
	for text := range strings.Lines(log) {
		var l line
		if json.Unmarshal([]byte(text), &l) == nil {
			all = append(all, l)
		}
	}
	return all
}

// countLogins counts the connections on which somebody logged in, and those on which somebody was refused, but for the
// members' of a replica set and the tests' own. MongoDB 4.4 tells of a refusal and then of success where a client
// guessed the mechanism wrongly at first.
func countLogins(log string) (accepted, refused int) {
	apps, yes, no := map[string]string{}, map[string]bool{}, map[string]bool{}
	for _, l := range lines(log) {
		who := l.connection()
		switch {
		case l.ID == idMetadata && l.Attr.Doc != nil:
			apps[who] = l.Attr.Doc.Application.Name
		case apps[who] == app || l.Attr.User == "__system":
		case l.ID == idAccepted:
			yes[who] = true
		case l.ID == idRefused:
			no[who] = true
		}
	}
	return len(yes), len(no)
}

// An Entry is a command that a server got.
type Entry struct {
	Command string // its name
	// Text is the whole command in JSON. The imitation's has passwords, so that a test can tell which commands hold one.
	Text string
}

// Entries are the commands that Rotor sent since a mark. MongoDB 4.4 leaves out those that came before the login.
func (s *Server) Entries(since servertest.Mark) (all []Entry) {
	for _, l := range lines(s.LogSince(since)) {
		if l.ID == idCommand && l.Attr.App == rotor {
			all = append(all, Entry{firstKey(l.Attr.Command), string(l.Attr.Command)})
		}
	}
	return all
}

// rotor is what Rotor's sessions call themselves.
const rotor = "rotor"

// firstKey is the name of an object's first field.
func firstKey(object []byte) string {
	d := json.NewDecoder(bytes.NewReader(object))
	_, _ = d.Token()
	key, _ := d.Token()
	name, _ := key.(string)
	return name
}

// Open is how many connections Rotor has made since a mark that have not ended.
func (s *Server) Open(since servertest.Mark) int {
	open := map[string]bool{}
	for _, l := range lines(s.LogSince(since)) {
		switch {
		case l.ID == idMetadata && l.Attr.Doc != nil && l.Attr.Doc.Application.Name == rotor:
			open[l.connection()] = true
		case l.ID == idEnded:
			delete(open, l.connection())
		}
	}
	return len(open)
}
