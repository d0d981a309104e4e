// Package redshifttest provides servers to test a Redshift rotator against. No Redshift can be had on one machine, so
// that there are two that stand in for it, and each proves a part:
//
//   - [Wire] is a wire-level server of this package's own. It speaks Redshift's side of the real protocol to the real
//     driver: TLS, MD5 passwords, server_version 8.0.2, client_encoding UNICODE, no standard_conforming_strings,
//     backslashes that escape, SQLSTATE 28000 for every refusal, no savepoints. It keeps users, groups, roles, objects,
//     grants (scoped ones, on columns, models and datashares too), policies, default privileges, so that a clone is judged
//     by what it then has ([Server.Holdings]). It knows no query: package catalogquery runs each over the views of the
//     catalog, which show to a session what it may see, and refuses names that are not documented (columns.tsv). The
//     statements and views are this package's reading of Amazon's Database Developer Guide. It proves the rotator's
//     logic, its quoting, its protocol, and that it names only what is documented; not that a cluster agrees with the
//     reading.
//   - [StandIn] is a real PostgreSQL (package postgrestest) with standard_conforming_strings off, MD5 passwords and
//     views in place of Redshift's (standin.sql), which read the real access lists. It proves that the queries are
//     SQL, that the statements which PostgreSQL has in common with Redshift do what they are meant to do - CREATE and
//     ALTER USER, ALTER GROUP, GRANT and REVOKE on relations, columns, schemas, databases, routines, languages, default
//     privileges, OWNER TO - and that a clone may in fact do what its original may. PostgreSQL has no GRANT ROLE, SESSION
//     TIMEOUT, SYSLOG ACCESS, CREATEUSER, scoped grants, models, datashares, masks or privileges named DROP and ALTER,
//     holds a privilege on a table and on a column of it at once, and asks for other passwords in another way: hence Wire.
//
// ROTOR_TEST_REDSHIFT names a live cluster for the same suites: a connection string of a superuser, such as
// "postgres://admin:...@cluster.abc.us-east-1.redshift.amazonaws.com:5439/dev".
//
// Tests use [Each], which runs a subtest against every server that there is:
//
//	func TestMain(m *testing.M) { redshifttest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
//			box := s.Fresh(t)
//			app := box.Name("app")
//			box.Exec(t, `CREATE USER "`+app+`" PASSWORD 'Secret01'`)
//			conn := box.Connect(t, app, "Secret01")
//			...
//		})
//	}
package redshifttest

import (
	"github.com/seed492efc12/rotor/internal/servertest"
)

// A Kind is what a server is.
type Kind string

// The kinds of servers.
const (
	Wire    Kind = "Redshift"
	StandIn Kind = "PostgreSQL with views in place of Redshift's"
	Cluster Kind = "Redshift cluster"
)

// Config is what a wire-level server is started with. The zero value is what most tests want.
type Config struct {
	// Options.TLS is TLSRequired, as with require_ssl, or TLSOff.
	servertest.Options
	// ReadOnly makes every statement that changes something fail with 25006.
	ReadOnly bool
	// GrantsAlone refuses GRANT between BEGIN and COMMIT (25001), as Redshift does for external objects.
	GrantsAlone bool
	// Deny is a text that no statement may hold: it fails with 42501, as one beyond the administrator's rights does.
	Deny string
	// NoRowPolicies refuses to show the policies of row-level security (42501), as to those without sys:secadmin.
	NoRowPolicies bool
	// Digest asks for passwords as Redshift does that were set as sha256 hashes, which Amazon's drivers alone know.
	Digest bool
}

// Best starts the best server that can be had: the cluster that ROTOR_TEST_REDSHIFT names, else the wire-level server.
func Best() (*Server, error) {
	if dsn() != "" {
		return Existing(dsn())
	}
	return StartWire(Config{})
}
