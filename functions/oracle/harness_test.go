package main_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

// The function that is deployed, and the one that speaks to the stand-in.
const (
	pkg     = "github.com/seed492efc12/rotor/functions/oracle"
	standIn = pkg + "/testdata/standin"
)

const first = `First0&<>$%='?[]^_{|}~\`

// harness is that of the deployed function on a real database, and of the stand-in's on the stand-in.
func harness(t *testing.T, d *oracletest.Database) functiontest.Harness {
	t.Helper()
	h := harnesstest.New("oracle", d.Server)
	h.Unmarked = true
	h.Bootstrap = functiontest.Bootstrap(t, map[bool]string{true: pkg, false: standIn}[d.Real])
	h.New = newFixtures(t, d).next
	h.Log = nil // the stand-in's has every statement as it came, and Oracle takes no hashes
	h.Refused = func(err error) bool { return strings.Contains(err.Error(), "ORA-01017") }
	return h
}

// fixtures make users who may read and write one table of another's.
type fixtures struct {
	*oracletest.Database
	tag  string // in every name
	made int
}

func newFixtures(t *testing.T, d *oracletest.Database) *fixtures {
	t.Helper()
	f := &fixtures{Database: d, tag: "RT" + rand.Text()[:6]}
	f.user(t, f.tag+"SHOP", `GRANT CREATE SESSION TO `+f.tag+`SHOP`, `CREATE TABLE `+f.tag+`SHOP.ORDERS (N NUMBER)`)
	return f
}

// user makes a user, and drops it and its clone in the end.
func (f *fixtures) user(t *testing.T, name string, then ...string) {
	t.Helper()
	t.Cleanup(func() {
		for _, name := range []string{name, name + "_CLONE"} {
			if err := f.Exec(`DROP USER ` + name + ` CASCADE`); err != nil && !strings.Contains(err.Error(), "ORA-01918") { // there is none
				t.Error(err)
			}
		}
	})
	if err := f.Exec(append([]string{`CREATE USER ` + name + ` IDENTIFIED BY "` + first + `" QUOTA UNLIMITED ON USERS`}, then...)...); err != nil {
		t.Fatal(err)
	}
}

func (f *fixtures) next(t *testing.T) functiontest.Fixture {
	t.Helper()
	f.made++
	app := fmt.Sprint(f.tag, "APP", f.made)
	f.user(t, app, `GRANT CREATE SESSION TO `+app, `GRANT CREATE TABLE TO `+app+` WITH ADMIN OPTION`, `GRANT SELECT, INSERT ON `+f.tag+`SHOP.ORDERS TO `+app)
	return functiontest.Fixture{User: f.secret(t, strings.ToLower(app), first), Administrator: f.secret(t, f.AdminUser, f.AdminPassword), Login: f.login}
}

func (f *fixtures) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	return harnesstest.Secret(t, map[string]any{"engine": "oracle", "dbname": f.Service, "ssl": f.SSL(), "username": user, "password": password})
}

// login tries what the user may do, and what it may not.
func (f *fixtures) login(ctx context.Context, user, password string) (rights string, err error) {
	if err := f.As(ctx, user, password); err != nil {
		return "", err
	}
	orders := f.tag + "SHOP.ORDERS"
	return functiontest.Rights(func(statement string) error { return f.As(ctx, user, password, statement) },
		`INSERT INTO `+orders+` VALUES (1)`, `SELECT * FROM `+orders, `DELETE FROM `+orders,
		`CREATE TABLE MINE (N NUMBER)`, `DROP TABLE MINE`, `CREATE VIEW SEEN AS SELECT * FROM `+orders), nil
}
