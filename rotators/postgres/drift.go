package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// HandBack implements database.Administrator: the original gets what was
// granted to the clone by itself, the roles and attributes that only the clone
// has, and the objects that it owns.
func (c *conn) HandBack(ctx context.Context, p database.Pair, drift bool) error {
	if !drift {
		return nil // what a clone makes is its original's
	}
	return c.carryOut(ctx, p, func(k *cloning) (plan, error) { return k.driftPlan(ctx) })
}

// PreflightHandBack implements database.Administrator.
func (c *conn) PreflightHandBack(ctx context.Context, p database.Pair, drift bool) error {
	if !drift {
		return c.preflight(ctx, p.Original.User)
	}
	return c.planning(ctx, p, func(k *cloning) (plan, error) { return k.driftPlan(ctx) })
}

// driftPlan gives the original what only its clone has. It is refused if the session
// may not say some of it, or if the original would still have less.
func (k *cloning) driftPlan(ctx context.Context) (p plan, err error) {
	if _, err := k.mayChange(ctx, k.tx, k.original, false); err != nil {
		return p, err
	}
	p.gives = map[string]bool{}
	for _, step := range []func(context.Context, *plan) error{
		k.handBack,
		k.giveExcess,
		k.giveRoles,
		k.giveDefaults,
		k.giveAttributes,
	} {
		if err := step(ctx, &p); err != nil {
			return p, err
		}
	}
	if len(p.lacking) > 0 {
		return p, k.unable(p.lacking)
	}
	d, err := k.compare(ctx)
	if err != nil {
		return p, err
	}
	if left := slices.DeleteFunc(d.Clone, func(right string) bool { return p.gives[right] }); len(left) > 0 {
		return p, rotation.Fail(rotation.FewerRights, "%q may do less than %q, which is in use, and cannot be given: %s", k.original, k.clone, some(left)).
			With(fmt.Sprintf("Give it to %q by hand, or take it from %q; then rotate again. %s", k.original, k.clone, d.Remedy))
	}
	return p, nil
}

// give adds a change that gives the original lines of Compare.
func (p *plan) give(may bool, ch change, lines ...string) {
	for _, line := range lines {
		p.gives[line] = true
	}
	if p.add(ch); !may {
		p.lacking = append(p.lacking, ch)
	}
}

// unable is the error of a session that may not say some of a plan, which a superuser
// may.
func (k *cloning) unable(lacking []change) error {
	var all []string
	for _, ch := range lacking {
		all = append(all, ch.statement)
	}
	return rotation.Fail(rotation.MissingPrivilege, "%q may not give %q what only %q has", k.login.User, k.original, k.clone).
		With("As a superuser: " + statements(all) + " Then rotate again.")
}

// handBack gives the original what the clone owns.
func (k *cloning) handBack(ctx context.Context, p *plan) error {
	h, err := k.owned(ctx)
	if err != nil {
		return err
	}
	for _, statement := range h.stuck {
		p.lacking = append(p.lacking, change{statement: statement})
	}
	if len(h.objects) == 0 {
		return nil
	}
	if !h.powers {
		return rotation.Fail(rotation.MissingPrivilege, "%q may not hand over what %q owns: %s", k.login.User, k.clone, some(h.objects)).With(k.handingRemedy())
	}
	var lines []string
	for _, object := range h.objects {
		lines = append(lines, ownership(object))
	}
	p.give(h.mayHand, change{statement: k.reassign()}, lines...)
	return nil
}

// handingRemedy explains what REASSIGN OWNED takes: the powers of both roles, and, since
// version 16, that the session inherits the one and may become the other.
func (k *cloning) handingRemedy() string {
	self, inherit, set := pgwire.Ident(k.login.User), "", ""
	if k.major() >= 16 {
		inherit, set = " WITH INHERIT TRUE", " WITH INHERIT TRUE, SET TRUE"
	}
	return fmt.Sprintf("As a superuser: GRANT %s TO %s%s; GRANT %s TO %s%s; or, once: %s;",
		pgwire.Ident(k.clone), self, inherit, pgwire.Ident(k.original), self, set, k.reassign())
}

