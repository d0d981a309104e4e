package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// cloning is one transaction that works on a pair.
type cloning struct {
	*conn
	tx              pgx.Tx
	original, clone string
}

// A plan is what setSecret says to make two users equal. A trial makes the same
// plan and refuses it for the same reasons, and says none of it.
type plan struct {
	creates bool // the clone, which does not exist
	changes []change
	kept    []kept
	// gives are the lines of Compare that the changes give the original.
	gives map[string]bool
	// lacking are changes that the session may not make.
	lacking []change
}

// A change is one statement.
type change struct {
	statement string
	// as is the role that says it, whom the session becomes for that: a grant is taken
	// back by who gave it. Empty is the session's own user.
	as string
	// takes is what it takes from the clone, for people. Nobody loses anything if that
	// fails: it is noted, and Compare will see it.
	takes string
}

// String is what is sent.
func (ch change) String() string {
	if ch.as == "" {
		return ch.statement
	}
	return "SET LOCAL ROLE " + pgwire.Ident(ch.as) + "; " + ch.statement + "; SET LOCAL ROLE NONE"
}

// add adds a statement, once.
func (p *plan) add(ch change) {
	if !slices.Contains(p.changes, ch) {
		p.changes = append(p.changes, ch)
	}
}

// A kept right is one that the clone has beyond its original, and that the session
// may not take away.
type kept struct {
	right string // as Compare has it, where the original may have it by other means
	take  string // what takes it away, said by a superuser; empty if nothing does
	give  string // what gives it to the original; empty if nothing does
}

// planning makes a plan in a transaction that reads.
func (c *conn) planning(ctx context.Context, p database.Pair, making func(*cloning) (plan, error)) error {
	return c.work(ctx, beginReading, func(tx pgx.Tx) error {
		_, err := making(&cloning{c, tx, p.Original.User, p.Clone.User})
		return err
	})
}

// carryOut makes a plan and says it, in one transaction, and tells what it has
// changed.
func (c *conn) carryOut(ctx context.Context, p database.Pair, making func(*cloning) (plan, error)) error {
	var said []change
	err := c.work(ctx, beginWriting, func(tx pgx.Tx) error {
		k := &cloning{c, tx, p.Original.User, p.Clone.User}
		plan, err := making(k)
		if err != nil {
			return err
		}
		said, err = k.say(ctx, plan.changes)
		return err
	})
	if err == nil {
		for _, ch := range said {
			c.login.Report.Changed(ch.String())
		}
	}
	return err
}

// say says the changes. It returns those that were made.
func (k *cloning) say(ctx context.Context, changes []change) (said []change, err error) {
	for _, ch := range changes {
		if !k.login.Report.Sends(ch.String()) {
			continue
		}
		if ch.takes == "" {
			if _, err := k.tx.Exec(ctx, ch.String()); err != nil {
				return nil, k.altering(err, k.clone)
			}
		} else if err := k.attempt(ctx, ch); err != nil {
			k.login.Report.Notef("The administrator could not take %s from %q: %v", ch.takes, k.clone, fault(err))
			continue
		}
		said = append(said, ch)
	}
	return said, nil
}

// attempt makes a change that is undone if it fails.
func (k *cloning) attempt(ctx context.Context, ch change) error {
	return pgx.BeginFunc(ctx, k.tx, func(savepoint pgx.Tx) error {
		_, err := savepoint.Exec(ctx, ch.String())
		return err
	})
}

// altering gives the error of a statement about a role its class. What an
// administrator lacks, a plan finds out before; this is for what it has not found.
func (c *conn) altering(err error, role string) error {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Code != "42501" {
		return fault(err)
	}
	f := codes.Server(pe)
	if role == c.login.User {
		return f.With("The server does not let users change their own password (on RDS: rds.restrict_password_commands). " +
			"Use ROTATION_STRATEGY=single-user-by-administrator or alternating-users, with an administrator in masterarn.")
	}
	return f.With("Let masterarn name a superuser (on RDS, the master user), or give " + pgwire.Ident(c.login.User) + " what the server's message asks for.")
}

// refused is the error of a clone that keeps what its original does not have.
func (k *cloning) refused(ctx context.Context, all []kept) error {
	if len(all) == 0 {
		return nil
	}
	has, err := k.rightsOf(ctx, k.original, k.clone)
	if err != nil {
		return err
	}
	if slices.Contains(has, "SUPERUSER") {
		return nil // all others follow
	}
	all = slices.DeleteFunc(all, func(r kept) bool { return slices.Contains(has, r.right) })
	if len(all) == 0 {
		return nil
	}
	var rights, takes, gives []string
	for _, r := range all {
		rights = append(rights, r.right)
		takes = append(takes, firstOf(r.take, r.give))
		gives = append(gives, firstOf(r.give, r.take))
	}
	remedy := "As a superuser: " + statements(takes)
	if !slices.Equal(takes, gives) {
		remedy += " Or let " + pgwire.Ident(k.original) + " have it too: " + statements(gives)
	}
	return rotation.Fail(rotation.MoreRights, "%q may do more than %q, which is in use, and %q may not take it away: %s",
		k.clone, k.original, k.login.User, some(rights)).
		With(remedy + " Then rotate again.")
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// statements are twenty of them at most: a message must stay readable.
func statements(all []string) string {
	all = slices.Compact(slices.Clone(all))
	return strings.Join(all[:min(len(all), most)], "; ") + ";"
}

const most = 20

// some names the first twenty.
func some(names []string) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
