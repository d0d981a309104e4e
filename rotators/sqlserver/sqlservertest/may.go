package sqlservertest

import "slices"

// A target is one thing that a right is needed on: a securable, or one of its
// columns.
type target struct{ class, major, minor int }

// sysadmin reports whether the session's login may do everything.
func (s *session) sysadmin() bool {
	return s.login != nil && s.server.catalog.login("sysadmin").members[s.login.id]
}

// serverRoles are the session's login and all server roles that it is in.
func (s *session) serverPrincipals() []int {
	if s.login == nil {
		return nil
	}
	all := []int{s.login.id, s.server.catalog.login("public").id}
	for i := 0; i < len(all); i++ {
		for _, r := range s.server.catalog.principals {
			if r.members[all[i]] && !slices.Contains(all, r.id) {
				all = append(all, r.id)
			}
		}
	}
	return all
}

// principals are the session's user and all roles that it is in.
func (s *session) principals() []int { return s.database.rolesOf(s.user.id) }

func (d *database) rolesOf(id int) []int {
	all := []int{id, public}
	for i := 0; i < len(all); i++ {
		for _, r := range d.users {
			if r.members[all[i]] && !slices.Contains(all, r.id) {
				all = append(all, r.id)
			}
		}
	}
	return all
}

// mayOnServer reports whether the session has a permission on a thing of the
// server.
func (s *session) mayOnServer(name string, on target) bool {
	if s.sysadmin() {
		return true
	}
	who := s.serverPrincipals()
	granted := false
	for _, p := range s.server.catalog.permissions {
		covers := p.class == on.class && p.major == on.major && (p.name == name || p.name == "CONTROL") ||
			p.class == classServer && (p.name == "CONTROL SERVER" || p.name == name && on.class == classServer || p.name == "ALTER ANY LOGIN" && on.class == classLogin && name == "ALTER")
		if !covers || !slices.Contains(who, p.grantee) {
			continue
		}
		if p.state == 'D' {
			return false
		}
		granted = true
	}
	security := s.server.catalog.login("securityadmin")
	return granted || slices.Contains(who, security.id) && name == "ALTER ANY LOGIN"
}

// all reports whether nothing is forbidden to the session in its database.
func (s *session) all() bool {
	return s.user.id == dbo || s.mayOnServer("CONTROL SERVER", target{class: classServer})
}

// may reports whether the session has a permission on a thing of its database:
// granted on it or on what it is in, to the user or to one of its roles, and
// nowhere denied.
func (s *session) may(name string, on target) bool {
	if s.all() {
		return true
	}
	who := s.principals()
	granted := s.byRole(who, name) || s.owns(who, on) || name == "VIEW DEFINITION" && s.mayOnServer("VIEW ANY DEFINITION", target{class: classServer})
	for _, p := range s.database.permissions {
		if !slices.Contains(who, p.grantee) || p.name != name && p.name != "CONTROL" && !anyAlter(p, name, on) || !s.database.within(on, target{p.class, p.major, p.minor}) {
			continue
		}
		if p.state == 'D' {
			return false
		}
		granted = true
	}
	return granted && !s.deniedByRole(who, name)
}

// mayColumn reports whether the session has a permission on a column of an
// object. A row of the column's own goes before those of the object.
func (s *session) mayColumn(name string, object, minor int) bool {
	who, granted, revoked := s.principals(), false, false
	for _, p := range s.database.permissions {
		if p.class != classObject || p.major != object || p.minor != minor || p.name != name || !slices.Contains(who, p.grantee) || s.all() {
			continue
		}
		switch p.state {
		case 'D':
			return false
		case 'R':
			revoked = true
		default:
			granted = true
		}
	}
	return granted || !revoked && s.may(name, target{class: classObject, major: object})
}

// anyAlter reports whether p is ALTER ANY of what on is.
func anyAlter(p *permission, name string, on target) bool {
	return on.class == classPrincipal && name == "ALTER" && p.class == classDatabase && (p.name == "ALTER ANY USER" || p.name == "ALTER ANY ROLE")
}

// byRole reports what the fixed roles of a database give.
func (s *session) byRole(who []int, name string) bool {
	in := func(role string) bool { return slices.Contains(who, s.database.user(role).id) }
	return in("db_owner") || in("db_datareader") && name == "SELECT" ||
		in("db_datawriter") && slices.Contains([]string{"INSERT", "UPDATE", "DELETE"}, name) ||
		in("db_accessadmin") && name == "ALTER ANY USER" ||
		in("db_securityadmin") && slices.Contains([]string{"ALTER ANY ROLE", "VIEW DEFINITION"}, name)
}

func (s *session) deniedByRole(who []int, name string) bool {
	in := func(role string) bool { return slices.Contains(who, s.database.user(role).id) }
	return in("db_denydatareader") && name == "SELECT" || in("db_denydatawriter") && slices.Contains([]string{"INSERT", "UPDATE", "DELETE"}, name)
}

// owns reports whether one of the principals owns the thing or its schema.
func (s *session) owns(who []int, on target) bool {
	if on.class == classPrincipal {
		owner := s.database.userByID(on.major).owner
		return owner != 0 && slices.Contains(who, owner)
	}
	e := s.database.entityByID(on.class, on.major)
	if e == nil {
		return false
	}
	schema := s.database.entityByID(classSchema, e.schema)
	return e.owner != 0 && slices.Contains(who, e.owner) || schema != nil && slices.Contains(who, schema.owner)
}

// within reports whether a permission on outer is one on inner too.
func (d *database) within(inner, outer target) bool {
	if outer.class == classDatabase || outer == inner || outer.class == inner.class && outer.major == inner.major && outer.minor == 0 {
		return true
	}
	e := d.entityByID(inner.class, inner.major)
	return e != nil && outer.class == classSchema && outer.major == e.schema
}

// visible reports whether the session sees a thing in the catalog: whoever has
// any right on it does.
func (s *session) visible(class, major int) bool {
	on, who := target{class: class, major: major}, s.principals()
	return slices.ContainsFunc(s.database.permissions, func(p *permission) bool {
		return p.class == class && p.major == major && p.state != 'D' && slices.Contains(who, p.grantee)
	}) || s.may("VIEW DEFINITION", on) || slices.ContainsFunc(permissionsOf(class), func(name string) bool { return s.may(name, on) })
}

// mayGrant reports whether the session may give a permission away.
func (s *session) mayGrant(name string, on target) bool {
	who, rows, control := s.principals(), s.database.permissions, func() bool { return s.may("CONTROL", on) }
	if on.class >= classServer {
		who, rows = s.serverPrincipals(), s.server.catalog.permissions
		control = func() bool {
			return s.mayOnServer("CONTROL", on) || s.mayOnServer("CONTROL SERVER", target{class: classServer})
		}
	}
	return control() || slices.ContainsFunc(rows, func(p *permission) bool {
		return p.state == 'W' && p.name == name && (target{p.class, p.major, p.minor}) == on && slices.Contains(who, p.grantee)
	})
}
