package oracletest

import (
	"fmt"
	"maps"
	"slices"
)

// A view is one of the catalog's. An administrator's takes the right to read the
// catalog.
type view struct {
	admin bool
	rows  func(c *catalog, s *session) []row
}

// views are those that the driver reads. Which columns a release has of them,
// columns.tsv says.
var views = map[string]view{
	"DUAL": {false, func(*catalog, *session) []row { return []row{{"DUMMY": "X"}} }},
	"PRODUCT_COMPONENT_VERSION": {false, func(_ *catalog, s *session) []row {
		return []row{{"PRODUCT": "NLSRTL", "VERSION": "1"}, {"PRODUCT": "Oracle Database 19c Enterprise Edition", "VERSION": s.server.config.Version}}
	}},
	"ALL_USERS":    {false, func(c *catalog, s *session) []row { return c.userRows(s, "") }},
	"USER_USERS":   {false, func(c *catalog, s *session) []row { return c.userRows(s, s.user) }},
	"DBA_USERS":    {true, func(c *catalog, s *session) []row { return c.userRows(s, "") }},
	"DBA_PROFILES": {true, func(c *catalog, s *session) []row { return c.profileRows(s) }},
	"USER_PASSWORD_LIMITS": {false, func(c *catalog, s *session) []row {
		return []row{{"RESOURCE_NAME": rolloverTime, "LIMIT": c.profiles[c.users[s.user].profile].limit("0")}}
	}},
	"DBA_TS_QUOTAS":       {true, func(c *catalog, _ *session) []row { return c.quotaRows("") }},
	"USER_TS_QUOTAS":      {false, func(c *catalog, s *session) []row { return c.quotaRows(s.user) }},
	"DBA_ROLE_PRIVS":      {true, func(c *catalog, s *session) []row { return c.roleRows(s, "GRANTEE", "") }},
	"USER_ROLE_PRIVS":     {false, func(c *catalog, s *session) []row { return c.roleRows(s, "USERNAME", s.user) }},
	"DBA_SYS_PRIVS":       {true, func(c *catalog, _ *session) []row { return c.systemRows("GRANTEE", "") }},
	"USER_SYS_PRIVS":      {false, func(c *catalog, s *session) []row { return c.systemRows("USERNAME", s.user) }},
	"DBA_SCHEMA_PRIVS":    {true, func(c *catalog, s *session) []row { return c.schemaRows("GRANTEE", "") }},
	"USER_SCHEMA_PRIVS":   {false, func(c *catalog, s *session) []row { return c.schemaRows("USERNAME", s.user) }},
	"DBA_TAB_PRIVS":       {true, func(c *catalog, s *session) []row { return c.objectRows(s, false, "") }},
	"USER_TAB_PRIVS_RECD": {false, func(c *catalog, s *session) []row { return c.objectRows(s, false, s.user) }},
	"DBA_COL_PRIVS":       {true, func(c *catalog, s *session) []row { return c.objectRows(s, true, "") }},
	"USER_COL_PRIVS_RECD": {false, func(c *catalog, s *session) []row { return c.objectRows(s, true, s.user) }},
	"DBA_OBJECTS":         {true, func(c *catalog, _ *session) []row { return c.ownedRows(nil) }},
	"ALL_OBJECTS":         {false, func(c *catalog, s *session) []row { return c.ownedRows(s) }},
	"DBA_NESTED_TABLES":   {true, func(c *catalog, _ *session) []row { return c.tableRows(nil, func(o *object) bool { return o.nested }) }},
	"ALL_NESTED_TABLES":   {false, func(c *catalog, s *session) []row { return c.tableRows(s, func(o *object) bool { return o.nested }) }},
	"DBA_EXTERNAL_TABLES": {true, func(c *catalog, _ *session) []row {
		return c.tableRows(nil, func(o *object) bool { return o.external })
	}},
	"ALL_EXTERNAL_TABLES": {false, func(c *catalog, s *session) []row { return c.tableRows(s, func(o *object) bool { return o.external }) }},
	"DBA_DEPENDENCIES":    {true, dependencyRows},
	"DBA_ROLES":           {true, roleNames},
	"ALL_DIRECTORIES":     {false, directoryRows},
	"DBA_PROXIES":         {true, proxyRows},
	"ROLE_SYS_PRIVS":      {false, func(c *catalog, s *session) []row { return rowsWith(roleAdminRows(c, s), "PRIVILEGE") }},
	"ROLE_ROLE_PRIVS":     {false, func(c *catalog, s *session) []row { return rowsWith(roleAdminRows(c, s), "GRANTED_ROLE") }},
	"ROLE_TAB_PRIVS":      {false, roleObjectRows},
	"SESSION_PRIVS":       {false, sessionRows},
}

