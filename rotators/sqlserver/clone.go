package sqlserver

import (
	"cmp"
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
	to, err := c.find(ctx, p.Clone.User)
	if err != nil {
		return err
	}
	if to == nil {
		if err := c.roomFor(ctx, from, p.Clone.User); err != nil {
			return err
		}
	}
	if to, err = c.make(ctx, from, to, p.Clone); err != nil {
		return err
	}
	if err := c.copyRights(ctx, from, to); err != nil || !to.disabled {
		return err
	}
	c.enabled = p.Clone.User
	return c.alterLogin(ctx, to, " ENABLE")
}

func (c *conn) alterLogin(ctx context.Context, l *principal, how string) error {
	statement := "ALTER LOGIN " + ident(l.name) + how
	return lacking(c.send(ctx, statement, statement), c.alterRemedy(l))
}

// clonable finds what no clone can have before anything is made.
func (c *conn) clonable(ctx context.Context, from *principal) error {
	if err := c.mustSee(ctx, from); err != nil {
		return err
	}
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
		return unseen("the credential of login "+from.name, grantCredential(c.login.User))
	}
	return c.noteUncopied(ctx, from)
}

// mustSee makes sure that the session sees all that logins have: to ALTER ANY
// LOGIN alone, server roles of the customer's own do not show.
// Source: "sys.server_principals", permissions.
func (c *conn) mustSee(ctx context.Context, of *principal) error {
	if of.contained || c.sees {
		return nil
	}
	var err error
	if c.sees, err = c.may(ctx, queryMayOnServer, "VIEW ANY DEFINITION"); err != nil || c.sees {
		return err
	}
	return rotation.Fail(rotation.MissingPrivilege, "%q lacks VIEW ANY DEFINITION on the server, and so does not see which server roles and rights %q has", c.login.User, of.name).
		With("As an administrator of the server: " + grantView(c.login.User))
}

func grantCredential(admin string) string {
	return "USE [master]; GRANT ALTER ANY CREDENTIAL TO " + ident(admin) + ";"
}

// make makes the clone exist, with the original's options. To is the clone, if it
// exists.
func (c *conn) make(ctx context.Context, from, to *principal, as database.Login) (*principal, error) {
	if to != nil && (to.kind != "S" || to.contained != from.contained) {
		return nil, rotation.Fail(rotation.BadSecret, "%q exists, and is no principal of the same kind as %q", as.User, from.name).
			With("Drop or rename it, or choose another CLONE_SUFFIX.")
	}
	made := &principal{name: as.User, contained: from.contained, kind: "S", options: from.options, disabled: !from.contained, absent: true}
	switch {
	case to == nil:
		if err := c.create(ctx, from, as); err != nil {
			return nil, err
		}
	case to.options == from.options:
		return to, nil
	default:
		copied := *to
		made = &copied
		if err := c.alter(ctx, from, made, as); err != nil {
			return nil, err
		}
		made.options = from.options
		made.options.schema = cmp.Or(from.options.schema, to.options.schema)
	}
	if from.options.credential != "" || to != nil && to.options.hasCredential {
		statement := "ALTER LOGIN " + ident(as.User) + credentialClause(from.options)
		if err := c.send(ctx, statement, statement); err != nil {
			return nil, lacking(err, "As an administrator of the server: "+grantCredential(c.login.User))
		}
	}
	if c.login.Report.Rehearses() {
		return made, nil
	}
	to, err := c.find(ctx, as.User)
	if err == nil && to == nil {
		err = rotation.Fail(rotation.NoUser, "%q was made, and cannot be seen", as.User).With(c.alterRemedy(from))
	}
	return to, err
}

// create makes a new clone. Clone enables it when it is whole.
func (c *conn) create(ctx context.Context, from *principal, as database.Login) error {
	if err := checkPassword(as.Password); err != nil {
		return err
	}
	c.warnPlain()
	statement := func(password string) string {
		return trimComma("CREATE " + from.what() + ident(as.User) + " WITH PASSWORD = " + password + ", " + from.options.clauses(from.contained, options{}))
	}
	if err := c.send(ctx, statement(literal(as.Password)), statement(newPassword)); err != nil {
		return lacking(err, c.alterRemedy(from))
	}
	c.born = as
	if from.contained {
		return nil
	}
	disable := "ALTER LOGIN " + ident(as.User) + " DISABLE"
	return lacking(c.send(ctx, disable, disable), c.alterRemedy(from))
}

// alter gives a clone that exists the options of its original.
func (c *conn) alter(ctx context.Context, from, to *principal, as database.Login) error {
	if to.mustSet && (to.options.policy && !from.options.policy || to.options.expiration && !from.options.expiration) {
		if err := c.endMustChange(ctx, to, as); err != nil {
			return err
		}
	}
	statement := trimComma("ALTER " + from.what() + ident(as.User) + " WITH " + from.options.clauses(from.contained, to.options))
	return lacking(c.send(ctx, statement, statement), c.alterRemedy(from))
}

