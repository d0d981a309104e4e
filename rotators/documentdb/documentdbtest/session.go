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
	raw    net.Conn
	conn   net.Conn // raw, encrypted if there is TLS
	member int

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
	defer s.end()
	for {
		m, err := readMessage(s.conn)
		if err != nil {
			return
		}
		answer, hangUp := s.answer(m.command)
		if hangUp {
			return
		}
		if err := m.reply(s.conn, answer); err != nil {
			return
		}
	}
}

func (s *session) end() {
	_ = s.raw.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, s)
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
		"endsessions":         {run: nothing, open: true},
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
		"insert":              {run: (*session).insert, writes: true},
		"find":                {run: (*session).find},
	}
}

func nothing(*session) (bson.D, error) { return succeed(), nil }

// answer runs a command. With hangUp there is no answer.
func (s *session) answer(d bson.D) (answer bson.D, hangUp bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	database, _ := get[string](d, "$db")
	s.log.command(s, database, d)
	s.current = &request{d, database}
	known, ok := commands()[strings.ToLower(d[0].Key)]
	var f *Fault
	if s.user != (identity{}) {
		f = s.fires(d[0].Key, func(f *Fault) bool { return !f.Refuse })
	}
	var err error
	switch {
	case f != nil && f.Code != 0:
		err = fail(f.Code, "Injected", "%s", f.Message)
	case !ok:
		err = fail(59, "CommandNotFound", "no such command: '%s'", d[0].Key)
	case !known.open && s.user == identity{}:
		err = unauthorized("Command %s requires authentication", d[0].Key)
	default:
		if err = s.admits(known); err == nil {
			answer, err = known.run(s)
		}
	}
	var refusal *failure
	switch {
	case errors.As(err, &refusal):
		return refusal.document(), false
	case err != nil:
		return fail(8, "UnknownError", "%v", err).document(), false
	}
	return s.spoil(f, answer)
}

// spoil lets a fault happen to a command that was run.
func (s *session) spoil(f *Fault, answer bson.D) (bson.D, bool) {
	switch {
	case f == nil:
	case f.Drop:
		return nil, true
	case f.StepDown:
		s.primary = (s.primary + 1) % len(s.members)
	case f.WriteConcern:
		answer = append(answer, bson.E{Key: "writeConcernError", Value: bson.D{
			{Key: "code", Value: int32(64)}, {Key: "codeName", Value: "WriteConcernTimeout"}, {Key: "errmsg", Value: "waiting for replication timed out"}}})
	}
	return answer, false
}

// admits checks what does not depend on the command's own fields.
func (s *session) admits(c command) error {
	d := s.current.command
	switch {
	case s.config.Flavour == DocumentDB && has(d, "txnNumber"):
		return fail(301, "RetryableWritesNotSupported", "Retryable writes are not supported")
	case c.writes && s.member != s.primary:
		return fail(notPrimary, "NotWritablePrimary", "not primary")
	}
	if concern, ok := get[bson.D](d, "writeConcern"); ok && c.writes {
		if w, ok := get[string](concern, "w"); ok && w != "majority" {
			return fail(79, "UnknownReplWriteConcern", "No write concern mode named '%s' found", w)
		}
	}
	return nil
}

// argument is the command's own value, if it is a text.
func (s *session) argument() string {
	text, _ := s.current.command[0].Value.(string)
	return text
}
