package oracle

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A statement is one step of a plan.
type statement struct {
	sql  string
	what string   // the statement is about, for people
	on   object   // what is granted on, if it is an object
	args []string // binds, which a call of PL/SQL can have
	// needs is what lets the administrator run the statement.
	needs need
	// attempt says, for people, what the statement does if the plan goes on
	// without it: a failure costs nobody a right. Empty means that the plan
	// depends on it.
	attempt string
	// done are codes that say that nothing is left to do.
	done []int
}

// told is the statement with what its binds stand for.
func (s statement) told() string {
	var all []string
	for i, value := range s.args {
		all = append(all, fmt.Sprint(":", i+1), "'"+strings.ReplaceAll(value, "'", "''")+"'")
	}
	return strings.NewReplacer(all...).Replace(s.sql)
}

// carryOut runs the statements one by one: DDL has no transactions. Each may be
// said again, so that nothing is lost if it ends half-way. All are sent, also those
// on an object that took the first one ill: a plan says the same beforehand.
func (c *conn) carryOut(ctx context.Context, f *facts, plan []statement) error {
	useless := map[object]bool{}
	for _, s := range plan {
		err := c.exec(ctx, s.sql, s.told(), s.args...)
		switch {
		case err == nil:
			c.login.Report.Changed(s.told())
		case isCode(err, s.done...), useless[s.on] && lasting(err):
		case s.on != (object{}) && c.isUseless(ctx, s.on, err):
			useless[s.on] = true
		case s.attempt != "" && lasting(err):
			c.login.Report.Notef("The administrator could not %s: %v", s.attempt, fault(err))
		default:
			return fmt.Errorf("%s: %w", s.what, c.refused(ctx, f, s, err))
		}
	}
	return nil
}

// refused says what to do about a statement that a plan depends on.
func (c *conn) refused(ctx context.Context, f *facts, s statement, err error) error {
	switch {
	case isRaised(err) && len(s.args) > 0:
		return &rotation.Fault{Class: rotation.MissingPrivilege, Err: fault(err), Remedy: byRoles}
	case isRaised(err):
		return &rotation.Fault{Class: rotation.MissingPrivilege, Err: fault(err), Remedy: ddlTrigger}
	case s.on == (object{}):
	case isCode(err, codeNoColumn):
		return &rotation.Fault{Class: rotation.Unavailable, Err: fault(err), Transient: true, Remedy: "A column was dropped meanwhile: run the rotation again."}
	case isCode(err, codeNoGrantOption):
		if remedy := c.basesOf(ctx, s.on); remedy != "" {
			return &rotation.Fault{Class: rotation.MissingPrivilege, Err: fault(err), Remedy: remedy}
		}
	}
	return c.lacks(err, f, s.needs)
}

// attributeChanges are the statements that turn the attributes that user has
// into want.
func attributeChanges(user string, has, want attributes) []statement {
	var clauses string
	for _, a := range []struct{ clause, has, want string }{
		{" DEFAULT TABLESPACE ", has.tablespace, want.tablespace},
		{" TEMPORARY TABLESPACE ", has.temporary, want.temporary},
		{" PROFILE ", has.profile, want.profile},
	} {
		if a.has != a.want && a.want != "" {
			clauses += a.clause + ident(a.want)
		}
	}
	if clauses == "" {
		return nil
	}
	return []statement{{sql: "ALTER USER " + ident(user) + clauses, what: "tablespaces and profile", needs: alterUser}}
}

