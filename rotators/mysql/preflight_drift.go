package mysql

import (
	"context"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// preflightDrift checks that the session may give the original what only its clone
// has.
func (k *cloning) preflightDrift(ctx context.Context, own *holdings, accounts []target) error {
	clones, err := k.mustAccountsOf(ctx, k.facts, k.clone)
	if err != nil {
		return err
	}
	var missing []string
	for _, from := range clones {
		to := account{k.original, from.host}
		if !slices.ContainsFunc(accounts, func(t target) bool { return t.account == to }) {
			return rotation.Fail(rotation.FewerRights, "%q has an account for the host %q, and %q has none", k.clone, from.host, k.original).
				With("As an administrator: DROP USER " + from.account.String() + "; if nobody needs it. Else give " + k.original + " such an account (CREATE USER), with a password of your choice: the rotation sets it.")
		}
		lacks, err := k.preflightGive(ctx, own, from.account, to)
		if err != nil {
			return err
		}
		missing = append(missing, lacks...)
	}
	if err := k.unable(own, missing); err != nil {
		return err
	}
	return k.hereAlike(ctx, accounts, clones)
}

// hereAlike checks that, once the drift is given, whoever comes from here may do as
// much as the original as it may as the clone. That is in doubt where the server takes
// the two for accounts of different hosts.
func (k *cloning) hereAlike(ctx context.Context, originals, clones []target) error {
	original, ok1 := taken(originals, k.from)
	clone, ok2 := taken(clones, k.from)
	if !ok1 || !ok2 || original.host == clone.host {
		return nil
	}
	has, err := k.rightsAt(ctx, k.facts, original.account, k.clone)
	if err != nil {
		return err
	}
	given := account{k.clone, original.host}
	if slices.ContainsFunc(clones, func(t target) bool { return t.account == given }) {
		more, err := k.rightsAt(ctx, k.facts, given, k.original)
		if err != nil {
			return err
		}
		has = append(has, more...)
	}
	needs, err := k.rightsAt(ctx, k.facts, clone.account, k.original)
	if err != nil {
		return err
	}
	if lacks := database.Differing(has, needs).Clone; len(lacks) > 0 {
		return rotation.Fail(rotation.FewerRights, "the server takes who comes from %q for %s or for %s, and the former lacks: %s", k.from, original, clone, strings.Join(lacks[:min(len(lacks), 20)], "; ")).
			With("As an administrator: DROP USER " + original.String() + "; if nobody needs it. Else grant these rights to it.")
	}
	return nil
}

func (k *cloning) preflightGive(ctx context.Context, own *holdings, from, to account) ([]string, error) {
	has, err := k.holdingsOf(ctx, k.facts, to)
	if err != nil {
		return nil, err
	}
	more, err := k.holdingsOf(ctx, k.facts, from)
	if err != nil {
		return nil, err
	}
	both := union(has, more)
	missing, err := k.rehearse(ctx, own, has, both, to)
	if err != nil {
		return nil, err
	}
	beyond, err := k.isBeyond(ctx, k.facts, own, from) // so would the original be, before its password is set
	if beyond {
		missing = append(missing, "GRANT "+systemUser+" ON *.* TO "+k.self.String())
	}
	if err != nil || len(missing) > 0 {
		return missing, err
	}
	if hers, his := more.active(both), has.active(both); len(hers) > 0 && !slices.Equal(hers, his) {
		if len(his) > 0 { // MariaDB activates one role only
			return nil, rotation.Fail(rotation.FewerRights, "%s has another default role than %s", to, from).
				With("As an administrator: SET DEFAULT ROLE " + hers[0] + " FOR " + to.String() + "; then rotate again.")
		}
		if !own.mayUpdate("`mysql`.*") {
			missing = append(missing, "GRANT UPDATE ON mysql.* TO "+k.self.String())
		}
	}
	return missing, k.goneColumns(ctx, from, without(both, has))
}
