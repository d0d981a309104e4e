package mysql

import (
	"context"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// An account is a user as it logs in from some hosts.
type account struct{ user, host string }

// parseAccount reads CURRENT_USER(). A user name may have an @; a host has none.
func parseAccount(text string) account {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return account{user: text}
	}
	return account{text[:at], text[at+1:]}
}

// String quotes the account for a statement.
func (a account) String() string { return ident(a.user) + "@" + ident(a.host) }

// accountsOf returns the accounts of a user, which may be none, with what the
// table says of how they log in. They are in an order of their own: of their
// hosts.
func (c *conn) accountsOf(ctx context.Context, f *facts, user string) ([]target, error) {
	// In MariaDB a role is a row of this table too, and only one of several
	// plug-ins is in it.
	query := "SELECT User, Host, plugin FROM mysql.user WHERE User = " + literal(user)
	if f.maria {
		query += " AND is_role = 'N'"
	}
	rows, err := c.rows(ctx, query)
	if isPrivilege(err) {
		return nil, c.lacks(err, f, "GRANT SELECT ON mysql.* TO "+f.self.String())
	}
	if err != nil {
		return nil, fault(err)
	}
	var all []target
	for _, row := range rows {
		if row[0] == user { // the column's collation takes more for the same
			all = append(all, target{account{row[0], row[1]}, []authentication{{plugin: row[2]}}})
		}
	}
	slices.SortFunc(all, func(a, b target) int { return strings.Compare(a.host, b.host) })
	return all, nil
}

// mustAccountsOf is accountsOf for a user who has to exist.
func (c *conn) mustAccountsOf(ctx context.Context, f *facts, user string) ([]target, error) {
	all, err := c.accountsOf(ctx, f, user)
	if err == nil && len(all) == 0 {
		err = noUser(user)
	}
	return all, err
}

func noUser(user string) error {
	return rotation.Fail(rotation.NoUser, "there is no user %q on the server", user)
}