// endMustChange gives a clone a password that it need not change: with one that
// it must, the policy cannot be turned off (15128). It is that of its secret,
// by which a run that follows knows the clone again; until the clone is whole,
// nobody logs in with it.
func (c *conn) endMustChange(ctx context.Context, clone *principal, as database.Login) error {
	if err := checkPassword(as.Password); err != nil {
		return err
	}
	c.warnPlain()
	if err := c.alterLogin(ctx, clone, " DISABLE"); err != nil {
		return err
	}
	clone.disabled = true
	statement := "ALTER LOGIN " + ident(clone.name) + " WITH PASSWORD = "
	if err := c.send(ctx, statement+literal(as.Password), statement+newPassword); err != nil {
		return lacking(err, c.alterRemedy(clone))
	}
	c.born = as
	return nil
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
		if to.contained { // which has just been made, or altered; in a rehearsal it is not there to be read
			if to.absent {
				has = c.newUser(to, want)
			}
			has.schema, has.encrypted = to.options.schema, to.options.encrypted
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
		if err := c.change(ctx, p, texts(statements)); err != nil {
			return err
		}
		var err error
		if has, err = c.reread(ctx, to, has.after(statements, want)); err != nil {
			return err
		}
	}
	return nil // Test compares
}

// reread is what a principal holds in the present database after something was
// said: in a rehearsal, what it would hold.
func (c *conn) reread(ctx context.Context, to *principal, expected *profile) (*profile, error) {
	if c.login.Report.Rehearses() {
		return expected, nil
	}
	has, _, err := c.inDatabase(ctx, to, to)
	return has, err
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
	if to.absent {
		has.add(connectSQL, "G", "sa")
	}
	return c.changeServer(ctx, texts(has.follow(want)))
}

// changeServer carries out statements on the server, whose permissions can be
// granted in master alone.
// Source: Transact-SQL reference, "GRANT server permissions", remarks.
func (c *conn) changeServer(ctx context.Context, statements []string) error {
	if len(statements) == 0 {
		return nil
	}
	if err := c.use(ctx, master); err != nil {
		return err
	}
	if err := c.run(ctx, statements); err != nil {
		return lacking(err, c.serverRemedy())
	}
	return c.home(ctx)
}

// serverRemedy is what lets the session copy rights on the server.
func (c *conn) serverRemedy() string {
	return "As an administrator of the server: make " + ident(c.login.User) + " a member of the same fixed server roles, for which CONTROL SERVER is not enough, and give it the same server permissions WITH GRANT OPTION; " +
		"ALTER SERVER ROLE [sysadmin] ADD MEMBER " + ident(c.login.User) + "; allows all of it. (On Amazon RDS some of them cannot be given away: take those from the original.)"
}

// enter makes the user of to in the present database exist, with the default
// schema and the options of want's.
func (c *conn) enter(ctx context.Context, p place, to *principal, has, want *profile) (*profile, error) {
	schema, encrypted := " WITH DEFAULT_SCHEMA = "+ident(defaultSchema(want)), ""
	if has.encrypted != want.encrypted {
		encrypted = ", ALLOW_ENCRYPTED_VALUE_MODIFICATIONS = " + onOff(want.encrypted)
	}
	var statement string
	expected := *has
	expected.schema, expected.encrypted = defaultSchema(want), want.encrypted
	switch {
	case want.id == "" || has.id != "" && defaultSchema(has) == defaultSchema(want) && encrypted == "":
		return has, nil
	case has.id != "":
		statement = "ALTER USER " + ident(has.name) + schema + encrypted
	default:
		orphan, err := c.vacant(ctx, p, to, to.name)
		if err != nil {
			return nil, err
		}
		if orphan != nil {
			return c.adoptOrphan(ctx, p, to, orphan, want)
		}
		statement, expected = "CREATE USER "+ident(to.name)+" FOR LOGIN "+ident(to.name)+schema+encrypted, *c.newUser(to, want)
	}
	if err := c.change(ctx, p, []string{statement}); err != nil {
		return nil, err
	}
	return c.reread(ctx, to, &expected)
}

// newUser is what a principal has when it was made a user of the present database,
// with the default schema and the options of want's.
func (c *conn) newUser(of *principal, want *profile) *profile {
	p := newUser(of.name, c.login.User)
	p.id, p.schema, p.encrypted = "new", defaultSchema(want), want.encrypted
	return p
}

// defaultSchema is dbo for a user who has none.
// Source: Transact-SQL reference, "CREATE USER".
func defaultSchema(p *profile) string {
	if p.schema == "" {
		return "dbo"
	}
	return p.schema
}
