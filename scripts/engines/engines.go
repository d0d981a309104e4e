// Package engines is the table of engines: what tools, tests and documents know
// of them. A new engine is a row here, its folder in rotators/, and its main.go
// in functions/.
package engines

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/documentdb"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
	"github.com/seed492efc12/rotor/rotators/oracle"
	"github.com/seed492efc12/rotor/rotators/postgres"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
	"github.com/seed492efc12/rotor/rotators/redis"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
	"github.com/seed492efc12/rotor/rotators/redshift"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
	"github.com/seed492efc12/rotor/rotators/sqlserver"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

// An Engine is a driver, and the function that links it.
type Engine struct {
	// Name is that of its folders, rotators/<name> and functions/<name>.
	Name   string
	Driver database.Driver
	// Client is the module of the database's client library. No other function
	// links it, but for those with the same.
	Client string
	// Live is the environment variable that names a server to the tests, and Try
	// how to get a server and run them on it.
	Live, Try string
	Products  []Product
}

// A Product is a database that an engine's driver rotates users of.
type Product struct {
	// Name is what make demo calls it.
	Name string
	// Install is what package install calls it.
	Install string
	// Title is its name for people.
	Title string
	// Imitation says what of it tests run on an imitation of ours: versions, or how
	// the imitation stands in for the product. Where nothing is imitated, Imitated is
	// false.
	Imitation string
	Imitated  bool
	// Example opens a server, a real one where there is one. It is nil where none
	// can be had that speaks the product's protocol.
	Example func(ctx context.Context) (*servertest.Example, error)
}

// Real are the versions of the product whose real servers tests run on, the
// oldest first. There are none where the product cannot be had.
func (p Product) Real() (versions []string) {
	for _, name := range install.Wanted(p.Install) {
		versions = append(versions, strings.TrimPrefix(name, p.Install+"-"))
	}
	return versions
}

// All is the table.
func All() []Engine {
	return []Engine{
		{Name: "postgres", Driver: postgres.Driver, Client: "github.com/jackc/pgx/v5", Live: "ROTOR_TEST_POSTGRES", Try: tryPostgres, Products: []Product{
			{Name: "postgres", Install: "postgres", Title: "PostgreSQL", Example: postgrestest.Example},
		}},
		{Name: "mysql", Driver: mysql.Driver, Client: "github.com/go-sql-driver/mysql", Live: "ROTOR_TEST_MYSQL", Try: tryMysql, Products: []Product{
			{Name: "mysql", Install: mysqltest.MySQL, Title: "MySQL", Imitated: true, Imitation: "5.7", Example: mysqltest.Example(mysqltest.MySQL)},
			{Name: "mariadb", Install: mysqltest.MariaDB, Title: "MariaDB", Example: mysqltest.Example(mysqltest.MariaDB)},
		}},
		{Name: "sqlserver", Driver: sqlserver.Driver, Client: "github.com/microsoft/go-mssqldb", Live: "ROTOR_TEST_SQLSERVER", Try: trySqlserver, Products: []Product{
			{Name: "sqlserver", Title: "SQL Server", Imitated: true, Example: sqlservertest.Example},
		}},
		{Name: "oracle", Driver: oracle.Driver, Client: "github.com/sijms/go-ora/v2", Live: "ROTOR_TEST_ORACLE", Try: tryOracle, Products: []Product{
			{Name: "oracle", Title: "Oracle", Imitated: true, Imitation: "(behind database/sql, in the client library's place)"},
		}},
		{Name: "redshift", Driver: redshift.Driver, Client: "github.com/jackc/pgx/v5", Live: "ROTOR_TEST_REDSHIFT", Try: tryRedshift, Products: []Product{
			{Name: "redshift", Title: "Redshift", Imitated: true, Imitation: "(and PostgreSQL with views in place of Redshift's)", Example: redshifttest.Example},
		}},
		{Name: "documentdb", Driver: documentdb.Driver, Client: "go.mongodb.org/mongo-driver/v2", Live: "ROTOR_TEST_DOCUMENTDB", Try: tryDocumentdb, Products: []Product{
			{Name: "mongo", Install: "mongodb", Title: "MongoDB", Example: documentdbtest.Example},
			{Name: "documentdb", Title: "DocumentDB", Imitated: true, Imitation: "3.6, 4.0, 5.0"},
		}},
		{Name: "redis", Driver: redis.Driver, Client: "github.com/gomodule/redigo", Live: "ROTOR_TEST_REDIS", Try: tryRedis, Products: []Product{
			{Name: "redis", Install: redistest.Redis, Title: "Redis", Example: redistest.Example(redistest.Redis)},
			{Name: "valkey", Install: redistest.Valkey, Title: "Valkey", Example: redistest.Example(redistest.Valkey)},
		}},
	}
}

// Find is the engine of a name.
func Find(name string) (Engine, error) {
	all := All()
	at := slices.IndexFunc(all, func(e Engine) bool { return e.Name == name })
	if at < 0 {
		return Engine{}, fmt.Errorf("unknown engine %q: it is one of %s", name, strings.Join(Names(), ", "))
	}
	return all[at], nil
}

// Names are the engines' names, in the table's order.
func Names() (all []string) {
	for _, e := range All() {
		all = append(all, e.Name)
	}
	return all
}

// ID begins the names of what the template has for the engine.
func (e Engine) ID() string { return strings.ToUpper(e.Name[:1]) + e.Name[1:] }

// Title is the names of the engine's products, for people.
func (e Engine) Title() string {
	var titles []string
	for _, p := range e.Products {
		titles = append(titles, p.Title)
	}
	last := len(titles) - 1
	if last == 0 {
		return titles[0]
	}
	return strings.Join(titles[:last], ", ") + " and " + titles[last]
}

// Function is the package of the engine's function.
func (e Engine) Function() string { return "github.com/seed492efc12/rotor/functions/" + e.Name }
