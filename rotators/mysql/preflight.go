package mysql

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Preflight implements database.Conn.
func (c *conn) Preflight(ctx context.Context, target database.Login) error {
	f, err := c.settle(ctx, target.User)
	if err != nil {
		return err
	}
	if target.User == c.login.User {
		return c.preflightOwn(ctx, f, target)
	}
	own, err := c.ownHoldings(ctx)
	if err != nil {
		return err
	}
	return c.preflightSet(ctx, f, own, target.User)
}

// preflightSet checks that the session may set the password of another user.
func (c *conn) preflightSet(ctx context.Context, f *facts, own *holdings, user string) error {
	if !own.mayUsers("UPDATE") {
		return lacksCreateUser(f)
	}
	targets, err := c.targets(ctx, f, user)
	if err != nil {
		return err
	}
	return c.beyond(ctx, f, own, targets)
}

// PreflightClone implements database.Administrator.
func (c *conn) PreflightClone(ctx context.Context, p database.Pair) error {
	k, own, err := c.preflighting(ctx, p)
	if err != nil {
		return err
	}
	if !own.mayUsers("UPDATE") {
		return lacksCreateUser(k.facts)
	}
	if err := k.read(ctx); err != nil {
		return err
	}
	return k.preflight(ctx, own)
}

// PreflightHandBack implements database.Administrator.
func (c *conn) PreflightHandBack(ctx context.Context, p database.Pair, drift bool) error {
	k, own, err := c.preflighting(ctx, p)
	if err != nil {
		return err
	}
	return k.preflightBack(ctx, own, drift)
}

// preflighting reads what a trial has to know of a pair, and what the session may.
func (c *conn) preflighting(ctx context.Context, p database.Pair) (*cloning, *holdings, error) {
	f, err := c.settle(ctx, p.Original.User, p.Clone.User)
	if err != nil {
		return nil, nil, err
	}
	own, err := c.ownHoldings(ctx)
	return &cloning{conn: c, facts: f, original: p.Original.User, clone: p.Clone.User}, own, err
}

func lacksCreateUser(f *facts) error {
	return rotation.Fail(rotation.MissingPrivilege, "%s may not change other users: it lacks CREATE USER", f.self).
		With("As an administrator: GRANT CREATE USER ON *.* TO " + f.self.String() + "; then rotate again.")
}

// preflight checks that a session with these rights may make the clone what the
// original is: what it will say is what Clone says.
func (k *cloning) preflight(ctx context.Context, own *holdings) error {
	if err := k.preflightAccounts(ctx, own); err != nil {
		return err
	}
	var missing []string
	for _, s := range k.sources {
		lacks, err := k.preflightAt(ctx, own, s)
		if err != nil {
			return err
		}
		missing = append(missing, lacks...)
	}
	return k.unable(own, missing)
}

// unable is the failure for want of what these statements do.
func (k *cloning) unable(own *holdings, missing []string) error {
	slices.Sort(missing)
	if missing = slices.Compact(missing); len(missing) == 0 {
		return nil
	}
	if err := own.whole(k.self); err != nil { // it may lack nothing
		return err
	}
	const most = 20
	more := ""
	if len(missing) > most {
		missing, more = missing[:most], " More is lacking, and named then."
	}
	return rotation.Fail(rotation.MissingPrivilege, "%s may not give and take all in which %q and %q differ", k.self, k.original, k.clone).
		With("As an administrator: " + strings.Join(missing, "; ") + "; then rotate again." + more)
}

// preflightAccounts checks that the session may make, change and drop the clone's
// accounts, and mark the original's.
func (k *cloning) preflightAccounts(ctx context.Context, own *holdings) error {
	var all []target
	var making, dropping []account
	hosts := map[string]bool{}
	for _, s := range k.sources {
		hosts[s.host] = true
		all = append(all, s.target())
		if _, ok := k.made[s.host]; !ok {
			making = append(making, k.at(s))
		}
	}
	for _, host := range slices.Sorted(maps.Keys(k.made)) {
		a := account{k.clone, host}
		if all = append(all, target{account: a}); !hosts[host] {
			dropping = append(dropping, a)
		}
	}
	if len(making) > 0 && !own.mayUsers("INSERT") || len(dropping) > 0 && !own.mayUsers("DELETE") {
		return lacksCreateUser(k.facts)
	}
	if err := k.beyond(ctx, k.facts, own, all); err != nil {
		return err
	}
	return k.defining(ctx, own, append(making, dropping...))
}

