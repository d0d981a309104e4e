package mysql

import (
	"strings"
	"unicode/utf8"
)

// contains reports whether a grant on outer is one on inner too. The name of a
// database is a pattern as LIKE has it.
func contains(outer, inner string) bool {
	if outer == everywhere || outer == inner {
		return true
	}
	database, ok := strings.CutSuffix(outer, ".*")
	if !ok {
		return false
	}
	for _, kind := range []string{"PROCEDURE ", "FUNCTION ", "PACKAGE BODY ", "PACKAGE "} {
		inner = strings.TrimPrefix(inner, kind)
	}
	l, m := lexer{source: database}, lexer{source: inner}
	pattern, err1 := l.next()
	name, err2 := m.next()
	if err1 != nil || err2 != nil {
		return false
	}
	if strings.HasSuffix(inner, ".*") { // a pattern itself
		return pattern.value == name.value || like(pattern.value, unescapeLike(name.value))
	}
	return like(pattern.value, name.value)
}

func unescapeLike(pattern string) string {
	return strings.NewReplacer(`\\`, `\`, `\_`, `_`, `\%`, `%`).Replace(pattern)
}

// like matches a LIKE pattern.
func like(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	switch {
	case pattern[0] == '%':
		for i := 0; i <= len(text); i++ {
			if like(pattern[1:], text[i:]) {
				return true
			}
		}
		return false
	case text == "":
		return false
	case pattern[0] == '_':
		_, size := utf8.DecodeRuneInString(text)
		return like(pattern[1:], text[size:])
	case pattern[0] == '\\' && len(pattern) > 1:
		pattern = pattern[1:]
	}
	return pattern[0] == text[0] && like(pattern[1:], text[1:])
}
