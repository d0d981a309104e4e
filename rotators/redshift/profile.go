package redshift

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// A profile is all that is copied from an original to its clone.
type profile struct {
	attributes
	settings map[string]string
	groups   map[string]bool
	roles    map[string]bool // with whether the user may grant it on
	grants   grants
	unknown  grants // which no statement is known for
	owned    objects
	defaults map[defaultGrant]bool // with the grant option
	extras   extras
	// materialized are the materialized views among what the user owns.
	materialized []string
}

func newProfile(a attributes, settings map[string]string) *profile {
	return &profile{attributes: a, settings: settings, groups: map[string]bool{}, roles: map[string]bool{},
		grants: grants{}, unknown: grants{}, owned: objects{}, defaults: map[defaultGrant]bool{}, extras: extras{}}
}

// attributes are what CREATE USER and ALTER USER set, apart from the password.
// The zero attributes are those of a new user.
type attributes struct {
	super, createDB bool
	validUntil      string // in ISO form, or "" for ever
	limit           string // of connections, or "" for none
	unrestricted    bool   // SYSLOG ACCESS UNRESTRICTED
	timeout         int    // of idle sessions in seconds; 0 is none
}

const (
	queryUsers = `/* rotor: users */
SELECT usename, usesuper, usecreatedb, valuntil, useconfig FROM pg_user WHERE usename IN ($1, $2)`
	queryUserInfo = `/* rotor: user info */
SELECT user_name, connection_limit, syslog_access, session_timeout FROM svv_user_info WHERE user_name IN ($1, $2)`
	queryGroups = `/* rotor: groups */
SELECT u.usename, g.groname FROM pg_group g, pg_user u WHERE u.usesysid = ANY (g.grolist) AND u.usename IN ($1, $2)`
	queryRoles = `/* rotor: roles */
SELECT user_name, role_name, admin_option FROM svv_user_grants WHERE user_name IN ($1, $2)`
)

// profiles reads two users at once. One that does not exist has none.
func (c *conn) profiles(ctx context.Context, one, other string) (map[string]*profile, error) {
	pair := map[string]*profile{}
	for _, read := range []func(context.Context, map[string]*profile, string, string) error{
		c.readUsers, c.readUserInfo, c.readGroups, c.readRoles, c.readGrants, c.readOwned, c.readDefaults, c.readExtras,
	} {
		if err := read(ctx, pair, one, other); err != nil {
			return nil, err
		}
	}
	for _, p := range pair {
		for _, owner := range pair {
			p.unknown = p.unknown.without(owner.owned)
		}
		for g, option := range p.unknown {
			p.extras[unsayable(g, option)] = true
		}
	}
	return pair, nil
}

// bothProfiles are those of two users with what only an administrator sees. The
// original exists.
func (c *conn) bothProfiles(ctx context.Context, p database.Pair) (original, clone *profile, err error) {
	pair, err := c.profiles(ctx, p.Original.User, p.Clone.User)
	if err == nil {
		err = c.readPolicies(ctx, pair, p.Original.User, p.Clone.User)
	}
	if err == nil && pair[p.Original.User] == nil {
		err = noUser(p.Original.User)
	}
	return pair[p.Original.User], pair[p.Clone.User], err
}

func (c *conn) readUsers(ctx context.Context, pair map[string]*profile, one, other string) error {
	_, err := rows(ctx, c, func(row pgx.CollectableRow) (user string, err error) {
		var a attributes
		var until *string
		var config []string
		if err := row.Scan(&user, &a.super, &a.createDB, &until, &config); err != nil {
			return "", err
		}
		if a.validUntil = text(until); a.validUntil == "infinity" {
			a.validUntil = ""
		}
		settings := map[string]string{}
		for _, item := range config {
			name, value, _ := strings.Cut(item, "=")
			settings[name] = value
		}
		pair[user] = newProfile(a, settings)
		return user, nil
	}, queryUsers, one, other)
	return err
}

func (c *conn) readUserInfo(ctx context.Context, pair map[string]*profile, one, other string) error {
	_, err := rows(ctx, c, func(row pgx.CollectableRow) (user string, err error) {
		var limit, access *string
		var timeout *int
		if err := row.Scan(&user, &limit, &access, &timeout); err != nil || pair[user] == nil {
			return user, err
		}
		p := pair[user]
		if p.limit = text(limit); strings.EqualFold(p.limit, "UNLIMITED") || p.limit == "-1" {
			p.limit = ""
		}
		p.unrestricted = strings.EqualFold(text(access), "UNRESTRICTED")
		if timeout != nil {
			p.timeout = *timeout
		}
		return user, nil
	}, queryUserInfo, one, other)
	return err
}

func (c *conn) readGroups(ctx context.Context, pair map[string]*profile, one, other string) error {
	_, err := rows(ctx, c, func(row pgx.CollectableRow) (user string, err error) {
		var group string
		if err = row.Scan(&user, &group); err == nil && pair[user] != nil {
			pair[user].groups[group] = true
		}
		return user, err
	}, queryGroups, one, other)
	return err
}

func (c *conn) readRoles(ctx context.Context, pair map[string]*profile, one, other string) error {
	_, err := rows(ctx, c, func(row pgx.CollectableRow) (user string, err error) {
		var role string
		var admin bool
		if err = row.Scan(&user, &role, &admin); err == nil && pair[user] != nil {
			pair[user].roles[role] = pair[user].roles[role] || admin
		}
		return user, err
	}, queryRoles, one, other)
	return err
}

// noUser says that a user is missing.
func noUser(user string) error {
	return rotation.Fail(rotation.NoUser, "there is no user %q on the server", user)
}

// attributeChanges are the statements that turn a user's attributes from has
// into want. Each says one thing, as the examples of ALTER USER do. VALID UNTIL
// goes with the password, whose end it is.
func attributeChanges(user string, has, want attributes) []statement {
	alter := "ALTER USER " + pgwire.Ident(user)
	var all []statement
	change := func(changes bool, format string, args ...any) {
		if changes {
			all = append(all, must(alter+fmt.Sprintf(format, args...)))
		}
	}
	change(want.super && !has.super, " CREATEUSER")
	change(has.super && !want.super, " NOCREATEUSER")
	change(want.createDB && !has.createDB, " CREATEDB")
	change(has.createDB && !want.createDB, " NOCREATEDB")
	change(want.limit != has.limit, " CONNECTION LIMIT %s", unlimited(want.limit))
	change(want.unrestricted && !has.unrestricted, " SYSLOG ACCESS UNRESTRICTED")
	change(has.unrestricted && !want.unrestricted, " SYSLOG ACCESS RESTRICTED")
	change(want.timeout != has.timeout && want.timeout > 0, " SESSION TIMEOUT %d", want.timeout)
	change(want.timeout != has.timeout && want.timeout == 0, " RESET SESSION TIMEOUT")
	return all
}

// unlimited is a limit, or UNLIMITED for what is no number: nothing that could be
// copied.
func unlimited(limit string) string {
	if digits(limit) {
		return limit
	}
	return "UNLIMITED"
}

// digits reports whether a text is a number without a sign.
func digits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// validUntil is the clause that sets the end of a password's validity, if it
// changes.
func validUntil(has, want string) string {
	switch {
	case has == want:
		return ""
	case want == "":
		return " VALID UNTIL 'infinity'"
	}
	return " VALID UNTIL " + literal(want)
}
