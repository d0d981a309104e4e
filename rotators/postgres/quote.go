package postgres

import "strings"

// literal quotes a text. A backslash needs the E form, whose meaning does not
// depend on standard_conforming_strings.
// Source: PostgreSQL manual, 4.1.2.2 "String Constants with C-Style Escapes".
func literal(text string) string {
	quoted := `'` + strings.ReplaceAll(text, `'`, `''`) + `'`
	if !strings.Contains(text, `\`) {
		return quoted
	}
	return ` E` + strings.ReplaceAll(quoted, `\`, `\\`)
}
