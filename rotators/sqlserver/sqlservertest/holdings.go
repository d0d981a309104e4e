package sqlservertest

import (
	"fmt"
	"slices"
	"strings"
)

// state is all that the server keeps, passwords too, as a text: the same as long as
// nothing was changed.
func (c *catalog) state() string {
	var b strings.Builder
	for _, p := range c.principals {
		fmt.Fprintf(&b, "%+v\n", *p)
	}
	for _, p := range c.permissions {
		fmt.Fprintf(&b, "%+v\n", *p)
	}
	fmt.Fprintf(&b, "%+v %+v %+v\n", c.credentials, c.links, c.possessions)
	for _, d := range c.databases {
		fmt.Fprintf(&b, "%d %q %v %v %v %s\n", d.id, d.name, d.offline, d.readOnly, d.contained, d.owner)
		for _, u := range d.users {
			fmt.Fprintf(&b, "%+v\n", *u)
		}
		for _, e := range d.entities {
			fmt.Fprintf(&b, "%+v\n", *e)
		}
		for _, p := range d.permissions {
			fmt.Fprintf(&b, "%+v\n", *p)
		}
	}
	return b.String()
}

// holdings are what a login has, in words in which it is "me".
func (c *catalog) holdings(l *login) (all []string) {
	if l == nil {
		return nil
	}
	all = append(all, fmt.Sprintf("options %s %s %v %v %v %v %s", l.database, l.language, l.policy, l.expiry, l.disabled, l.locked, l.credential))
	for _, r := range c.principals {
		if r.members[l.id] {
			all = append(all, "server role "+r.name)
		}
	}
	for _, p := range c.permissions {
		if p.grantee == l.id && (p.class != classLogin || p.major != l.id) {
			all = append(all, fmt.Sprintf("server %c %s on %d %d", p.state, p.name, p.class, p.major))
		}
	}
	for _, d := range c.databases {
		if u := d.bySID(l.sid); u != nil {
			all = append(all, d.holdings(u)...)
		}
	}
	slices.Sort(all)
	return all
}

func (d *database) holdings(u *user) []string {
	all := []string{fmt.Sprintf("%s: user, schema %s", d.name, u.schema)}
	for _, r := range d.users {
		if r.members[u.id] {
			all = append(all, fmt.Sprintf("%s: role %s", d.name, r.name))
		}
	}
	for _, p := range d.permissions {
		if p.grantee == u.id {
			all = append(all, fmt.Sprintf("%s: %c %s on %d %d.%d", d.name, p.state, p.name, p.class, p.major, p.minor))
		}
	}
	return all
}
