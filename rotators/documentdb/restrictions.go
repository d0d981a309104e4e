package documentdb

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// admitted is an error if the restrictions of a user, or of a role that it has,
// let nobody in who comes from where this session does. It is for a user that no
// password is known of: any other has proven by a login that it is let in.
// To which address of the server a session goes, its own end cannot tell.
func (c *conn) admitted(ctx context.Context, u user) error {
	sets := u.Inherited
	if len(u.Restrictions) > 0 {
		sets = append(slices.Clone(sets), u.Restrictions)
	}
	if len(sets) == 0 {
		return nil
	}
	from, err := c.origin(ctx)
	if err != nil {
		c.login.Report.Notef("%q has authentication restrictions, and this trial could not check whether they let this function in: %v.", u.Name, err)
		return nil
	}
	for _, set := range sets {
		if len(set) > 0 && !slices.ContainsFunc(set, func(r bson.RawValue) bool { return admits(r, from) }) {
			return rotation.Fail(rotation.LoginRefused, "the authentication restrictions of %q, or of a role that it has, let nobody in from %v, where this function comes from", u.Name, from).
				With(fmt.Sprintf("Let the authenticationRestrictions of %q and of its roles name that address (updateUser, updateRole), or revoke the role that must not be used from there; then rotate again.", u.Name))
		}
	}
	return nil
}

// origin is the address from which the server sees this session come.
func (c *conn) origin(ctx context.Context) (netip.Addr, error) {
	var out struct {
		You string `bson:"you"`
	}
	if err := c.ask(ctx, "admin", bson.D{{Key: "whatsmyuri", Value: 1}}, &out); err != nil {
		return netip.Addr{}, err
	}
	from, err := netip.ParseAddrPort(out.You)
	return from.Addr().Unmap(), err
}

// admits reports whether one restriction allows a client's address. One that
// cannot be read is none.
// Source: MongoDB manual, "Authentication Restrictions": one of a list of them
// has to be met, and of a user and all its roles each list.
func admits(restriction bson.RawValue, from netip.Addr) bool {
	var r struct {
		Sources []string `bson:"clientSource"`
	}
	if err := restriction.Unmarshal(&r); err != nil || len(r.Sources) == 0 {
		return true
	}
	return slices.ContainsFunc(r.Sources, func(source string) bool {
		if one, err := netip.ParseAddr(source); err == nil {
			return one.Unmap() == from
		}
		all, err := netip.ParsePrefix(source)
		return err != nil || all.Contains(from)
	})
}
