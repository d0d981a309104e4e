package mysql

import "strings"

// ident quotes a name with backticks, which mean the same in every sql_mode.
// Source: MySQL manual, 11.2 "Schema Object Names".
func ident(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// literal quotes a text for a session without NO_BACKSLASH_ESCAPES, such as
// facts makes it.
// Source: MySQL manual, 11.1.1 "String Literals".
func literal(text string) string { return `'` + escaper.Replace(text) + `'` }

var escaper = strings.NewReplacer(`'`, `''`, `\`, `\\`)
