package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// The names that the demo makes in the server.
const (
	pgDatabase      = "rotor_demo"
	pgAdministrator = "rotor_admin"
	pgSingle        = "rotor_single"
	pgAlternating   = "rotor_app"
)

// postgres is a PostgreSQL server with the demo's users.
type postgres struct {
	*postgrestest.Server
	folder string // of the CA's certificate
	// What there is to undo on a server that stays.
	hasDatabase bool
	roles       []string
}

func openPostgres(ctx context.Context) (*database, error) {
	server, err := postgrestest.Best(postgrestest.Config{})
	if err != nil {
		return nil, err
	}
	p := &postgres{Server: server}
	d, err := p.open(ctx)
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return d, nil
}

func (p *postgres) open(ctx context.Context) (d *database, err error) {
	if p.folder, err = os.MkdirTemp("", "rotor-demo-"); err != nil {
		return nil, err
	}
	ca := filepath.Join(p.folder, "ca.pem")
	if err := os.WriteFile(ca, p.CA, 0o600); err != nil {
		return nil, err
	}
	d = &database{
		name:          fmt.Sprintf("%s at %s:%d, TLS verified", p.Name(), p.Host, p.Port),
		env:           map[string]string{"CA_BUNDLE": string(p.CA)},
		single:        p.secret(pgSingle),
		alternating:   p.secret(pgAlternating),
		administrator: p.secret(pgAdministrator),
		login:         p.login,
		client: fmt.Sprintf(`PGPASSWORD=$(echo "$secret" | jq -r .password) psql "host=localhost port=%d dbname=%s user=%%s sslmode=verify-full sslrootcert=%s"`,
			p.Port, pgDatabase, ca),
		close: p.close,
	}
	if p.Real {
		d.create, d.use = p.create, p.use
	} else {
		d.advice = "It knows roles and passwords only. With PostgreSQL installed (scripts/servers.sh) the demo takes that."
	}
	if err := p.prepare(ctx, d); err != nil {
		return nil, err
	}
	begin := p.Mark() // the demo's own statements until here hold passwords
	d.log = func() string { return p.LogSince(begin) }
	d.logins = p.Logins
	return d, nil
}

func (p *postgres) secret(user string) map[string]any {
	return map[string]any{
		"engine": "postgres", "host": p.Host, "port": p.Port, "dbname": pgDatabase, "username": user, "password": rand.Text(),
	}
}

// prepare makes the database and the users. The administrator makes those that it is to administer.
func (p *postgres) prepare(ctx context.Context, d *database) error {
	if err := p.as(ctx, p.AdminUser, p.AdminPassword, p.Database, "CREATE DATABASE "+pgDatabase); err != nil {
		return err
	}
	p.hasDatabase = true
	if err := p.makeRole(ctx, p.AdminUser, p.AdminPassword, d.administrator, "CREATEROLE"); err != nil {
		return err
	}
	for _, secret := range []map[string]any{d.single, d.alternating} {
		if err := p.makeRole(ctx, pgAdministrator, password(d.administrator), secret, ""); err != nil {
			return err
		}
	}
	if p.Real {
		return p.as(ctx, p.AdminUser, p.AdminPassword, pgDatabase, "GRANT CREATE ON SCHEMA public TO "+pgAlternating)
	}
	return nil
}

func (p *postgres) makeRole(ctx context.Context, by, byPassword string, secret map[string]any, options string) error {
	err := p.as(ctx, by, byPassword, pgDatabase, "CREATE ROLE "+user(secret)+" LOGIN "+options+" PASSWORD '"+password(secret)+"'")
	if err == nil {
		p.roles = append(p.roles, user(secret))
	}
	return err
}

// as runs one statement as a user.
func (p *postgres) as(ctx context.Context, user, password, in, statement string) error {
	conn, err := p.Connect(ctx, user, password, in)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

func (p *postgres) login(ctx context.Context, secret map[string]any) error {
	err := p.as(ctx, user(secret), password(secret), pgDatabase, "SELECT 1")
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) && refusal.Code == "28P01" {
		return errRefused
	}
	return err
}

func (p *postgres) create(ctx context.Context, secret map[string]any) error {
	return p.as(ctx, user(secret), password(secret), pgDatabase, "CREATE TABLE orders (item text)")
}

func (p *postgres) use(ctx context.Context, secret map[string]any) error {
	return p.as(ctx, user(secret), password(secret), pgDatabase, "INSERT INTO orders VALUES ('tea'); DROP TABLE orders")
}

// close ends the server or, if it is somebody else's, drops what the demo made there.
func (p *postgres) close() (err error) {
	if !p.HasLog() {
		err = p.undo()
	}
	return errors.Join(err, p.Server.Close(), os.RemoveAll(p.folder))
}

// undo drops the database first, because roles have rights in it, and then all roles at once, because they have rights
// on each other.
func (p *postgres) undo() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if p.hasDatabase {
		err = p.as(ctx, p.AdminUser, p.AdminPassword, p.Database, "DROP DATABASE "+pgDatabase)
	}
	if len(p.roles) > 0 {
		all := strings.Join(append(p.roles, pgAlternating+"_clone"), ", ")
		err = errors.Join(err, p.as(ctx, p.AdminUser, p.AdminPassword, p.Database, "DROP ROLE IF EXISTS "+all))
	}
	return err
}
