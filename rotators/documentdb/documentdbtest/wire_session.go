package documentdbtest

import (
	"errors"
	"net"
	"strings"

	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// A session is one connection to one member.
type session struct {
	*cluster
	raw  net.Conn
	conn net.Conn // raw, encrypted if there is TLS
	term int      // in which its member was the primary

	app          string                    // what the client calls itself
	conversation *scram.ServerConversation // under way
	claims       identity                  // who it is about
	user         identity                  // who logged in, or nobody
	current      *request                  // being answered
}

// A request is a command that is being answered. The cluster is locked meanwhile.
type request struct {
	command  bson.D
	database string
}

func (s *session) serve() {
	for {
		m, err := readMessage(s.conn)
		if err != nil {
			return
		}
		if err := m.reply(s.conn, s.answer(m.command)); err != nil {
			return
		}
	}
}

// A command is what a server can do.
type command struct {
	run    func(*session) (bson.D, error)
	open   bool // without a login
	writes bool // on the primary alone
}

// commands are all that the server knows, in lower case where clients write them in two ways.
func commands() map[string]command {
	return map[string]command{
		"hello":               {run: (*session).hello, open: true},
		"ismaster":            {run: (*session).hello, open: true},
		"saslstart":           {run: (*session).saslStart, open: true},
		"saslcontinue":        {run: (*session).saslContinue, open: true},
		"ping":                {run: nothing, open: true},
		"endsessions":         {run: nothing},
		"buildinfo":           {run: (*session).buildInfo, open: true},
		"connectionstatus":    {run: (*session).connectionStatus, open: true},
		"usersinfo":           {run: (*session).usersInfo},
		"createuser":          {run: (*session).createUser, writes: true},
		"updateuser":          {run: (*session).updateUser, writes: true},
		"dropuser":            {run: (*session).dropUser, writes: true},
		"grantrolestouser":    {run: (*session).grantRoles, writes: true},
		"revokerolesfromuser": {run: (*session).revokeRoles, writes: true},
		"createrole":          {run: (*session).createRole, writes: true},
		"droprole":            {run: (*session).dropRole, writes: true},
		"dropdatabase":        {run: (*session).dropDatabase, writes: true},
		"insert":              {run: (*session).insert, writes: true},
		"find":                {run: (*session).find},
	}
}

func nothing(*session) (bson.D, error) { return succeed(), nil }

// answer runs a command.
func (s *session) answer(d bson.D) bson.D {
	s.mu.Lock()
	defer s.mu.Unlock()
	database, _ := get[string](d, "$db")
	s.current = &request{d, database}
	s.heard(d)
	answer, err := s.run(d[0].Key)
	var refusal *failure
	switch {
	case errors.As(err, &refusal):
		return refusal.document()
	case err != nil:
		return fail(8, "UnknownError", "%v", err).document()
	}
	return answer
}

// heard writes a command into the log, and who the client is when it says so.
func (s *session) heard(d bson.D) {
	if client, ok := get[bson.D](d, "client"); ok {
		var m metadata
		application, _ := get[bson.D](client, "application")
		m.Application.Name, _ = get[string](application, "name")
		s.app = m.Application.Name
		s.note(idMetadata, attributes{Doc: &m})
	}
	text, err := bson.MarshalExtJSON(d, false, false)
	if err != nil {
		panic(err) // it came as BSON
	}
	s.note(idCommand, attributes{App: s.app, Command: text})
}

func (s *session) run(name string) (bson.D, error) {
	known, ok := commands()[strings.ToLower(name)]
	if !ok || name == "hello" && !s.release.hello {
		return nil, fail(59, "CommandNotFound", "no such command: '%s'", name)
	}
	if !known.open && s.user == (identity{}) {
		return nil, unauthorized("command %s requires authentication", name)
	}
	if s.app == rotor {
		if f := s.fires(name); f != nil {
			return nil, fail(f.Code, "Injected", "as the test says")
		}
	}
	switch {
	case has(s.current.command, "txnNumber"):
		return nil, fail(301, "RetryableWritesNotSupported", "Retryable writes are not supported")
	case known.writes && s.isSecondary():
		return nil, fail(notPrimary, "NotWritablePrimary", "not primary")
	}
	return known.run(s)
}

// isSecondary reports whether the primary has moved since the session began.
func (s *session) isSecondary() bool { return s.term != s.cluster.term }

// argument is the command's own value, if it is a text.
func (s *session) argument() string {
	text, _ := s.current.command[0].Value.(string)
	return text
}
