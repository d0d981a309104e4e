package postgres

import "strings"

// ident quotes a name.
// Source: PostgreSQL manual, 4.1.1 "Identifiers and Key Words".
func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

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