// quotaChanges are the statements that turn the quotas that user has into want.
func quotaChanges(user string, has, want map[string]string) []statement {
	var clauses string
	for _, t := range slices.Sorted(maps.Keys(has)) {
		if want[t] == "" {
			clauses += " QUOTA 0 ON " + ident(t)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(want)) {
		switch n := want[t]; {
		case n == has[t]:
		case strings.HasPrefix(n, "-"):
			clauses += " QUOTA UNLIMITED ON " + ident(t)
		case strings.Trim(n, "0123456789") == "":
			clauses += " QUOTA " + n + " ON " + ident(t)
		}
	}
	if clauses == "" {
		return nil
	}
	return []statement{{sql: "ALTER USER " + ident(user) + clauses, what: "quotas", needs: alterUser}}
}

// roleChanges are the statements that turn the roles that user has into want. An
// option goes with the role alone: to lose it is to lose the role and to get it
// back. Which roles are the defaults is said last, as it names them.
func roleChanges(user string, has, want map[string]role) []statement {
	var all []statement
	kept := maps.Clone(has)
	for _, r := range slices.Sorted(maps.Keys(has)) {
		w, ok := want[r]
		if ok && (w.admin || !has[r].admin) && (w.delegate || !has[r].delegate) {
			continue
		}
		delete(kept, r)
		all = append(all, statement{sql: "REVOKE " + ident(r) + " FROM " + ident(user), done: []int{codeNoRoleGrant},
			what:    "the role " + ident(r),
			attempt: "revoke from " + ident(user) + " the role " + ident(r) + ", which the original has not, or not with the same options"})
	}
	for _, r := range slices.Sorted(maps.Keys(want)) {
		w := want[r]
		k, ok := kept[r]
		give := "GRANT " + ident(r) + " TO " + ident(user)
		what, needs := "the role "+ident(r), passingRole(r)
		if w.admin && !k.admin {
			all = append(all, statement{sql: give + " WITH ADMIN OPTION", what: what, needs: needs})
		}
		if w.delegate && !k.delegate {
			all = append(all, statement{sql: give + " WITH DELEGATE OPTION", what: what, needs: needs})
		}
		if !ok && !w.admin && !w.delegate {
			all = append(all, statement{sql: give, what: what, needs: needs})
		}
	}
	if len(all) == 0 && slices.Equal(defaults(has), defaults(want)) {
		return nil
	}
	names := "NONE"
	if d := defaults(want); len(d) > 0 {
		names = strings.Join(d, ", ")
	}
	return append(all, statement{sql: "ALTER USER " + ident(user) + " DEFAULT ROLE " + names, what: "default roles", needs: alterUser})
}

// defaults are the roles that are on from the login, quoted and sorted.
func defaults(roles map[string]role) []string {
	var names []string
	for _, r := range slices.Sorted(maps.Keys(roles)) {
		if roles[r].byDefault {
			names = append(names, ident(r))
		}
	}
	return names
}

// grantChanges are the statements that turn what user has into want. An option,
// or one of several columns, can only be lost with the whole privilege, which is
// granted again then.
func grantChanges(f *facts, user string, has, want grants) []statement {
	lost := losing(has, want)
	kept := maps.Clone(has)
	maps.DeleteFunc(kept, func(g grant, _ option) bool { _, ok := lost[g.whole()]; return ok })
	var all []statement
	for _, g := range lost.sorted() {
		all = append(all, revoking(f, user, g))
	}
	missing := grants{}
	for g, w := range want {
		if k, ok := kept[g]; !ok || !k.covers(w) {
			missing[g] = w
		}
	}
	for _, some := range merged(missing.sorted(), missing) {
		all = append(all, granting(f, user, some, missing[some[0]])...)
	}
	return all
}

// losing is what has to be revoked of what a user has, to leave it with no more
// than it is to have.
func losing(has, want grants) grants {
	lost := grants{}
	for g, o := range has {
		if w, ok := want[g]; !ok || !w.covers(o) {
			lost[g.whole()] = option{}
		}
	}
	return lost
}

func revoking(f *facts, user string, g grant) statement {
	attempt := "revoke from " + ident(user) + " what the original does not have, or not with the same options: " + g.String()
	if f.byRDS(g) {
		return statement{sql: "BEGIN rdsadmin.rdsadmin_util.revoke_sys_object(p_obj_name => :1, p_revokee => :2, p_privilege => :3); END;",
			args: []string{g.on.name, user, g.privilege}, what: g.String(), attempt: attempt}
	}
	return statement{sql: "REVOKE " + g.String() + " FROM " + ident(user), what: g.String(), attempt: attempt, done: []int{codeNoSystemGrant}}
}

// granting are the statements that give user privileges on one object.
func granting(f *facts, user string, some []grant, o option) []statement {
	if f.byRDS(some[0]) {
		return rdsGranting(user, some, o)
	}
	s := statement{what: phrase(some), needs: passing(some)}
	if !some[0].isSystem() {
		s.on = some[0].on
	}
	s.sql = "GRANT " + s.what + " TO " + ident(user)
	if o.hierarchy {
		s.sql += " WITH HIERARCHY OPTION" // which the manual has before the other
	}
	if o.grantable {
		s.sql += s.needs.option
	}
	return []statement{s}
}

// byRDS reports whether a grant is one that the master user of RDS cannot make by
// itself, but a package of RDS for it.
// Source: RDS User Guide, "Granting SELECT or EXECUTE privileges to SYS objects".
func (f *facts) byRDS(g grant) bool {
	return f.rds && g.on.owner == "SYS" && g.on.kind == "" && g.column == ""
}

func rdsGranting(user string, some []grant, o option) []statement {
	var all []statement
	for _, g := range some {
		sql := "BEGIN rdsadmin.rdsadmin_util.grant_sys_object(p_obj_name => :1, p_grantee => :2, p_privilege => :3); END;"
		if o.grantable {
			sql = "BEGIN rdsadmin.rdsadmin_util.grant_sys_object(p_obj_name => :1, p_grantee => :2, p_privilege => :3, p_grant_option => TRUE); END;"
		}
		all = append(all, statement{sql: sql, args: []string{g.on.name, user, g.privilege}, what: g.String(), needs: passing([]grant{g})})
	}
	return all
}
