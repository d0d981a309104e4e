package mysql

import (
	"context"
	"slices"

	mysql "github.com/go-sql-driver/mysql"
)

// A rehearsal cannot ask the server what a statement did that was not sent. What the
// next one depends on is worked out here; elsewhere a rehearsal goes the same way as
// the real thing.

// foreseeHash is what the server will say against a password as a hash.
// Source: MariaDB's "strict_password_validation", and validate_password in its
// sql_acl.cc.
func (c *conn) foreseeHash(ctx context.Context) error {
	if !c.login.Report.Rehearses() {
		return nil
	}
	if strict, err := c.strict(ctx); err != nil || !strict {
		return err
	}
	return &mysql.MySQLError{Number: codeOption, Message: "strict-password-validation"}
}

// strict reports whether a MariaDB server wants to see passwords, to check them.
func (c *conn) strict(ctx context.Context) (bool, error) {
	is, err := c.column(ctx, "SELECT @@GLOBAL.strict_password_validation AND EXISTS (SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'PASSWORD VALIDATION' AND PLUGIN_STATUS = 'ACTIVE')")
	return err == nil && isOn(is[0]), err
}

// now is what an account has: in a rehearsal, after all that was not sent.
func (k *cloning) now(ctx context.Context, a account) (*holdings, error) {
	h, ok := k.foreseen[a]
	if !ok {
		return k.beginning(ctx, a)
	}
	if k.maria { // see lend
		for _, role := range h.defaults {
			h.lent[role] = k.lends(role, a.host)
		}
	}
	return h, nil
}

// lends: one of the user's accounts has a role that those of a host may have as their
// default.
func (k *cloning) lends(role, host string) bool {
	for other, h := range k.foreseen {
		if _, ok := h.roles[role]; ok && serves(other.host, host) {
			return true
		}
	}
	return false
}

// beginning is what an account has before the first change.
func (k *cloning) beginning(ctx context.Context, a account) (*holdings, error) {
	h, err := k.holdingsOf(ctx, k.facts, a)
	if err != nil || !k.login.Report.Rehearses() {
		return h, err
	}
	if !k.maria { // which tells them with the grants
		h.defaults, err = k.defaultRoles(ctx, k.facts, a, h)
	}
	k.foreseen[a] = h
	return h, err
}

// foreseeNew begins an account that was not made.
func (k *cloning) foreseeNew(a account) {
	if k.login.Report.Rehearses() {
		k.foreseen[a] = newHoldings()
	}
}

// foresee does to what an account has what a change would do to it that was not sent,
// or is what the server would say against it.
func (k *cloning) foresee(ctx context.Context, a account, ch change) error {
	if !k.login.Report.Rehearses() {
		return nil
	}
	if ch.absent != nil && ch.on.isTable() {
		there, err := k.isThere(ctx, ch.on)
		if err != nil {
			return err
		}
		if !there {
			return &mysql.MySQLError{Number: codeNoTable, Message: "there is no such table"}
		}
	}
	return k.foreseeDone(ctx, a, ch)
}

// foreseeDone is foresee for a change that the server would take.
func (k *cloning) foreseeDone(ctx context.Context, a account, ch change) error {
	if !k.login.Report.Rehearses() {
		return nil
	}
	if k.own == nil {
		own, err := k.ownHoldings(ctx)
		if err != nil {
			return err
		}
		k.own = own
	}
	has, err := k.now(ctx, a)
	if err != nil {
		return err
	}
	h := has.after(ch, k.own)
	switch {
	case ch.proxied != account{} && ch.option: // it becomes one for everything (seen on all servers)
		h.put(object{name: everywhere}, right{privilege: grantOption})
	case ch.role != "" && ch.revokes && !k.maria:
		h.defaults = slices.DeleteFunc(slices.Clone(h.defaults), func(role string) bool { return role == ch.role })
	}
	k.foreseen[a] = h
	return nil
}

// activeRoles are the default roles of a clone's account, after its rights were made
// those of the original's.
func (k *cloning) activeRoles(ctx context.Context, a account) ([]string, error) {
	now, err := k.now(ctx, a)
	if err != nil {
		return nil, err
	}
	if k.login.Report.Rehearses() && !k.maria {
		return now.defaults, nil
	}
	return k.defaultRoles(ctx, k.facts, a, now)
}
