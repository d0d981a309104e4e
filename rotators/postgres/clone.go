package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// Clone implements database.Administrator. All of it is one transaction: a clone
// that lacks something is never seen. Nothing keeps two runs apart, since any user
// of the server can hold an advisory lock: if they meet, the server ends one of
// them (a row that changed meanwhile, a role that exists by now), which is worth
// another try.
func (c *conn) Clone(ctx context.Context, p database.Pair) error {
	if c.login.Report.Rehearses() {
		c.rehearsed = p
	}
	return c.carryOut(ctx, p, func(k *cloning) (plan, error) {
		p, err := k.clonePlan(ctx)
		if err == nil && p.creates {
			err = k.noteSessionUser(ctx)
		}
		return p, err
	})
}

// PreflightClone implements database.Administrator.
func (c *conn) PreflightClone(ctx context.Context, p database.Pair) error {
	return c.planning(ctx, p, func(k *cloning) (plan, error) {
		if err := k.noteSessionUser(ctx); err != nil {
			return plan{}, err
		}
		return k.clonePlan(ctx)
	})
}

// clonePlan makes the clone exist with the original's attributes and settings, a
// member of the original and of no role that gives it more. What it owns is the
// original's, and what it was granted by itself, and the original was not, is taken
// from it: it does not need such grants, since it acts as the original. The plan is
// refused if the session may not say some of it.
func (k *cloning) clonePlan(ctx context.Context) (p plan, err error) {
	super, err := k.mayChange(ctx, k.tx, k.original, true)
	if err != nil {
		return p, err
	}
	s, err := k.sides(ctx)
	if err != nil {
		return p, err
	}
	if !super {
		if err := k.mayClone(ctx, s); err != nil {
			return p, err
		}
	}
	k.planRole(&p, s)
	for _, step := range []func(context.Context, *plan) error{
		k.planMemberships,
		k.planHandOver,
		k.planRevocations,
	} {
		if err := step(ctx, &p); err != nil {
			return p, err
		}
	}
	return p, k.refused(ctx, p.kept)
}

// sides are what the clone has, and what it ought to have.
type sides struct {
	exists                    bool
	has, want                 attributes
	hasSettings, wantSettings []setting
}

func (k *cloning) sides(ctx context.Context) (s sides, err error) {
	if s.has, s.exists, err = k.existing(ctx); err != nil {
		return s, fault(err)
	}
	if s.want, err = k.wanted(ctx); err != nil {
		return s, fault(err)
	}
	s.hasSettings, s.wantSettings, err = k.bothSettings(ctx)
	return s, err
}

// attributes are what CREATE ROLE and ALTER ROLE set, apart from the password.
type attributes struct {
	flags      []bool // in the order of flagNames
	limit      int    // of connections; -1 is none
	validUntil string // ISO, or "" for ever
	login      bool
}

var flagNames = []string{"SUPERUSER", "CREATEDB", "CREATEROLE", "INHERIT", "REPLICATION", "BYPASSRLS"}

// Of flagNames.
const (
	flagSuper   = 0
	flagInherit = 3
)

// fresh are the attributes of a role that CREATE ROLE names without options.
var fresh = attributes{flags: []bool{false, false, false, true, false, false}, limit: -1}

const queryAttributes = `/* rotor: role attributes */
SELECT rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolreplication, rolbypassrls, rolconnlimit,
       coalesce(rolvaliduntil::text, ''), rolcanlogin
FROM pg_catalog.pg_roles WHERE rolname = $1`

func (k *cloning) attributes(ctx context.Context, user string) (attributes, error) {
	a := attributes{flags: make([]bool, len(flagNames))}
	err := k.tx.QueryRow(ctx, queryAttributes, user).
		Scan(&a.flags[0], &a.flags[1], &a.flags[2], &a.flags[3], &a.flags[4], &a.flags[5], &a.limit, &a.validUntil, &a.login)
	return a, err
}

// existing are the clone's attributes, or those of a role that is new.
func (k *cloning) existing(ctx context.Context) (a attributes, exists bool, err error) {
	a, err = k.attributes(ctx, k.clone)
	if errors.Is(err, pgx.ErrNoRows) {
		return fresh, false, nil
	}
	return a, err == nil, err
}

// wanted are the attributes that the clone ought to have: the original's. Before
// version 16 a role inherits from all roles that it is a member of, or from none,
// and a clone has to inherit from its original, which then inherits itself or not.
func (k *cloning) wanted(ctx context.Context) (attributes, error) {
	a, err := k.attributes(ctx, k.original)
	if err == nil && k.major() < 16 {
		a.flags[flagInherit] = true
	}
	return a, err
}

// options are what to say to turn the attributes from into to. What is the same
// is left out: to say it again takes privileges that the administrator may
// lack.
func options(from, to attributes) string {
	var b strings.Builder
	if to.login && !from.login {
		b.WriteString(" LOGIN")
	}
	for i, name := range flagNames {
		switch {
		case to.flags[i] && !from.flags[i]:
			b.WriteString(" " + name)
		case !to.flags[i] && from.flags[i]:
			b.WriteString(" NO" + name)
		}
	}
	if to.limit != from.limit {
		fmt.Fprintf(&b, " CONNECTION LIMIT %d", to.limit)
	}
	if to.validUntil != from.validUntil {
		until := to.validUntil
		if until == "" {
			until = "infinity"
		}
		b.WriteString(" VALID UNTIL " + literal(until))
	}
	return b.String()
}

// planRole makes the clone exist with the original's attributes and settings. A new one
// has no password, so that none logs it in.
func (k *cloning) planRole(p *plan, s sides) {
	said := options(s.has, s.want)
	switch {
	case !s.exists:
		p.creates = true
		p.add(change{statement: "CREATE ROLE " + pgwire.Ident(k.clone) + said})
	case said != "":
		p.add(change{statement: "ALTER ROLE " + pgwire.Ident(k.clone) + said})
	}
	for _, statement := range settingChanges(k.clone, s.hasSettings, s.wantSettings) {
		p.add(change{statement: statement})
	}
}