// preflightAt is what the session lacks to make one of the clone's accounts what
// the original's is.
func (k *cloning) preflightAt(ctx context.Context, own *holdings, s source) ([]string, error) {
	want, err := k.holdingsOf(ctx, k.facts, s.account)
	if err != nil {
		return nil, err
	}
	has := newHoldings()
	if _, ok := k.made[s.host]; ok {
		if has, err = k.holdingsOf(ctx, k.facts, k.at(s)); err != nil {
			return nil, err
		}
	}
	missing, err := k.rehearse(ctx, own, has, want, k.at(s))
	if err != nil || len(missing) > 0 {
		return missing, err // and it may not see what is there
	}
	if !slices.Equal(want.active(want), has.active(want)) && !own.mayUpdate("`mysql`.*") {
		missing = append(missing, "GRANT UPDATE ON mysql.* TO "+k.self.String())
	}
	return missing, k.goneColumns(ctx, s.account, without(want, has))
}

// rehearse is what the session lacks for all that become would do.
func (k *cloning) rehearse(ctx context.Context, own, has, want *holdings, a account) (missing []string, err error) {
	for range rounds {
		list := differences(has, want, a.String())
		for _, ch := range list {
			lacks, err := k.lacking(ctx, own, has, ch)
			if err != nil {
				return nil, err
			}
			missing = append(missing, lacks...)
			has = has.after(ch, own)
		}
		if len(list) == 0 || len(own.denials()) == 0 && len(has.denials()) == 0 { // then all is done at once
			break
		}
	}
	return missing, nil
}

// lacking is what the session lacks for a change of what an account has.
func (k *cloning) lacking(ctx context.Context, own, has *holdings, ch change) (missing []string, err error) {
	role, beyond := parseQuoted(ch.role)
	if beyond {
		if beyond, err = k.isBeyond(ctx, k.facts, own, role); err != nil {
			return nil, err
		}
	}
	switch {
	case beyond && !ch.revokes:
		missing = append(missing, "GRANT "+systemUser+" ON *.* TO "+k.self.String())
	case own.may(ch, k.facts, has) && !beyond:
	case ch.revokes:
		return []string{ch.statement}, nil
	default:
		return []string{fmt.Sprintf(ch.remedy, k.self)}, nil
	}
	if ch.absent == nil || !ch.on.isTable() || own.mayGrant(right{privilege: "CREATE"}, ch.on.name, k.dialect) {
		return missing, nil
	}
	there, err := k.isThere(ctx, ch.on)
	if err == nil && !there {
		missing = append(missing, fmt.Sprintf(grantRemedy([]right{{privilege: "CREATE"}}, ch.on), k.self))
	}
	return missing, err
}

// preflightBack checks that the session may set the original's password, and that
// the server will let it in with it.
func (k *cloning) preflightBack(ctx context.Context, own *holdings, drift bool) error {
	if err := k.preflightSet(ctx, k.facts, own, k.original); err != nil {
		return err
	}
	accounts, err := k.accountsOf(ctx, k.facts, k.original)
	if err != nil {
		return err
	}
	t, ok := taken(accounts, k.from)
	if ok || len(accounts) == 1 {
		if err := k.admits(ctx, cmp.Or(t.account, accounts[0].account)); err != nil {
			return err
		}
	}
	if drift {
		return k.preflightDrift(ctx, own, accounts)
	}
	return nil
}

// admits checks that an account lets in whoever has its password.
func (k *cloning) admits(ctx context.Context, a account) error {
	d, err := k.definitionOf(ctx, k.facts, a)
	if err != nil {
		return err
	}
	demands := d.require == "X509"
	if d.demanding {
		want, err := k.demandsOf(ctx, k.facts, a)
		if err != nil {
			return err
		}
		demands = want["SUBJECT"] != "" || want["ISSUER"] != ""
	}
	switch {
	case d.locked:
		return rotation.Fail(rotation.AccountLocked, "the account %s is locked, and %q is next", a, k.original).
			With("As an administrator: ALTER USER " + a.String() + " ACCOUNT UNLOCK; then rotate again.")
	case demands:
		return rotation.Fail(rotation.LoginRefused, "the account %s wants a certificate of the client, and Rotor has none", a).
			With("As an administrator: ALTER USER " + a.String() + " REQUIRE SSL; then rotate again.")
	case len(d.ways) > 0 && !hasPassword(d.ways):
		return noPassword(target{a, d.ways})
	}
	return nil
}

func (c *conn) preflightOwn(ctx context.Context, f *facts, current database.Login) error {
	if f.self.user != c.login.User {
		return notOwn(c.login.User, f)
	}
	c.noteOthers(f)
	if !f.maria {
		return c.proves(ctx, f, current)
	}
	t, why, err := c.ownWays(ctx, f)
	if err != nil || why != "" {
		return err
	}
	return firstIsPassword(t)
}
