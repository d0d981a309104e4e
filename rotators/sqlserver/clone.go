package sqlserver

import (
	"context"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Clone implements database.Administrator. A new clone gets the password of its
// secret, by which a run that follows one that was cut short knows it again, is
// disabled, and gets its rights; a contained user cannot be disabled, but nobody
// uses that password before the rights are there. Transactions
// would do no better: not every one of the statements is said to be allowed in
// one (?).
//
// What the clone creates belongs to the owner of the schema that it is in, and
// so to neither of the two, as a rule. What it comes to own all the same
// (schemas, roles, keys) stays its own: to give it away would drop all
// permissions on it, other users' included. Both have CONTROL on what either
// owns; see Adopt.
// Source: Transact-SQL reference, "ALTER AUTHORIZATION", remarks.
func (c *conn) Clone(ctx context.Context, p database.Pair) error {
	original := p.Original.User
	from, err := c.usable(ctx, original)
	if err != nil {
		return err
	}
	if err := c.lock(ctx, from, original); err != nil {
		return err
	}
	if err := c.clonable(ctx, from); err != nil {
		return err
	}
	to, err := c.make(ctx, from, p.Clone)
	if err != nil {
		return err
	}
	if err := c.copyRights(ctx, from, to); err != nil || !to.disabled {
		return err
	}
	return lacking(c.exec(ctx, "ALTER LOGIN "+ident(to.name)+" ENABLE"), c.alterRemedy(to))
}

// clonable finds what no clone can have before anything is made.
func (c *conn) clonable(ctx context.Context, from *principal) error {
	all, err := c.places(ctx, from)
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := ownsNothing(from, p); err != nil {
			return err
		}
	}
	if from.options.hasCredential && from.options.credential == "" {
		return unseen("the credential of login "+from.name, "GRANT ALTER ANY CREDENTIAL TO "+ident(c.login.User)+";")
	}
	return nil
}

// make makes the clone exist, with the original's options.
func (c *conn) make(ctx context.Context, from *principal, as database.Login) (*principal, error) {
	clone := as.User
	to, err := c.find(ctx, clone)
	if err != nil {
		return nil, err
	}
	if to != nil && (to.kind != "S" || to.contained != from.contained) {
		return nil, rotation.Fail(rotation.BadSecret, "%q exists, and is no principal of the same kind as %q", clone, from.name).
			With("Drop or rename it, or choose another CLONE_SUFFIX.")
	}
	statement := from.what() + ident(clone) + " WITH "
	switch {
	case to == nil:
		if err := checkPassword(as.Password); err != nil {
			return nil, err
		}
		c.warnPlain()
		statement = "CREATE " + statement + "PASSWORD = " + literal(as.Password) + ", " + from.options.clauses(from.contained, options{})
	case to.options == from.options:
		return to, nil
	default:
		statement = "ALTER " + statement + from.options.clauses(from.contained, to.options)
	}
	if err := c.exec(ctx, trimComma(statement)); err != nil {
		return nil, lacking(err, c.alterRemedy(from))
	}
	if to == nil {
		c.born = as
		if !from.contained { // Clone enables it when it is whole
			if err := c.exec(ctx, "ALTER LOGIN "+ident(clone)+" DISABLE"); err != nil {
				return nil, lacking(err, c.alterRemedy(from))
			}
		}
	}
	if from.options.credential != "" || to != nil && to.options.hasCredential {
		if err := c.exec(ctx, "ALTER LOGIN "+ident(clone)+credentialClause(from.options)); err != nil {
			return nil, lacking(err, "As an administrator of the server: GRANT ALTER ANY CREDENTIAL TO "+ident(c.login.User)+";")
		}
	}
	to, err = c.find(ctx, clone)
	if err == nil && to == nil {
		err = rotation.Fail(rotation.NoUser, "%q was made, and cannot be seen", clone).With(c.alterRemedy(from))
	}
	return to, err
}

// copyRights makes the rights of to those of from, on the server and in every
// database.
func (c *conn) copyRights(ctx context.Context, from, to *principal) error {
	if err := c.copyOnServer(ctx, from, to); err != nil {
		return err
	}
	return c.each(ctx, from, func(p place) error {
		want, has, err := c.inDatabase(ctx, from, to)
		if err != nil {
			return err
		}
		if want.id == "" && has.id == "" {
			return nil
		}
		if has, err = c.enter(ctx, p, to, has, want); err != nil {
			return err
		}
		return c.settle(ctx, p, to, has, want)
	})
}

// settle makes has follow want. What is said of a table may change what was said
// of its columns, so that the result is looked at, and mended once.
func (c *conn) settle(ctx context.Context, p place, to *principal, has, want *profile) error {
	for range 2 {
		statements := has.follow(want)
		if len(statements) == 0 {
			return nil
		}
		if err := c.change(ctx, p, statements); err != nil {
			return err
		}
		var err error
		if has, _, err = c.inDatabase(ctx, to, to); err != nil {
			return err
		}
	}
	return nil // Test compares
}

func (c *conn) copyOnServer(ctx context.Context, from, to *principal) error {
	if from.contained {
		return nil
	}
	want, err := c.onServer(ctx, from)
	if err != nil {
		return err
	}
	has, err := c.onServer(ctx, to)
	if err != nil {
		return err
	}
	return c.changeServer(ctx, has.follow(want))
}

// changeServer carries out statements on the server, whose permissions can be
// granted in master alone.
// Source: Transact-SQL reference, "GRANT server permissions", remarks.
func (c *conn) changeServer(ctx context.Context, statements []string) error {
	if len(statements) == 0 {
		return nil
	}
	if err := c.use(ctx, "master"); err != nil {
		return err
	}
	if err := c.run(ctx, statements); err != nil {
		return lacking(err, c.serverRemedy())
	}
	return c.home(ctx)
}

// serverRemedy is what lets the session copy rights on the server.
func (c *conn) serverRemedy() string {
	return "As an administrator of the server: make " + ident(c.login.User) + " a member of the same fixed server roles, and give it the same server permissions WITH GRANT OPTION; " +
		"GRANT CONTROL SERVER TO " + ident(c.login.User) + "; allows all of it but sysadmin. (On Amazon RDS some of them cannot be given away: take those from the original.)"
}

// enter makes the user of to in the present database exist, with the default
// schema of want's.
func (c *conn) enter(ctx context.Context, p place, to *principal, has, want *profile) (*profile, error) {
	var statement string
	switch schema := defaultSchema(want); {
	case want.id == "" || has.id != "" && defaultSchema(has) == schema:
		return has, nil
	case has.id == "":
		statement = "CREATE USER " + ident(to.name) + " FOR LOGIN " + ident(to.name) + " WITH DEFAULT_SCHEMA = " + ident(schema)
	default:
		statement = "ALTER USER " + ident(has.name) + " WITH DEFAULT_SCHEMA = " + ident(schema)
	}
	if err := c.change(ctx, p, []string{statement}); err != nil {
		return nil, err
	}
	has, _, err := c.inDatabase(ctx, to, to)
	return has, err
}

// defaultSchema is dbo for a user who has none.
// Source: Transact-SQL reference, "CREATE USER".
func defaultSchema(p *profile) string {
	if p.schema == "" {
		return "dbo"
	}
	return p.schema
}
