package redshifttest

import (
	_ "embed"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

//go:embed standin.sql
var standInViews string

// StartStandIn starts the newest real PostgreSQL of this machine, set up to resemble Redshift. The views are made in
// each sandbox's database.
func StartStandIn() (*Server, error) {
	p, err := postgrestest.Best(postgrestest.Config{
		MD5:     true,
		Options: servertest.Options{Settings: map[string]string{"standard_conforming_strings": "off", "escape_string_warning": "off"}},
	})
	if err != nil {
		return nil, err
	}
	return &Server{Kind: StandIn, Database: p.Database, postgres: p, Server: servertest.Server{
		Title: string(StandIn), Ours: true, Host: p.Host, Port: p.Port, CA: p.CA, AdminUser: p.AdminUser, AdminPassword: p.AdminPassword,
		Journal: p.Journal, CountLogins: p.CountLogins, Halt: p.Close,
	}}, nil
}
