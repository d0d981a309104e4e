package mysql

import (
	"context"
	"strings"
)

const passwordAdmin = "APPLICATION_PASSWORD_ADMIN"

// Overlaps implements database.Overlapper. SetPassword of this session keeps
// the old password of this user, and of no other, once Overlaps has said so: a
// user that alternates with another needs no second password.
// Source: MySQL manual, 8.2.15 "Password Management", "Dual Password Support".
func (c *conn) Overlaps(ctx context.Context, user string) (bool, error) {
	if !c.login.Overlap {
		return false, nil
	}
	f, err := c.settle(ctx, user)
	if err != nil {
		return false, err
	}
	if !f.dualPasswords() {
		c.login.Report.Notef("The old password of %q stops working at once: keeping it for the overlap takes MySQL 8.0.14 or later, and this is %s.", user, f.dialect)
		return false, nil
	}
	may, err := c.mayRetain(ctx, user)
	if err != nil {
		return false, err
	}
	if !may {
		c.login.Report.Notef("The old password of %q stops working at once: to keep it for the overlap, GRANT %s ON *.* TO %s;", user, passwordAdmin, f.self)
		return false, nil
	}
	if err := c.lock(ctx, user); err != nil {
		return false, err
	}
	c.retaining = user
	return true, nil
}

// mayRetain reports whether the session may keep or drop the old password of a
// user: of its own with APPLICATION_PASSWORD_ADMIN, of any with CREATE USER.
func (c *conn) mayRetain(ctx context.Context, user string) (bool, error) {
	h, err := c.ownHoldings(ctx)
	if err != nil {
		return false, err
	}
	return h.has("CREATE USER", "*.*") || user == c.login.User && h.has(passwordAdmin, "*.*"), nil
}

// setOwnMySQL proves the session's password (REPLACE), as accounts with
// PASSWORD REQUIRE CURRENT demand. The server compares it with the account's
// primary password. A session with the secondary one, which an abandoned
// rotation leaves behind, makes it the primary first: it is AWSCURRENT's, and
// RETAIN CURRENT PASSWORD would drop it.
//
// Source: MySQL manual, "ALTER USER Statement", REPLACE; seen on 8.0.33 and
// 9.7.4.
func (c *conn) setOwnMySQL(ctx context.Context, f *facts, password string) error {
	retain := c.retaining == c.login.User
	err := c.exec(ctx, c.alterOwn(f, password, f.replaces(), retain))
	if isCode(err, codeWrongCurrent) {
		if retain {
			c.makePrimary(ctx, f)
		}
		err = c.exec(ctx, c.alterOwn(f, password, false, retain))
	}
	if retain && isCode(err, codeEmptyOld, codeNewPlugin, codeNotRetained) {
		c.login.Report.Notef("The old password of %q could not be kept: %v", c.login.User, fault(err))
		err, retain = c.exec(ctx, c.alterOwn(f, password, f.replaces(), false)), false
	}
	if err == nil && !retain && f.dualPasswords() {
		if may, merr := c.mayRetain(ctx, c.login.User); merr == nil && may {
			c.discard(ctx, f, []target{{account: f.self}})
		}
	}
	return fault(err)
}

func (c *conn) alterOwn(f *facts, password string, prove, retain bool) string {
	text := "ALTER USER " + f.self.String() + " IDENTIFIED BY " + literal(password)
	if prove {
		text += " REPLACE " + literal(c.login.Password)
	}
	if retain {
		text += " RETAIN CURRENT PASSWORD"
	}
	return text
}

// makePrimary is worth a try only: the server may refuse a password that was
// used before. Then the rotation has a gap, but ends well.
func (c *conn) makePrimary(ctx context.Context, f *facts) {
	if err := c.exec(ctx, c.alterOwn(f, c.login.Password, false, false)); err != nil {
		c.login.Report.Notef("The AWSCURRENT password of %q, which a rotation that was given up left as its old one, stops working at once: %v", c.login.User, fault(err))
	}
}

// discard drops old passwords that are left over. The new password is set by
// now, so that a failure is told only.
func (c *conn) discard(ctx context.Context, f *facts, targets []target) {
	if !f.dualPasswords() {
		return
	}
	var each []string
	for _, t := range targets {
		each = append(each, t.String()+" DISCARD OLD PASSWORD")
	}
	if err := c.exec(ctx, "ALTER USER "+strings.Join(each, ", ")); err != nil {
		c.login.Report.Notef("An old password of %q may still work: %v", targets[0].user, fault(err))
	}
}
