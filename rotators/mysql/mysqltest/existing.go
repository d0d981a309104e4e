package mysqltest

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// Existing is a server that runs already, given by a data source name. TLS is used unless the name says tls=false, and
// then verified, with the CA of ROTOR_TEST_MYSQL_CA if there is one. Closing it does nothing.
func Existing(dsn string) (*Server, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("reading the data source name: %w", err) // the driver leaves its parts out
	}
	host, port, err := net.SplitHostPort(config.Addr)
	if err != nil {
		return nil, fmt.Errorf("reading the data source name's address: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("reading the data source name's port: %w", err)
	}
	s := &Server{Server: servertest.Server{
		Real: true, Host: host, Port: number, AdminUser: config.User, AdminPassword: config.Passwd, CountLogins: countLogins,
	}}
	if config.TLSConfig == "false" {
		s.TLS = servertest.TLSOff
	}
	if path := os.Getenv("ROTOR_TEST_MYSQL_CA"); path != "" {
		if s.CA, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return s, s.describe(ctx, host)
}

// describe asks a running server for its version.
func (s *Server) describe(ctx context.Context, host string) error {
	db, err := s.Admin(ctx)
	if err != nil {
		return fmt.Errorf("trying the server of the data source name: %w", err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&s.Version); err != nil {
		return fmt.Errorf("asking for the version: %w", err)
	}
	s.product = MySQL
	if strings.Contains(s.Version, "MariaDB") {
		s.product = MariaDB
	}
	s.Version, _, _ = strings.Cut(s.Version, "-")
	s.Title = fmt.Sprintf("%s %s at %s", titles[s.product], s.Version, host)
	return nil
}
