package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// HandBack implements database.Administrator: the original gets what was
// granted to the clone by itself, the roles and attributes that only the clone
// has, and the objects that it owns.
func (c *conn) HandBack(ctx context.Context, p database.Pair, drift bool) error {
	if !drift {
		return nil // what a clone makes is its original's
	}
	return c.explained(ctx, p.Original.User, p.Clone.User, c.cloning(ctx, p, func(k *cloning) error {
		statements, err := k.driftStatements(ctx)
		if err != nil {
			return err
		}
		for _, s := range statements {
			switch err := k.exec(ctx, s); {
			case err != nil && s == k.reassign():
				return k.handing(err)
			case err != nil:
				return k.altering(err, k.original)
			}
		}
		return nil
	}))
}

// handing explains what REASSIGN OWNED takes: the powers of both roles, and, since
// version 16, that the session inherits the one and may become the other.
func (k *cloning) handing(err error) error {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Code != "42501" {
		return fault(err)
	}
	return codes.Server(pe).With(k.handingRemedy())
}

func (k *cloning) handingRemedy() string {
	self, inherit, set := pgwire.Ident(k.login.User), "", ""
	if k.major() >= 16 {
		inherit, set = " WITH INHERIT TRUE", " WITH INHERIT TRUE, SET TRUE"
	}
	return fmt.Sprintf("As a superuser: GRANT %s TO %s%s; GRANT %s TO %s%s; or, once: %s;",
		pgwire.Ident(k.clone), self, inherit, pgwire.Ident(k.original), self, set, k.reassign())
}

func (k *cloning) driftStatements(ctx context.Context) (statements []string, err error) {
	objects, _, err := k.owned(ctx, k.clone)
	if err != nil {
		return nil, err
	}
	if len(objects) > 0 {
		statements = append(statements, k.reassign())
	}
	has, err := k.direct(ctx, k.clone)
	if err != nil {
		return nil, err
	}
	may, err := k.direct(ctx, k.original)
	if err != nil {
		return nil, err
	}
	for _, g := range without(has, may) {
		if statement, ok := g.grantTo(k.original); ok {
			statements = append(statements, statement)
		}
	}
	roles, err := k.memberships(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range roles {
		statement := "GRANT " + pgwire.Ident(m.role) + " TO " + pgwire.Ident(k.original)
		switch {
		case m.role == k.original:
		case m.admin && !m.administers:
			statements = append(statements, statement+" WITH ADMIN OPTION")
		case !m.originals:
			statements = append(statements, statement)
		}
	}
	more, err := k.attributeDrift(ctx)
	return append(statements, more...), err
}

// attributeDrift gives the original the attributes that only the clone has.
func (k *cloning) attributeDrift(ctx context.Context) ([]string, error) {
	original, both, err := k.attributesInDrift(ctx)
	if err != nil {
		return nil, fault(err)
	}
	if o := options(original, both); o != "" {
		return []string{"ALTER ROLE " + pgwire.Ident(k.original) + o}, nil
	}
	return nil, nil
}

// attributesInDrift are those of the original, and what it ought to have.
func (k *cloning) attributesInDrift(ctx context.Context) (original, both attributes, err error) {
	original, err = k.attributes(ctx, k.original)
	if err != nil {
		return original, both, err
	}
	clone, err := k.attributes(ctx, k.clone)
	if err != nil {
		return original, both, err
	}
	both = attributes{flags: slices.Clone(original.flags), limit: original.limit, validUntil: original.validUntil}
	for i := range flagNames {
		both.flags[i] = both.flags[i] || clone.flags[i] && i != flagInherit
	}
	return original, both, nil
}

func grantOption(yes bool) string {
	if yes {
		return " WITH GRANT OPTION"
	}
	return ""
}
