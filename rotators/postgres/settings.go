package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A setting is a line of pg_db_role_setting.
type setting struct{ database, name, value string }

const querySettings = `/* rotor: settings */
SELECT coalesce(d.datname::text, ''), item
FROM pg_catalog.pg_db_role_setting s
JOIN pg_catalog.pg_roles r ON r.oid = s.setrole AND r.rolname = $1
LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS item
ORDER BY 1, 2`

func (k cloning) settingsOf(ctx context.Context, user string) ([]setting, error) {
	rows, err := k.tx.Query(ctx, querySettings, user)
	if err != nil {
		return nil, fault(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s setting, err error) {
		var item string
		err = row.Scan(&s.database, &item)
		s.name, s.value, _ = strings.Cut(item, "=")
		return s, err
	})
	return all, fault(err)
}

// settings gives the clone the original's settings, for all databases and for
// each, and lets it become the original, or whoever the original becomes, when
// it logs in.
func (k cloning) settings(ctx context.Context) error {
	want, err := k.settingsOf(ctx, k.original)
	if err != nil {
		return err
	}
	has, err := k.settingsOf(ctx, k.clone)
	if err != nil {
		return err
	}
	for _, statement := range settingChanges(k.clone, has, becoming(k.original, want)) {
		if _, err := k.tx.Exec(ctx, statement); err != nil {
			return k.altering(err, k.clone)
		}
	}
	return nil
}

// becoming adds the role setting that makes a clone the original, unless the
// original becomes another role itself.
func becoming(original string, settings []setting) []setting {
	if slices.ContainsFunc(settings, func(s setting) bool { return s.database == "" && s.name == "role" }) {
		return settings
	}
	return append(slices.Clone(settings), setting{"", "role", original})
}

// settingChanges are the statements that turn has into want.
func settingChanges(role string, has, want []setting) []string {
	var statements []string
	for _, s := range has {
		if !slices.ContainsFunc(want, func(w setting) bool { return w.database == s.database && w.name == s.name }) {
			statements = append(statements, alterIn(role, s.database)+" RESET "+parameter(s.name))
		}
	}
	for _, s := range want {
		if !slices.Contains(has, s) {
			statements = append(statements, alterIn(role, s.database)+" SET "+parameter(s.name)+" TO "+value(s))
		}
	}
	return statements
}

func alterIn(role, database string) string {
	if database == "" {
		return "ALTER ROLE " + ident(role)
	}
	return "ALTER ROLE " + ident(role) + " IN DATABASE " + ident(database)
}

// parameter quotes the name of a setting; that of an extension has a dot.
func parameter(name string) string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = ident(parts[i])
	}
	return strings.Join(parts, ".")
}

// lists are the settings whose value is a list of quoted names; the server
// keeps them as such, so that one literal would make one name of all.
// Source: GUC_LIST_QUOTE in the server's guc_tables.c.
var lists = []string{"local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories"}

func value(s setting) string {
	if !slices.Contains(lists, strings.ToLower(s.name)) {
		return literal(s.value)
	}
	names := splitNames(s.value)
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
