package redistest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/gomodule/redigo/redis"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// An example is what is behind a [servertest.Example]: keys that begin with rotor_example, and an administrator of users alone.
type example struct {
	server *Server
	tag    string
	undone []string // users that were made
}

// Example opens the newest server of a product, alone, or the one that ROTOR_TEST_REDIS names. The error is [ErrNone] where
// there is none.
func Example(product string) func(ctx context.Context) (*servertest.Example, error) {
	return func(ctx context.Context) (*servertest.Example, error) {
		s, err := Best(product)
		if err != nil {
			return nil, err
		}
		x := &example{server: s, tag: s.Tag()}
		e, err := servertest.NewExample(&s.Server, x.undo)
		if err != nil {
			return nil, err
		}
		e.Administrator = x.secret("rotor_admin" + x.tag)
		e.Overlap = true
		e.User, e.Login, e.Create, e.Use = x.user, x.login, x.create, x.use
		e.Client = fmt.Sprintf(`REDISCLI_AUTH=$(echo "$secret" | jq -r .password) %s -h %s -p %d --tls --cacert %s --user %%s`,
			map[string]string{Redis: "redis-cli", Valkey: "valkey-cli"}[product], s.Host, s.Port, e.CAFile)
		if err := x.make(ctx, e.Administrator, Administers...); err != nil {
			return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), e.Close(ctx))
		}
		return e, nil
	}
}

// Administers are the rights of whoever changes users, and nothing else. ChangesItself has them too: whoever may change
// one user may change all.
var Administers = []string{"+acl|getuser", "+acl|setuser", "+acl|save", "+config|rewrite", "+info", "+cluster|myid", "+cluster|shards"}

func (x *example) secret(user string) map[string]any {
	d := x.server.Place()
	d["username"], d["password"] = user, rand.Text()
	return d
}

// make makes a secret's user with rules.
func (x *example) make(ctx context.Context, secret map[string]any, rules ...string) error {
	name := servertest.Text(secret, "username")
	x.undone = append(x.undone, name, name+"_clone")
	arguments := []any{"SETUSER", name, "on", ">" + servertest.Text(secret, "password")}
	for _, r := range rules {
		arguments = append(arguments, r)
	}
	return x.server.Everywhere(ctx, "ACL", arguments...)
}

func (x *example) user(ctx context.Context, name string) (map[string]any, error) {
	secret := x.secret(name + x.tag)
	return secret, x.make(ctx, secret, append([]string{"~rotor_example*", "+ping", "+set", "+get", "+del"}, Administers...)...)
}

// as runs a command as a secret's user.
func (x *example) as(ctx context.Context, secret map[string]any, command string, arguments ...any) error {
	c, err := x.server.Connect(ctx, x.server.Port, servertest.Text(secret, "username"), servertest.Text(secret, "password"))
	if err != nil {
		return err
	}
	_, err = c.Do(command, arguments...)
	return errors.Join(err, c.Close())
}

// Refused says whether an error of Connect is that the server did not take user or password.
func Refused(err error) bool {
	e, ok := errors.AsType[redis.Error](err)
	return ok && strings.HasPrefix(string(e), "WRONGPASS")
}

func (x *example) login(ctx context.Context, secret map[string]any) error {
	err := x.as(ctx, secret, "HELLO")
	if Refused(err) {
		return servertest.ErrRefused
	}
	return err
}

func (x *example) create(ctx context.Context, secret map[string]any) error {
	return x.as(ctx, secret, "SET", "rotor_example"+x.tag, "tea")
}

func (x *example) use(ctx context.Context, secret map[string]any) error {
	return errors.Join(x.as(ctx, secret, "GET", "rotor_example"+x.tag), x.as(ctx, secret, "DEL", "rotor_example"+x.tag))
}

func (x *example) undo(ctx context.Context) error {
	for _, user := range x.undone {
		if err := x.server.Everywhere(ctx, "ACL", "DELUSER", user); err != nil {
			return err
		}
	}
	return nil
}
