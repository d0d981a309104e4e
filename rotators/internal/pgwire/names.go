package pgwire

import (
	"slices"
	"strings"
)

// Ident quotes a name.
// Source: PostgreSQL manual, 4.1.1 "Identifiers and Key Words".
func Ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Parameter quotes the name of a setting; that of an extension has a dot.
func Parameter(name string) string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = Ident(parts[i])
	}
	return strings.Join(parts, ".")
}

// lists are the settings whose value is a list of quoted names; the server
// keeps them as such, so that one literal would make one name of them.
// Source: GUC_LIST_QUOTE in the server's guc_tables.c.
var lists = []string{"local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories"}

// SettingValue writes the value that a catalog has for a setting, with each text
// in it quoted by literal.
func SettingValue(name, value string, literal func(string) string) string {
	if !slices.Contains(lists, strings.ToLower(name)) {
		return literal(value)
	}
	names := splitNames(value)
	if len(names) == 0 {
		return literal("")
	}
	for i := range names {
		names[i] = literal(names[i])
	}
	return strings.Join(names, ", ")
}

// splitNames reads a list of names, some of them in double quotes.
func splitNames(list string) []string {
	var names []string
	for rest := strings.TrimSpace(list); rest != ""; {
		var name string
		name, rest = cutName(rest)
		names = append(names, name)
		rest = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), ","))
	}
	return names
}

func cutName(s string) (name, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s, ',')
		if end < 0 {
			end = len(s)
		}
		return strings.TrimSpace(s[:end]), s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		return b.String(), s[i+1:]
	}
	return b.String(), ""
}
