package oracle

import (
	"context"
	"maps"
	"slices"
)

// Rights implements database.Administrator. A session sees its own grants without any
// privilege. Quotas are compared as such, without their size.
func (c *conn) Rights(ctx context.Context, twin string) ([]string, error) {
	f, err := c.know(ctx)
	if err != nil {
		return nil, err
	}
	other := exact(twin)
	me := newAccount(attributes{})
	pair := map[string]*account{f.self: me, other: newAccount(attributes{})}
	if err := c.read(ctx, f, pair, session, f.self, other); err != nil {
		return nil, fault(err)
	}
	return rightsOf(me, pair[other].owned, f.self, other, me.faulty), nil
}

// rightsOf are the rights of one of two users as lines, sorted. What may be
// granted on has a second line, so that who has more has the lines of who has
// less. A line about an object of either user says whose it is by the part that
// the user plays; owner, and whoever may grant the privilege on, have the same
// line. Rights on some objects are left out.
func rightsOf(me *account, twins objects, self, twin string, but map[object]bool) []string {
	lines := map[string]bool{}
	line := func(has bool, text string) {
		if has {
			lines[text] = true
		}
	}
	for tablespace, bytes := range me.quotas {
		line(true, "quota on tablespace "+ident(tablespace))
		line(bytes[0] == '-', "unlimited quota on tablespace "+ident(tablespace))
	}
	for name, r := range me.roles {
		line(true, "role "+ident(name))
		line(r.admin, "role "+ident(name)+" with admin option")
		line(r.delegate, "role "+ident(name)+" with delegate option")
		line(r.byDefault, "role "+ident(name)+" by default")
	}
	for g, o := range me.grants.without(self, twin) {
		if but[g.on] {
			continue
		}
		line(true, g.String())
		line(o.grantable, g.String()+" with grant option")
		line(o.hierarchy, g.String()+" with hierarchy option")
	}
	for o, kind := range me.owned {
		for _, p := range shared[kind] {
			line(!but[o], p+" on "+ident(o.name)+" in the schema of the "+part(self, twin))
		}
	}
	for o, kind := range twins {
		for _, p := range shared[kind] {
			line(!but[o] && me.grants[grant{privilege: p, on: o}].grantable, p+" on "+ident(o.name)+" in the schema of the "+part(twin, self))
		}
	}
	return slices.Sorted(maps.Keys(lines))
}

// part is the one that a user plays beside its twin: a clone's name is the
// longer one.
func part(user, twin string) string {
	if len(user) > len(twin) {
		return "clone"
	}
	return "original"
}
