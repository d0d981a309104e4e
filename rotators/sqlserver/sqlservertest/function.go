package sqlservertest

import (
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/internal/catalogquery"
)

// Call implements catalogquery.Session. A function answers NULL to what the
// session may not know, and to what is not there.
// Source: Transact-SQL reference, the function's own page.
func (a asker) Call(function string, arguments []catalogquery.Value) (catalogquery.Value, error) {
	texts := make([]string, 5)
	for i, v := range arguments {
		texts[i], _ = v.(string)
	}
	switch function {
	case "HAS_PERMS_BY_NAME":
		return a.hasPermission(texts[0], texts[1], texts[2]), nil
	case "IS_MEMBER":
		return a.isMember(texts[0]), nil
	case "IS_SRVROLEMEMBER":
		return a.isServerMember(texts[0]), nil
	case "HAS_DBACCESS":
		if d := a.server.catalog.database(texts[0]); d != nil {
			return truth(!d.offline && a.in(d) != nil), nil
		}
	case "DATABASEPROPERTYEX":
		return a.propertyOfDatabase(texts[0], texts[1]), nil
	case "LOGINPROPERTY":
		return a.propertyOfLogin(texts[0], texts[1]), nil
	case "SERVERPROPERTY":
		return a.propertyOfServer(texts[0]), nil
	case "USER_NAME":
		return a.userName(arguments), nil
	case "DATABASE_PRINCIPAL_ID":
		return number64(a.user.id), nil
	case "SUSER_ID":
		if l := a.server.catalog.login(texts[0]); l != nil && a.seesPrincipal(l) {
			return number64(l.id), nil
		}
	case "SCHEMA_NAME":
		if id, ok := arguments[0].(int64); ok {
			if e := a.database.entityByID(classSchema, int(id)); e != nil {
				return e.name, nil
			}
		}
	}
	return nil, nil
}

func number64(n int) catalogquery.Value { return int64(n) }

func truth(is bool) catalogquery.Value {
	if is {
		return int64(1)
	}
	return int64(0)
}

func (s *session) hasPermission(securable, class, permission string) catalogquery.Value {
	switch {
	case securable == "" && class == "" && slices.Contains(permissionsOf(classServer), permission):
		return truth(s.mayOnServer(permission, target{class: classServer}))
	case securable == "" && class == "DATABASE" && slices.Contains(permissionsOf(classDatabase), permission):
		return truth(s.may(permission, target{}))
	case class == "OBJECT" && strings.HasPrefix(securable, "msdb."):
		return truth(s.readsMsdb())
	}
	return nil
}

// readsMsdb reports whether the session may read the Agent's tables.
func (s *session) readsMsdb() bool {
	return s.sysadmin() || s.mayOnServer("CONTROL SERVER", target{class: classServer})
}

func (s *session) isMember(role string) catalogquery.Value {
	r := s.database.user(role)
	if r == nil || r.kind != "R" {
		return nil
	}
	return truth(slices.Contains(s.principals(), r.id) || s.user.id == dbo && r.name == "db_owner")
}

func (s *session) isServerMember(role string) catalogquery.Value {
	r := s.server.catalog.login(role)
	if r == nil || r.kind != "R" {
		return nil
	}
	return truth(slices.Contains(s.serverPrincipals(), r.id))
}

func (s *session) propertyOfDatabase(name, property string) catalogquery.Value {
	d := s.server.catalog.database(name)
	switch {
	case d == nil || property != "Updateability":
		return nil
	case d.readOnly:
		return "READ_ONLY"
	}
	return "READ_WRITE"
}

func (s *session) propertyOfLogin(name, property string) catalogquery.Value {
	l := s.server.catalog.login(name)
	if l == nil || l.kind != "S" || !s.seesPrincipal(l) {
		return nil
	}
	switch property {
	case "IsLocked":
		return truth(l.locked)
	case "IsMustChange":
		return truth(l.mustSet)
	}
	return nil
}

// propertyOfServer knows the release and the edition: 3 is a server of its own
// (Enterprise, Developer), 5 is Azure SQL Database.
func (s *session) propertyOfServer(property string) catalogquery.Value {
	config := s.server.config
	switch property {
	case "ProductVersion":
		return map[string]string{"2014": "12.0.2000.8", "2016": "13.0.1601.5", "2017": "14.0.1000.169", "2019": "15.0.2000.5", "2022": "16.0.1000.6"}[config.release()]
	case "EngineEdition":
		if s.server.azure {
			return int64(5)
		}
		return int64(3)
	}
	return nil
}

func (s *session) userName(arguments []catalogquery.Value) catalogquery.Value {
	if len(arguments) == 0 {
		return s.user.name
	}
	id, ok := arguments[0].(int64)
	if !ok {
		return nil
	}
	for _, u := range s.database.users {
		if u.id == int(id) && s.seesUser(u) {
			return u.name
		}
	}
	return nil
}
