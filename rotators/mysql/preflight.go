package mysql

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Preflight implements database.Conn.
func (c *conn) Preflight(ctx context.Context, target database.Login) error {
	return c.preflight(ctx, target.User, "")
}

// PreflightClone implements database.Administrator.
func (c *conn) PreflightClone(ctx context.Context, p database.Pair) error {
	return c.preflight(ctx, p.Original.User, p.Clone.User)
}

// PreflightHandBack implements database.Administrator.
func (c *conn) PreflightHandBack(ctx context.Context, p database.Pair, drift bool) error {
	if drift {
		return c.PreflightClone(ctx, p) // which takes as much
	}
	return c.Preflight(ctx, p.Original)
}

// preflight checks that the session may change the password of user and, if clone
// is not empty, make clone a clone of user.
func (c *conn) preflight(ctx context.Context, user, clone string) error {
	f, err := c.settle(ctx, user, clone)
	if err != nil {
		return err
	}
	if user == c.login.User && clone == "" {
		return c.preflightOwn(ctx, f)
	}
	own, err := c.ownHoldings(ctx)
	if err != nil {
		return err
	}
	if !own.has("CREATE USER", everywhere) {
		return rotation.Fail(rotation.MissingPrivilege, "%s may not change other users: it lacks CREATE USER", f.self).
			With("As an administrator: GRANT CREATE USER ON *.* TO " + f.self.String() + ";")
	}
	if clone == "" {
		_, err := c.targets(ctx, f, user)
		return err
	}
	k := cloning{conn: c, facts: f, original: user, clone: clone}
	if err := k.read(ctx); err != nil {
		return err
	}
	return k.preflight(ctx, own)
}

// preflight checks that a session with these rights may grant all that the
// original has, and that there is somebody who can.
func (k *cloning) preflight(ctx context.Context, own *holdings) error {
	var missing []string
	for _, s := range k.sources {
		of, err := k.holdingsOf(ctx, k.facts, s.account)
		if err != nil {
			return err
		}
		lacks := own.cannotGrant(of, k.facts)
		if missing = append(missing, lacks...); len(lacks) > 0 {
			continue // and it may not see what is there
		}
		if err := k.goneColumns(ctx, s.account, of); err != nil {
			return err
		}
	}
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
		missing, more = missing[:most], " and so on"
	}
	return rotation.Fail(rotation.MissingPrivilege, "%s may not grant all that %q has", k.self, k.original).
		With("As an administrator: " + strings.Join(missing, "; ") + ";" + more)
}

func (c *conn) preflightOwn(ctx context.Context, f *facts) error {
	if f.self.user != c.login.User {
		return notOwn(c.login.User, f)
	}
	c.noteOthers(f)
	if !f.maria {
		return nil
	}
	t, why, err := c.ownWays(ctx, f)
	if err != nil || why != "" {
		return err
	}
	return firstIsPassword(t)
}

// cannotGrant are the statements that would let h grant all that of has.
func (h *holdings) cannotGrant(of *holdings, f *facts) []string {
	var missing []string
	for _, o := range objects(of, newHoldings()) {
		var lacks []right
		for _, r := range minus(of.on[o], nil) {
			if !o.denied && r.privilege != grantOption && !h.mayGrant(r, o.name) && !h.mayGrantAll(r, o.name, f.dialect) {
				lacks = append(lacks, r)
			}
		}
		if len(lacks) > 0 {
			missing = append(missing, fmt.Sprintf(grantRemedy(lacks, o), f.self))
		}
	}
	for _, role := range slices.Sorted(maps.Keys(of.roles)) {
		if !h.roles[role] && !h.has("ROLE_ADMIN", everywhere) && !(h.has("SUPER", everywhere) && !f.maria) {
			missing = append(missing, "GRANT "+role+" TO "+f.self.String()+" WITH ADMIN OPTION")
		}
	}
	if len(of.defaults) > 0 && !h.has("UPDATE", everywhere) && !h.has("UPDATE", "`mysql`.*") {
		missing = append(missing, "GRANT UPDATE ON mysql.* TO "+f.self.String())
	}
	return missing
}

// mayGrant reports whether h has a right on an object, or on what it is in, with
// the option to grant it.
func (h *holdings) mayGrant(r right, name string) bool {
	if r.dynamic() {
		return h.on[object{name: everywhere}][right{privilege: r.privilege, option: true}] || h.on[object{name: everywhere}][right{privilege: allPrivileges}]
	}
	for o, list := range h.on {
		if o.denied || !list[right{privilege: grantOption}] || !contains(o.name, name) {
			continue
		}
		if list[right{privilege: allPrivileges}] || list[right{privilege: r.privilege}] || list[r] {
			return true
		}
	}
	return false
}

// mayGrantAll reports whether r is ALL PRIVILEGES and h may grant each of them,
// as administrators of MySQL 8 have them.
func (h *holdings) mayGrantAll(r right, name string, d dialect) bool {
	if r.privilege != allPrivileges {
		return false
	}
	for _, p := range everyPrivilege(name, d) {
		if !h.mayGrant(right{privilege: p}, name) {
			return false
		}
	}
	return true
}

// contains reports whether a grant on outer is one on inner too. The name of a
// database is a pattern as LIKE has it.
func contains(outer, inner string) bool {
	if outer == everywhere || outer == inner {
		return true
	}
	database, ok := strings.CutSuffix(outer, ".*")
	if !ok {
		return false
	}
	for _, kind := range []string{"PROCEDURE ", "FUNCTION ", "PACKAGE BODY ", "PACKAGE "} {
		inner = strings.TrimPrefix(inner, kind)
	}
	l, m := lexer{source: database}, lexer{source: inner}
	pattern, err1 := l.next()
	name, err2 := m.next()
	if err1 != nil || err2 != nil {
		return false
	}
	if strings.HasSuffix(inner, ".*") { // a pattern itself
		return pattern.value == name.value || like(pattern.value, unescapeLike(name.value))
	}
	return like(pattern.value, name.value)
}

func unescapeLike(pattern string) string {
	return strings.NewReplacer(`\\`, `\`, `\_`, `_`, `\%`, `%`).Replace(pattern)
}

// like matches a LIKE pattern.
func like(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	switch {
	case pattern[0] == '%':
		for i := 0; i <= len(text); i++ {
			if like(pattern[1:], text[i:]) {
				return true
			}
		}
		return false
	case text == "":
		return false
	case pattern[0] == '_':
		_, size := utf8.DecodeRuneInString(text)
		return like(pattern[1:], text[size:])
	case pattern[0] == '\\' && len(pattern) > 1:
		pattern = pattern[1:]
	}
	return pattern[0] == text[0] && like(pattern[1:], text[1:])
}
