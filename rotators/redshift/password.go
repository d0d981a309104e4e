package redshift

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// passwordRules are Redshift's.
var passwordRules = database.PasswordRules{Exclude: forbidden, Min: minPassword, Max: maxPassword, Letters: true}

// Source: Database Developer Guide, "CREATE USER".
const (
	forbidden   = `'"\/@ `
	minPassword = 8
	maxPassword = 64
)

// checkPassword refuses what Redshift would refuse as text. It sees a hash
// alone, and so would take every password; the user could then never be given
// that one by other means.
func checkPassword(password string) error {
	var upper, lower, digit bool
	for _, b := range []byte(password) {
		if b < '!' || b > '~' || strings.IndexByte(forbidden, b) >= 0 {
			return rotation.Fail(rotation.PasswordRejected, "the password has a character that Redshift does not take: a space, one of ' \" \\ / @, or one outside ASCII")
		}
		upper = upper || b >= 'A' && b <= 'Z'
		lower = lower || b >= 'a' && b <= 'z'
		digit = digit || b >= '0' && b <= '9'
	}
	if len(password) < minPassword || len(password) > maxPassword {
		return rotation.Fail(rotation.PasswordRejected, "the password has %d characters; Redshift takes %d to %d (PASSWORD_LENGTH)", len(password), minPassword, maxPassword)
	}
	for _, kind := range []struct {
		has             bool
		what, exclusion string
	}{{upper, "an upper-case letter", "EXCLUDE_UPPERCASE"}, {lower, "a lower-case letter", "EXCLUDE_LOWERCASE"}, {digit, "a digit", "EXCLUDE_NUMBERS"}} {
		if !kind.has {
			return rotation.Fail(rotation.PasswordRejected, "the password lacks %s, which Redshift demands", kind.what).
				With("Leave REQUIRE_EACH_INCLUDED_TYPE on and " + kind.exclusion + " off, and none of these characters in EXCLUDE_CHARACTERS alone; " +
					"then cancel the pending rotation and rotate again: the pending password stays as it is until then.")
		}
	}
	return nil
}

// CheckPassword implements database.Conn.
func (c *conn) CheckPassword(_ context.Context, sample string) error { return checkPassword(sample) }

// hash is a password as Redshift keeps it.
// Source: Database Developer Guide, "CREATE USER": 'md5' and the MD5 of the
// password followed by the user name.
func hash(user, password string) string {
	sum := md5.Sum([]byte(password + user))
	return "md5" + hex.EncodeToString(sum[:])
}

// SetPassword implements database.Conn.
func (c *conn) SetPassword(ctx context.Context, change database.Change) error {
	user, password := change.Target.User, change.Target.Password
	if err := checkPassword(password); err != nil {
		return err
	}
	like := user
	if user == c.rehearsed.Clone.User {
		like = c.rehearsed.Original.User
	}
	if err := c.usable(ctx, like); err != nil {
		return err
	}
	return c.altering(c.oneByOne(ctx, []statement{settingPassword("ALTER USER", user, password, "")}, leaves{}), user)
}

const queryValidity = `/* rotor: validity */
SELECT valuntil FROM pg_user WHERE usename = $1`

// usable fails where a new password would be of no use.
func (c *conn) usable(ctx context.Context, user string) error {
	var until *string
	err := c.pg.QueryRow(ctx, queryValidity, user).Scan(&until)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return rotation.Fail(rotation.NoUser, "there is no user %q on the server", user).
			With("Correct the secret's username, letter for letter: Redshift folds the letters of a name that was not quoted to lower case.")
	case err != nil:
		return codes.Fault(err)
	case until != nil && past(*until):
		return rotation.Fail(rotation.PasswordExpired, "the user %q has a VALID UNTIL that is past, so that no password works", user).
			With("ALTER USER " + pgwire.Ident(user) + " VALID UNTIL 'infinity';")
	}
	return nil
}

// past reports whether a time in ISO form, as the server prints it, is over.
// What it cannot read is not.
func past(until string) bool {
	for _, layout := range []string{"2006-01-02 15:04:05.999999Z07:00", "2006-01-02 15:04:05.999999Z07", "2006-01-02 15:04:05.999999"} {
		if t, err := time.Parse(layout, until); err == nil {
			return t.Before(time.Now())
		}
	}
	return false
}
