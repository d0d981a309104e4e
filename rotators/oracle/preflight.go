package oracle

import (
	"context"
	"slices"
	"strings"

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

// preflight: a user may always change its own
// password. What the administrator may grant on RDS by rdsadmin is not known
// before it is granted.
func (c *conn) preflight(ctx context.Context, user, clone string) error {
	name := exact(user)
	f, err := c.know(ctx, name)
	if err != nil {
		return err
	}
	if name == f.self && clone == "" {
		return checkPassword(c.login.Password, "current", "As an administrator, set another password, and put it into the secret's AWSCURRENT version.")
	}
	may, err := c.privileges(ctx)
	if err != nil {
		return err
	}
	if !may["ALTER USER"] || clone != "" && !may["CREATE USER"] {
		return rotation.Fail(rotation.MissingPrivilege, "%s may not make and change other users", ident(f.self)).With("As an administrator: " + userAdmin.to(f.self))
	}
	if clone == "" {
		return c.usable(ctx, f, name)
	}
	return c.preflightClone(ctx, f, may, name, exact(clone))
}

// privileges are the system privileges that the session has, through roles too.
func (c *conn) privileges(ctx context.Context) (map[string]bool, error) {
	rows, err := c.rows(ctx, "SELECT PRIVILEGE FROM SESSION_PRIVS")
	may := map[string]bool{}
	for _, row := range rows {
		may[row[0]] = true
	}
	return may, fault(err)
}

// preflightClone names what of the original's the administrator could not grant.
func (c *conn) preflightClone(ctx context.Context, f *facts, may map[string]bool, name, clone string) error {
	k := &cloning{conn: c, facts: f, original: name, clone: clone}
	if err := f.checkName(clone); err != nil {
		return err
	}
	if err := k.read(ctx); err != nil {
		return err
	}
	own, err := c.grantable(ctx, f)
	if err != nil {
		return err
	}
	missing := own.cannotGrant(f, may, k.from)
	if len(k.from.owned) > 0 && !may["GRANT ANY OBJECT PRIVILEGE"] {
		missing = append(missing, need{what: "GRANT ANY OBJECT PRIVILEGE"}.to(f.self))
	}
	if len(missing) == 0 {
		return nil
	}
	const most = 20
	more := ""
	if len(missing) > most {
		missing, more = missing[:most], " and so on"
	}
	return rotation.Fail(rotation.MissingPrivilege, "%s may not grant all that %s has", ident(f.self), ident(name)).
		With("As an administrator: " + strings.Join(missing, " ") + more)
}

// grantable is what the session holds, with the admin options that come by its
// roles: those of DBA, on RDS.
func (c *conn) grantable(ctx context.Context, f *facts) (*account, error) {
	pair, err := c.accounts(ctx, f, f.self, f.self)
	if err != nil {
		return nil, err
	}
	own := pair[f.self]
	if own == nil {
		own = newAccount(attributes{})
	}
	privileges, err := c.rows(ctx, "SELECT PRIVILEGE FROM ROLE_SYS_PRIVS WHERE ADMIN_OPTION = 'YES'")
	if err != nil {
		return nil, fault(err)
	}
	for _, row := range privileges {
		own.grants[grant{privilege: row[0]}] = option{grantable: true}
	}
	roles, err := c.rows(ctx, "SELECT GRANTED_ROLE FROM ROLE_ROLE_PRIVS WHERE ADMIN_OPTION = 'YES'")
	for _, row := range roles {
		own.roles[row[0]] = role{admin: true}
	}
	return own, fault(err)
}

// cannotGrant are the statements that would let the account grant what another
// has.
func (a *account) cannotGrant(f *facts, may map[string]bool, of *account) []string {
	var missing []string
	for name := range of.roles {
		if !may["GRANT ANY ROLE"] && !a.roles[name].admin {
			missing = append(missing, withAdmin(ident(name)).to(f.self))
		}
	}
	for g := range of.grants {
		system := g.on == (object{}) || g.on.kind == schemaKind
		switch {
		case f.byRDS(g), a.grants[g].grantable, a.grants[g.whole()].grantable, g.on.owner == f.self:
		case system && !may["GRANT ANY PRIVILEGE"]:
			missing = append(missing, withAdmin(g.String()).to(f.self))
		case !system && !may["GRANT ANY OBJECT PRIVILEGE"]:
			missing = append(missing, withGrant(g.String()).to(f.self))
		}
	}
	slices.Sort(missing)
	return missing
}
