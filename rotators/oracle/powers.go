package oracle

import (
	"context"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// System privileges by which a session passes on what it does not have itself.
// Source: SQL Language Reference, "GRANT", prerequisites.
const (
	anyObject = "GRANT ANY OBJECT PRIVILEGE" // but not on what is SYS's
	anySystem = "GRANT ANY PRIVILEGE"
	anySchema = "GRANT ANY SCHEMA PRIVILEGE"
	anyRole   = "GRANT ANY ROLE"
)

// A need is what lets a session run a statement.
type need struct {
	what, option string  // as GRANT gives it
	passes       []grant // what the statement passes on, all on one object
	role         string  // or the role that it does
}

var (
	createUser   = need{what: "CREATE USER"}
	alterUser    = need{what: "ALTER USER"}
	readsCatalog = need{what: "SELECT_CATALOG_ROLE"}
)

func passing(some []grant) need {
	n := need{what: phrase(some), option: " WITH GRANT OPTION", passes: some}
	if some[0].isSystem() {
		n.option = " WITH ADMIN OPTION"
	}
	return n
}

func passingRole(name string) need {
	return need{what: ident(name), option: " WITH ADMIN OPTION", role: name}
}

func (n need) to(user string) string {
	return "GRANT " + n.what + " TO " + ident(user) + n.option + ";"
}

// broad is the one system privilege that is enough for all needs of the kind.
func (n need) broad() need {
	switch {
	case n.role != "":
		return need{what: anyRole}
	case len(n.passes) > 0 && n.passes[0].on.owner != "SYS":
		return need{what: n.passes[0].passedBy()}
	}
	return n
}

// isSystem reports whether a grant is a system privilege, perhaps on one schema.
func (g grant) isSystem() bool { return g.on == (object{}) || g.on.kind == schemaKind }

func (g grant) passedBy() string {
	switch {
	case g.on == (object{}):
		return anySystem
	case g.on.kind == schemaKind:
		return anySchema
	}
	return anyObject
}

// powers are what a session may do for others.
type powers struct {
	*facts
	may      map[string]bool // system privileges, through roles too
	own      *account
	indirect map[string]bool // roles that it may pass on by another role alone
	byRole   map[grant]bool  // on what is SYS's, on RDS
}

func (c *conn) powers(ctx context.Context, f *facts) (*powers, error) {
	p := &powers{facts: f, may: map[string]bool{}, own: newAccount(attributes{}), indirect: map[string]bool{}, byRole: map[grant]bool{}}
	pair, err := c.accounts(ctx, f, f.self, f.self)
	if err != nil {
		return nil, err
	}
	if own := pair[f.self]; own != nil {
		p.own = own
	}
	type question struct {
		query string
		put   func(row []string)
	}
	questions := []question{
		{"SELECT PRIVILEGE FROM SESSION_PRIVS", func(row []string) { p.may[row[0]] = true }},
		{"SELECT PRIVILEGE FROM ROLE_SYS_PRIVS WHERE ADMIN_OPTION = 'YES'", func(row []string) { p.own.grants[grant{privilege: row[0]}] = option{grantable: true} }},
		{"SELECT GRANTED_ROLE FROM ROLE_ROLE_PRIVS WHERE ADMIN_OPTION = 'YES'", func(row []string) { p.indirect[row[0]] = true }},
	}
	if f.rds {
		questions = append(questions, question{"SELECT TABLE_NAME, PRIVILEGE FROM ROLE_TAB_PRIVS WHERE OWNER = 'SYS'", func(row []string) {
			p.byRole[grant{privilege: row[1], on: object{owner: "SYS", name: row[0]}}] = true
		}})
	}
	for _, q := range questions {
		rows, err := c.rows(ctx, q.query)
		if err != nil {
			return nil, fault(err)
		}
		for _, row := range rows {
			q.put(row)
		}
	}
	return p, nil
}

// mayPass reports whether the session may grant g to others. On RDS it may do that
// with all that it has on what is SYS's, be it by a role.
// Source: RDS User Guide, "Granting SELECT or EXECUTE privileges to SYS objects".
func (p *powers) mayPass(g grant) bool {
	_, has := p.own.grants[g]
	switch {
	case p.byRDS(g):
		return has || p.byRole[g]
	case p.own.grants[g].grantable, p.own.grants[g.whole()].grantable:
		return true
	case g.on.owner == p.self, g.on.kind == schemaKind && g.on.name == p.self:
		return true
	}
	return p.may[g.passedBy()] && g.on.owner != "SYS"
}

// lacking is what the session has not of a need.
func (p *powers) lacking(n need) (need, bool) {
	switch {
	case n.role != "":
		return n, !p.may[anyRole] && !p.own.roles[n.role].admin && !p.indirect[n.role]
	case len(n.passes) == 0:
		return n, !p.may[n.what]
	}
	rest := slices.DeleteFunc(slices.Clone(n.passes), p.mayPass)
	if len(rest) == 0 {
		return need{}, false
	}
	if n.what == anyObject {
		return n, true
	}
	return passing(rest), true
}

// grantable are the object privileges that GRANT knows. Others, such as ENQUEUE on
// a queue, are granted by packages.
// Source: SQL Language Reference, "GRANT", object privileges.
var grantable = []string{"ALTER", "DEBUG", "DELETE", "EXECUTE", "FLASHBACK", "FLASHBACK ARCHIVE", "INDEX", "INHERIT PRIVILEGES", "INHERIT REMOTE PRIVILEGES", "INSERT",
	"KEEP SEQUENCE", "MERGE VIEW", "ON COMMIT REFRESH", "QUERY REWRITE", "READ", "REFERENCES", "SELECT", "SIGN", "TRANSLATE SQL", "UNDER", "UPDATE", "USE", "WRITE"}

// strange names a grant that cannot be made, whatever the session is given.
func (p *powers) strange(plan []statement) error {
	for _, s := range plan {
		for _, g := range s.needs.passes {
			switch {
			case g.isSystem():
			case p.byRDS(g) && !p.mayPass(g):
				return rotation.Fail(rotation.MissingPrivilege, "%s itself lacks %s, which rdsadmin can pass on to nobody then", ident(p.self), g).With(byRoles)
			case !slices.Contains(grantable, g.privilege):
				return rotation.Fail(rotation.MissingPrivilege, "GRANT knows no privilege %s", g).With(packaged)
			}
		}
	}
	return nil
}

// enough says what the session lacks for a plan about user.
func (c *conn) enough(p *powers, plan []statement, user string) error {
	if err := p.strange(plan); err != nil {
		return err
	}
	var missing []need
	for _, s := range plan {
		if n, lacks := p.lacking(s.needs); lacks && s.attempt == "" {
			missing = append(missing, n)
		}
		if r := s.needs.role; p.indirect[r] && !p.own.roles[r].admin && !p.may[anyRole] {
			c.login.Report.Notef("Whether %s may grant the role %s is not known before it does: it has the admin option by another role alone, and the manual asks for a direct one. To be safe, as an administrator: %s",
				ident(p.self), ident(r), s.needs.to(p.self))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return rotation.Fail(rotation.MissingPrivilege, "%s may not grant all that %s has", ident(p.self), ident(user)).
		With("As an administrator: " + strings.Join(p.remedies(missing), " "))
}

// remedies are the statements that give the session what it lacks, each once. Of
// very many, one for each kind is given: a message must stay readable.
func (p *powers) remedies(missing []need) (all []string) {
	const most = 20
	for _, n := range missing {
		if len(missing) > most {
			n = n.broad()
		}
		if s := n.to(p.self); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// mayRevoke reports whether the session may take a grant, which somebody else than
// the owner of the object may have made.
// Source: SQL Language Reference, "REVOKE", prerequisites.
func (p *powers) mayRevoke(g grant, grantor string) bool {
	switch {
	case grantor == p.self, p.byRDS(g):
		return true
	case g.isSystem():
		return p.mayPass(g)
	}
	return grantor == "" && (g.on.owner == p.self || p.may[anyObject] && g.on.owner != "SYS")
}
