package oracletest

import (
	"context"
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
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/oracle"
)

// A Database is what the tests of both worlds need: the stand-in, or a real
// database that ROTOR_TEST_ORACLE names.
type Database struct {
	*servertest.Server
	Driver  database.Driver
	Service string
	// Exec runs statements as an administrator, As as a user who is written as in
	// a secret, until one fails.
	Exec func(statements ...string) error
	As   func(ctx context.Context, user, password string, statements ...string) error
	// StandIn is nil for a real database.
	StandIn *Server
}

// Database is the stand-in as one.
func (s *Server) Database() *Database {
	return &Database{Server: &s.Server, Driver: Driver(), Service: Service, Exec: s.Exec, As: s.As, StandIn: s}
}

// Best is the database that ROTOR_TEST_ORACLE names, or a stand-in that ends with
// the test.
func Best(t testing.TB) *Database {
	t.Helper()
	if dsn() == "" {
		s, err := Start(Config{})
		return servertest.ForTest(t, s, err).Database()
	}
	d, err := existing(dsn())
	return servertest.ForTest(t, d, err)
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
	d := &Database{Driver: oracle.Driver, Service: strings.Trim(u.Path, "/"), Server: &servertest.Server{
		Real: true, Host: u.Hostname(), Port: port, TLS: servertest.TLSOff,
		AdminUser: u.User.Username(), AdminPassword: password, CountLogins: servertest.CountLogins,
	}}
	if u.Query().Get("ssl") == "true" {
		d.TLS = servertest.TLSRequired
	}
	if file := os.Getenv("ROTOR_TEST_ORACLE_CA"); d.TLS != servertest.TLSOff && file != "" {
		if d.CA, err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	d.As = d.as
	d.Exec = func(statements ...string) error {
		return d.as(context.Background(), d.AdminUser, d.AdminPassword, statements...)
	}
	return d, d.describe()
}

// describe asks for the version.
func (d *Database) describe() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	pool := sql.OpenDB(liveConnector{d, d.AdminUser, d.AdminPassword})
	err := pool.QueryRowContext(ctx, "SELECT MAX(VERSION) FROM PRODUCT_COMPONENT_VERSION").Scan(&d.Version)
	d.Title = fmt.Sprintf("Oracle %s at %s", d.Version, d.Host)
	return errors.Join(err, pool.Close())
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
	config, err := c.ClientTLS()
	if err != nil {
		return nil, err
	}
	if config != nil {
		cfg.Protocol, cfg.SSL, cfg.SSLVerify, cfg.TLSConfig = "tcps", true, true, config
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
