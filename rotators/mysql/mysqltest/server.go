package mysqltest

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strconv"

	"github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A Server is a running MySQL or MariaDB, or the imitation. It may be used from many goroutines. Its log has every
// statement, every connection, every refused login. Refused is every login that the server denied, for its password or
// any other reason.
type Server struct {
	servertest.Server
	product string
	newest  bool
}

// Product is MySQL or MariaDB.
func (s *Server) Product() string { return s.product }

// IsNewest says whether no newer version of the product is wanted: what is asked of one version alone is asked of this.
func (s *Server) IsNewest() bool { return !s.Ours || s.newest }

// Connect logs in, with verified TLS if the server has any, and returns a pool of one connection. The error is the
// driver's own. An empty database is none.
func (s *Server) Connect(ctx context.Context, user, password, database string) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	c.User, c.Passwd, c.DBName = user, password, database
	c.MultiStatements = s.Real
	c.Logger = &mysql.NopLogger{}
	var err error
	if c.TLS, err = s.ClientTLS(); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Admin logs in as the administrator.
func (s *Server) Admin(ctx context.Context) (*sql.DB, error) {
	return s.Connect(ctx, s.AdminUser, s.AdminPassword, "")
}
