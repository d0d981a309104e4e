package mysql

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// Rights implements database.Administrator. What the session's active roles may do
// counts as its own; which roles it has is compared as well. A right on a table
// does not show that it follows from one on the database: two users with the
// same effective rights, granted at different levels, differ.
func (c *conn) Rights(ctx context.Context, twin string) ([]string, error) {
	h, err := c.ownHoldings(ctx)
	if err != nil {
		return nil, err
	}
	set, err := c.named(ctx, c.facts, c.facts.self, twin, h)
	return slices.Sorted(maps.Keys(set)), err
}

// named are an account's rights for people.
func (c *conn) named(ctx context.Context, f *facts, a account, twin string, h *holdings) (map[string]bool, error) {
	if err := h.whole(a); err != nil {
		return nil, err
	}
	set := map[string]bool{}
	for o, list := range h.on {
		for _, line := range lines(o, list, f.dialect) {
			set[line+h.except(o, line)] = true
		}
	}
	for role, admin := range h.roles {
		set["role "+role] = true
		if admin {
			set["role "+role+" with admin option"] = true
		}
	}
	for proxied, option := range h.proxies {
		if isProxyOf(proxied, a.user, twin) {
			continue
		}
		set["PROXY on "+proxied] = true
		if option {
			set["PROXY on "+proxied+" with grant option"] = true
		}
	}
	defaults, err := c.defaultRoles(ctx, f, a, h)
	if err != nil {
		return nil, err
	}
	for _, role := range defaults {
		set["default role "+role] = true
	}
	return set, nil
}

// isProxyOf reports whether the account is one of these users.
func isProxyOf(proxied string, users ...string) bool {
	l := lexer{source: proxied}
	t, err := l.next()
	return err == nil && slices.Contains(users, t.value)
}

// except names the databases in which a right on everything is denied.
func (h *holdings) except(o object, line string) string {
	var names []string
	for denied, list := range h.on {
		for r := range list {
			if denied.denied && o.name == everywhere && strings.HasPrefix(line, r.privilege+" on ") {
				names = append(names, denied.name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return " except " + strings.Join(names, ", ")
}

// lines names the rights on an object for people. ALL PRIVILEGES stands for
// each as well, so that whoever has it lacks none that another has by name.
func lines(o object, list rights, d dialect) []string {
	var all []string
	if o.denied {
		return nil // told with the right that it takes from
	}
	for r := range list {
		switch {
		case r.privilege == allPrivileges:
			for _, name := range everyPrivilege(o.name, d) {
				all = append(all, name+" on "+o.name)
			}
		case r.option:
			all = append(all, r.text()+" on "+o.name+" with grant option")
		}
		all = append(all, r.text()+" on "+o.name)
	}
	return all
}

// everyPrivilege is what ALL PRIVILEGES means on an object.
// Source: MySQL manual, "GRANT Statement", and MariaDB's "GRANT".
func everyPrivilege(name string, d dialect) []string {
	routine := []string{"EXECUTE", "ALTER ROUTINE"}
	table := []string{"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER", "CREATE VIEW", "SHOW VIEW", "TRIGGER"}
	if d.maria {
		table = append(table, "DELETE HISTORY")
	}
	database := append(append(table[:len(table):len(table)], routine...), "CREATE TEMPORARY TABLES", "LOCK TABLES", "CREATE ROUTINE", "EVENT")
	switch {
	case name == everywhere: // MariaDB's; MySQL 8 spells it out
		return append(database, "SHOW DATABASES", "RELOAD", "SHUTDOWN", "PROCESS", "FILE", "SUPER", "CREATE USER", "CREATE TABLESPACE",
			"REPLICATION SLAVE", "BINLOG MONITOR", "SET USER", "FEDERATED ADMIN", "CONNECTION ADMIN", "READ_ONLY ADMIN",
			"REPLICATION SLAVE ADMIN", "REPLICATION MASTER ADMIN", "BINLOG ADMIN", "BINLOG REPLAY", "SLAVE MONITOR")
	case strings.HasPrefix(name, "PROCEDURE "), strings.HasPrefix(name, "FUNCTION "), strings.HasPrefix(name, "PACKAGE "):
		return routine
	case strings.HasSuffix(name, ".*"):
		return database
	}
	return table
}

// defaultRoles are those that a login as the account activates: MariaDB tells
// with the grants, MySQL with the account.
func (c *conn) defaultRoles(ctx context.Context, f *facts, a account, h *holdings) ([]string, error) {
	if f.maria {
		// It stays when the role is revoked, and then has no effect.
		return h.active(h), nil
	}
	if !f.since(8, 0, 0) {
		return nil, nil
	}
	d, err := c.definitionOf(ctx, f, a)
	if err != nil {
		return nil, err
	}
	if !d.rolesRead {
		return nil, d.whole(a)
	}
	return d.roles, nil
}
