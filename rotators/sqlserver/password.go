package sqlserver

import (
	"context"
	"fmt"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// SetPassword implements database.Conn. A user who changes its own password
// tells the old one too: that of this very session, which is AWSCURRENT's or,
// where an earlier run went wrong, another of the secret.
func (c *conn) SetPassword(ctx context.Context, change database.Change) error {
	user, password := change.Target.User, change.Target.Password
	if err := checkPassword(password); err != nil {
		return err
	}
	if user == c.born.User && password == c.born.Password {
		return nil
	}
	p, err := c.usable(ctx, user)
	if err != nil {
		return err
	}
	if user == c.login.User {
		return c.setOwn(ctx, p, password)
	}
	return c.setByAdministrator(ctx, p, password)
}

func (c *conn) setOwn(ctx context.Context, p *principal, password string) error {
	if continues(c.login.Password) {
		return checkPassword(c.login.Password)
	}
	c.warnPlain()
	statement := func(changed, old string) string {
		return "ALTER " + p.what() + ident(p.name) + " WITH PASSWORD = " + changed + " OLD_PASSWORD = " + old
	}
	err := c.send(ctx, statement(literal(password), literal(c.login.Password)), statement(newPassword, oldPassword))
	if !isClass(err, rotation.MissingPrivilege) {
		return err
	}
	// The server says the same of an old password that is wrong: another run has
	// been faster. A login tells.
	return &rotation.Fault{Class: rotation.MissingPrivilege, Err: fmt.Errorf("the password was changed meanwhile, or the user may not change it: %w", err), Transient: true,
		Remedy: "Use ROTATION_STRATEGY=single-user-by-administrator or alternating-users, with an administrator in masterarn."}
}

// setByAdministrator sets a password without the old one. It also unlocks the
// login. MUST_CHANGE is not said, and so ends.
func (c *conn) setByAdministrator(ctx context.Context, p *principal, password string) error {
	c.warnPlain()
	unlock := ""
	if p.locked {
		unlock = " UNLOCK"
	}
	statement := func(changed string) string {
		return "ALTER " + p.what() + ident(p.name) + " WITH PASSWORD = " + changed + unlock
	}
	return lacking(c.send(ctx, statement(literal(password)), statement(newPassword)), c.alterRemedy(p))
}

// alterRemedy is what lets the session change p.
func (c *conn) alterRemedy(p *principal) string {
	if p.contained {
		return "As an administrator: " + c.alterUsers(p)
	}
	return "As an administrator of the server: " + grantLogins(c.login.User) + " If " + p.name + " is in sysadmin or has CONTROL SERVER: " + grantServer(c.login.User)
}

// alterUsers is what lets the session change a contained user.
func (c *conn) alterUsers(p *principal) string {
	return grantUsers(c.login.Database, c.login.User) + " or, if " + p.name + " has CONTROL on the database, GRANT CONTROL ON DATABASE::" + ident(c.login.Database) + " TO " + ident(c.login.User) + ";"
}

// grantServer is what lets an administrator change the logins of others like it.
func grantServer(admin string) string {
	return "USE [master]; GRANT CONTROL SERVER TO " + ident(admin) + "; (Amazon RDS gives it to nobody: such a login cannot be rotated there by an administrator.)"
}

// warnPlain says what goes in plain text: no engine but this one and a few
// others has the password itself in a statement.
func (c *conn) warnPlain() {
	if c.login.TLS == nil {
		c.login.Report.Notef("The connection to %s has no TLS: the new password crosses the network in plain text.", c.login.Address())
	}
}
