package documentdb

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
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
	// Inherited are the restrictions of each role that has some.
	Inherited [][]bson.RawValue `bson:"inheritedAuthenticationRestrictions"`
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
		err = rotation.Fail(rotation.NoUser, "there is no user %q in the authentication database %q", name, c.place.authSource).With(c.remedyUser())
	}
	return u, err
}

// remedyUser is for a user that is not there.
func (c *conn) remedyUser() string {
	if c.amazon {
		return "Create the user, or correct the secret's username."
	}
	return "Create the user, or name the database that it is defined in: authSource in the secret."
}

// known is must for a password alone, which can be set without knowing more of
// the user. It is not documented whether users of DocumentDB may view themselves.
func (c *conn) known(ctx context.Context, name string) (user, error) {
	if c.rehearsed != nil && c.rehearsed.Name == name {
		return *c.rehearsed, nil
	}
	u, err := c.must(ctx, name)
	var f *rotation.Fault
	if c.amazon && errors.As(err, &f) && f.Class == rotation.MissingPrivilege {
		c.login.Report.Remarkf("%q may not view the user %q: if it has mechanisms other than the server's usual ones, the new password does not keep them.", c.login.User, name)
		return user{Name: name}, nil
	}
	return u, err
}

// at returns c for the authentication database of a user, which the user's own
// secret names. A name alone is nobody: the databases of a server may each have a
// user of that name.
func (c *conn) at(target database.Login) (*conn, error) {
	if c.amazon {
		return c, nil // "always attributed to the admin database" (Managing Amazon DocumentDB users)
	}
	name, err := authSource(target, c.place.usual)
	if err != nil {
		return nil, err
	}
	return c.in(name), nil
}
