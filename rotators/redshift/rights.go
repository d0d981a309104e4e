package redshift

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// Rights implements database.Administrator. It sees the rights in the session's own
// database, and those on all databases and on the cluster. Rights in other
// databases are neither copied nor compared.
func (c *conn) Rights(ctx context.Context, twin string) ([]string, error) {
	pair, err := c.profiles(ctx, c.login.User, twin)
	if err != nil {
		return nil, err
	}
	me, other := pair[c.login.User], pair[twin]
	if me == nil {
		return nil, noUser(c.login.User)
	}
	if other == nil {
		other = newProfile(attributes{}, nil)
	}
	return rightsOf(me, other, grants.coarse), nil
}

// rightsOf are the rights of one of two users as lines, sorted. What may be
// granted on has a second line, so that who has more has the lines of who has
// less. On what one of the two owns, the owner and whoever holds all that can be
// granted have the same line; the other one may have less, which then is nothing
// that the owner could lack. A superuser, who sees what its twin has, may do all of
// that too. Compared are one's grants as they compare with the other's.
func rightsOf(me, twin *profile, compared func(one, other grants) grants) []string {
	switch {
	case me.super && twin.super:
		return []string{"superuser"}
	case me.super:
		return append([]string{"superuser"}, rightsOf(twin, me, compared)...)
	}
	lines := map[string]bool{}
	line := func(has bool, text string) {
		if has {
			lines[text] = true
		}
	}
	line(me.createDB, "CREATEDB")
	line(me.unrestricted, "SYSLOG ACCESS UNRESTRICTED")
	for group := range me.groups {
		line(true, "member of group "+pgwire.Ident(group))
	}
	withOption(lines, me.roles, " with admin option", func(role string) string { return "role " + pgwire.Ident(role) })
	withOption(lines, compared(me.grants, twin.grants).without(me.owned, twin.owned), " with grant option", grant.String)
	withOption(lines, received(me.defaults), " with grant option", defaultGrant.String)
	for o := range me.owned {
		line(true, "all privileges "+o.on())
	}
	for o := range twin.owned {
		line(o.in(me.grants), "all privileges "+o.on())
	}
	return slices.Sorted(maps.Keys(union(lines, me.extras.lines(twin.extras))))
}

func withOption[M ~map[K]bool, K comparable](lines map[string]bool, held M, option string, text func(K) string) {
	for k, on := range held {
		lines[text(k)] = true
		if on {
			lines[text(k)+option] = true
		}
	}
}

// Preflight implements database.Conn.
func (c *conn) Preflight(ctx context.Context, target database.Login) error {
	return c.preflight(ctx, target.User, "")
}

// PreflightClone implements database.Administrator. A superuser may say all that
// Clone says; what it has no statement for is looked for here.
func (c *conn) PreflightClone(ctx context.Context, p database.Pair) error {
	if err := c.preflight(ctx, p.Original.User, p.Clone.User); err != nil {
		return err
	}
	original, clone, err := c.bothProfiles(ctx, p)
	if err != nil {
		return err
	}
	c.remarkViews(p.Original.User, original.materialized)
	if original.super { // and so will be the clone
		return nil
	}
	has := extras{}
	if clone != nil {
		has = clone.extras
	}
	lacks, more := original.extras.differing(has.becoming(original.extras))
	return cmp.Or(unequal(rotation.FewerRights, p.Clone.User, p.Original.User, lacks), unequal(rotation.MoreRights, p.Clone.User, p.Original.User, more))
}

// PreflightHandBack implements database.Administrator: it takes what a clone takes,
// since what the clone owns has to be seen.
func (c *conn) PreflightHandBack(ctx context.Context, p database.Pair, drift bool) error {
	if err := c.preflight(ctx, p.Original.User, p.Clone.User); err != nil || !drift {
		return err
	}
	original, clone, err := c.bothProfiles(ctx, p)
	if err != nil || clone == nil || original.super || clone.super {
		return err
	}
	lacks, _ := clone.extras.differing(original.extras.with(clone.extras))
	return unequal(rotation.FewerRights, p.Original.User, p.Clone.User, lacks)
}

// unequal says in what user will differ from the other one.
func unequal(class rotation.Class, user, other string, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	return rotation.Fail(class, "%q would differ from %q in what Rotor has no statement for: %s", user, other, strings.Join(lines, "; ")).
		With("Make the two equal in that, as a superuser; then rotate again.")
}

// remarkViews names what a clone can read and not refresh.
// Source: Database Developer Guide, "REFRESH MATERIALIZED VIEW": its owner does.
func (c *conn) remarkViews(user string, views []string) {
	if len(views) > 0 {
		c.login.Report.Remarkf("Only its owner refreshes a materialized view, and so the clone cannot in its turn: "+
			"let these of %q refresh by themselves (AUTO REFRESH YES): %s", user, strings.Join(views, ", "))
	}
}

// preflight: a user may change its own password; that of another takes a superuser
// or the system privilege ALTER USER, which comes with a role. To clone takes a
// superuser: nobody else sees what was granted to others.
func (c *conn) preflight(ctx context.Context, user, clone string) error {
	me := c.login.User
	if err := c.usable(ctx, user); err != nil {
		return err
	}
	pair := map[string]*profile{}
	if err := c.readUsers(ctx, pair, me, user); err != nil {
		return err
	}
	switch mine := pair[me]; {
	case mine == nil:
		return noUser(me)
	case mine.super, me == user && clone == "":
		return nil
	case pair[user].super:
		return rotation.Fail(rotation.MissingPrivilege, "%q is a superuser, and %q is not", user, me).With(superuserRemedy(me))
	case clone != "":
		return rotation.Fail(rotation.MissingPrivilege, "%q is no superuser, and so does not see all that %q may do", me, user).With(superuserRemedy(me))
	}
	return c.mayAlterUsers(ctx)
}
