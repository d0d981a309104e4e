package documentdb

import (
	"bytes"
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
)

// Clone implements database.Administrator. A clone that does not exist is made by
// one command, with all that it may. One that exists loses and gets the roles
// in which it differs: to replace its whole list
// would take the right to revoke any role in any database.
func (c *conn) Clone(ctx context.Context, p database.Pair) error {
	original, clone := p.Original.User, p.Clone.User
	if err := c.writable(ctx); err != nil {
		return err
	}
	there, err := c.at(p.Original)
	if err != nil {
		return err
	}
	want, err := there.must(ctx, original)
	if err != nil {
		return err
	}
	has, found, err := there.look(ctx, clone)
	if err != nil {
		return err
	}
	if c.login.Report.Rehearses() {
		c.rehearsed = &user{Name: clone, Mechanisms: want.Mechanisms}
		if len(want.Mechanisms) == 0 {
			c.rehearsed.Mechanisms = has.Mechanisms
		}
	}
	if !found {
		err := there.explain(there.secure(ctx, there.creation(want, p.Clone), want), clone)
		if !isDuplicate(err) {
			return err
		}
		if has, err = there.must(ctx, clone); err != nil { // another run was first
			return err
		}
	}
	return there.explain(there.equalize(ctx, want, has, p.Clone.Password), clone)
}

// creation makes a clone, with the password of its secret: a run that follows one
// that was cut short knows it again by that.
func (c *conn) creation(want user, clone database.Login) bson.D {
	roles := want.Roles
	if roles == nil {
		roles = []role{} // the field is required
	}
	command := bson.D{{Key: "createUser", Value: clone.User}, {Key: "pwd", Value: clone.Password}, {Key: "roles", Value: roles}}
	return append(command, c.settings(want, user{})...)
}

// equalize makes an existing clone the same as the original.
func (c *conn) equalize(ctx context.Context, want, has user, password string) error {
	for _, step := range []struct {
		command string
		roles   []role
	}{{"revokeRolesFromUser", without(has.Roles, want.Roles)}, {"grantRolesToUser", without(want.Roles, has.Roles)}} {
		if err := c.moveRoles(ctx, step.command, has.Name, step.roles); err != nil {
			return err
		}
	}
	fields := c.settings(want, has)
	if !slices.Equal(want.Mechanisms, has.Mechanisms) && len(want.Mechanisms) > 0 {
		// Mechanisms come with a password.
		fields = append(fields, bson.E{Key: "pwd", Value: password}, bson.E{Key: "mechanisms", Value: want.Mechanisms})
	}
	if len(fields) == 0 {
		return nil
	}
	return c.change(ctx, append(bson.D{{Key: "updateUser", Value: has.Name}}, fields...))
}

// moveRoles grants or revokes roles, if there are any.
func (c *conn) moveRoles(ctx context.Context, command, name string, roles []role) error {
	if len(roles) == 0 {
		return nil
	}
	move := bson.D{{Key: command, Value: name}, {Key: "roles", Value: roles}}
	err := c.change(ctx, move)
	if err == nil {
		c.login.Report.Changed(c.text(move))
	}
	return err
}

func without(all, less []role) []role {
	return slices.DeleteFunc(slices.Clone(all), func(r role) bool { return slices.Contains(less, r) })
}

// settings are the fields that turn what a user has besides roles into what the
// original has. What is the same is not said: to say it takes privileges that
// the administrator may lack.
func (c *conn) settings(want, has user) bson.D {
	var fields bson.D
	if c.amazon {
		if !isEmpty(want.CustomData) {
			c.login.Report.Remarkf("The custom data of %q is not copied to its clone: it is not known whether DocumentDB takes it.", want.Name)
		}
		return nil
	}
	if !slices.EqualFunc(want.Restrictions, has.Restrictions, bson.RawValue.Equal) {
		restrictions := want.Restrictions
		if restrictions == nil {
			restrictions = []bson.RawValue{}
		}
		fields = append(fields, bson.E{Key: "authenticationRestrictions", Value: restrictions})
	}
	switch {
	case isEmpty(want.CustomData) && isEmpty(has.CustomData), want.CustomData.Equal(has.CustomData):
	case isEmpty(want.CustomData):
		fields = append(fields, bson.E{Key: "customData", Value: bson.D{}})
	default:
		fields = append(fields, bson.E{Key: "customData", Value: want.CustomData})
	}
	return fields
}

// isEmpty reports whether custom data is missing, or an object without fields.
func isEmpty(data bson.RawValue) bool {
	return data.IsZero() || data.Type == bson.TypeEmbeddedDocument && bytes.Equal(data.Value, []byte{5, 0, 0, 0, 0})
}

// HandBack implements database.Administrator. Nothing on these servers has an
// owner.
func (c *conn) HandBack(ctx context.Context, p database.Pair, drift bool) error {
	if !drift {
		return nil
	}
	original, clone := p.Original.User, p.Clone.User
	if err := c.writable(ctx); err != nil {
		return err
	}
	c, err := c.at(p.Original)
	if err != nil {
		return err
	}
	has, err := c.must(ctx, original)
	if err != nil {
		return err
	}
	more, found, err := c.look(ctx, clone)
	if err != nil || !found {
		return err
	}
	return c.explain(c.moveRoles(ctx, "grantRolesToUser", original, without(more.Roles, has.Roles)), original)
}
