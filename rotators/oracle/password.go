package oracle

import (
	"context"
	"strconv"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// passwordRules are Oracle's: 30 bytes up to release 21, and no double quote,
// which ends a password. NUL is not generated in any case.
// Source: Security Guide, "Minimum Requirements for Passwords".
var passwordRules = database.PasswordRules{Exclude: `"`, Max: 30}

// checkPassword refuses, before anything is sent, a password that cannot stand
// in double quotes.
func checkPassword(password, whose, remedy string) error {
	if password == "" || strings.ContainsAny(password, "\"\x00") {
		return rotation.Fail(rotation.PasswordRejected, "the %s password is empty or has a double quote or a NUL character, which no password of Oracle's can have", whose).With(remedy)
	}
	return nil
}

func checkNew(password string) error {
	return checkPassword(password, "new", "Cancel the pending rotation and rotate again: that makes a new password.")
}

// CheckPassword implements database.Conn. What a profile's PASSWORD_VERIFY_FUNCTION
// demands is code, and shows when it is asked.
func (c *conn) CheckPassword(_ context.Context, sample string) error { return checkNew(sample) }

// SetPassword implements database.Conn. A user who changes its own password
// names the one that it replaces: a profile with a verify function demands it.
// The replaced one is the password that opened this session, be it the secret's
// current or another.
//
// A profile with PASSWORD_ROLLOVER_TIME keeps the old password valid for that
// time. A second change in that time replaces the new password, and the oldest
// stays: so that this may run twice. What is current by then and not the oldest
// stops working at once, as without a rollover time: the time between rotations
// should be the longer one. Of an original that alternates with its clone the
// password of two rotations ago stays valid for that time too.
// Source: SQL*Plus User's Guide, "PASSWORD"; Security Guide, "Managing Gradual
// Database Password Rollover for Applications" (?).
func (c *conn) SetPassword(ctx context.Context, change database.Change) error {
	user, password := change.Target.User, change.Target.Password
	if err := checkNew(password); err != nil {
		return err
	}
	f, err := c.know(ctx, exact(user))
	if err != nil {
		return err
	}
	name := exact(user)
	if name == c.born.User && password == c.born.Password {
		return nil
	}
	c.notePlain()
	statement := "ALTER USER " + ident(name) + " IDENTIFIED BY "
	told := statement + quotePassword(newPassword)
	statement += quotePassword(password)
	if name == f.self {
		if err := checkPassword(c.login.Password, "old", "As an administrator, set another password, and put it into the secret's AWSCURRENT version."); err != nil {
			return err
		}
		statement += " REPLACE " + quotePassword(c.login.Password)
		told += " REPLACE " + quotePassword(oldPassword)
	} else if err := c.usable(ctx, f, name); err != nil {
		return err
	}
	if err := c.exec(ctx, statement, told); err != nil {
		return c.altering(err, f, name)
	}
	if change.Keep == "" {
		c.endRollover(ctx, f, name)
	}
	return nil
}

// notePlain says what travels without TLS. The login proves the password without
// sending it (O5LOGON), but ALTER USER has the new one in its text.
func (c *conn) notePlain() {
	if l := c.login; l.TLS == nil {
		l.Report.Notef("The connection to %s has no TLS: only Oracle's native network encryption, where the server takes part in it, hides the passwords that statements hold.", l.Address())
	}
}

// quotePassword quotes a password that checkPassword has passed.
func quotePassword(password string) string { return `"` + password + `"` }

// What stands for a password where a statement is told.
const (
	newPassword = "<new password>"
	oldPassword = "<old password>"
)

// usable refuses users whose password is not the server's to keep. An
// administrator who may not read DBA_USERS can still set passwords.
func (c *conn) usable(ctx context.Context, f *facts, name string) error {
	pair, err := c.attributesOf(ctx, f, name, name)
	if isCode(err, codeNoTable) {
		return nil
	}
	if err != nil {
		return fault(err)
	}
	if pair[name] == nil {
		return noUser(name)
	}
	return pair[name].rotatable(name)
}

// endRollover makes an old password invalid that a rollover time keeps valid.
// The new one is set by now, so that a failure is told only.
func (c *conn) endRollover(ctx context.Context, f *facts, name string) {
	if !f.since(19, 0) {
		return
	}
	rolls, err := c.rollsOver(ctx, f, name)
	if err == nil && !rolls {
		return
	}
	if err == nil {
		statement := "ALTER USER " + ident(name) + " EXPIRE PASSWORD ROLLOVER PERIOD"
		err = c.exec(ctx, statement, statement)
	}
	if err != nil {
		c.login.Report.Notef("An old password of %s may still work until the rollover time of its profile is over: %v", ident(name), fault(err))
	}
}

// rollsOver reports whether the old password is valid beside the new one: in a
// rehearsal, whether it would be. The error has no class yet.
func (c *conn) rollsOver(ctx context.Context, f *facts, name string) (bool, error) {
	query, args := "SELECT ACCOUNT_STATUS, PROFILE FROM DBA_USERS WHERE USERNAME = :1", []string{name}
	if name == f.self {
		query, args = "SELECT ACCOUNT_STATUS, '' FROM USER_USERS", nil
	}
	rows, err := c.rows(ctx, query, args...)
	if err != nil || len(rows) == 0 || !c.login.Report.Rehearses() {
		return len(rows) > 0 && strings.Contains(rows[0][0], rollingOver), err
	}
	profile := rows[0][1]
	if name == c.cloned {
		profile = c.profile
	}
	limit, err := c.rolloverTime(ctx, profile)
	days, _ := strconv.ParseFloat(limit, 64)
	return days > 0 || strings.Contains(rows[0][0], rollingOver), err
}

// rollingOver is part of the status of an account that has two passwords.
const rollingOver = "IN ROLLOVER"

// rolloverTime is that of a profile in days, or of the session's own user, if
// profile is empty. What is not above 0 is none. A profile that does not say has
// that of the profile DEFAULT.
// Source: Database Reference, "DBA_PROFILES", "USER_PASSWORD_LIMITS"; that the
// latter has DEFAULT in no row is not said there (?).
func (c *conn) rolloverTime(ctx context.Context, profile string) (limit string, err error) {
	query, args := "SELECT PROFILE, \"LIMIT\" FROM DBA_PROFILES WHERE RESOURCE_NAME = 'PASSWORD_ROLLOVER_TIME' AND PROFILE IN (:1, 'DEFAULT')", []string{profile}
	if profile == "" {
		query, args = "SELECT '', \"LIMIT\" FROM USER_PASSWORD_LIMITS WHERE RESOURCE_NAME = 'PASSWORD_ROLLOVER_TIME'", nil
	}
	rows, err := c.rows(ctx, query, args...)
	limits := map[string]string{}
	for _, row := range rows {
		limits[row[0]] = row[1]
	}
	if limit = limits[profile]; limit == "DEFAULT" {
		limit = limits["DEFAULT"]
	}
	return limit, err
}
