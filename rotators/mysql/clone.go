package mysql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	mysql "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Clone implements database.Administrator. These servers have no transactions for
// it, so that the order keeps the promise: a new account is locked, rights
// come next, and the lock goes last. A run that was cut short leaves nothing that the next one does not
// mend.
func (c *conn) Clone(ctx context.Context, p database.Pair) error {
	original, clone := p.Original.User, p.Clone.User
	f, err := c.settle(ctx, original, clone)
	if err != nil {
		return err
	}
	if err := c.lock(ctx, original); err != nil {
		return err
	}
	k := cloning{conn: c, facts: f, original: original, clone: clone, password: p.Clone.Password, foreseen: map[account]*holdings{}}
	if err := k.read(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		k.mark,
		k.create,
		k.drop,
		k.options,
		k.equalize,
		k.identify,
		k.locks,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	c.cloned = k.done()
	k.noteDefiner(ctx)
	return nil
}

// patience is how long another run may hold the lock: so long that it can end, and
// half of what is left of the step, so that it can still be told who it is.
func patience(ctx context.Context) time.Duration {
	most := 20 * time.Second
	if deadline, ok := ctx.Deadline(); ok {
		most = min(most, time.Until(deadline)/2)
	}
	return max(most, time.Second).Truncate(time.Second)
}

// lock lets one session at a time work on a user. Closing the session unlocks. Any
// user of the server can take the lock, so that its holder is named. A rehearsal
// works on nothing.
func (c *conn) lock(ctx context.Context, user string) error {
	if c.login.Report.Rehearses() {
		return nil
	}
	sum := sha256.Sum256([]byte(user)) // a lock's name has 64 characters at most
	name, wait := literal("rotor:"+hex.EncodeToString(sum[:16])), patience(ctx)
	got, err := c.column(ctx, fmt.Sprintf("SELECT GET_LOCK(%s, %.0f)", name, wait.Seconds()))
	if err != nil {
		return fault(err)
	}
	if len(got) == 1 && got[0] == "1" {
		return nil
	}
	holder, err := c.rows(ctx, fmt.Sprintf("SELECT IFNULL(IS_USED_LOCK(%s), ''), IFNULL((SELECT CONCAT(USER, ' from ', HOST) FROM information_schema.PROCESSLIST WHERE ID = IS_USED_LOCK(%[1]s)), 'somebody whom only PROCESS would show')", name))
	if err != nil {
		return fault(err)
	}
	if len(holder) != 1 || holder[0][0] == "" {
		return rotation.Fail(rotation.Unavailable, "another run was working on %q for %v", user, wait).Again()
	}
	return rotation.Fail(rotation.Unavailable, "connection %s, of %s, has held the lock on %q for %v", holder[0][0], holder[0][1], user, wait).
		With(fmt.Sprintf("If that is another run, wait until it has ended, then rotate again. If it is not, end it, as an administrator: KILL %s;", holder[0][0]))
}

// cloning makes the accounts of clone the same as those of original.
type cloning struct {
	*conn
	*facts
	original, clone string
	password        string // the one that SetPassword will set
	pair            string // the word of the mark

	sources []source              // the original's
	made    map[string]definition // the clone's that exist, by host; then the new ones too
	fresh   bool                  // the clone had none
	born    []string              // hosts of those that were made, with that password

	// What a rehearsal foresees, and what it takes for that: the session's rights.
	foreseen map[account]*holdings
	own      *holdings
}

// A source is one of the original's accounts.
type source struct {
	account
	definition
}

func (s source) target() target { return target{s.account, s.ways} }

// at is the clone's account that goes with one of the original's.
func (k *cloning) at(s source) account { return account{k.clone, s.host} }

// read looks at the accounts of both, and changes nothing.
func (k *cloning) read(ctx context.Context) error {
	originals, err := k.mustAccountsOf(ctx, k.facts, k.original)
	if err != nil {
		return err
	}
	var targets []target
	for _, t := range originals {
		d, err := k.understood(ctx, t.account)
		if err != nil {
			return err
		}
		s := source{t.account, d}
		k.sources, targets = append(k.sources, s), append(targets, s.target())
	}
	if _, err := withPassword(targets); err != nil {
		return err
	}
	existing, err := k.accountsOf(ctx, k.facts, k.clone)
	if err != nil {
		return err
	}
	k.fresh = len(existing) == 0
	k.made = map[string]definition{}
	for _, t := range existing {
		if k.made[t.host], err = k.understood(ctx, t.account); err != nil {
			return err
		}
	}
	return nil
}

// understood is an account's definition, if Rotor can make another such account.
func (k *cloning) understood(ctx context.Context, a account) (definition, error) {
	d, err := k.wholeDefinitionOf(ctx, k.facts, a)
	if err == nil && d.factors > 1 {
		err = rotation.Fail(rotation.BadSecret, "the account %s proves itself in %d ways at each login, and Rotor knows of one: it cannot be one of two users that alternate", a, d.factors).
			With("Use ROTATION_STRATEGY=single-user, or take the other ways away: ALTER USER " + a.String() + " DROP 2 FACTOR;")
	}
	return d, err
}

// create makes the accounts that are missing: locked, with the password of the
// secret, by which a run that follows one that was cut short knows them again. The
// servers tell that an account is locked to nobody else.
func (k *cloning) create(ctx context.Context) error {
	for _, s := range k.sources {
		if _, ok := k.made[s.host]; ok {
			continue
		}
		attribute, err := withMark(s.attribute, k.pair)
		if err != nil {
			return err
		}
		if err := k.identifying(ctx, s, func(say func(untold) string, clause string) string {
			text := "CREATE USER " + k.at(s).String() + " " + clause + " " + s.options(k.facts) + " ACCOUNT LOCK"
			if k.attributes() { // which come last
				text += " ATTRIBUTE " + say(attribute)
			}
			return text
		}); err != nil {
			return err
		}
		d := s.definition
		d.locked = true
		k.made[s.host] = d
		k.born = append(k.born, s.host)
		k.foreseeNew(k.at(s))
	}
	return nil
}

// identifying runs a statement with the IDENTIFIED clause of an account.
func (k *cloning) identifying(ctx context.Context, s source, with func(say func(untold) string, clause string) string) error {
	run := func(plain bool) error {
		err := k.send(ctx, func(say func(untold) string) string {
			if k.maria {
				return with(say, mariaClause(say, s.ways, k.password, plain))
			}
			return with(say, mysqlClause(say, s.ways[0], newPassword(k.password)))
		})
		if isPrivilege(err) {
			return k.lacks(err, k.facts, "GRANT CREATE USER ON *.* TO "+k.self.String())
		}
		return err
	}
	if !k.maria {
		return fault(run(false))
	}
	return k.hashing(ctx, unhashable(hidden(s.ways, k.password)), run)
}

// drop removes the clone's accounts on hosts where the original has none.
func (k *cloning) drop(ctx context.Context) error {
	for _, host := range slices.Sorted(maps.Keys(k.made)) {
		if slices.ContainsFunc(k.sources, func(s source) bool { return s.host == host }) {
			continue
		}
		a := account{k.clone, host}
		statement := "DROP USER " + a.String()
		done, err := k.attempted(k.exec(ctx, statement), statement, fmt.Sprintf("drop %s, since %q has no account there", a, k.original))
		if err != nil {
			return err
		}
		if done {
			delete(k.made, host)
		}
	}
	return nil
}

// options gives the clone's accounts the original's TLS demands, limits and
// password policy.
func (k *cloning) options(ctx context.Context) error {
	for _, s := range k.sources {
		has, want := k.made[s.host], s.options(k.facts)
		patch, err := attributePatch(has.attribute, s.attribute)
		if err != nil {
			return err
		}
		if has.options(k.facts) == want && !has.expired && patch == "" {
			continue
		}
		if patch != "" {
			want += " ATTRIBUTE " + literal(patch)
		}
		if err := k.exec(ctx, "ALTER USER "+k.at(s).String()+" "+want); err != nil {
			return k.lacks(err, k.facts, "GRANT CREATE USER ON *.* TO "+k.self.String())
		}
	}
	return nil
}

// identify gives accounts that log in by other means than the original's those
// means. Where one of them is a password, that is for the statement which sets it: a
// server that keeps a history of passwords takes none twice.
func (k *cloning) identify(ctx context.Context) error {
	for _, s := range k.sources {
		if slices.EqualFunc(k.made[s.host].ways, s.ways, authentication.isLike) {
			continue
		}
		d := k.made[s.host]
		d.ways = s.ways
		k.made[s.host] = d
		if hasPassword(s.ways) {
			continue
		}
		if err := k.identifying(ctx, s, func(_ func(untold) string, clause string) string {
			return "ALTER USER " + k.at(s).String() + " " + clause
		}); err != nil {
			return err
		}
	}
	return nil
}

// locks gives the clone's accounts the original's locks, and unlocks new ones,
// all of them at once: then the clone is whole.
func (k *cloning) locks(ctx context.Context) error {
	accounts := map[bool][]string{}
	for _, s := range k.sources {
		if k.made[s.host].locked != s.locked {
			accounts[s.locked] = append(accounts[s.locked], k.at(s).String())
		}
	}
	for _, change := range []struct {
		accounts []string
		state    string
	}{{accounts[true], "LOCK"}, {accounts[false], "UNLOCK"}} {
		if len(change.accounts) == 0 {
			continue
		}
		if err := k.exec(ctx, "ALTER USER "+strings.Join(change.accounts, ", ")+" ACCOUNT "+change.state); err != nil {
			return k.lacks(err, k.facts, "GRANT CREATE USER ON *.* TO "+k.self.String())
		}
	}
	return nil
}

// attempted is how a statement ended whose failure costs nobody a right. What the
// server says against it is noted; other errors are returned.
func (k *cloning) attempted(err error, statement, what string) (done bool, _ error) {
	var me *mysql.MySQLError
	if errors.As(err, &me) {
		k.login.Report.Notef("The administrator could not %s: %v. Let one who may run %s;", what, fault(err), statement)
		return false, nil
	}
	if err == nil {
		k.login.Report.Changed(statement)
	}
	return err == nil, fault(err)
}

// queryDefined finds what runs with the rights of users, whose accounts are these. It is limited to two
// seconds, since some servers open every table for it.
func (k *cloning) queryDefined(is string) string {
	hint, prefix := "/*+ MAX_EXECUTION_TIME(2000) */ ", ""
	if k.maria {
		hint, prefix = "", "SET STATEMENT max_statement_time = 2 FOR "
	}
	definer := " " + is + " "
	return prefix + "SELECT " + hint + "CONCAT('view ', TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.VIEWS WHERE DEFINER" + definer +
		"UNION ALL SELECT CONCAT(LOWER(ROUTINE_TYPE), ' ', ROUTINE_SCHEMA, '.', ROUTINE_NAME) FROM information_schema.ROUTINES WHERE DEFINER" + definer +
		"UNION ALL SELECT CONCAT('trigger ', TRIGGER_SCHEMA, '.', TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE DEFINER" + definer +
		"UNION ALL SELECT CONCAT('event ', EVENT_SCHEMA, '.', EVENT_NAME) FROM information_schema.EVENTS WHERE DEFINER" + definer + "LIMIT 21"
}

// likeText is a text as LIKE takes it.
func likeText(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// noteDefiner names what a clone made: it runs with the clone's rights, so that
// the original cannot be used to replace it, and the clone not be dropped.
func (k *cloning) noteDefiner(ctx context.Context) {
	if k.fresh {
		return
	}
	names, err := k.column(ctx, k.queryDefined("LIKE "+literal(likeText(k.clone)+"@%")))
	if err != nil || len(names) == 0 {
		return // a note less
	}
	const most = 20
	more := ""
	if len(names) > most {
		names, more = names[:most], " and more"
	}
	k.login.Report.Notef("%q is the definer of %s%s. They need it as long as they exist; let an administrator make them with DEFINER = %q instead.",
		k.clone, strings.Join(names, ", "), more, k.original)
}
