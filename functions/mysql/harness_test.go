package main_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

const pkg = "github.com/seed492efc12/rotor/functions/mysql"

// Passwords with characters that JSON and SQL write in another way, and as SQL writes them.
const (
	firstPassword    = `first " ' \ password`
	firstPasswordSQL = `'first " '' \\ password'`
	dbaPassword      = `dba " ' \ password`
	dbaPasswordSQL   = `'dba " '' \\ password'`
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// harness is one in which users have rights to one table, and the grants, in which %s is the account.
func harness(t *testing.T, s *mysqltest.Server, grants ...string) functiontest.Harness {
	t.Helper()
	f := newFixtures(t, s, grants)
	h := harnesstest.New("mysql", &s.Server)
	h.Bootstrap, h.New = functiontest.Bootstrap(t, pkg), f.next
	h.Unmarked = s.Product() != mysqltest.MySQL || !s.Real
	h.Refused = func(err error) bool {
		e, ok := errors.AsType[*driver.MySQLError](err)
		return ok && e.Number == 1045
	}
	if s.Product() == mysqltest.MySQL { // an administrator may keep old passwords there
		h.Overlaps = []string{"single-user-by-administrator"}
	}
	h.Told = func(t *testing.T, by, log string) {
		ends := s.Product() == mysqltest.MySQL && by != "alternating-users" && !slices.Contains(h.Overlaps, by)
		if told := strings.Contains(log, "stops working at once"); told != ends {
			t.Errorf("the log says that the old password stops working at once: %v\n%s", told, log)
		}
	}
	if s.Ours {
		h.Refuse = f.refuse
	}
	return h
}

// fixtures make users who may read and write one table.
type fixtures struct {
	box    *mysqltest.Sandbox
	store  string // the database
	grants []string
	made   int
}

func newFixtures(t *testing.T, s *mysqltest.Server, grants []string) *fixtures {
	t.Helper()
	f := &fixtures{box: s.Fresh(t), grants: grants}
	f.store = f.box.Name("store")
	dba := f.box.Name("dba") + "@'%'"
	f.box.Exec(t, "CREATE DATABASE "+f.store, "CREATE TABLE "+f.store+".orders (n int)",
		"CREATE USER "+dba+" IDENTIFIED BY "+dbaPasswordSQL,
		"GRANT CREATE USER ON *.* TO "+dba, "GRANT SELECT ON mysql.* TO "+dba, "GRANT ALL ON "+f.store+".* TO "+dba+" WITH GRANT OPTION")
	for _, g := range grants {
		f.box.Exec(t, fmt.Sprintf(g, dba)+" WITH GRANT OPTION")
	}
	return f
}

func (f *fixtures) next(t *testing.T) functiontest.Fixture {
	t.Helper()
	f.made++
	user := f.box.Name(fmt.Sprint("process", f.made))
	f.box.Exec(t, "CREATE USER "+user+"@'%' IDENTIFIED BY "+firstPasswordSQL+" WITH MAX_USER_CONNECTIONS 9",
		"GRANT SELECT, INSERT ON "+f.store+".orders TO "+user+"@'%'")
	for _, g := range f.grants {
		f.box.Exec(t, fmt.Sprintf(g, user+"@'%'"))
	}
	return functiontest.Fixture{User: f.secret(t, user, firstPassword), Administrator: f.secret(t, f.box.Name("dba"), dbaPassword), Login: f.login}
}

func (f *fixtures) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	return harnesstest.Secret(t, map[string]any{"engine": "mysql", "username": user, "password": password})
}

// identity is what SHOW GRANTS says of a user besides its rights.
var identity = regexp.MustCompile("`process[0-9]+_[a-z0-9]+(_clone)?`@|IDENTIFIED (VIA|BY) .*?'[^']*'")

// login writes to the table and tells what the session may do.
func (f *fixtures) login(ctx context.Context, user, password string) (rights string, err error) {
	db, err := f.box.Server.Connect(ctx, user, password, f.store)
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
	begin, end := []string{"INSTALL COMPONENT 'file://component_validate_password'", "SET GLOBAL validate_password.length = 100"},
		"UNINSTALL COMPONENT 'file://component_validate_password'"
	if f.box.Server.Product() == mysqltest.MariaDB {
		begin, end = []string{"INSTALL SONAME 'simple_password_check'", "SET GLOBAL simple_password_check_minimal_length = 100"},
			"UNINSTALL SONAME 'simple_password_check'"
	}
	f.box.Exec(t, begin...)
	t.Cleanup(func() { f.box.Exec(t, end) })
}
