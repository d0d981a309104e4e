package redshift

import (
	"cmp"
	"maps"
	"slices"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// A statement is one step of a plan.
type statement struct {
	sql string
	// told is the statement for people, where it has a password; else it is empty.
	told string
	// attempt says, for people, what the statement does if the plan goes on
	// without it: a failure costs nobody a right. Empty means that the plan
	// depends on it.
	attempt string
	// instead are statements that then take its place.
	instead []statement
}

// String is the statement without a password.
func (s statement) String() string { return cmp.Or(s.told, s.sql) }

// settingPassword is the statement that gives a user a password. Verb is CREATE or
// ALTER USER; until is a clause.
func settingPassword(verb, user, password, until string) statement {
	say := func(stored string) string {
		return verb + " " + pgwire.Ident(user) + " PASSWORD " + literal(stored) + until
	}
	return statement{sql: say(hash(user, password)), told: say("<new password>")}
}

func must(sql string) statement { return statement{sql: sql} }

func may(sql, attempt string) statement { return statement{sql: sql, attempt: attempt} }

// settingChanges are the statements that turn the settings that user has into
// want.
func settingChanges(user string, has, want map[string]string) []statement {
	alter := "ALTER USER " + pgwire.Ident(user)
	var all []statement
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if _, ok := want[name]; !ok {
			all = append(all, must(alter+" RESET "+pgwire.Parameter(name)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if value, ok := has[name]; !ok || value != want[name] {
			all = append(all, must(alter+" SET "+pgwire.Parameter(name)+" TO "+pgwire.SettingValue(name, want[name], literal)))
		}
	}
	return all
}

// groupChanges are the statements that turn the groups that user is in into
// want.
func groupChanges(user string, has, want map[string]bool) []statement {
	var all []statement
	for _, group := range slices.Sorted(maps.Keys(want)) {
		if !has[group] {
			all = append(all, must("ALTER GROUP "+pgwire.Ident(group)+" ADD USER "+pgwire.Ident(user)))
		}
	}
	for _, group := range slices.Sorted(maps.Keys(has)) {
		if !want[group] {
			all = append(all, may("ALTER GROUP "+pgwire.Ident(group)+" DROP USER "+pgwire.Ident(user),
				"take "+pgwire.Ident(user)+" out of the group "+pgwire.Ident(group)+", which the original is not in"))
		}
	}
	return all
}

// roleChanges are the statements that turn the roles that user has into want.
// The admin option goes with the role alone (?): to lose it is to lose the role
// and to get it back.
func roleChanges(user string, has, want map[string]bool) []statement {
	var all []statement
	for _, role := range slices.Sorted(maps.Keys(has)) {
		admin, wanted := want[role]
		if !wanted || has[role] && !admin {
			all = append(all, may("REVOKE ROLE "+pgwire.Ident(role)+" FROM "+pgwire.Ident(user),
				"revoke from "+pgwire.Ident(user)+" the role "+pgwire.Ident(role)+", which the original has not, or not with the admin option"))
		}
	}
	for _, role := range slices.Sorted(maps.Keys(want)) {
		admin, had := has[role]
		switch {
		case want[role] && !admin:
			all = append(all, must("GRANT ROLE "+pgwire.Ident(role)+" TO "+pgwire.Ident(user)+" WITH ADMIN OPTION"))
		case !had, admin && !want[role]:
			all = append(all, must("GRANT ROLE "+pgwire.Ident(role)+" TO "+pgwire.Ident(user)))
		}
	}
	return all
}
