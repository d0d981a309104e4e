package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// What a session may do, by what it was granted.

// mayUsers reports whether h may run CREATE USER, ALTER USER or DROP USER: with
// CREATE USER, or with the right to INSERT into, UPDATE or DELETE from the
// servers' own tables.
// Source: MySQL manual, "ALTER USER Statement" and its like; MariaDB's "ALTER USER".
func (h *holdings) mayUsers(verb string) bool {
	return h.has("CREATE USER", everywhere) || h.hasOn(right{privilege: verb}, "`mysql`.*")
}

// mayUpdate reports whether h may UPDATE all of a database.
func (h *holdings) mayUpdate(name string) bool { return h.hasOn(right{privilege: "UPDATE"}, name) }

// hasOn reports whether h has a right on an object, or on what it is in and where
// it is not denied.
func (h *holdings) hasOn(r right, name string) bool {
	for o, list := range h.on {
		if o.denied || !contains(o.name, name) || o.name == everywhere && h.denies(r, name) {
			continue
		}
		if list[r] || r.privilege != grantOption && (list[right{privilege: r.privilege}] || list[right{privilege: allPrivileges}]) {
			return true
		}
	}
	return false
}

// denies reports whether a right on everything is denied in the database of an object.
// Source: MySQL manual, "Privilege Restriction Using Partial Revokes".
func (h *holdings) denies(r right, name string) bool {
	for o, list := range h.on {
		if o.denied && contains(o.name, name) && list[right{privilege: r.privilege}] {
			return true
		}
	}
	return false
}

// may reports whether h may make a change of what an account has.
func (h *holdings) may(ch change, f *facts, has *holdings) bool {
	switch {
	case ch.role != "":
		return h.roles[ch.role] || !f.maria && (h.has("ROLE_ADMIN", everywhere) || h.has("SUPER", everywhere))
	case ch.proxied != account{}:
		return h.mayProxy(ch.proxied, f)
	case ch.revokes && ch.on.name == everywhere && !h.mayTakeEverywhere(ch.rights, has):
		return false
	}
	return !slices.ContainsFunc(ch.rights, func(r right) bool {
		r.option = r.option && !ch.revokes // the option goes with the privilege
		return !h.mayGrant(r, ch.on.name, f.dialect)
	})
}

// mayGrant reports whether h may grant a right on an object, or take it away: it
// has the right and the grant option, each on the object or on what it is in.
func (h *holdings) mayGrant(r right, name string, d dialect) bool {
	switch {
	case r.dynamic():
		return h.mayGrantDynamic(r)
	case !h.hasOn(right{privilege: grantOption}, name):
		return false
	case r.privilege == grantOption, r.privilege == "USAGE", h.hasOn(r, name):
		return true
	case r.privilege != allPrivileges:
		return false
	}
	return !slices.ContainsFunc(everyPrivilege(name, d), func(p string) bool { return !h.hasOn(right{privilege: p}, name) })
}

// mayGrantDynamic reports whether h may grant a dynamic privilege: it has it with
// its own grant option, or may UPDATE the servers' own tables; and has the static
// one on everything, if it is to pass the option on (seen on MySQL 8.0.33 and
// 9.7.4).
func (h *holdings) mayGrantDynamic(r right) bool {
	may := h.on[object{name: everywhere}][right{privilege: r.privilege, option: true}] || h.mayUpdate("`mysql`.*")
	return may && (!r.option || h.hasOn(right{privilege: grantOption}, everywhere))
}

// mayProxy reports whether h may let others act as an account: whoever is that
// account may, and who has the same with the grant option. The servers compare the
// host of the latter with where the session comes from.
func (h *holdings) mayProxy(as account, f *facts) bool {
	if as == f.self {
		return true
	}
	for name, option := range h.proxies {
		held, ok := parseQuoted(name)
		if ok && option && (held.user == "" || held.user == as.user) && serves(held.host, f.from) {
			return true
		}
	}
	return false
}

// parseQuoted reads account.String().
func parseQuoted(text string) (account, bool) {
	l := lexer{source: text}
	user, err1 := l.next()
	at, err2 := l.next()
	host, err3 := l.next()
	return account{user.value, host.value}, err1 == nil && err2 == nil && err3 == nil && at.is("@")
}

const systemUser = "SYSTEM_USER"

// beyond fails if one of these accounts is changed by none but system users, and
// the session is no such one.
// Source: MySQL manual, "Account Categories".
func (c *conn) beyond(ctx context.Context, f *facts, own *holdings, accounts []target) error {
	for _, t := range accounts {
		is, err := c.isBeyond(ctx, f, own, t.account)
		if err != nil {
			return err
		}
		if is {
			return rotation.Fail(rotation.MissingPrivilege, "%s may not change %s, which has SYSTEM_USER", f.self, t.account).
				With("As an administrator: GRANT " + systemUser + " ON *.* TO " + f.self.String() + "; then rotate again.")
		}
	}
	return nil
}

// isBeyond reports whether only system users may change an account, or grant a
// role, and the session is none. An account's roles do not count (seen on MySQL
// 8.0.33 and 9.7.4). What may not be read is for the server to say.
func (c *conn) isBeyond(ctx context.Context, f *facts, own *holdings, a account) (bool, error) {
	if !f.since(8, 0, 16) || own.has(systemUser, everywhere) {
		return false, nil
	}
	h, err := c.readHoldings(ctx, "SHOW GRANTS FOR "+a.String(), a)
	if isPrivilege(err) {
		return false, nil
	}
	return err == nil && h.has(systemUser, everywhere), err
}

// defining fails if accounts that are to be made or dropped are the definers of
// what is there, as far as the session sees, and it may not do that to such ones.
// Source: MySQL manual, "CREATE USER Statement", "DROP USER Statement".
func (k *cloning) defining(ctx context.Context, own *holdings, accounts []account) error {
	if len(accounts) == 0 || !k.since(8, 0, 22) {
		return nil
	}
	for _, privilege := range []string{"SET_USER_ID", "SET_ANY_DEFINER", "ALLOW_NONEXISTENT_DEFINER"} {
		if own.has(privilege, everywhere) {
			return nil
		}
	}
	var definers []string
	for _, a := range accounts {
		definers = append(definers, literal(a.user+"@"+a.host))
	}
	names, err := k.column(ctx, k.queryDefined("IN ("+strings.Join(definers, ", ")+")"))
	if err != nil {
		return fault(err)
	}
	if len(names) == 0 {
		return nil
	}
	return rotation.Fail(rotation.MissingPrivilege, "%s may neither make nor drop accounts of %q that are the definers of %s", k.self, k.clone, strings.Join(names, ", ")).
		With(fmt.Sprintf("As an administrator: GRANT %s ON *.* TO %s;", k.definerless(), k.self))
}

// definerless is the privilege to make and drop accounts that are definers.
// Source: MySQL manual, 8.2.2 "Privileges Provided by MySQL".
func (d dialect) definerless() string {
	if d.since(8, 2, 0) {
		return "ALLOW_NONEXISTENT_DEFINER"
	}
	return "SET_USER_ID"
}
