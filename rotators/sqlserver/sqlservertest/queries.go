package sqlservertest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A query answers one of the rotator's, which this server knows by name. Its SQL
// is not read: that it is right, a real server alone can prove.
type query struct {
	columns int
	rows    func(s *session, r request) [][]value
}

// queries are the rotator's. A session sees in them what the catalog views would
// show it.
var queries = map[string]query{
	"contained user":      {3, containedUser},
	"login":               {11, loginRows},
	"databases":           {5, databaseRows},
	"server roles":        {1, serverRoleRows},
	"server permissions":  {6, serverPermissionRows},
	"owned on the server": {3, serverOwnedRows},
	"users by sid": {5, func(s *session, r request) [][]value {
		return s.userRows(r, func(u *user, key string) bool { return !u.contained && u.sid == key })
	}},
	"users by name": {5, func(s *session, r request) [][]value {
		return s.userRows(r, func(u *user, key string) bool { return u.contained && u.name == key })
	}},
	"roles":                   {1, roleRows},
	"classes":                 {1, classRows},
	"owned":                   {4, ownedRows},
	"self":                    {2, selfRows},
	"denials of roles":        {4, roleDenialRows},
	"denials of server roles": {4, serverRoleDenialRows},
	"builtin permissions":     {2, builtinRows},
	"owner's role": {1, func(s *session, _ request) [][]value {
		return one(bit(s.all() || slices.Contains(s.principals(), s.database.user("db_owner").id)))
	}},
	"may on the server": {1, func(s *session, r request) [][]value {
		return one(bit(s.mayOnServer(r.argument(1), target{class: classServer})))
	}},
	"may in the database": {1, func(s *session, r request) [][]value { return one(bit(s.may(r.argument(1), target{}))) }},
}

func one(v value) [][]value { return [][]value{{v}} }

// query answers a query under the server's lock.
func (s *session) query(name string, r request) (int, [][]value, error) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if class, ok := strings.CutPrefix(name, "permissions of class "); ok {
		n, err := strconv.Atoi(class)
		return 8, permissionRows(s, r, n), err
	}
	q, ok := queries[name]
	if !ok {
		return 0, nil, unknown(r.source)
	}
	return q.columns, q.rows(s, r), nil
}

func containedUser(s *session, r request) (all [][]value) {
	if u := s.database.user(r.argument(1)); u != nil && u.contained && s.seesUser(u) {
		all = append(all, []value{text(u.name), maybe(u.schema), maybe(u.language)})
	}
	return all
}

// seesLogin reports whether the session sees a login in the catalog.
func (s *session) seesLogin(l *login) bool {
	return l == s.login || s.mayOnServer("ALTER ANY LOGIN", target{class: classServer}) || s.mayOnServer("VIEW ANY DEFINITION", target{class: classServer})
}

func (s *session) seesUser(u *user) bool {
	return u == s.user || s.may("VIEW DEFINITION", target{class: classPrincipal, major: u.id}) || s.may("ALTER ANY USER", target{})
}

func loginRows(s *session, r request) [][]value {
	l := s.server.catalog.login(r.argument(1))
	if l == nil || l.kind == "R" || !s.seesLogin(l) {
		return nil
	}
	policy, expiry := bit(l.policy), bit(l.expiry)
	if l.kind != "S" {
		policy, expiry = nil, nil
	}
	var id, credential value
	if l.credential != "" {
		id = text("65536")
		if s.mayOnServer("ALTER ANY CREDENTIAL", target{class: classServer}) {
			credential = text(l.credential)
		}
	}
	return [][]value{{text(l.name), text(l.sid), text(l.kind), bit(l.disabled), text(l.database), text(l.language), policy, expiry, id, credential, bit(l.locked)}}
}

func databaseRows(s *session, _ request) (all [][]value) {
	for _, d := range s.server.catalog.databases {
		if d != s.database && d.name != "master" && d.owner != s.sid() && !s.mayOnServer("VIEW ANY DATABASE", target{class: classServer}) {
			continue
		}
		state, update := "ONLINE", "READ_WRITE"
		if d.offline {
			state = "OFFLINE"
		}
		if d.readOnly {
			update = "READ_ONLY"
		}
		all = append(all, []value{text(d.name), text(state), text(update), bit(!d.offline && s.in(d) != nil), text(d.owner)})
	}
	return all
}

// sid is that of the session's login.
func (s *session) sid() string {
	if s.login == nil {
		return ""
	}
	return s.login.sid
}

func serverRoleRows(s *session, r request) (all [][]value) {
	l := s.server.catalog.login(r.argument(1))
	for _, role := range s.server.catalog.principals {
		if l != nil && role.members[l.id] && (role.fixed || s.seesLogin(l)) {
			all = append(all, []value{text(role.name)})
		}
	}
	return all
}

func serverPermissionRows(s *session, r request) (all [][]value) {
	c := s.server.catalog
	l := c.login(r.argument(1))
	if l == nil || !s.seesLogin(l) {
		return nil
	}
	for _, p := range c.permissions {
		if p.grantee != l.id {
			continue
		}
		on := c.loginByID(p.major)
		if p.class == classServer {
			on = &login{}
		}
		all = append(all, []value{text(p.name), text(string(p.state)), maybe(c.loginByID(p.grantor).name), text(fmt.Sprint(p.class)), maybe(on.name), maybe(on.kind)})
	}
	return all
}

func serverOwnedRows(s *session, r request) (all [][]value) {
	l := s.server.catalog.login(r.argument(1))
	for _, role := range s.server.catalog.principals {
		if l != nil && role.kind == "R" && role.owner == l.id {
			all = append(all, []value{text("101"), text(role.name), text("R")})
		}
	}
	return all
}

// userRows are the users whose keys the query names, and whether the session sees
// all that there is.
func (s *session) userRows(r request, is func(*user, string) bool) (all [][]value) {
	sees := bit(s.may("VIEW DEFINITION", target{}))
	for _, u := range s.database.users {
		for _, key := range []string{r.argument(1), r.argument(2)} {
			if key != "" && u.kind == "S" && is(u, key) && s.seesUser(u) {
				all = append(all, []value{sees, text(key), text(fmt.Sprint(u.id)), text(u.name), maybe(u.schema)})
			}
		}
	}
	if len(all) == 0 {
		return [][]value{{sees, nil, nil, nil, nil}}
	}
	return all
}
