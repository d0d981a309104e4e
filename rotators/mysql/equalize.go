package mysql

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// equalize makes the rights of each of the clone's accounts those of the
// original's. Default roles come last: they may be another account's.
func (k *cloning) equalize(ctx context.Context) error {
	for _, step := range []func(context.Context, source, *holdings) error{
		func(ctx context.Context, s source, want *holdings) error { return k.become(ctx, k.at(s), want, true) },
		k.activate,
	} {
		for _, s := range k.sources {
			want, err := k.holdingsOf(ctx, k.facts, s.account)
			if err != nil {
				return err
			}
			if err := step(ctx, s, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// rounds is how often rights are compared: one change can undo another, such as
// GRANT PROXY, whose grant option becomes one for everything; and what MySQL
// denies in one database waits for what is granted everywhere.
const rounds = 4

// become gives an account what it is to have, and takes the rest away or leaves it.
func (k *cloning) become(ctx context.Context, a account, want *holdings, takes bool) error {
	var before []change
	for range rounds {
		has, err := k.now(ctx, a)
		if err != nil {
			return err
		}
		list := differences(has, want, a.String())
		if !takes {
			list = slices.DeleteFunc(list, func(ch change) bool { return ch.revokes })
		}
		if len(list) == 0 || slices.EqualFunc(list, before, change.says) { // it would not help this time either
			return nil
		}
		before = list
		if err := k.apply(ctx, a, list); err != nil {
			return err
		}
	}
	return nil
}

// differences are all changes that turn what an account has into what it is to
// have, but for its default roles.
func differences(has, want *holdings, grantee string) []change {
	return slices.Concat(roleChanges(has, want, grantee), proxyChanges(has, want, grantee), changes(has, want, grantee))
}

// apply runs changes of what an account has.
func (k *cloning) apply(ctx context.Context, a account, list []change) error {
	for _, ch := range list {
		err := k.exec(ctx, ch.statement)
		if err == nil {
			err = k.foresee(ctx, a, ch)
		}
		switch {
		case err == nil:
			k.login.Report.Changed(ch.statement)
		case ch.revokes && isCode(err, codeNoGrant, codeNoTableGrant, codeNoProcGrant): // it is gone
		case ch.revokes:
			if _, err := k.attempted(err, ch.statement, ch.what); err != nil {
				return err
			}
		case isCode(err, codeNoTable) && ch.absent != nil:
			if err := k.grantAbsent(ctx, a, ch); err != nil {
				return err
			}
		case isCode(err, codeNoTable, codeNoColumn, codeNoRoutine):
			return k.notThere(ch, err)
		default:
			return k.lacks(err, k.facts, fmt.Sprintf(ch.remedy, k.self))
		}
	}
	return nil
}

// grantAbsent grants rights on a table that does not exist, as the original has
// them from a time when it did. The servers take that from whoever grants
// CREATE as well.
func (k *cloning) grantAbsent(ctx context.Context, a account, ch change) error {
	for _, statement := range ch.absent {
		if err := k.exec(ctx, statement); err != nil {
			return k.notThere(ch, err)
		}
	}
	return k.foreseeDone(ctx, a, ch)
}

// roleChanges are the statements that make an account's roles those of another.
// Not every server can take ADMIN OPTION away by itself.
func roleChanges(has, want *holdings, grantee string) []change {
	var all []change
	for _, role := range slices.Sorted(maps.Keys(has.roles)) {
		admin, ok := want.roles[role]
		if !ok || has.roles[role] && !admin {
			all = append(all, change{statement: "REVOKE " + role + " FROM " + grantee, role: role, revokes: true, what: fmt.Sprintf("revoke the role %s from %s", role, grantee)})
		}
	}
	for _, role := range slices.Sorted(maps.Keys(want.roles)) {
		admin := want.roles[role]
		if had, ok := has.roles[role]; ok && had == admin {
			continue
		}
		statement := "GRANT " + role + " TO " + grantee
		if admin {
			statement += " WITH ADMIN OPTION"
		}
		all = append(all, change{statement: statement, role: role, option: admin, what: fmt.Sprintf("grant the role %s to %s", role, grantee),
			remedy: strings.ReplaceAll("GRANT "+role, "%", "%%") + " TO %s WITH ADMIN OPTION"})
	}
	return all
}

// proxyChanges are the same for proxies.
func proxyChanges(has, want *holdings, grantee string) []change {
	var all []change
	for _, proxied := range slices.Sorted(maps.Keys(has.proxies)) {
		as, _ := parseQuoted(proxied)
		if option, ok := want.proxies[proxied]; !ok || has.proxies[proxied] && !option {
			all = append(all, change{statement: "REVOKE PROXY ON " + proxied + " FROM " + grantee, proxied: as, revokes: true, what: fmt.Sprintf("revoke PROXY on %s from %s", proxied, grantee)})
		}
	}
	for _, proxied := range slices.Sorted(maps.Keys(want.proxies)) {
		as, _ := parseQuoted(proxied)
		option := want.proxies[proxied]
		if had, ok := has.proxies[proxied]; ok && had == option {
			continue
		}
		statement := "GRANT PROXY ON " + proxied + " TO " + grantee
		if option {
			statement += " WITH GRANT OPTION"
		}
		all = append(all, change{statement: statement, proxied: as, option: option, what: fmt.Sprintf("grant PROXY on %s to %s", proxied, grantee),
			remedy: strings.ReplaceAll("GRANT PROXY ON "+proxied, "%", "%%") + " TO %s WITH GRANT OPTION"})
	}
	return all
}

// activate gives the clone's account the default roles of the original's.
func (k *cloning) activate(ctx context.Context, s source, want *holdings) error {
	if !k.maria && !k.since(8, 0, 0) {
		return nil
	}
	clone := k.at(s)
	wanted, err := k.defaultRoles(ctx, k.facts, s.account, want)
	if err != nil {
		return err
	}
	active, err := k.activeRoles(ctx, clone)
	if err != nil || slices.Equal(slices.Sorted(slices.Values(active)), slices.Sorted(slices.Values(wanted))) {
		return err
	}
	return k.setDefaultRoles(ctx, clone, wanted)
}

func (k *cloning) setDefaultRoles(ctx context.Context, a account, roles []string) error {
	list := strings.Join(roles, ", ")
	if len(roles) == 0 {
		list = "NONE"
	}
	statement, remedy := "ALTER USER "+a.String()+" DEFAULT ROLE "+list, "GRANT CREATE USER ON *.* TO "
	if k.maria {
		statement, remedy = "SET DEFAULT ROLE "+list+" FOR "+a.String(), "GRANT UPDATE ON mysql.* TO "
	}
	if err := k.exec(ctx, statement); err != nil {
		return k.lacks(err, k.facts, remedy+k.self.String())
	}
	return nil
}