func readView(v view, s *session) ([]row, *sqlError) {
	c := s.server.catalog
	if v.admin && s.user != "SYS" && !s.roles["SELECT_CATALOG_ROLE"] && !c.holds(s.user, s.roles, "SELECT ANY DICTIONARY") {
		return nil, invisible()
	}
	return v.rows(c, s), nil
}

func yes(b bool, texts ...string) string {
	if len(texts) == 0 {
		texts = []string{"YES", "NO"}
	}
	if b {
		return texts[0]
	}
	return texts[1]
}

func (c *catalog) userRows(s *session, of string) (all []row) {
	for _, name := range sortedKeys(c.users, func(n string) string { return n }) {
		u := c.users[name]
		if of != "" && name != of || name == "PUBLIC" {
			continue
		}
		r := row{"USERNAME": name, "ACCOUNT_STATUS": u.status(), "AUTHENTICATION_TYPE": u.authentication, "PROFILE": u.profile,
			"DEFAULT_TABLESPACE": u.tablespace, "TEMPORARY_TABLESPACE": u.temp, "CREATED": u.created, "LOCK_DATE": u.lockDate,
			"ORACLE_MAINTAINED": yes(u.maintained, "Y", "N"), "COMMON": yes(u.common)}
		all = append(all, r)
	}
	return all
}

func (u *user) status() string {
	status := "OPEN"
	if u.expired {
		status = "EXPIRED"
	}
	lock := ""
	if u.locked {
		lock = "LOCKED" + yes(u.timed, "(TIMED)", "")
	}
	if lock != "" && status == "OPEN" {
		status = lock
	} else if lock != "" {
		status += " & " + lock
	}
	if u.rollover != "" {
		status += " & IN ROLLOVER"
	}
	return status
}

const rolloverTime = "PASSWORD_ROLLOVER_TIME"

// limit is the rollover time as the catalog has it, or what stands for none.
func (p *profile) limit(none string) string {
	if p.rollover > 0 {
		return fmt.Sprint(p.rollover)
	}
	return none
}

// profileRows has the rollover time alone, of servers that know it. DEFAULT is what
// a profile has that does not say.
func (c *catalog) profileRows(s *session) (all []row) {
	if !s.server.config.since("19") {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.profiles)) {
		none := "DEFAULT"
		if name == none {
			none = "0"
		}
		all = append(all, row{"PROFILE": name, "RESOURCE_NAME": rolloverTime, "RESOURCE_TYPE": "PASSWORD", "LIMIT": c.profiles[name].limit(none)})
	}
	return all
}

func (c *catalog) quotaRows(of string) (all []row) {
	for _, name := range sortedKeys(c.users, func(n string) string { return n }) {
		for t, n := range c.users[name].quotas {
			if of == "" || name == of {
				all = append(all, row{"USERNAME": name, "TABLESPACE_NAME": t, "MAX_BYTES": n, "DROPPED": "NO"})
			}
		}
	}
	return all
}

func (c *catalog) roleRows(s *session, column, of string) (all []row) {
	for _, g := range sortedKeys(c.granted, func(g roleGrant) string { return g.grantee + " " + g.role }) {
		u := c.users[g.grantee]
		if of != "" && g.grantee != of || u == nil {
			continue
		}
		h := c.granted[g]
		r := row{column: g.grantee, "GRANTED_ROLE": g.role, "ADMIN_OPTION": yes(h.admin), "DEFAULT_ROLE": yes(u.defaults == nil || u.defaults[g.role]), "DELEGATE_OPTION": yes(h.delegate)}
		all = append(all, r)
	}
	return all
}

func (c *catalog) systemRows(column, of string) (all []row) {
	for _, g := range sortedKeys(c.system, func(g systemGrant) string { return g.grantee + " " + g.privilege }) {
		if of == "" || g.grantee == of {
			all = append(all, row{column: g.grantee, "PRIVILEGE": g.privilege, "ADMIN_OPTION": yes(c.system[g])})
		}
	}
	return all
}

func (c *catalog) schemaRows(column, of string) (all []row) {
	for g, admin := range c.schema {
		if of == "" || g.grantee == of {
			all = append(all, row{column: g.grantee, "PRIVILEGE": g.privilege, "SCHEMA": g.schema, "ADMIN_OPTION": yes(admin)})
		}
	}
	return all
}

