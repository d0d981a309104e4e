package sqlserver

import (
	"context"
	"maps"
	"slices"

	"github.com/seed492efc12/rotor/framework/database"
)

// Standing implements database.Administrator. A login has no place for a mark:
// what could name another login is nothing that only an administrator may write.
func (c *conn) Standing(ctx context.Context, _ database.Pair, next database.Login) (database.Standing, error) {
	p, err := c.find(ctx, next.User)
	if err == nil && p == nil {
		return database.Absent, nil
	}
	return database.Stranger, err
}

// Compare implements database.Administrator: the rights on the server and in every
// database that the session may open. What roles deny is not looked at: two users
// in the same roles are denied the same.
func (c *conn) Compare(ctx context.Context, p database.Pair) (d database.Difference, err error) {
	o, err := c.usable(ctx, p.Original.User)
	if err != nil {
		return d, err
	}
	k, err := c.find(ctx, p.Clone.User)
	if err != nil {
		return d, err
	}
	if k == nil {
		k = &principal{name: p.Clone.User, contained: o.contained, absent: true}
	}
	if err := c.mustSee(ctx, o); err != nil {
		return d, err
	}
	builtin, err := c.builtin(ctx)
	if err != nil {
		return d, err
	}
	both := comparison{builtin: builtin, original: map[string]bool{}, clone: map[string]bool{}}
	if !o.contained {
		mine, err := c.onServer(ctx, o)
		if err != nil {
			return d, err
		}
		has, err := c.onServer(ctx, k)
		if err != nil {
			return d, err
		}
		mine.evened(has)
		both.add(mine, has, "on the server")
	}
	err = c.eachOpen(ctx, o, func(at place) error {
		mine, has, err := c.inDatabase(ctx, o, k)
		if err == nil {
			mine.evened(has)
			both.add(mine, has, "in database "+ident(at.name))
		}
		return err
	})
	return database.Differing(slices.Sorted(maps.Keys(both.original)), slices.Sorted(maps.Keys(both.clone))), err
}

// evened does to two profiles what HandBack does to the users, so that it is no
// difference between them: an original gets CONTROL on what its clone owns, and
// the clone is denied no more than the original. See adopt.
func (p *profile) evened(clone *profile) {
	if p.id == "" {
		return
	}
	for on := range clone.owned {
		p.grants[control(on)] = holding{option: true}
	}
	maps.DeleteFunc(clone.denials, func(g grant, _ holding) bool { _, too := p.denials[g]; return !too })
	maps.DeleteFunc(clone.exceptions, func(g grant, _ bool) bool { _, too := p.exceptions[g]; return !too })
	maps.DeleteFunc(clone.roles, func(role string, _ bool) bool { return denies(role) && !p.in(role) })
}

// idle reports whether a user has nothing but its being there.
func (p *profile) idle() bool {
	return len(p.rights())+len(p.roles)+len(p.denials)+len(p.exceptions) == 0
}

// A comparison collects the lines of two users.
type comparison struct {
	builtin         map[string][]string
	original, clone map[string]bool
}

func (b *comparison) add(original, clone *profile, where string) {
	for _, each := range []struct {
		lines     map[string]bool
		of, other *profile
	}{{b.original, original, clone}, {b.clone, clone, original}} {
		if each.of.id == "" || each.other.id == "" && each.of.idle() {
			continue
		}
		each.lines["user "+where] = true
		each.of.lines(each.lines, where, b.builtin, nil, each.other)
	}
}
