// Command covered says on which servers the tests run here, and what they do not
// cover for want of one: go test shows nothing of packages that pass.
package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

func main() {
	fmt.Println("The tests run on:")
	postgres()
	mysql()
	standIns("SQL Server", "ROTOR_TEST_SQLSERVER", "a wire-level server")
	standIns("Oracle", "ROTOR_TEST_ORACLE", "a stand-in behind database/sql, in go-ora's place")
	standIns("Redshift", "ROTOR_TEST_REDSHIFT", "a wire-level server, and PostgreSQL with views in place of Redshift's")
	standIns("MongoDB", "ROTOR_TEST_DOCUMENTDB", "a wire-level server as MongoDB 7 and DocumentDB 5")
}

func say(engine, covered string) { fmt.Printf("  %-12s %s\n", engine, covered) }

func postgres() {
	if os.Getenv("ROTOR_TEST_POSTGRES") != "" {
		say("PostgreSQL", "the server that ROTOR_TEST_POSTGRES names")
		return
	}
	missing := postgrestest.Majors()
	var real []string
	for _, i := range postgrestest.Installations() {
		if at := slices.Index(missing, i.Major); at >= 0 {
			real, missing = append(real, i.Version), slices.Delete(missing, at, at+1)
		}
	}
	covered := "real PostgreSQL " + strings.Join(real, ", ")
	if len(real) == 0 {
		covered = "a wire-level server, which knows roles and no objects: the SQL of clones and rights is NOT COVERED"
	}
	if len(missing) > 0 {
		covered += fmt.Sprintf("; no real PostgreSQL %s here: NOT COVERED (make servers)", strings.Trim(fmt.Sprint(missing), "[]"))
	}
	say("PostgreSQL", covered)
}

func mysql() {
	if os.Getenv("ROTOR_TEST_MYSQL") != "" {
		say("MySQL", "the server that ROTOR_TEST_MYSQL names")
		return
	}
	i, ok := mysqltest.Find()
	if !ok {
		say("MariaDB", "no real server here: NOT COVERED (make servers)")
	} else {
		say("MariaDB", "real MariaDB "+i.Version)
	}
	say("MySQL", "a wire-level server as MySQL 5.7, 8 and 9: real ones are NOT COVERED, unless ROTOR_TEST_MYSQL names one")
}

// standIns is for servers of which no real one can be installed.
func standIns(engine, variable, covered string) {
	if os.Getenv(variable) != "" {
		say(engine, "the server that "+variable+" names")
		return
	}
	say(engine, covered+": a real one is NOT COVERED, unless "+variable+" names one")
}
