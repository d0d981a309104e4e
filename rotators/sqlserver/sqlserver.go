// Package sqlserver rotates users of Microsoft SQL Server, also on RDS.
//
// A password belongs to a login of the server or, in a contained database, to a
// user of that database: ALTER LOGIN or ALTER USER changes it. A user of
// databases has its rights in each of them, under a name that may not be the
// login's; both are tied by a SID.
//
// Passwords travel as text inside ALTER LOGIN, ALTER USER and their CREATE: over
// verified TLS, and in plain text only where the secret or the operator says
// so. The server can take hashes (HASHED), but not for a login with
// CHECK_POLICY = ON, not for users of contained databases, and not together
// with OLD_PASSWORD; its manual says not to change passwords that way, and it
// would go around the policy. SQL Trace and SQL Server Audit record such
// statements without the password (?); a capture of whole batches before they
// are parsed, as extended events can make it, may hold it (?).
// Source: Transact-SQL reference, "ALTER LOGIN", arguments and remarks.
//
// Two users are never one another here: EXECUTE AS is a right of its own. A
// clone therefore is a copy: the original's options, roles, permissions and
// denials, on the server and in every database, made equal each time.
//
// No SQL Server can be had for tests. What is said here of the server is a
// reading of Microsoft's manual; (?) marks what it leaves open. The package
// sqlservertest says what the tests prove.
package sqlserver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Driver rotates users of SQL Server.
var Driver = database.Driver{
	Engines:   []string{"sqlserver"},
	Port:      1433,
	Database:  "master",
	Connect:   database.AsConn(connect),
	CheckUser: checkUser,
	Cloning: &database.Cloning{
		Suffix:  "_clone",
		Connect: database.AsAdministrator(connect),
	},
	Password: database.PasswordRules{Max: maxPassword},
}

// Lengths in UTF-16 code units: sysname is nvarchar(128).
// Source: Transact-SQL reference, "CREATE LOGIN"; "Password Policy".
const (
	maxName     = 128
	maxPassword = 128
)

// checkUser refuses names that no login with a password can have, and the
// server's own: sa, those of certificates and policies (##...##), RDS's.
func checkUser(user string) error {
	lower := strings.ToLower(user)
	switch n := units(user); {
	case n > maxName:
		return rotation.Fail(rotation.BadSecret, "the user name %q has %d characters (UTF-16 code units); SQL Server takes %d", user, n, maxName).
			With("Use a shorter user name; for two alternating users CLONE_SUFFIX, which comes on top, can be shorter too.")
	case strings.Contains(user, `\`):
		return rotation.Fail(rotation.BadSecret, "%q is the name of a Windows account, which has no password here to rotate", user)
	case lower == "sa", lower == "dbo", lower == "guest", lower == "public", lower == "rdsa", lower == "rdsadmin",
		strings.HasPrefix(user, "##") && strings.HasSuffix(user, "##"):
		return rotation.Fail(rotation.BadSecret, "the user %q is reserved by the server or RDS", user)
	}
	return nil
}

// units is a text's length as the server counts it.
func units(text string) int { return len(utf16.Encode([]rune(text))) }

// conn is a session.
type conn struct {
	pool  *sql.DB // of one connection, which it never replaces
	sql   *sql.Conn
	wire  *wire
	login database.Login
	born  database.Login // the principal that this session made with the password of its secret

	version  int             // see about
	sees     bool            // see mustSee
	enabled  string          // the clone that this session has enabled
	triggers map[string]bool // the databases whose triggers were named
}

func connect(ctx context.Context, l database.Login) (*conn, error) {
	if strings.Contains(l.User, `\`) {
		return nil, checkUser(l.User) // the client driver would try NTLM
	}
	w := &wire{login: l}
	connector := mssql.NewConnectorConfig(config(l))
	connector.Dialer = w
	stop := w.until(ctx)
	raw, err := connector.Connect(ctx)
	if ended := stop(); err == nil && ended {
		err = errors.Join(ctx.Err(), raw.Close())
	}
	if err != nil {
		return nil, database.Filled(w.connectFault(ctx, err), ident(l.User))
	}
	pool := sql.OpenDB(&single{raw: raw, Connector: connector})
	session, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close(), raw.Close())
	}
	return &conn{pool: pool, sql: session, wire: w, login: l}, nil
}

// config fills the client driver's struct. No connection string is made of the
// secret. Time-outs come with the context.
func config(l database.Login) msdsn.Config {
	c := msdsn.Config{
		Host: l.Host, Port: uint64(l.Port), Database: padded(l.Database), User: padded(l.User), Password: padded(l.Password),
		Encryption: msdsn.EncryptionDisabled, HostInCertificateProvided: true,
		Protocols: []string{"tcp"}, DialTimeout: -1, DisableRetry: true, NoTraceID: true, AppName: "rotor",
	}
	if l.TLS != nil {
		c.Encryption, c.TLSConfig = msdsn.EncryptionRequired, l.TLS.Clone()
		c.TLSConfig.DynamicRecordSizingDisabled = true // one TDS packet, one TLS record: servers want it so
	}
	return c
}

// padded makes up for the client driver's count of a text in its login packet:
// version 1.11.2 gives the number of characters where the protocol wants that of
// UTF-16 code units, so that the server would read too little of a text with
// characters that take two. What is appended here is counted, and not read.
// Source: sendLogin in the driver's tds.go; MS-TDS 2.2.6.4.
func padded(text string) string {
	return text + strings.Repeat(" ", units(text)-utf8.RuneCountInString(text))
}

// single gives a pool the one connection that was made for it: a pool that
// connects again by itself would log in behind the framework's back.
type single struct {
	driver.Connector
	raw driver.Conn
}

var errOnce = errors.New("the connection is gone")

// Connect implements driver.Connector.
func (s *single) Connect(context.Context) (driver.Conn, error) {
	raw := s.raw
	if raw == nil {
		return nil, errOnce
	}
	s.raw = nil
	return raw, nil
}

// Check implements database.Conn.
func (c *conn) Check(ctx context.Context) error {
	_, err := c.about(ctx)
	return err
}

// Close implements database.Conn.
func (c *conn) Close() error { return errors.Join(c.sql.Close(), c.pool.Close()) }
