package mysql

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
)

// markKey is our member of an account's ATTRIBUTE, an object with these members.
// None says anything that is secret.
const (
	markKey = "rotor"
	// markVersion is the version of the secret for which the password was changed
	// last while the old one was kept. It is believed only if the password works too.
	markVersion = "version"
	// markPair is a word, made at random, that all accounts of two alternating users
	// have in common, and nobody else's. Whoever may write it, with CREATE USER and
	// over an account with SYSTEM_USER with that too, may change the account's
	// password as well; and who may write one of the two alone does not know the word.
	// Source: MySQL manual, "ALTER USER Statement" and "Account Categories".
	markPair = "pair"
)

// mark is the ATTRIBUTE that the server merges into the one that is there.
func mark(member, value, instead string) untold {
	text := func(value string) string {
		return marshal(map[string]map[string]string{markKey: {member: value}})
	}
	return untold{text(value), text(instead)}
}

// withMark is an attribute of another account's as this clone has it.
func withMark(attribute, pair string) (untold, error) {
	all, err := members(attribute)
	text := func(pair string) string {
		all[markKey] = json.RawMessage(marshal(map[string]string{markPair: pair}))
		return marshal(all)
	}
	if err != nil {
		return untold{}, err
	}
	return untold{text(pair), text("<mark>")}, nil
}

// marshal writes JSON for people too: what means something in HTML stays as it is.
func marshal(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // strings, and JSON that was parsed
	return strings.TrimSuffix(b.String(), "\n")
}

// marks reads a member of the mark of each of a user's accounts; "" where there
// is none.
func (c *conn) marks(ctx context.Context, user, member string) ([]string, error) {
	rows, err := c.rows(ctx, fmt.Sprintf("SELECT User, IFNULL(JSON_UNQUOTE(JSON_EXTRACT(User_attributes, '$.metadata.%s.%s')), '') FROM mysql.user WHERE User = %s", markKey, member, literal(user)))
	var values []string
	for _, row := range rows {
		if row[0] == user { // the column's collation takes more for the same
			values = append(values, row[1])
		}
	}
	return values, fault(err)
}

// agreed is the value that all have, or "".
func agreed(values []string) string {
	if len(values) == 0 || slices.ContainsFunc(values, func(v string) bool { return v != values[0] }) {
		return ""
	}
	return values[0]
}

// mark gives the accounts of both users that exist the word of the pair. The
// original's come first: a clone is there only when both are marked.
func (k *cloning) mark(ctx context.Context) error {
	if !k.attributes() {
		return nil
	}
	original, err := k.marks(ctx, k.original, markPair)
	if err != nil {
		return err
	}
	clone, err := k.marks(ctx, k.clone, markPair)
	if err != nil {
		return err
	}
	if k.pair = agreed(original); k.pair == "" {
		k.pair = rand.Text()
		var accounts []string
		for _, s := range k.sources {
			accounts = append(accounts, s.account.String())
		}
		if err := k.markAll(ctx, accounts); err != nil {
			return err
		}
	}
	if len(clone) == 0 || agreed(clone) == k.pair {
		return nil
	}
	var accounts []string
	for _, host := range slices.Sorted(maps.Keys(k.made)) {
		accounts = append(accounts, account{k.clone, host}.String())
	}
	return k.markAll(ctx, accounts)
}

func (k *cloning) markAll(ctx context.Context, accounts []string) error {
	var marking statement = func(say func(untold) string) string {
		return "ALTER USER " + strings.Join(accounts, ", ") + " ATTRIBUTE " + say(mark(markPair, k.pair, "<mark>"))
	}
	if err := k.send(ctx, marking); err != nil {
		return k.lacks(err, k.facts, "GRANT CREATE USER ON *.* TO "+k.self.String())
	}
	k.login.Report.Changed(marking(untold.told))
	return nil
}

// Standing implements database.Administrator. All accounts of both must have the
// mark. MySQL before 8.0.21 and MariaDB have no place for one.
func (c *conn) Standing(ctx context.Context, p database.Pair, next database.Login) (database.Standing, error) {
	f, err := c.settle(ctx, p.Original.User, p.Clone.User)
	if err != nil {
		return database.Stranger, err
	}
	accounts, err := c.accountsOf(ctx, f, next.User)
	switch {
	case err != nil:
		return database.Stranger, err
	case len(accounts) == 0:
		return database.Absent, nil
	case !f.attributes():
		return database.Stranger, nil
	}
	original, err := c.marks(ctx, p.Original.User, markPair)
	if err != nil {
		return database.Stranger, err
	}
	clone, err := c.marks(ctx, p.Clone.User, markPair)
	if err != nil || agreed(original) == "" || agreed(original) != agreed(clone) {
		return database.Stranger, err
	}
	return database.Twin, nil
}

// Compare implements database.Administrator. A line names the host of the account
// that it is about. Where the server takes the two users for accounts of different
// hosts when they come from here, what those may do is compared as well: the steps
// that follow log in as they do.
func (c *conn) Compare(ctx context.Context, p database.Pair) (d database.Difference, err error) {
	f, err := c.settle(ctx, p.Original.User, p.Clone.User)
	if err != nil {
		return d, err
	}
	original, err := c.seen(ctx, f, p.Original.User, p.Clone.User)
	if err == nil && len(original.rights) == 0 {
		err = noUser(p.Original.User)
	}
	if err != nil {
		return d, err
	}
	clone, err := c.seen(ctx, f, p.Clone.User, p.Original.User)
	if err != nil {
		return d, err
	}
	if len(original.here) > 0 && len(clone.here) > 0 && original.host != clone.host {
		original.rights, clone.rights = append(original.rights, original.here...), append(clone.rights, clone.here...)
	}
	return database.Differing(original.rights, clone.rights), nil
}

// A seen user is what its accounts may do, and what the one may do for which the
// server takes whoever comes from where this session comes from.
type seen struct {
	rights, here []string
	host         string
}

func (c *conn) seen(ctx context.Context, f *facts, user, twin string) (s seen, err error) {
	accounts, err := c.accountsOf(ctx, f, user)
	if err != nil {
		return s, err
	}
	as, _ := taken(accounts, f.from)
	s.host = as.host
	for _, t := range accounts {
		lines, err := c.rightsAt(ctx, f, t.account, twin)
		if err != nil {
			return s, err
		}
		for _, line := range lines {
			s.rights = append(s.rights, fmt.Sprintf("%s (from host %q)", line, t.host))
			if t.account == as.account {
				s.here = append(s.here, fmt.Sprintf("%s (from %q, whatever the account)", line, f.from))
			}
		}
	}
	return s, nil
}

// rightsAt are the rights of one account, among them that it exists.
func (c *conn) rightsAt(ctx context.Context, f *facts, a account, twin string) ([]string, error) {
	h, err := c.holdingsOf(ctx, f, a)
	if err != nil {
		return nil, err
	}
	set, err := c.named(ctx, f, a, twin, h)
	if err != nil {
		return nil, err
	}
	return append([]string{"login"}, slices.Sorted(maps.Keys(set))...), nil
}
