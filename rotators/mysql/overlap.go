package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

const passwordAdmin = "APPLICATION_PASSWORD_ADMIN"

// retains reports whether the old password of a user is to stay valid and can:
// its own with APPLICATION_PASSWORD_ADMIN, any with CREATE USER.
// Source: MySQL manual, 8.2.15 "Password Management", "Dual Password Support".
func (c *conn) retains(ctx context.Context, f *facts, change database.Change) (bool, error) {
	own := change.Target.User == c.login.User
	switch {
	case change.Keep == "":
		return false, nil
	case !f.dualPasswords(), !own && !f.attributes():
		c.login.Report.Remarkf("The old password of %q stops working at once: keeping it for the overlap takes MySQL 8.0.14 or later (by an administrator, 8.0.21), and this is %s.", change.Target.User, f.dialect)
		return false, nil
	}
	may, err := c.mayRetain(ctx, change.Target.User)
	if err == nil && !may {
		c.login.Report.Notef("The old password of %q stops working at once: to keep it for the overlap, GRANT %s ON *.* TO %s;", change.Target.User, passwordAdmin, f.self)
	}
	return may, err
}

// mayRetain reports whether the session may keep or drop the old password of a
// user.
func (c *conn) mayRetain(ctx context.Context, user string) (bool, error) {
	h, err := c.ownHoldings(ctx)
	if err != nil {
		return false, err
	}
	return h.has("CREATE USER", "*.*") || user == c.login.User && h.has(passwordAdmin, "*.*"), nil
}

// setOwnMySQL proves the session's password (REPLACE), as accounts with
// PASSWORD REQUIRE CURRENT demand. The server compares it with the account's
// primary password, and so tells whether another run was first: nobody has to
// try the new password, which would be a failed login most of the time.
//
// A session with the secondary password, which an abandoned rotation leaves
// behind, makes it the primary first: it is AWSCURRENT's, and RETAIN CURRENT
// PASSWORD would drop it.
//
// Source: MySQL manual, "ALTER USER Statement", REPLACE; seen on 8.0.33 and
// 9.7.4, where a wrong REPLACE counts as no failed login (FAILED_LOGIN_ATTEMPTS).
func (c *conn) setOwnMySQL(ctx context.Context, f *facts, change database.Change) error {
	retain, err := c.retains(ctx, f, change)
	if err != nil {
		return err
	}
	password, none := newPassword(change.Target.Password), untold{}
	proof := none
	if f.replaces() {
		proof = c.ownPassword()
	}
	err = c.send(ctx, alterOwn(f, password, proof, retain))
	if isCode(err, codeWrongCurrent) {
		// Is the new one the primary password already? It is made so once more.
		if err = c.send(ctx, alterOwn(f, password, password, false)); err == nil && retain {
			return nil
		}
	}
	if isCode(err, codeWrongCurrent) {
		if retain {
			c.makePrimary(ctx, f)
		}
		proof = none
		err = c.send(ctx, alterOwn(f, password, proof, retain))
	}
	if retain && isCode(err, codeEmptyOld, codeNewPlugin, codeNotRetained) {
		c.login.Report.Notef("The old password of %q could not be kept: %v", c.login.User, fault(err))
		err, retain = c.send(ctx, alterOwn(f, password, proof, false)), false
	}
	if err == nil && !retain && f.dualPasswords() {
		if may, merr := c.mayRetain(ctx, c.login.User); merr == nil && may {
			c.discard(ctx, f, []target{{account: f.self}})
		}
	}
	return unproven(err, f)
}

// ownPassword is the one by which the session was let in.
func (c *conn) ownPassword() untold {
	return untold{c.login.Password, fmt.Sprintf("<password of %q>", c.login.User)}
}

// alterOwn proves the primary password with proof, if there is any.
func alterOwn(f *facts, password, proof untold, retain bool) statement {
	return func(say func(untold) string) string {
		text := "ALTER USER " + f.self.String() + " IDENTIFIED BY " + say(password)
		if proof != (untold{}) {
			text += " REPLACE " + say(proof)
		}
		if retain {
			text += " RETAIN CURRENT PASSWORD"
		}
		return text
	}
}

// makePrimary is worth a try only: the server may refuse a password that was
// used before. Then the rotation has a gap, but ends well.
func (c *conn) makePrimary(ctx context.Context, f *facts) {
	if err := c.send(ctx, alterOwn(f, c.ownPassword(), untold{}, false)); err != nil {
		c.login.Report.Notef("The AWSCURRENT password of %q, which a rotation that was given up left as its old one, stops working at once: %v", c.login.User, fault(err))
	}
}

