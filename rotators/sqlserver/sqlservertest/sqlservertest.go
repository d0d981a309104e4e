// Package sqlservertest provides servers to test a SQL Server rotator against.
//
// None can be had here, so that [StartWire] starts a wire-level server of this package's
// own. It speaks TDS 7.4 to the real driver, with TLS inside TDS, and refuses
// logins as the server does: with 18456, with 4060 before it, locked after five
// wrong passwords, disabled, expired. It keeps logins, users by SID, contained
// users, roles, schemas, securables and permissions with their option and DENY;
// it reads CREATE, ALTER, GRANT, DENY and REVOKE with a parser of its own and
// checks what the session itself may do. SELECT, INSERT, UPDATE, DELETE and EXEC
// are checked and do nothing, so that a clone is judged by what it may then do.
// It has no transactions, which the rotator does not use.
//
// It knows no query of the rotator's. Whatever SELECT it gets is read by
// internal/catalogquery, which refuses each view and column that is not in
// columns.tsv (208, 207) and each mixture of collations (451, 468), and is
// answered from that state, with what the session may see. That the table and
// the rules are those of a real server, such a one alone can prove.
//
// ROTOR_TEST_SQLSERVER names one for the same suites: a URL of a member of
// sysadmin. Tests make and drop logins and databases there, contained ones too,
// for which they turn the option "contained database authentication" on.
// Microsoft's own container image will do, if you accept its licence:
//
//	docker run -e ACCEPT_EULA=Y -e MSSQL_SA_PASSWORD=... -p 1433:1433 mcr.microsoft.com/mssql/server:2022-latest
//	ROTOR_TEST_SQLSERVER='sqlserver://sa:...@localhost:1433?insecure=true' go test ./rotators/sqlserver
//
// The image makes its own certificate: ca=FILE names a PEM file that has what
// signed it, and insecure=true goes without TLS.
package sqlservertest

import (
	"github.com/seed492efc12/rotor/internal/servertest"
)

// Config is what a wire-level server is started with. The zero value is what most
// tests want.
type Config struct {
	// Options.TLS is TLSRequired, which the client asks for, or TLSOff.
	servertest.Options
	// DemandTLS makes it refuse to go without.
	DemandTLS bool
	// MaxTLS is the highest version that it knows; 0 is the latest.
	MaxTLS uint16
	// Route sends clients that have logged in on to another port.
	Route int
	// Release is the release whose catalog it has: "2016" to "2022", which is the
	// default.
	Release string
}

func (c Config) release() string {
	if c.Release == "" {
		return "2022"
	}
	return c.Release
}
