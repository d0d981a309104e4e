package oracletest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	goora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/configurations"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/rotators/oracle"
)

// A Database is what the tests of both worlds need: the stand-in, or a real
// database that ROTOR_TEST_ORACLE names.
type Database struct {
	Driver                   database.Driver
	Host                     string
	Port                     int
	Service                  string
	TLS                      bool
	CA                       []byte // PEM; empty where there is no TLS
	AdminUser, AdminPassword string
	// Exec runs statements as an administrator, As as a user who is written as in
	// a secret, until one fails.
	Exec func(statements ...string) error
	As   func(ctx context.Context, user, password string, statements ...string) error
	// Server is nil for a real database.
	Server *Server
}

// Name says what the database is, for people.
func (d *Database) Name() string {
	if d.Server == nil {
		return "Oracle (real)"
	}
	return "stand-in for Oracle " + d.Server.config.Version
}

// Database is the stand-in as one.
func (s *Server) Database() *Database {
	return &Database{Driver: Driver(), Host: s.Host, Port: s.Port, Service: Service, TLS: !s.config.NoTLS, CA: s.CA,
		AdminUser: s.AdminUser, AdminPassword: s.AdminPassword, Exec: s.Exec, As: s.As, Server: s}
}

// Best is the database that ROTOR_TEST_ORACLE names, or a stand-in that ends with
// the test.
func Best(t testing.TB) *Database {
	t.Helper()
	if dsn() == "" {
		s, err := Start(Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s.Database()
	}
	d, err := existing(dsn())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// existing is a real database, named as oracle://user:password@host:port/service.
func existing(dsn string) (*Database, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New("ROTOR_TEST_ORACLE is no address of the form oracle://user:password@host:port/service")
	}
	port, _ := strconv.Atoi(u.Port())
	if port == 0 {
		port = oracle.Driver.Port
	}
	password, _ := u.User.Password()
	d := &Database{Driver: oracle.Driver, Host: u.Hostname(), Port: port, Service: strings.Trim(u.Path, "/"), TLS: u.Query().Get("ssl") == "true",
		AdminUser: u.User.Username(), AdminPassword: password}
	if file := os.Getenv("ROTOR_TEST_ORACLE_CA"); d.TLS && file != "" {
		if d.CA, err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	d.As = d.as
	d.Exec = func(statements ...string) error {
		return d.as(context.Background(), d.AdminUser, d.AdminPassword, statements...)
	}
	return d, d.Exec("SELECT * FROM DUAL")
}

// patience bounds what the helpers ask of a real database.
const patience = time.Minute

// as logs in and runs statements.
func (d *Database) as(ctx context.Context, user, password string, statements ...string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pool := sql.OpenDB(liveConnector{d, user, password})
	defer func() { _ = pool.Close() }()
	pool.SetMaxOpenConns(1)
	for _, text := range statements {
		if err := runLive(ctx, pool, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

func runLive(ctx context.Context, pool *sql.DB, text string) error {
	if !strings.HasPrefix(text, "SELECT") {
		_, err := pool.ExecContext(ctx, text)
		return err
	}
	rows, err := pool.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
	}
	return rows.Err()
}

type liveConnector struct {
	*Database
	user, password string
}

// Connect implements driver.Connector.
func (c liveConnector) Connect(ctx context.Context) (driver.Conn, error) {
	cfg := &configurations.ConnectionConfig{PrefetchRows: 25}
	cfg.UserID, cfg.Password, cfg.ServiceName, cfg.Protocol = c.user, c.password, c.Service, "tcp"
	if c.TLS {
		cfg.Protocol, cfg.SSL, cfg.SSLVerify, cfg.TLSConfig = "tcps", true, true, &tls.Config{MinVersion: tls.VersionTLS12}
		if len(c.CA) > 0 {
			cfg.TLSConfig.RootCAs = x509.NewCertPool()
			cfg.TLSConfig.RootCAs.AppendCertsFromPEM(c.CA)
		}
	}
	cfg.TransportDataUnitSize, cfg.SessionDataUnitSize = 0x200000, 0x200000
	cfg.Language, cfg.Territory, cfg.ProgramName, cfg.HostName, cfg.OSUserName = "AMERICAN", "AMERICA", "rotor", "rotor", "rotor"
	cfg.Servers = []configurations.ServerAddr{{Protocol: cfg.Protocol, Addr: c.Host, Port: c.Port}}
	conn, err := goora.NewConnection("", cfg)
	if err != nil {
		return nil, err
	}
	return conn, conn.OpenWithContext(ctx)
}

// Driver implements driver.Connector.
func (c liveConnector) Driver() driver.Driver { return goora.NewDriver() }
