package sqlserver

import (
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// ident quotes a name. QUOTENAME would give NULL for one of over 128 characters.
// Source: Transact-SQL reference, "Database identifiers".
func ident(name string) string { return `[` + strings.ReplaceAll(name, `]`, `]]`) + `]` }

// literal quotes a text that continues no line: see continues.
// Source: Transact-SQL reference, "Constants".
func literal(text string) string { return `N'` + strings.ReplaceAll(text, `'`, `''`) + `'` }

// What stands for a password where a statement is told.
const (
	newPassword = `'<new password>'`
	oldPassword = `'<old password>'`
)

// continues reports whether the server would read less than was written: in a
// literal, a backslash at the end of a line goes away together with that end.
// Source: Transact-SQL reference, "Backslash (line continuation)".
func continues(text string) bool {
	return strings.Contains(text, "\\\n") || strings.Contains(text, "\\\r")
}

// checkPassword refuses a password that the server cannot be told, or would cut.
func checkPassword(password string) error {
	switch n := units(password); {
	case n > maxPassword:
		return rotation.Fail(rotation.PasswordRejected, "the password has %d characters (UTF-16 code units); SQL Server takes %d (PASSWORD_LENGTH)", n, maxPassword)
	case continues(password):
		return rotation.Fail(rotation.PasswordRejected, "the password has a backslash at the end of a line, which no statement can hold").
			With(`Set another password by hand and put it into the secret; exclude "\" for new ones (EXCLUDE_CHARACTERS).`)
	}
	return nil
}
