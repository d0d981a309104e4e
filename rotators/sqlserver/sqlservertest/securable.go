package sqlservertest

import (
	"slices"
	"strings"
)

// Classes of securables, as in sys.database_permissions and
// sys.server_permissions.
const (
	classDatabase  = 0
	classObject    = 1
	classSchema    = 3
	classPrincipal = 4
	classType      = 6
	classServer    = 100
	classLogin     = 101
)

// keywords are the classes by their name in GRANT. Those that are in a schema
// have names of two parts.
var keywords = []struct {
	words    string
	class    int
	inSchema bool
}{
	{"DATABASE SCOPED CREDENTIAL", 32, false}, {"DATABASE", classDatabase, false}, {"OBJECT", classObject, true}, {"SCHEMA", classSchema, false},
	{"USER", classPrincipal, false}, {"ROLE", classPrincipal, false}, {"APPLICATION ROLE", classPrincipal, false},
	{"ASSEMBLY", 5, false}, {"TYPE", classType, true}, {"XML SCHEMA COLLECTION", 10, true}, {"MESSAGE TYPE", 15, false},
	{"CONTRACT", 16, false}, {"SERVICE", 17, false}, {"REMOTE SERVICE BINDING", 18, false}, {"ROUTE", 19, false},
	{"FULLTEXT CATALOG", 23, false}, {"SYMMETRIC KEY", 24, false}, {"CERTIFICATE", 25, false}, {"ASYMMETRIC KEY", 26, false},
	{"FULLTEXT STOPLIST", 29, false}, {"SEARCH PROPERTY LIST", 31, false}, {"EXTERNAL LANGUAGE", 34, false},
	{"LOGIN", classLogin, false}, {"SERVER ROLE", classLogin, false},
}

// serverPermissions are those of the server itself that the tests use.
var serverPermissions = []string{
	"ALTER ANY CREDENTIAL", "ALTER ANY DATABASE", "ALTER ANY LOGIN", "ALTER ANY SERVER ROLE", "CONNECT ANY DATABASE", "CONNECT SQL", "CONTROL SERVER",
	"CREATE ANY DATABASE", "VIEW ANY DATABASE", "VIEW ANY DEFINITION", "VIEW SERVER STATE",
}

// permissionsOf are the permissions of a class, the first of which is CONTROL.
// Source: Transact-SQL reference, "GRANT ... permissions".
func permissionsOf(class int) []string {
	switch class {
	case classServer:
		return append([]string{"CONTROL SERVER"}, serverPermissions...)
	case classDatabase:
		return []string{"CONTROL", "ALTER ANY ROLE", "ALTER ANY USER", "CONNECT", "CREATE PROCEDURE", "CREATE SCHEMA", "CREATE TABLE", "DELETE", "EXECUTE",
			"INSERT", "SELECT", "SHOWPLAN", "UPDATE", "VIEW DEFINITION", "VIEW DATABASE STATE"}
	case classObject, classSchema:
		return []string{"CONTROL", "ALTER", "DELETE", "EXECUTE", "INSERT", "REFERENCES", "SELECT", "TAKE OWNERSHIP", "UPDATE", "VIEW CHANGE TRACKING", "VIEW DEFINITION"}
	case classPrincipal, classLogin:
		return []string{"CONTROL", "ALTER", "IMPERSONATE", "TAKE OWNERSHIP", "VIEW DEFINITION"}
	}
	return []string{"CONTROL", "ALTER", "EXECUTE", "REFERENCES", "SEND", "TAKE OWNERSHIP", "VIEW DEFINITION"}
}

// A securable is what a permission is on.
type securable struct {
	class, major int
	columns      []int // minor identifiers; empty is the whole
}

func (s securable) onServer() bool { return s.class >= classServer }

// securable reads what follows ON, or finds the server or the database by the
// permission's name.
func (p *parser) securable(s *session, permission string) (securable, error) {
	if !p.take("on") {
		if slices.Contains(serverPermissions, permission) {
			return securable{class: classServer}, nil
		}
		return securable{class: classDatabase}, nil
	}
	for _, k := range keywords {
		if at := p.at; p.take(strings.Fields(strings.ToLower(k.words))...) {
			if p.take("::") {
				return p.named(s, k.class, k.inSchema)
			}
			p.at = at
		}
	}
	return p.named(s, classObject, true)
}

func (p *parser) named(s *session, class int, inSchema bool) (securable, error) {
	path, err := p.path()
	if err != nil {
		return securable{}, err
	}
	target := securable{class: class}
	d, name := s.database, path[len(path)-1]
	switch {
	case class == classLogin:
		if l := s.server.catalog.login(name); l != nil {
			target.major = l.id
			return target, nil
		}
	case class == classDatabase:
		return target, nil
	case class == classPrincipal:
		if u := d.user(name); u != nil {
			target.major = u.id
			return target, nil
		}
	default:
		e := d.find(class, inSchema, path, s.user)
		if e == nil {
			break
		}
		target.major = e.id
		target.columns, err = p.columns(e)
		return target, err
	}
	return target, cannot("find", "object", name)
}

// find finds an entity by a name of one or two parts.
func (d *database) find(class int, inSchema bool, path []string, by *user) *entity {
	name := path[len(path)-1]
	if !inSchema {
		return d.entity(class, 0, name)
	}
	schemas := []string{by.schema, "dbo"}
	if len(path) > 1 {
		schemas = []string{path[len(path)-2]}
	}
	for _, name := range schemas {
		schema := d.schema(name)
		if schema == nil {
			continue
		}
		if e := d.entity(class, schema.id, path[len(path)-1]); e != nil {
			return e
		}
	}
	return nil
}

// columns reads a list of columns, as their numbers.
func (p *parser) columns(e *entity) (all []int, err error) {
	names, err := p.names()
	for _, name := range names {
		at := slices.IndexFunc(e.columns, func(c string) bool { return strings.EqualFold(c, name) })
		if at < 0 {
			return nil, raise(1911, "Column name '%s' does not exist in the target table or view.", name)
		}
		all = append(all, at+1)
	}
	return all, err
}
