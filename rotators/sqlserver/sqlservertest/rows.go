package sqlservertest

import (
	"fmt"
	"slices"
	"strconv"
)

// ofArgument is the user whose number the query names, if the session sees what
// it has.
func (s *session) ofArgument(r request) *user {
	id, _ := strconv.Atoi(r.argument(1))
	u := s.database.userByID(id)
	if !s.seesUser(u) && !slices.Contains(s.principals(), id) {
		return &user{id: -1}
	}
	return u
}

func roleRows(s *session, r request) (all [][]value) {
	u := s.ofArgument(r)
	if u != s.user && !s.may("VIEW DEFINITION", target{}) {
		return nil
	}
	for _, role := range s.database.users {
		if role.members[u.id] {
			all = append(all, []value{text(role.name)})
		}
	}
	return all
}

func classRows(s *session, r request) (all [][]value) {
	u := s.ofArgument(r)
	var seen []int
	for _, p := range s.database.permissions {
		if p.grantee == u.id && !slices.Contains(seen, p.class) {
			seen = append(seen, p.class)
			all = append(all, []value{text(fmt.Sprint(p.class))})
		}
	}
	return all
}

func permissionRows(s *session, r request, class int) (all [][]value) {
	u := s.ofArgument(r)
	for _, p := range s.database.permissions {
		if p.grantee != u.id || p.class != class {
			continue
		}
		row := []value{text(p.name), text(string(p.state)), maybe(s.database.userByID(p.grantor).name), nil, nil, nil, nil, text(fmt.Sprintf("%d.%d", p.major, p.minor))}
		if s.visible(p.class, p.major) {
			s.database.name4(row, p)
		}
		all = append(all, row)
	}
	return all
}

// name4 fills in the names of what a permission is on: schema, thing, column and
// a principal's type.
func (d *database) name4(row []value, p *permission) {
	if p.class == classPrincipal {
		u := d.userByID(p.major)
		row[4], row[6] = maybe(u.name), maybe(u.kind)
		return
	}
	e := d.entityByID(p.class, p.major)
	if e == nil {
		return
	}
	row[4] = text(e.name)
	if schema := d.entityByID(classSchema, e.schema); schema != nil {
		row[3] = text(schema.name)
	}
	if p.minor > 0 {
		row[5] = text(e.columns[p.minor-1])
	}
}

func ownedRows(s *session, r request) (all [][]value) {
	u := s.ofArgument(r)
	for _, e := range s.database.entities {
		if e.owner != u.id {
			continue
		}
		row := []value{text(fmt.Sprint(e.class)), nil, text(e.name), nil}
		if schema := s.database.entityByID(classSchema, e.schema); schema != nil {
			row[1] = text(schema.name)
		}
		all = append(all, row)
	}
	for _, role := range s.database.users {
		if role.owner == u.id {
			all = append(all, []value{text(fmt.Sprint(classPrincipal)), nil, text(role.name), text("R")})
		}
	}
	return all
}

func selfRows(s *session, _ request) [][]value {
	return [][]value{{text(fmt.Sprint(s.user.id)), text(s.user.name)}}
}

func roleDenialRows(s *session, _ request) (all [][]value) {
	who := s.principals()
	for _, p := range s.database.permissions {
		if p.state == 'D' && p.grantee != s.user.id && slices.Contains(who, p.grantee) {
			all = append(all, []value{text(s.database.userByID(p.grantee).name), text(p.name), text(fmt.Sprint(p.class)), text(fmt.Sprintf("%d.%d", p.major, p.minor))})
		}
	}
	return all
}

func serverRoleDenialRows(s *session, _ request) (all [][]value) {
	for _, p := range s.server.catalog.permissions {
		if p.state == 'D' && p.grantee != s.login.id && slices.Contains(s.serverPrincipals(), p.grantee) {
			all = append(all, []value{text(s.server.catalog.loginByID(p.grantee).name), text(p.name), text(fmt.Sprint(p.class)), text(fmt.Sprintf("%d.%d", p.major, p.minor))})
		}
	}
	return all
}

func builtinRows(*session, request) (all [][]value) {
	classes := []struct {
		name  string
		class int
	}{{"SERVER", classServer}, {"LOGIN", classLogin}, {"SERVER ROLE", classLogin}}
	for _, k := range keywords {
		classes = append(classes, struct {
			name  string
			class int
		}{k.words, k.class})
	}
	for _, k := range classes {
		for _, name := range permissionsOf(k.class) {
			all = append(all, []value{text(k.name), text(name)})
		}
	}
	return all
}