// giveExcess gives the original what was granted to the clone by itself.
func (k *cloning) giveExcess(ctx context.Context, p *plan) error {
	excess, err := k.excess(ctx)
	for _, d := range excess {
		if statement, ok := d.grantTo(k.original); ok {
			p.give(d.mayGive, change{statement: statement, as: d.giveAs}, d.String())
		}
	}
	return err
}

// giveRoles makes the original a member of what the clone is a member of.
func (k *cloning) giveRoles(ctx context.Context, p *plan) error {
	all, err := k.memberships(ctx)
	if err != nil {
		return err
	}
	inherits, err := k.inherits(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		alike := m.originals && (!m.inherited || m.originally) && (!m.admin || m.administers)
		statement := k.grantRole(m)
		if m.role == k.original || alike || statement == "" {
			continue
		}
		lines, err := k.linesOf(ctx, m, inherits)
		if err != nil {
			return err
		}
		p.give(m.mayGive, change{statement: statement}, lines...)
	}
	return nil
}

// inherits reports whether the original will inherit from roles that it is granted.
func (k *cloning) inherits(ctx context.Context) (bool, error) {
	if k.major() >= 16 {
		return true, nil // where grantRole says so
	}
	a, err := k.attributes(ctx, k.original)
	return a.flags[flagInherit], fault(err)
}

// linesOf are what a member has of a role, as Compare says it: memberships, and if it
// inherits them, rights.
func (k *cloning) linesOf(ctx context.Context, m membership, inherits bool) ([]string, error) {
	own := grant{kind: "role", object: m.quoted, privilege: "membership"}
	optional := own
	optional.grantable = true
	lines := []string{own.String(), optional.String()}
	rows, err := k.tx.Query(ctx, k.queryRights(), k.clone, m.role, m.role)
	if err != nil {
		return nil, fault(err)
	}
	grants, err := pgx.CollectRows(rows, scanGrant)
	for _, g := range grants {
		if inherits && m.inherited || g.kind == "role" {
			lines = append(lines, g.String())
		}
	}
	return lines, fault(err)
}

// giveDefaults gives what the clone makes to the same roles when the original makes
// it, where the two act as themselves.
func (k *cloning) giveDefaults(ctx context.Context, p *plan) error {
	var acts [2]string
	for i, user := range []string{k.original, k.clone} {
		var err error
		if acts[i], err = k.acts(ctx, user); err != nil {
			return err
		}
	}
	if acts != [2]string{k.original, k.clone} {
		return nil
	}
	has, err := k.defaults(ctx, k.original, k.clone)
	if err != nil {
		return err
	}
	want, err := k.defaults(ctx, k.clone, k.original)
	if err != nil {
		return err
	}
	for _, d := range want {
		if !slices.Contains(has, d) {
			p.give(d.may, change{statement: d.statement(k.original), as: d.as}, d.line())
		}
	}
	return nil
}

// giveAttributes gives the original the attributes that only the clone has.
func (k *cloning) giveAttributes(ctx context.Context, p *plan) error {
	original, err := k.attributes(ctx, k.original)
	if err != nil {
		return fault(err)
	}
	clone, err := k.attributes(ctx, k.clone)
	if err != nil {
		return fault(err)
	}
	both := original
	both.flags = slices.Clone(original.flags)
	for i, name := range flagNames {
		if clone.flags[i] && i != flagInherit {
			both.flags[i] = true
			p.gives[name] = true
		}
	}
	said := options(original, both)
	if said == "" {
		return nil
	}
	if err := k.mayGive(ctx, k.original, original, both); err != nil {
		return err
	}
	p.add(change{statement: "ALTER ROLE " + pgwire.Ident(k.original) + said})
	return nil
}
