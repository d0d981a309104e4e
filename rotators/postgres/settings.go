package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// A setting is a line of pg_db_role_setting.
type setting struct{ database, name, value string }

// querySettings reads a role's settings; if $2 is true, without those of "role"
// that are in vain.
const querySettings = `/* rotor: settings */
SELECT coalesce(d.datname::text, ''), item
FROM pg_catalog.pg_db_role_setting s
JOIN pg_catalog.pg_roles r ON r.oid = s.setrole AND r.rolname = $1
LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS item
WHERE NOT $2 OR item NOT LIKE 'role=%%' OR %s
ORDER BY 1, 2`

// becomes is whether the role r acts as the one that its setting item names: at
// its login the server ignores, with a warning, what it may not become.
func (c *conn) becomes() string {
	return `(EXISTS (SELECT FROM pg_catalog.pg_roles t WHERE t.rolname = pg_catalog.substr(item, 6)
         AND (r.rolsuper OR pg_catalog.pg_has_role(r.oid, t.oid, '` + c.become() + `'))))`
}

// become is what pg_has_role calls the power to become a role.
func (c *conn) become() string {
	if c.major() >= 16 {
		return "SET"
	}
	return "MEMBER"
}

func (k *cloning) settingsOf(ctx context.Context, user string) ([]setting, error) {
	rows, err := k.tx.Query(ctx, fmt.Sprintf(querySettings, k.becomes()), user, user == k.original)
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

// bothSettings are those that the clone has, and those that it ought to have: the
// original's, for all databases and for each, and the one by which it becomes the
// original, or whoever the original becomes, when it logs in.
func (k *cloning) bothSettings(ctx context.Context) (has, want []setting, err error) {
	if want, err = k.settingsOf(ctx, k.original); err != nil {
		return nil, nil, err
	}
	has, err = k.settingsOf(ctx, k.clone)
	return has, becoming(k.original, want), err
}

// becoming adds the role setting that makes a clone the original, unless the
// original becomes another role itself.
func becoming(original string, settings []setting) []setting {
	if slices.ContainsFunc(settings, func(s setting) bool { return s.database == "" && s.name == "role" }) {
		return settings
	}
	return append(slices.Clone(settings), setting{"", "role", original})
}

// surplus are the settings in has that want does not have at all.
func surplus(has, want []setting) (all []setting) {
	for _, s := range has {
		if !slices.ContainsFunc(want, func(w setting) bool { return w.database == s.database && w.name == s.name }) {
			all = append(all, s)
		}
	}
	return all
}

// differing are the settings that have to change so that has becomes want.
func differing(has, want []setting) []setting {
	all := surplus(has, want)
	for _, s := range want {
		if !slices.Contains(has, s) {
			all = append(all, s)
		}
	}
	return all
}

// settingChanges are the statements that turn has into want.
func settingChanges(role string, has, want []setting) []string {
	var statements []string
	for _, s := range surplus(has, want) {
		statements = append(statements, alterIn(role, s.database)+" RESET "+pgwire.Parameter(s.name))
	}
	for _, s := range want {
		if !slices.Contains(has, s) {
			statements = append(statements, alterIn(role, s.database)+" SET "+pgwire.Parameter(s.name)+" TO "+pgwire.SettingValue(s.name, s.value, literal))
		}
	}
	return statements
}

func alterIn(role, database string) string {
	if database == "" {
		return "ALTER ROLE " + pgwire.Ident(role)
	}
	return "ALTER ROLE " + pgwire.Ident(role) + " IN DATABASE " + pgwire.Ident(database)
}
