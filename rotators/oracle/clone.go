package oracle

import (
	"context"
	"slices"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Clone implements database.Administrator. Every statement commits, so that the
// order keeps the promise: a new clone is made locked, rights come next, and
// the lock goes last, before SetPassword. Whoever can log in has all the
// rights, and a run that was cut short leaves nothing that the next one does not
// mend.
//
// DBMS_LOCK would keep two runs apart, but takes a privilege that administrators
// need for nothing else. Two runs at once read the same original and say the
// same; what one has done is no error for the other.
func (c *conn) Clone(ctx context.Context, p database.Pair) error {
	k := &cloning{conn: c, original: exact(p.Original.User), clone: exact(p.Clone.User), password: p.Clone.Password}
	f, err := c.know(ctx, k.original, k.clone)
	if err != nil {
		return err
	}
	k.facts = f
	k.notePlain()
	if err := k.read(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{k.create, k.equalize, k.open} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	c.cloned, c.profile = k.clone, k.from.profile
	return nil
}

// cloning makes the user clone the same as original.
type cloning struct {
	*conn
	*facts
	original, clone string // as in the catalog
	password        string // the one that SetPassword will set

	from, to *account
	fresh    bool // this run has made the clone
}

func (k *cloning) read(ctx context.Context) error {
	pair, err := k.accounts(ctx, k.facts, k.original, k.clone)
	if err != nil {
		return err
	}
	k.from, k.to = pair[k.original], pair[k.clone]
	if k.from == nil {
		return noUser(k.original)
	}
	if err := k.from.rotatable(k.original); err != nil {
		return err
	}
	if k.to == nil {
		return nil
	}
	if k.to.locked() {
		return rotation.Fail(rotation.AccountLocked, "the clone %s is %s since it was made", ident(k.clone), k.to.status).
			With("Find out who locked it, or who logs in with a wrong password; then ALTER USER " + ident(k.clone) + " ACCOUNT UNLOCK, and rotate again.")
	}
	return k.to.rotatable(k.clone)
}

// create makes the clone if it is missing: locked, with the password of its secret,
// by which a run that follows one that was cut short knows it again.
func (k *cloning) create(ctx context.Context) error {
	if k.to != nil {
		return nil
	}
	if err := checkNew(k.password); err != nil {
		return err
	}
	statement := func(password string) string {
		return "CREATE USER " + ident(k.clone) + " IDENTIFIED BY " + quotePassword(password) +
			" DEFAULT TABLESPACE " + ident(k.from.tablespace) + " TEMPORARY TABLESPACE " + ident(k.from.temporary) +
			" PROFILE " + ident(k.from.profile) + " ACCOUNT LOCK"
	}
	// If another run was faster, the error is one that is worth another try.
	if err := k.exec(ctx, statement(k.password), statement(newPassword)); err != nil {
		return k.lacks(err, k.facts, createUser)
	}
	k.to, k.fresh = newAccount(k.from.attributes), true
	k.born = database.Login{User: k.clone, Password: k.password}
	k.noteProxies(ctx)
	return nil
}

// noteProxies says who may log in as the original with another password, and not
// as the new clone.
func (k *cloning) noteProxies(ctx context.Context) {
	rows, err := k.rows(ctx, "SELECT PROXY FROM DBA_PROXIES WHERE CLIENT = :1", k.original)
	if err != nil {
		k.login.Report.Notef("Whether %s has proxies, which %s does not get, is not known: %v", ident(k.original), ident(k.clone), fault(err))
	}
	for _, row := range rows {
		k.login.Report.Notef("%s may connect as %s and not as %s: ALTER USER %s GRANT CONNECT THROUGH %s; if the application needs it.",
			ident(row[0]), ident(k.original), ident(k.clone), ident(k.clone), ident(row[0]))
	}
}

func (k *cloning) equalize(ctx context.Context) error {
	return k.carryOut(ctx, k.facts, k.plan())
}

// plan makes the clone's rights the original's.
func (k *cloning) plan() []statement {
	from, to := k.from, k.to
	return slices.Concat(
		attributeChanges(k.clone, to.attributes, from.attributes),
		quotaChanges(k.clone, to.quotas, from.quotas),
		k.keeping(),
		grantChanges(k.facts, k.clone, to.grants.without(k.original, k.clone), from.grants.without(k.original, k.clone)),
		roleChanges(k.clone, to.roles, from.roles),
		sharing(k.clone, to.grants, from.owned),
		sharing(k.original, from.grants, to.owned),
	)
}

// keeping gives the original anew what the clone has granted to it: the original
// is in use, and would lose it with the clone.
func (k *cloning) keeping() []statement {
	kept := grants{}
	for g, grantor := range k.from.lent {
		if grantor == k.clone {
			kept[g] = k.from.grants[g]
		}
	}
	return grantChanges(k.facts, k.original, nil, kept)
}

// open unlocks a clone that is whole now.
func (k *cloning) open(ctx context.Context) error {
	if !k.fresh && !k.to.bornLocked {
		return nil
	}
	statement := "ALTER USER " + ident(k.clone) + " ACCOUNT UNLOCK"
	return k.lacks(k.exec(ctx, statement, statement), k.facts, alterUser)
}
