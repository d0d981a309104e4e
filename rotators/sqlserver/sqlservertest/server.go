package sqlservertest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A Server is something to rotate users of. It may be used from many goroutines.
// Its log has every statement, its passwords masked as the server's own audit
// does, and every login. Its administrator is a member of sysadmin.
type Server struct {
	servertest.Server

	wire *wireServer // nil for a real one
}

// Open logs in, with verified TLS if the server has any. The pool has one
// connection.
func (s *Server) Open(ctx context.Context, user, password, database string) (*sql.DB, error) {
	c := msdsn.Config{Host: s.Host, Port: uint64(s.Port), User: padded(user), Password: padded(password), Database: padded(database), Encryption: msdsn.EncryptionDisabled,
		Protocols: []string{"tcp"}, DisableRetry: true}
	config, err := s.ClientTLS()
	if err != nil {
		return nil, err
	}
	if config != nil {
		config.DynamicRecordSizingDisabled = true
		c.Encryption, c.TLSConfig = msdsn.EncryptionRequired, config
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
// unlocked, expired, must-change or windows.
func (s *Server) SetLogin(name, state string) {
	s.wire.change(func(c *catalog) {
		l := c.login(name)
		switch state {
		case "disabled":
			l.disabled = true
		case "locked":
			l.locked = true
		case "unlocked":
			l.locked = false
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

// State is all that the wire-level server keeps, as a text: the same as long as
// nothing was changed.
func (s *Server) State() (all string) {
	s.wire.change(func(c *catalog) { all = c.state() })
	return all
}

// Queries are the distinct queries of the catalog that the wire-level server has
// been asked.
func (s *Server) Queries() (all []string) {
	s.wire.change(func(*catalog) { all = slices.Sorted(maps.Keys(s.wire.asked)) })
	return all
}

// Give makes a login have on the wire-level server what no statement there gives:
// a login on a linked server ("link"), a credential of a provider of keys
// ("key"), an Agent's "job" or "proxy", or a "mail" profile.
func (s *Server) Give(to, kind, name string) {
	s.wire.change(func(c *catalog) {
		switch kind {
		case "link":
			c.links = append(c.links, link{name, to})
		case "key":
			c.credentials = append(c.credentials, credential{name, true})
			c.login(to).keys = append(c.login(to).keys, name)
		default:
			c.possessions = append(c.possessions, possession{kind, name, to})
		}
	})
}

// BecomeAzure makes the wire-level server be Azure SQL Database, without that
// one's catalog.
func (s *Server) BecomeAzure() {
	s.wire.change(func(*catalog) {
		s.wire.azure, s.wire.documented = true, documentedAt(s.wire.config.release(), true)
		clear(s.wire.asked)
	})
}

// Orphan gives a user of the wire-level server a SID that no login has, as after
// a restore on another server.
func (s *Server) Orphan(database, user string) {
	s.wire.change(func(c *catalog) { c.database(database).user(user).sid = newSID() })
}

// Existing is a server that runs already, given by a URL: see the package
// comment.
func Existing(text string) (*Server, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("ROTOR_TEST_SQLSERVER is no URL") // the parser's error has the password
	}
	s := &Server{Server: servertest.Server{
		Real: true, Host: u.Hostname(), Port: 1433,
		AdminUser: u.User.Username(), CountLogins: servertest.CountLogins,
	}}
	s.AdminPassword, _ = u.User.Password()
	if u.Query().Get("insecure") == "true" {
		s.TLS = servertest.TLSOff
	}
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
	err = pool.QueryRowContext(ctx, "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128))").Scan(&s.Version)
	s.Title = fmt.Sprintf("SQL Server %s at %s", s.Version, s.Host)
	return s, errors.Join(err, pool.Close())
}

// patience bounds every single thing that the helpers ask of a server.
const patience = 30 * time.Second
