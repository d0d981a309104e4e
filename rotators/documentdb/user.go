package documentdb

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A user is what usersInfo tells of one, without credentials.
type user struct {
	Name         string          `bson:"user"`
	Database     string          `bson:"db"`
	Roles        []role          `bson:"roles"`
	Mechanisms   []string        `bson:"mechanisms"`
	CustomData   bson.RawValue   `bson:"customData"`
	Restrictions []bson.RawValue `bson:"authenticationRestrictions"`
}

// look reads a user of the authentication database. It is found or not.
func (c *conn) look(ctx context.Context, name string) (u user, found bool, err error) {
	who := bson.D{{Key: "user", Value: name}, {Key: "db", Value: c.place.authSource}}
	command := bson.D{{Key: "usersInfo", Value: who}}
	if !c.amazon {
		command = append(command, bson.E{Key: "showAuthenticationRestrictions", Value: true})
	}
	var out struct {
		Users []user `bson:"users"`
	}
	if err := c.ask(ctx, c.place.authSource, command, &out); err != nil || len(out.Users) == 0 {
		return u, false, c.explain(err, name)
	}
	u = out.Users[0]
	slices.SortFunc(u.Roles, func(a, b role) int {
		return strings.Compare(a.Database+"\x00"+a.Name, b.Database+"\x00"+b.Name)
	})
	slices.Sort(u.Mechanisms)
	u.Restrictions = flat(u.Restrictions)
	return u, true, nil
}

// flat takes restrictions out of the lists in which a server may show them.
func flat(restrictions []bson.RawValue) (all []bson.RawValue) {
	for _, r := range restrictions {
		inner, ok := r.ArrayOK()
		if !ok {
			all = append(all, r)
			continue
		}
		values, err := inner.Values()
		if err == nil {
			all = append(all, flat(values)...)
		}
	}
	return all
}

// must is look for a user that has to be there.
func (c *conn) must(ctx context.Context, name string) (user, error) {
	u, found, err := c.look(ctx, name)
	if err == nil && !found {
		err = rotation.Fail(rotation.NoUser, "there is no user %q in the authentication database %q", name, c.place.authSource).
			With("Create the user, or name the database that it is defined in: authSource in the secret.")
	}
	return u, err
}

// known is must for a password alone, which can be set without knowing more of
// the user. It is not documented whether users of DocumentDB may view themselves.
func (c *conn) known(ctx context.Context, name string) (user, error) {
	u, err := c.must(ctx, name)
	var f *rotation.Fault
	if c.amazon && errors.As(err, &f) && f.Class == rotation.MissingPrivilege {
		c.login.Report.Notef("%q may not view the user %q: if it has mechanisms other than the server's usual ones, the new password does not keep them.", c.login.User, name)
		return user{Name: name}, nil
	}
	return u, err
}

// home returns c for the authentication database of a user. The session's own
// is the one that it logged in to. An administrator's may be another than the
// user's, whose secret it does not see: it looks in all databases that it may.
func (c *conn) home(ctx context.Context, name string) (*conn, error) {
	if c.amazon {
		return c, nil // "always attributed to the admin database" (Managing Amazon DocumentDB users)
	}
	who := c.searched(name)
	if who == nil {
		return c, nil
	}
	var out struct {
		Users []user `bson:"users"`
	}
	command := bson.D{{Key: "usersInfo", Value: who}}
	if _, all := who.(bson.D); all {
		command = append(command, bson.E{Key: "filter", Value: bson.D{{Key: "user", Value: name}}})
	}
	if err := c.ask(ctx, "admin", command, &out); err != nil {
		return nil, err
	}
	var homes []string
	for _, u := range out.Users {
		if u.Name == name {
			homes = append(homes, u.Database)
		}
	}
	switch len(homes) {
	case 0:
		return c, nil
	case 1:
		return c.in(homes[0]), nil
	}
	return nil, rotation.Fail(rotation.BadSecret, "the name %q is taken in several authentication databases: %s", name, strings.Join(homes, ", ")).
		With("An administrator's session cannot tell which of them is meant. Rename one, or give the administrator the right to view the users of one database only.")
}

// searched is what usersInfo has to be asked to find a name in all databases
// whose users the session may view; nil if that is its own at most.
func (c *conn) searched(name string) any {
	if c.granted.allow("viewUser", resource{Cluster: true}) {
		return bson.D{{Key: "forAllDBs", Value: true}}
	}
	var users bson.A
	for _, database := range c.granted.databases(c.place.authSource, "admin", c.login.Database) {
		if c.granted.allow("viewUser", resource{Database: database}) {
			users = append(users, bson.D{{Key: "user", Value: name}, {Key: "db", Value: database}})
		}
	}
	if len(users) == 0 {
		return nil
	}
	return users
}
