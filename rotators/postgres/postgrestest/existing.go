package postgrestest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// Existing is a server that runs already, given by a connection string. TLS is used unless the string says
// sslmode=disable, and then verified, with the CA of sslrootcert if there is one. Closing it does nothing.
func Existing(dsn string) (*Server, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("reading the connection string: %w", err) // pgx leaves the password out
	}
	ca, err := rootCertificate(dsn)
	if err != nil {
		return nil, err
	}
	s := &Server{Database: config.Database, Server: servertest.Server{
		Real: true, Host: config.Host, Port: int(config.Port), CA: ca,
		AdminUser: config.User, AdminPassword: config.Password, CountLogins: countLogins,
	}}
	if config.TLSConfig == nil {
		s.TLS = servertest.TLSOff
	}
	if s.Database == "" {
		s.Database = s.AdminUser // as libpq has it
	}
	return s, s.askVersion()
}

// askVersion logs in once.
func (s *Server) askVersion() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := s.Admin(ctx, "")
	if err != nil {
		return fmt.Errorf("trying the server of the connection string: %w", err)
	}
	defer conn.Close(ctx)
	s.Version = conn.PgConn().ParameterStatus("server_version")
	s.Major = major(s.Version)
	s.Title = fmt.Sprintf("PostgreSQL %s at %s", s.Version, s.Host)
	return nil
}

// sslRootCert finds the parameter in both forms of a connection string. pgx keeps only what it read from the file.
var sslRootCert = regexp.MustCompile(`\bsslrootcert\s*=\s*('[^']*'|[^\s&]+)`)

// rootCertificate is the PEM file that the connection string names, if it names one.
func rootCertificate(dsn string) ([]byte, error) {
	match := sslRootCert.FindStringSubmatch(dsn)
	if match == nil {
		return nil, nil
	}
	path := match[1]
	if path[0] == '\'' {
		path = path[1 : len(path)-1]
	} else if unescaped, err := url.PathUnescape(path); err == nil {
		path = unescaped
	}
	return os.ReadFile(path)
}