func (c *catalog) objectRows(s *session, columns bool, of string) (all []row) {
	for _, g := range sortedKeys(c.object, func(g objectGrant) string { return fmt.Sprint(g) }) {
		if (g.column != "") != columns || of != "" && g.grantee != of {
			continue
		}
		o := c.object[g]
		r := row{"OWNER": g.on.owner, "TABLE_NAME": g.on.name, "GRANTOR": g.grantor, "PRIVILEGE": g.privilege, "GRANTABLE": yes(o.grantable)}
		if of == "" {
			r["GRANTEE"] = g.grantee
		}
		if columns {
			r["COLUMN_NAME"] = g.column
		} else {
			r["HIERARCHY"], r["TYPE"] = yes(o.hierarchy), c.objects[g.on].kind
		}
		all = append(all, r)
	}
	return all
}

// ownedRows are the objects that a session sees, or all.
func (c *catalog) ownedRows(s *session) (all []row) {
	for _, k := range sortedKeys(c.objects, keyText) {
		o := c.objects[k]
		if s != nil && !c.sees(s, k) {
			continue
		}
		r := row{"OWNER": k.owner, "OBJECT_NAME": k.name, "OBJECT_TYPE": o.kind, "GENERATED": yes(o.generated, "Y", "N"), "SECONDARY": yes(o.secondary, "Y", "N"),
			"STATUS": yes(o.stale || !c.compiles(k), "INVALID", "VALID")}
		if o.kind == "MATERIALIZED VIEW" { // which has a table of the same name
			table := maps.Clone(r)
			table["OBJECT_TYPE"] = "TABLE"
			all = append(all, table)
		}
		all = append(all, r)
	}
	return all
}

func keyText(k key) string { return k.owner + " " + k.name }

// tableRows are those of some of the tables that a session sees, or of all.
func (c *catalog) tableRows(s *session, of func(*object) bool) (all []row) {
	for _, k := range sortedKeys(c.objects, keyText) {
		if of(c.objects[k]) && (s == nil || c.sees(s, k)) {
			all = append(all, row{"OWNER": k.owner, "TABLE_NAME": k.name})
		}
	}
	return all
}

func dependencyRows(c *catalog, _ *session) (all []row) {
	for _, k := range sortedKeys(c.objects, keyText) {
		for _, base := range c.objects[k].on {
			kind := "NON-EXISTENT"
			if c.objects[base] != nil {
				kind = c.objects[base].kind
			}
			all = append(all, row{"OWNER": k.owner, "NAME": k.name, "TYPE": c.objects[k].kind,
				"REFERENCED_OWNER": base.owner, "REFERENCED_NAME": base.name, "REFERENCED_TYPE": kind, "REFERENCED_LINK_NAME": ""})
		}
	}
	return all
}

func roleNames(c *catalog, _ *session) (all []row) {
	for name := range c.roles {
		all = append(all, row{"ROLE": name})
	}
	return all
}

func directoryRows(c *catalog, _ *session) (all []row) {
	for k, o := range c.objects {
		if o.kind == "DIRECTORY" {
			all = append(all, row{"DIRECTORY_NAME": k.name})
		}
	}
	return all
}

// roleAdminRows are what comes to a session by its roles.
func roleAdminRows(c *catalog, s *session) (all []row) {
	for g, admin := range c.system {
		if s.roles[g.grantee] {
			all = append(all, row{"ROLE": g.grantee, "PRIVILEGE": g.privilege, "ADMIN_OPTION": yes(admin)})
		}
	}
	for g, held := range c.granted {
		if s.roles[g.grantee] {
			all = append(all, row{"ROLE": g.grantee, "GRANTED_ROLE": g.role, "ADMIN_OPTION": yes(held.admin)})
		}
	}
	return all
}

func roleObjectRows(c *catalog, s *session) (all []row) {
	for g, o := range c.object {
		if s.roles[g.grantee] {
			all = append(all, row{"ROLE": g.grantee, "OWNER": g.on.owner, "TABLE_NAME": g.on.name, "COLUMN_NAME": g.column, "PRIVILEGE": g.privilege, "GRANTABLE": yes(o.grantable)})
		}
	}
	return all
}

func rowsWith(rows []row, column string) []row {
	return slices.DeleteFunc(rows, func(r row) bool { return r[column] == "" })
}

func proxyRows(c *catalog, _ *session) (all []row) {
	for name, u := range c.users {
		for _, p := range u.proxies {
			all = append(all, row{"PROXY": p, "CLIENT": name})
		}
	}
	return all
}

func sessionRows(c *catalog, s *session) (all []row) {
	for _, p := range s.server.everything() {
		if c.holds(s.user, s.roles, p) {
			all = append(all, row{"PRIVILEGE": p})
		}
	}
	return all
}