// proves fails if an account wants the password in force proven, and the session
// cannot know that: it was let in by another one than AWSCURRENT's, which may be the old
// one of two. Only a change would tell.
// Source: MySQL manual, "Password Management", "Password Verification-Required Policy".
func (c *conn) proves(ctx context.Context, f *facts, current database.Login) error {
	if !f.dualPasswords() || c.login.Password == current.Password {
		return nil
	}
	own, err := c.ownHoldings(ctx)
	if err != nil || own.mayUsers("UPDATE") { // which need prove nothing
		return err
	}
	d, err := c.definitionOf(ctx, f, f.self)
	if err != nil {
		return err
	}
	wants, known := d.policy[requireCurrent]
	if wants == "DEFAULT" {
		all, err := c.column(ctx, "SELECT @@GLOBAL.password_require_current")
		if err != nil {
			return fault(err)
		}
		known, wants = isOn(all[0]), ""
	}
	if !known || wants != "" {
		return nil
	}
	return rotation.Fail(rotation.MissingPrivilege, "%s has to prove the password in force, and AWSCURRENT's is refused: the one that works may be an old one, which is kept beside it", f.self).
		With(optional(f))
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

// setAllMySQL changes the password of a user's accounts. An administrator proves
// no old password. So that a second run does not keep "the current password"
// when that is the new one already, the statement that keeps it leaves a mark. The
// mark of a version that is neither this one nor AWSCURRENT's is an abandoned
// rotation's: AWSCURRENT's password may be the old one of two by now.
func (c *conn) setAllMySQL(ctx context.Context, f *facts, targets []target, change database.Change) error {
	retain, err := c.retains(ctx, f, change)
	if err != nil {
		return err
	}
	if retain {
		if err := c.lock(ctx, change.Target.User); err != nil {
			return err
		}
		versions, err := c.marks(ctx, change.Target.User, markVersion)
		if err != nil {
			return err
		}
		if change.Version != "" && slices.Contains(versions, change.Version) { // a rehearsal may have no version yet
			if done, err := change.Applied(ctx); err != nil || done {
				return err
			}
		} else if slices.ContainsFunc(versions, func(v string) bool { return v != "" && v != change.Kept }) {
			c.makeAllPrimary(ctx, targets, change)
		}
	}
	err = c.send(ctx, alterAll(targets, newPassword(change.Target.Password), change.Version, retain))
	if retain && isCode(err, codeEmptyOld, codeNewPlugin, codeNotRetained) {
		c.login.Report.Notef("The old password of %q could not be kept: %v", change.Target.User, fault(err))
		err, retain = c.send(ctx, alterAll(targets, newPassword(change.Target.Password), "", false)), false
	}
	if isReused(err) && c.cloned.isOf(change) {
		err = c.setEach(ctx, targets, change)
	}
	if err != nil {
		return c.lacks(err, f, "GRANT CREATE USER ON *.* TO "+f.self.String())
	}
	if !retain {
		c.discard(ctx, f, targets)
	}
	return nil
}

// setEach sets the password of a clone's accounts, some of which have it since they
// were made, by a run that was cut short: the server takes it for all of them or for
// none. That it refuses some is the error, for the framework to look whether the
// password works.
func (c *conn) setEach(ctx context.Context, targets []target, change database.Change) (refused error) {
	for _, t := range targets {
		err := c.send(ctx, alterAll([]target{t}, newPassword(change.Target.Password), "", false))
		if isReused(err) {
			refused = err
		} else if err != nil {
			return err
		}
	}
	return refused
}

// makeAllPrimary is [conn.makePrimary] by an administrator. Where the password was
// the primary one all the time, as after an edit of AWSCURRENT, it changes nothing.
func (c *conn) makeAllPrimary(ctx context.Context, targets []target, change database.Change) {
	old := untold{change.Keep, fmt.Sprintf("<AWSCURRENT's password of %q>", change.Target.User)}
	if err := c.send(ctx, alterAll(targets, old, "", false)); err != nil {
		c.login.Report.Notef("The AWSCURRENT password of %q may stop working at once, if a rotation that was given up has left it as its old one: %v", change.Target.User, fault(err))
	}
}

// alterAll names each account's plug-in, so that a server whose default is
// another keeps it. The version is left as a mark where the old password is kept.
func alterAll(targets []target, password untold, version string, retain bool) statement {
	return func(say func(untold) string) string {
		var each []string
		for _, t := range targets {
			text := t.String() + " " + mysqlClause(say, t.ways[0], password)
			if retain {
				text += " RETAIN CURRENT PASSWORD"
			}
			each = append(each, text)
		}
		text := "ALTER USER " + strings.Join(each, ", ")
		if retain {
			text += " ATTRIBUTE " + say(mark(markVersion, version, "<version>"))
		}
		return text
	}
}
