package mysql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	mysql "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// SetPassword implements database.Conn. The session's own user keeps to the
// account that it is logged in to, since it may not see its others.
func (c *conn) SetPassword(ctx context.Context, change database.Change) error {
	user := change.Target.User
	f, err := c.settle(ctx, user)
	if err != nil {
		return err
	}
	if user == c.login.User {
		return c.setOwn(ctx, f, change)
	}
	targets, err := c.targets(ctx, f, user)
	if err != nil {
		return err
	}
	if c.cloned.isOf(change) {
		targets = c.cloned.left(targets)
	}
	if len(targets) == 0 {
		return nil
	}
	return c.setAll(ctx, f, targets, change)
}

// cloned is what Clone leaves for the SetPassword of the same session. None of a
// clone's accounts gets a password twice: see codeReused.
type cloned struct {
	user, password string
	accounts       []target // as they are now; the ways are those that they are to have
	born           []string // hosts of those that it made, with that password
}

func (k *cloning) done() cloned {
	c := cloned{user: k.clone, password: k.password, born: k.born}
	for _, host := range slices.Sorted(maps.Keys(k.made)) {
		c.accounts = append(c.accounts, target{account{k.clone, host}, k.made[host].ways})
	}
	return c
}

func (c cloned) isOf(change database.Change) bool {
	return c.user == change.Target.User && c.password == change.Target.Password
}

// left are those whose password is to be set.
func (c cloned) left(targets []target) []target {
	return slices.DeleteFunc(targets, func(t target) bool { return slices.Contains(c.born, t.host) })
}

// A target is an account whose password is to be set, and the ways in which it
// logs in.
type target struct {
	account
	ways []authentication
}

// targets are the accounts of a user that have a password.
func (c *conn) targets(ctx context.Context, f *facts, user string) ([]target, error) {
	if user == c.cloned.user {
		return withPassword(c.cloned.accounts)
	}
	all, err := c.mustAccountsOf(ctx, f, user)
	if err != nil {
		return nil, err
	}
	for i, t := range all {
		if !f.maria {
			continue // an account has one way, and the table knows it
		}
		d, err := c.definitionOf(ctx, f, t.account)
		if err != nil {
			return nil, err
		}
		if len(d.ways) == 0 {
			return nil, d.whole(t.account)
		}
		all[i].ways = d.ways
	}
	return withPassword(all)
}

// withPassword leaves those accounts out that log in by other means.
func withPassword(all []target) ([]target, error) {
	some := slices.DeleteFunc(slices.Clone(all), func(t target) bool { return !hasPassword(t.ways) })
	if len(some) == 0 {
		return nil, noPassword(all[0])
	}
	return some, nil
}

func noPassword(t target) error {
	return rotation.Fail(rotation.BadSecret, "the account %s logs in by %s, which has no password to rotate", t.account, t.ways[0].plugin)
}

// setOwn changes the password of the session's own account, which takes no
// privilege. MySQL keeps the account's plug-in by itself. MariaDB wants a hash
// of the plug-in's, or else the password as text.
func (c *conn) setOwn(ctx context.Context, f *facts, change database.Change) error {
	if f.self.user != c.login.User {
		return notOwn(c.login.User, f)
	}
	c.noteOthers(f)
	if !f.maria {
		return c.setOwnMySQL(ctx, f, change)
	}
	password := change.Target.Password
	t, why, err := c.ownWays(ctx, f)
	if err != nil {
		return err
	}
	if why != "" {
		return c.hashing(ctx, why, func(bool) error { return c.send(ctx, ownAsText(password)) })
	}
	return c.setOwnMaria(ctx, t, password)
}

// noteOthers says that the user may have accounts that the session may not see, and
// whose password it does not change. An account for every host is taken by whoever
// has none of its own.
func (c *conn) noteOthers(f *facts) {
	if f.self.host != "%" {
		c.login.Report.Notef("The session is of the account %s, whose password alone is changed: an account of %q for other hosts keeps the one that it has. ROTATION_STRATEGY=single-user-by-administrator changes all accounts.", f.self, f.self.user)
	}
}

func ownAsText(password string) statement {
	return func(say func(untold) string) string {
		return "SET PASSWORD = PASSWORD(" + say(newPassword(password)) + ")"
	}
}

