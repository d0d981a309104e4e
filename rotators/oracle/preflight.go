package oracle

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Preflight implements database.Conn.
func (c *conn) Preflight(ctx context.Context, target database.Login) error {
	name := exact(target.User)
	f, err := c.know(ctx, name)
	if err != nil {
		return err
	}
	if name == f.self { // a user may always change its own password
		return checkPassword(c.login.Password, "current", "As an administrator, set another password, and put it into the secret's AWSCURRENT version.")
	}
	if err := c.mayAlter(ctx, f, alterUser); err != nil {
		return err
	}
	return c.usable(ctx, f, name)
}

// mayAlter says which system privileges the session lacks.
func (c *conn) mayAlter(ctx context.Context, f *facts, needs ...need) error {
	rows, err := c.rows(ctx, "SELECT PRIVILEGE FROM SESSION_PRIVS")
	if err != nil {
		return fault(err)
	}
	var missing []string
	for _, n := range needs {
		if !slices.ContainsFunc(rows, func(row []string) bool { return row[0] == n.what }) {
			missing = append(missing, n.to(f.self))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return rotation.Fail(rotation.MissingPrivilege, "%s may not make and change other users", ident(f.self)).With("As an administrator: " + strings.Join(missing, " "))
}

// PreflightHandBack implements database.Administrator.
func (c *conn) PreflightHandBack(ctx context.Context, p database.Pair, drift bool) error {
	if err := c.Preflight(ctx, p.Original); err != nil {
		return err
	}
	f, plan, err := c.handBack(ctx, p, drift)
	if err != nil {
		return err
	}
	may, err := c.powers(ctx, f)
	if err != nil {
		return err
	}
	if err := c.enough(may, plan, exact(p.Clone.User)); err != nil {
		return err
	}
	return c.passable(ctx, may, plan)
}

// PreflightClone implements database.Administrator: it makes Clone's plan, and asks
// of each statement whether the session may run it.
func (c *conn) PreflightClone(ctx context.Context, p database.Pair) error {
	k := &cloning{conn: c, original: exact(p.Original.User), clone: exact(p.Clone.User)}
	f, err := c.know(ctx, k.original, k.clone)
	if err != nil {
		return err
	}
	k.facts = f
	if err := c.mayAlter(ctx, f, createUser, alterUser); err != nil {
		return err
	}
	if err := k.read(ctx); err != nil {
		return err
	}
	if k.to == nil {
		if err := k.free(ctx); err != nil {
			return err
		}
		k.to = newAccount(k.from.attributes)
	}
	may, err := c.powers(ctx, f)
	if err != nil {
		return err
	}
	plan := k.plan()
	if err := c.enough(may, plan, k.original); err != nil {
		return err
	}
	if err := k.revocable(may); err != nil {
		return err
	}
	return c.passable(ctx, may, plan)
}

// free says whether a role has the name of the clone, which is to be made.
func (k *cloning) free(ctx context.Context) error {
	rows, err := k.rows(ctx, "SELECT ROLE FROM DBA_ROLES WHERE ROLE = :1", k.clone)
	if err != nil {
		return k.lacks(err, k.facts, readsCatalog)
	}
	if len(rows) == 0 {
		return nil
	}
	return rotation.Fail(rotation.BadConfig, "a role is called %s, so that no user can be", ident(k.clone)).
		With("Choose another CLONE_SUFFIX, or drop the role.")
}

// revocable names what the clone has beyond the original and the session cannot
// take away: the rotation ends then.
func (k *cloning) revocable(may *powers) error {
	var rest, remedies []string
	add := func(what, by string) {
		if slices.Contains(rest, what) {
			return
		}
		rest = append(rest, what)
		remedies = append(remedies, "as "+ident(by)+": REVOKE "+what+" FROM "+ident(k.clone)+";")
	}
	has, want := k.to.grants.without(k.original, k.clone), k.from.grants.without(k.original, k.clone)
	for _, g := range has.sorted() {
		by := k.to.lent[g]
		if w, ok := want[g]; ok && w.covers(has[g]) || may.mayRevoke(g, by) {
			continue
		}
		add(g.whole().String(), cmp.Or(by, g.on.owner, "SYS"))
	}
	for _, r := range slices.Sorted(maps.Keys(k.to.roles)) {
		if _, ok := k.from.roles[r]; !ok && !may.may[anyRole] && !may.own.roles[r].admin && !may.indirect[r] {
			add(ident(r), "SYS")
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return rotation.Fail(rotation.MoreRights, "%s may do more than %s, and %s cannot take it away: %s", ident(k.clone), ident(k.original), ident(may.self), strings.Join(rest, "; ")).
		With("Grant it to the original, or take it from the clone, " + strings.Join(remedies, " "))
}

// passable names the views of a plan that can be shared with nobody.
func (c *conn) passable(ctx context.Context, may *powers, plan []statement) error {
	owners, views := map[string]bool{}, map[object]bool{}
	for _, s := range plan {
		if s.needs.what == anyObject && s.attempt == "" && !may.own.faulty[s.on] {
			owners[s.on.owner], views[s.on] = true, true
		}
	}
	var names, remedies []string
	for owner := range owners {
		all, err := c.unpassable(ctx, owner)
		if err != nil {
			return fault(err)
		}
		for view, statements := range all {
			if views[view] {
				names, remedies = append(names, view.String()), append(remedies, statements...)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return rotation.Fail(rotation.MissingPrivilege, "what the views %s are made of cannot be passed on by their owner", strings.Join(names, ", ")).With(passOn(remedies))
}
