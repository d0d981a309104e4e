// Command panics is a rotation function whose driver panics, with the password in the panic's value. PANIC says how.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/serve"
)

func main() {
	serve.Database(database.Driver{Engines: []string{"panics"}, Port: 1, Database: "main", CheckUser: database.AnyUser, Connect: connect})
}

// connect panics, or returns a session that does.
func connect(_ context.Context, l database.Login) (database.Conn, error) {
	if os.Getenv("PANIC") == "later" {
		return session{}, nil
	}
	panics(os.Getenv("PANIC"), l.Password)
	return nil, errors.New("no panic")
}

type session struct{}

func (session) Check(context.Context) error                     { return nil }
func (session) Close() error                                    { return nil }
func (session) Preflight(context.Context, database.Login) error { return nil }
func (session) CheckPassword(context.Context, string) error     { return nil }
func (session) SetPassword(_ context.Context, c database.Change) error {
	panic(fmt.Errorf("setting %q", c.Target.Password))
}

// A credential prints itself, as careless types do.
type credential struct{ Password string }

func (c credential) String() string { return c.Password }

func panics(how, password string) {
	switch how {
	case "text":
		panic("the password is " + password)
	case "error":
		panic(fmt.Errorf("logging in with %q", password))
	case "value":
		panic(credential{password})
	case "runtime":
		var logins map[string]string
		logins[password] = password
	}
}
