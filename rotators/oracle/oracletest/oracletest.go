// Package oracletest is a stand-in for Oracle Database: a small server that keeps
// users, profiles, roles, privileges and objects, and a client that takes
// go-ora's place. Use it by
//
//	s, err := oracletest.Start(oracletest.Config{})
//	driver := oracletest.Driver() // is oracle.Driver with the stand-in's client
//
// This is not Oracle's protocol: client and server exchange lines of JSON, over
// TLS if the login asks for it. What is real is the network between them, which
// the client opens with the session's own dialer, and the rules: the server reads
// each statement with a lexer of its own, checks the privileges of the session,
// commits it, and answers with Oracle's codes, as go-ora's error. Queries on the
// catalog are read by internal/catalogquery, and may name what columns.tsv has for
// the release: the views and columns that the Database Reference documents. What
// the stand-in knows of Oracle is our reading of the manuals. A statement it does
// not know is an error, never a success.
//
// go-ora itself, and what Oracle really does, is proven by the live tests alone:
//
//	docker run -d -p 1521:1521 -e ORACLE_PASSWORD=secret gvenzl/oracle-free
//	ROTOR_TEST_ORACLE=oracle://system:secret@localhost:1521/FREEPDB1 go test ./rotators/oracle/...
//
// (Oracle's own image is container-registry.oracle.com/database/free, and its
// variable ORACLE_PWD.) The account must be an administrator's; users whose names
// begin with RT are made and dropped. The connection is without TLS; with
// ?ssl=true it has TLS, and ROTOR_TEST_ORACLE_CA names a file of authorities.
package oracletest

import (
	"os"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/oracle"
)

// Service and SID are those of every stand-in.
const (
	Service = "SHOP.example.com"
	SID     = "SHOP1"
)

// A Config says what kind of server to start. The zero Config is a database of
// release 19 with TLS.
type Config struct {
	// Version is the release, such as 11.2.0.4.0.
	Version string
	// Options.TLS is TLSRequired, or TLSOff for a listener without TCPS: it answers
	// a greeting of TLS with a refusal in plain text.
	servertest.Options
	// Mute makes it end the connection instead.
	Mute bool
	// RDS makes the administrator one as RDS has it: it may grant nothing of SYS's
	// but by rdsadmin.rdsadmin_util, and no role or system privilege that it does
	// not have with the admin option.
	RDS bool
	// ReadOnly makes every statement that changes something fail, as a standby.
	ReadOnly bool
}

// Driver is the product's driver with the stand-in's client.
func Driver() database.Driver { return oracle.With(Client) }

// dsn is the address of a live database, if there is one.
func dsn() string { return os.Getenv("ROTOR_TEST_ORACLE") }