// ownWays are the ways in which the session's own account logs in, or why they
// cannot be told.
func (c *conn) ownWays(ctx context.Context, f *facts) (t target, why string, err error) {
	d, err := c.definitionOf(ctx, f, f.self)
	var me *mysql.MySQLError
	switch {
	case errors.As(err, &me):
		return t, fmt.Sprintf("SHOW CREATE USER says: %v", err), nil
	case err != nil:
		return t, "", err
	case len(d.ways) == 0:
		return t, "what SHOW CREATE USER says of the account is not understood: " + strings.Join(d.unread, "; "), nil
	}
	return target{f.self, d.ways}, "", nil
}

func notOwn(user string, f *facts) error {
	return rotation.Fail(rotation.BadSecret, "the server takes %q for the account %s, whose password is not the secret's to change", user, f.self).
		With("Give the user an account of its own (CREATE USER), or remove the anonymous or proxy account that the server takes it for.")
}

// setOwnMaria uses SET PASSWORD, the one statement by which MariaDB lets users
// change their own password. It goes to the first way in which the account logs
// in.
func (c *conn) setOwnMaria(ctx context.Context, t target, password string) error {
	if err := firstIsPassword(t); err != nil {
		return err
	}
	for _, way := range t.ways[1:] {
		if way.isPassword() {
			c.login.Report.Notef("The account %s has a password for %s too, which only an administrator can change (ROTATION_STRATEGY=single-user-by-administrator): it stays as it is.", t.account, way.plugin)
		}
	}
	return c.hashing(ctx, unhashable(hidden(t.ways[:1], password)), func(plain bool) error {
		if plain {
			return c.send(ctx, ownAsText(password))
		}
		return c.send(ctx, func(say func(untold) string) string {
			return "SET PASSWORD = " + say(newHash(t.ways[0].plugin, password))
		})
	})
}

func firstIsPassword(t target) error {
	if t.ways[0].isPassword() {
		return nil
	}
	return rotation.Fail(rotation.MissingPrivilege, "MariaDB does not let %s change its own password, because it logs in by %s first", t.account, t.ways[0].plugin).
		With("Use ROTATION_STRATEGY=single-user-by-administrator, or put the password first: ALTER USER " + t.String() + " IDENTIFIED VIA mysql_native_password USING PASSWORD(the password of AWSCURRENT) OR " + t.ways[0].plugin + ";")
}

// hashing sets a password on MariaDB: as a hash if it can be, and as text only
// if the server takes no hash, because it checks passwords
// (strict_password_validation), or for the reason why no hash can be made here.
func (c *conn) hashing(ctx context.Context, why string, set func(plain bool) error) error {
	if why == "" {
		err := set(false)
		if err == nil {
			err = c.foreseeHash(ctx)
		}
		if !refusesHash(err) {
			return fault(err)
		}
		why = "the server takes no hashes (strict_password_validation)"
	}
	if c.login.TLS == nil {
		return rotation.Fail(rotation.PasswordRejected, "the password would have to be sent as text (%s), and the connection is not encrypted", why).
			With("Connect with TLS.")
	}
	c.login.Report.Notef("The password was sent as text over TLS, because %s. MariaDB writes such a statement to its general, slow and audit logs as it is, where they are on.", why)
	return fault(set(true))
}

// unhashable is why there is no hash.
func unhashable(can bool) string {
	if can {
		return ""
	}
	return "its plug-in's hash cannot be made here"
}

// refusesHash reports whether the server wants to see the password itself.
func refusesHash(err error) bool {
	f, ok := fault(err).(*rotation.Fault)
	return ok && isCode(err, codeOption) && f.Class != rotation.ReadOnly && strings.Contains(f.Error(), "strict-password-validation")
}

// setAll changes the password of accounts of another user, in one statement:
// the account by which the function itself would log in must not be the only
// one that changed. What comes after is told and not an error, since the
// password is set.
func (c *conn) setAll(ctx context.Context, f *facts, targets []target, change database.Change) error {
	if f.maria {
		return c.setAllMaria(ctx, f, targets, change.Target.Password)
	}
	return c.setAllMySQL(ctx, f, targets, change)
}

func (c *conn) setAllMaria(ctx context.Context, f *facts, targets []target, password string) error {
	can := !slices.ContainsFunc(targets, func(t target) bool { return !hidden(t.ways, password) })
	return c.hashing(ctx, unhashable(can), func(plain bool) error {
		err := c.send(ctx, func(say func(untold) string) string {
			var each []string
			for _, t := range targets {
				each = append(each, t.String()+" "+mariaClause(say, t.ways, password, plain))
			}
			return "ALTER USER " + strings.Join(each, ", ")
		})
		if isPrivilege(err) {
			return c.lacks(err, f, "GRANT CREATE USER ON *.* TO "+f.self.String())
		}
		return err
	})
}
