package sqlservertest

import (
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/internal/catalogquery"
)

// seesUser reports whether the session sees a principal of its database: its own
// user and its roles, the server's and the fixed ones, and what it has a right on.
func (s *session) seesUser(u *user) bool {
	alters := "ALTER ANY USER"
	if u.kind == "R" {
		alters = "ALTER ANY ROLE"
	}
	if u.id <= guest || isFixed(u.id) || slices.Contains(s.principals(), u.id) {
		return true
	}
	return s.may("VIEW DEFINITION", target{class: classPrincipal, major: u.id}) || s.may(alters, target{}) || s.visible(classPrincipal, u.id)
}

func databasePrincipals(s *session) (all []catalogquery.Row) {
	for _, u := range s.database.users {
		if !s.seesUser(u) {
			continue
		}
		all = append(all, catalogquery.Row{
			"name": u.name, "principal_id": int64(u.id), "type": u.kind, "default_schema_name": textOrNull(u.schema), "owning_principal_id": orNull(u.owner),
			"sid":           sidOf(u.sid),
			"is_fixed_role": isFixed(u.id), "authentication_type": int64(u.authentication()), "default_language_name": textOrNull(u.language),
			"allow_encrypted_value_modifications": u.encrypted,
		})
	}
	return all
}

// authentication is 0 for who cannot log in, 1 for the user of a login, 2 for one
// of the database's own.
func (u *user) authentication() int {
	switch {
	case u.kind != "S" || u.loginless || u.sid == "":
		return 0
	case u.contained:
		return 2
	}
	return 1
}

// databaseRoleMembers are the session's own memberships, and all for who may view
// definitions.
func databaseRoleMembers(s *session) (all []catalogquery.Row) {
	who := s.principals()
	sees := s.may("VIEW DEFINITION", target{}) || s.isMember("db_securityadmin") == int64(1)
	for _, r := range s.database.users {
		for member := range r.members {
			if sees || slices.Contains(who, member) {
				all = append(all, catalogquery.Row{"role_principal_id": int64(r.id), "member_principal_id": int64(member)})
			}
		}
	}
	return all
}

// databasePermissions are those of the session's user and of its roles, and of
// the others that it sees.
func databasePermissions(s *session) (all []catalogquery.Row) {
	sees := map[int]bool{}
	for _, u := range s.database.users {
		sees[u.id] = u.id > guest && s.seesUser(u)
	}
	for _, id := range s.principals() {
		sees[id] = true
	}
	for _, p := range s.database.permissions {
		if sees[p.grantee] {
			all = append(all, permissionRow(p, classNames[p.class]))
		}
	}
	return all
}

// classNames are the descriptions of classes that differ from GRANT's words.
var classNames = map[int]string{
	classDatabase: "DATABASE", classObject: "OBJECT_OR_COLUMN", classSchema: "SCHEMA", classPrincipal: "DATABASE_PRINCIPAL", classType: "TYPE",
}

// ofClass are the things of a class. The schemas show to everybody.
func ofClass(class int, id, name string) func(*session) []catalogquery.Row {
	return func(s *session) (all []catalogquery.Row) {
		for _, e := range s.database.entities {
			if e.class != class || class != classSchema && !s.visible(class, e.id) {
				continue
			}
			row := catalogquery.Row{id: int64(e.id), name: e.name, "principal_id": orNull(e.owner)}
			if e.schema != 0 {
				row["schema_id"] = int64(e.schema)
			}
			if class == classObject {
				row["parent_object_id"], row["type"] = int64(0), e.kind
			}
			all = append(all, row)
		}
		return all
	}
}

// triggers are those of the database; the tables here have none.
func triggers(s *session) (all []catalogquery.Row) {
	for _, t := range s.seenTriggers() {
		all = append(all, catalogquery.Row{"name": t.name, "object_id": int64(t.id), "parent_class": int64(0), "is_disabled": truth(false)})
	}
	return all
}

func triggerEvents(s *session) (all []catalogquery.Row) {
	for _, t := range s.seenTriggers() {
		for _, event := range t.events {
			all = append(all, catalogquery.Row{"object_id": int64(t.id), "type_desc": strings.ToUpper(event)})
		}
	}
	return all
}

// seenTriggers are the ones that the session may know of.
// Source: "sys.triggers", Permissions.
func (s *session) seenTriggers() []*trigger {
	if !s.may("VIEW DEFINITION", target{}) {
		return nil
	}
	return s.database.triggers
}

func allColumns(s *session) (all []catalogquery.Row) {
	for _, e := range s.database.entities {
		if e.class != classObject || !s.visible(classObject, e.id) {
			continue
		}
		for i, name := range e.columns {
			all = append(all, catalogquery.Row{"object_id": int64(e.id), "name": name, "column_id": int64(i + 1)})
		}
	}
	return all
}
