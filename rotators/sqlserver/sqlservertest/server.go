package sqlservertest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"
)

// A Server is something to rotate users of. It may be used from many goroutines.
type Server struct {
	Kind          Kind
	Host          string
	Port          int
	CA            []byte // PEM of what signed the server's certificate; empty if the system has to know it
	AdminUser     string // a member of sysadmin
	AdminPassword string

	tls  bool
	wire *wireServer
}

// Name says what the server is, for people.
func (s *Server) Name() string { return string(s.Kind) }

// SSL is what a secret for the server says of TLS.
func (s *Server) SSL() string { return strconv.FormatBool(s.tls) }

// Close ends a server that was started here.
func (s *Server) Close() error {
	if s.wire == nil {
		return nil
	}
	return s.wire.close()
}

// A Mark is a place in a server's log.
type Mark int

// HasLog says whether the log can be read. Where it cannot, a search in it proves
// nothing.
func (s *Server) HasLog() bool { return s.wire != nil }

// Mark is the place that the log has come to.
func (s *Server) Mark() Mark {
	if s.wire == nil {
		return 0
	}
	return Mark(s.wire.log.size())
}

// LogSince is what the server logged after a mark: every statement, its passwords
// masked as the server's own audit does, and every login.
func (s *Server) LogSince(mark Mark) string {
	if s.wire == nil {
		return ""
	}
	return s.wire.log.since(int(mark))
}

// LoginsSince counts the logins after a mark.
func (s *Server) LoginsSince(mark Mark) (accepted, refused int) {
	log := s.LogSince(mark)
	return strings.Count(log, loginAccepted), strings.Count(log, loginRefused)
}

// Open logs in, with verified TLS if the server has any. The pool has one
// connection.
func (s *Server) Open(ctx context.Context, user, password, database string) (*sql.DB, error) {
	c := msdsn.Config{Host: s.Host, Port: uint64(s.Port), User: padded(user), Password: padded(password), Database: padded(database), Encryption: msdsn.EncryptionDisabled,
		Protocols: []string{"tcp"}, DisableRetry: true}
	if s.tls {
		c.Encryption = msdsn.EncryptionRequired
		c.TLSConfig = &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12, DynamicRecordSizingDisabled: true}
		if len(s.CA) > 0 {
			c.TLSConfig.RootCAs = x509.NewCertPool()
			c.TLSConfig.RootCAs.AppendCertsFromPEM(s.CA)
		}
	}
	pool := sql.OpenDB(mssql.NewConnectorConfig(c))
	pool.SetMaxOpenConns(1)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return pool, nil
}

// padded makes up for a defect of the client driver: see the rotator's.
func padded(text string) string {
	return text + strings.Repeat(" ", len(utf16Bytes(text))/2-utf8.RuneCountInString(text))
}

// RefuseLogins makes the wire-level server answer every login with these errors,
// each with a text. None ends it.
func (s *Server) RefuseLogins(numbers ...int32) {
	s.wire.change(func(*catalog) {
		s.wire.refusals = nil
		for _, n := range numbers {
			s.wire.refusals = append(s.wire.refusals, &sqlError{n, 14, "said the test"})
		}
	})
}

// Silence, as a number for FailStatement, leaves the statement without an answer.
const Silence = -1

// FailStatement makes the next statement that begins so fail, once. The number 0
// breaks the connection instead.
func (s *Server) FailStatement(start string, number int32) {
	s.wire.change(func(*catalog) {
		f := failure{start: start, err: errHangUp}
		if number == Silence {
			f.err = errSilence
		} else if number == 102 {
			f.err = syntax("said the test")
		} else if number != 0 {
			f.err = raise(number, "said the test")
		}
		s.wire.failures = append(s.wire.failures, f)
	})
}

// SetLogin changes the state of the wire-level server's login: disabled, locked,
// expired, must-change or windows.
func (s *Server) SetLogin(name, state string) {
	s.wire.change(func(c *catalog) {
		l := c.login(name)
		switch state {
		case "disabled":
			l.disabled = true
		case "locked":
			l.locked = true
		case "expired":
			l.expired = true
		case "must-change":
			l.mustSet = true
		case "windows":
			l.kind = "U"
		}
	})
}

// Holdings are what a login has on the wire-level server: options, roles,
// permissions and users, one line each, sorted. The login is "me" in them.
func (s *Server) Holdings(name string) (all []string) {
	s.wire.change(func(c *catalog) { all = c.holdings(c.login(name)) })
	slices.Sort(all)
	return all
}

// Existing is a server that runs already, given by a URL: see the package
// comment.
func Existing(text string) (*Server, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("ROTOR_TEST_SQLSERVER is no URL") // the parser's error has the password
	}
	s := &Server{Kind: Real, Host: u.Hostname(), Port: 1433, AdminUser: u.User.Username(), tls: u.Query().Get("insecure") != "true"}
	s.AdminPassword, _ = u.User.Password()
	if u.Port() != "" {
		if s.Port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, fmt.Errorf("reading the port in ROTOR_TEST_SQLSERVER: %w", err)
		}
	}
	if file := u.Query().Get("ca"); file != "" {
		if s.CA, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("reading the certificate authority of ROTOR_TEST_SQLSERVER: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	pool, err := s.Open(ctx, s.AdminUser, s.AdminPassword, "master")
	if err != nil {
		return nil, fmt.Errorf("trying the server of ROTOR_TEST_SQLSERVER: %w", err)
	}
	return s, pool.Close()
}

// patience bounds every single thing that the helpers ask of a server.
const patience = 30 * time.Second
