package mysql

import (
	"context"
	"maps"
	"slices"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A definition is what SHOW CREATE USER says of an account, without its name.
type definition struct {
	ways    []authentication // none: not understood
	factors int              // MySQL: in how many ways at once a login proves itself
	require string           // after REQUIRE; NONE if nothing
	limits  map[string]string
	expire  string // after PASSWORD EXPIRE: DEFAULT, NEVER, INTERVAL ...
	expired bool   // PASSWORD EXPIRE by itself: the password has to be changed
	locked  bool
	policy  map[string]string // MySQL's other clauses about passwords, by their first words
	// attribute is MySQL's JSON; COMMENT is in it. It is "" if there is none.
	attribute string
	roles     []string // MySQL: after DEFAULT ROLE

	// demanding: the account wants something of a client's certificate, which
	// only the table can tell, and whatever the server prints behind it.
	demanding bool
	// rolesRead: what is missing in roles is not in the server's text.
	rolesRead bool
	// unread are clauses that are not understood, without what they quote.
	unread []string
}

// definitionOf asks for an account; the session's own needs no privilege, and
// has no hash then. It fails if the server does not answer, and not because of
// what it answers: see definition.unread.
func (c *conn) definitionOf(ctx context.Context, f *facts, a account) (definition, error) {
	lines, err := c.showCreateUser(ctx, f, a)
	return parseDefinition(lines, a, nil), err
}

func (c *conn) showCreateUser(ctx context.Context, f *facts, a account) ([]string, error) {
	query := "SHOW CREATE USER " + a.String()
	if a == f.self {
		query = "SHOW CREATE USER CURRENT_USER()"
	}
	lines, err := c.column(ctx, query)
	if err != nil {
		return nil, c.lacks(err, f, "GRANT SELECT ON mysql.* TO "+f.self.String())
	}
	return lines, nil
}

// wholeDefinitionOf is all of a definition, as it takes to make another account
// alike. What is not understood is an error.
func (c *conn) wholeDefinitionOf(ctx context.Context, f *facts, a account) (definition, error) {
	lines, err := c.showCreateUser(ctx, f, a)
	if err != nil {
		return definition{}, err
	}
	d := parseDefinition(lines, a, nil)
	if d.demanding {
		want, err := c.demandsOf(ctx, f, a)
		if err != nil {
			return d, err
		}
		d = parseDefinition(lines, a, want)
	}
	if d.expired && !f.maria {
		if d.expire, err = c.lifetimeOf(ctx, f, a); err != nil {
			return d, err
		}
	}
	return d, d.whole(a)
}

// demandsOf are an account's demands on certificates. MySQL prints them as they
// are, quotes and backslashes included (rewrite_ssl_properties in
// sql_rewrite.cc), and so does MariaDB up to 11.4.
func (c *conn) demandsOf(ctx context.Context, f *facts, a account) (demands, error) {
	row, err := c.rowOf(ctx, f, a, "x509_subject, x509_issuer, ssl_cipher")
	if err != nil {
		return nil, err
	}
	return demands{"SUBJECT": row[0], "ISSUER": row[1], "CIPHER": row[2]}, nil
}

// lifetimeOf is how long a password of the account lives. MySQL does not show
// it of one that has expired.
func (c *conn) lifetimeOf(ctx context.Context, f *facts, a account) (string, error) {
	row, err := c.rowOf(ctx, f, a, "CASE WHEN password_lifetime IS NULL THEN 'DEFAULT' WHEN password_lifetime = 0 THEN 'NEVER' ELSE CONCAT('INTERVAL ', password_lifetime, ' DAY') END")
	if err != nil {
		return "", err
	}
	return row[0], nil
}

// rowOf reads columns of an account's row.
func (c *conn) rowOf(ctx context.Context, f *facts, a account, columns string) ([]string, error) {
	rows, err := c.rows(ctx, "SELECT "+columns+" FROM mysql.user WHERE User = "+literal(a.user)+" AND Host = "+literal(a.host))
	if err != nil {
		return nil, c.lacks(err, f, "GRANT SELECT ON mysql.* TO "+f.self.String())
	}
	if len(rows) != 1 {
		return nil, rotation.Fail(rotation.NoUser, "the account %s is gone", a)
	}
	return rows[0], nil
}

// whole fails if something of the definition is not understood.
func (d definition) whole(a account) error {
	if len(d.unread) == 0 {
		return nil
	}
	return notUnderstood("SHOW CREATE USER", a, d.unread).
		With("Take that away from the account (ALTER USER), or use ROTATION_STRATEGY=single-user, which does not need it; and report these words.")
}

var limitNames = []string{"MAX_QUERIES_PER_HOUR", "MAX_UPDATES_PER_HOUR", "MAX_CONNECTIONS_PER_HOUR", "MAX_USER_CONNECTIONS"}

// options are the clauses that make another account alike, apart from the
// password, the lock, the attribute and the default roles. They say what is the
// default too: the other account may have something else.
func (d definition) options(f *facts) string {
	names := slices.Clone(limitNames)
	if f.maria {
		names = append(names, "MAX_STATEMENT_TIME")
	}
	for _, name := range slices.Sorted(maps.Keys(d.limits)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	text := "REQUIRE " + d.require + " WITH"
	for _, name := range names {
		value := d.limits[name]
		if value == "" {
			value = "0"
		}
		text += " " + name + " " + value
	}
	text += " PASSWORD EXPIRE " + d.expire
	for _, p := range policies {
		value, ok := d.policy[p.name]
		if !ok && p.unshown != "" && f.since(8, 0, 19) {
			value, ok = p.unshown, true
		}
		if ok {
			text += " " + p.name
		}
		if value != "" {
			text += " " + value
		}
	}
	return text
}
