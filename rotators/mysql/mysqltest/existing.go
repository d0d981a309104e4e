package mysqltest

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
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
	s := &Server{
		Host: host, Port: number, AdminUser: config.User, AdminPassword: config.Passwd,
		Real: true, tls: config.TLSConfig != "false", halt: func() error { return nil },
	}
	if path := os.Getenv("ROTOR_TEST_MYSQL_CA"); path != "" {
		if s.CA, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return s, s.describe(ctx, "real, at "+host)
}
