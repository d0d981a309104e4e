package main_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/local/functiontest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

func TestTheProcessKeepsItsPromisesWhateverHappensToIt(t *testing.T) {
	mysqltest.Real(t, func(t *testing.T, s *mysqltest.Server) {
		h := harness(t, s)
		var err error
		if h.Bootstrap, err = build(); err != nil {
			t.Fatal(err)
		}
		functiontest.Run(t, h)
	})
}

func TestARotationThatIsCutOffLeavesNothingOpen(t *testing.T) {
	mysqltest.Real(t, func(t *testing.T, s *mysqltest.Server) {
		functiontest.RunInProcess(t, harness(t, s), mysql.Driver)
	})
}

// harness is all but the built function.
func harness(t *testing.T, s *mysqltest.Server) functiontest.Harness {
	t.Helper()
	f := newFixtures(t, s)
	return functiontest.Harness{
		Engine: "mysql", Server: strings.TrimSuffix(s.Name(), " (real)"), Real: s.Real,
		Env:     map[string]string{"CA_BUNDLE": string(s.CA)},
		Address: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
		New:     f.next,
		Log:     func() func() string { mark := s.Mark(); return func() string { return s.LogSince(mark) } },
		Refuse:  f.refuse,
	}
}

// fixtures make users who may read and write one table.
type fixtures struct {
	server *mysqltest.Server
	admin  *sql.DB
	made   int
}

const dbaPassword = `dba " ' \ password`

func newFixtures(t *testing.T, s *mysqltest.Server) *fixtures {
	t.Helper()
	admin, err := s.Admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	f := &fixtures{server: s, admin: admin}
	f.exec(t, "CREATE OR REPLACE DATABASE store", "CREATE TABLE store.orders (n int)",
		"CREATE OR REPLACE USER dba@'%' IDENTIFIED BY 'dba \" '' \\\\ password'",
		"GRANT CREATE USER ON *.* TO dba@'%'", "GRANT SELECT ON mysql.* TO dba@'%'", "GRANT ALL ON store.* TO dba@'%' WITH GRANT OPTION")
	return f
}

func (f *fixtures) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := f.admin.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func (f *fixtures) next(t *testing.T) functiontest.Fixture {
	t.Helper()
	f.made++
	user := fmt.Sprint("process", f.made)
	f.exec(t, "CREATE OR REPLACE USER "+user+"@'%' IDENTIFIED BY 'first \" '' \\\\ password' WITH MAX_USER_CONNECTIONS 9",
		"GRANT SELECT, INSERT ON store.orders TO "+user+"@'%'")
	return functiontest.Fixture{User: f.secret(t, user, firstPassword), Administrator: f.secret(t, "dba", dbaPassword), Login: f.login}
}

func (f *fixtures) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	text, err := json.Marshal(map[string]string{"engine": "mysql", "username": user, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	d, err := secret.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// identity is what SHOW GRANTS says of a user besides its rights.
var identity = regexp.MustCompile("`process[0-9]+(_clone)?`@|IDENTIFIED (VIA|BY) .*?'[^']*'")

// login writes to the table and tells what the session may do.
func (f *fixtures) login(ctx context.Context, user, password string) (rights string, err error) {
	db, err := f.server.Connect(ctx, user, password, "store")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "INSERT INTO orders VALUES (1)"); err != nil {
		return "", err
	}
	rows, err := db.QueryContext(ctx, "SHOW GRANTS")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		var grant string
		if err := rows.Scan(&grant); err != nil {
			return "", err
		}
		rights += identity.ReplaceAllString(grant, "") + "\n"
	}
	return rights, rows.Err()
}

// refuse asks for longer passwords than the function makes.
func (f *fixtures) refuse(t *testing.T) {
	t.Helper()
	f.exec(t, "INSTALL SONAME 'simple_password_check'", "SET GLOBAL simple_password_check_minimal_length = 100")
	t.Cleanup(func() {
		if _, err := f.admin.Exec("UNINSTALL SONAME 'simple_password_check'"); err != nil {
			t.Error(err)
		}
	})
}
