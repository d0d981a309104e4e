package oracle

import (
	"context"
	"strings"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// An account is all that is copied from an original to its clone.
type account struct {
	attributes
	quotas map[string]string // of tablespaces, in bytes; -1 is no limit
	roles  map[string]role
	grants grants
	// lent are those of the grants that somebody else than the owner made, and who:
	// they end when that user loses the privilege.
	lent  map[grant]string
	owned objects
	// faulty are views and types, anybody's, that may have errors: see readFaulty.
	faulty map[object]bool
}

func newAccount(a attributes) *account {
	return &account{attributes: a, quotas: map[string]string{}, roles: map[string]role{}, grants: grants{}, lent: map[grant]string{},
		owned: objects{}, faulty: map[object]bool{}}
}

// attributes are a row of DBA_USERS.
type attributes struct {
	status, authentication         string
	profile, tablespace, temporary string
	bornLocked                     bool // since it was made: a clone that is not whole yet
	maintained, common             bool // Oracle's own; of the whole container database
}

// A role is how a user holds one.
type role struct{ admin, delegate, byDefault bool }

// attributesOf reads two users. One that does not exist has none. The error has
// no class yet.
func (c *conn) attributesOf(ctx context.Context, f *facts, one, other string) (map[string]*attributes, error) {
	const columns = "SELECT USERNAME, ACCOUNT_STATUS, AUTHENTICATION_TYPE, PROFILE, DEFAULT_TABLESPACE, TEMPORARY_TABLESPACE, " +
		"TO_CHAR(CREATED, 'YYYY-MM-DD HH24:MI:SS'), TO_CHAR(LOCK_DATE, 'YYYY-MM-DD HH24:MI:SS')"
	query := columns + " FROM DBA_USERS WHERE USERNAME IN (:1, :2)"
	if f.since(12, 1) {
		query = columns + ", ORACLE_MAINTAINED, COMMON FROM DBA_USERS WHERE USERNAME IN (:1, :2)"
	}
	rows, err := c.rows(ctx, query, one, other)
	if err != nil {
		return nil, err
	}
	pair := map[string]*attributes{}
	for _, row := range rows {
		a := &attributes{status: row[1], authentication: row[2], profile: row[3], tablespace: row[4], temporary: row[5]}
		a.bornLocked = strings.Contains(a.status, "LOCKED") && soon(row[6], row[7])
		if len(row) > 8 {
			a.maintained, a.common = row[8] == "Y", row[9] == "YES"
		}
		pair[row[0]] = a
	}
	return pair, nil
}

// soon reports whether the second of two times comes within seconds of the first:
// one statement made the account and locked it.
func soon(made, locked string) bool {
	a, err := time.Parse(time.DateTime, made)
	b, err2 := time.Parse(time.DateTime, locked)
	return err == nil && err2 == nil && b.Sub(a) <= 5*time.Second
}

// rotatable refuses users who are not the customer's, or have no password.
func (a *attributes) rotatable(name string) error {
	switch {
	case a.maintained:
		return rotation.Fail(rotation.BadSecret, "the user %s is Oracle's own", ident(name))
	case a.common:
		return rotation.Fail(rotation.BadSecret, "%s is a common user, of a whole container database", ident(name)).With(pluggable)
	case a.authentication != "" && a.authentication != "PASSWORD":
		return rotation.Fail(rotation.BadSecret, "the user %s has no password in the database: its authentication is %s", ident(name), a.authentication).
			With("Rotate a user who has a password (IDENTIFIED BY). Such a user is not turned into one.")
	}
	return nil
}

// locked reports whether somebody locked the account since it was made.
func (a *attributes) locked() bool { return strings.Contains(a.status, "LOCKED") && !a.bornLocked }

// accounts reads all about two users, from the views of administrators.
func (c *conn) accounts(ctx context.Context, f *facts, one, other string) (map[string]*account, error) {
	all, err := c.attributesOf(ctx, f, one, other)
	if err != nil {
		return nil, c.lacks(err, f, readsCatalog)
	}
	pair := map[string]*account{}
	for name, a := range all {
		pair[name] = newAccount(*a)
	}
	if err := c.read(ctx, f, pair, dictionary, one, other); err != nil {
		return nil, c.lacks(err, f, readsCatalog)
	}
	return pair, nil
}
