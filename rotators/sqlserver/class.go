package sqlserver

import (
	"fmt"
	"strings"
)

// A class is a kind of thing in a database that permissions are on.
type class struct {
	number  int    // in sys.database_permissions
	keyword string // in GRANT ... ON keyword::name; "" is the database itself
	view    string // the catalog view
	id      string // its column that major_id is
	schema  bool   // its names are in schemas
	owner   string // its column of the owner
	name    string // its column of the name, if that is not "name"
	since   int    // the first major version that has the view
}

// classes are all those of sys.database_permissions that can be named.
// Source: Transact-SQL reference, "sys.database_permissions", the page of each
// view, and the pages "GRANT ... permissions". That external languages are 34 is
// not on the first (?).
var classes = []class{
	{number: 0},
	{number: 1, keyword: "OBJECT", view: "sys.all_objects", id: "object_id", schema: true, owner: "principal_id"},
	{number: 3, keyword: "SCHEMA", view: "sys.schemas", id: "schema_id", owner: "principal_id"},
	{number: 4, keyword: "USER", view: "sys.database_principals", id: "principal_id", owner: "owning_principal_id"},
	{number: 5, keyword: "ASSEMBLY", view: "sys.assemblies", id: "assembly_id", owner: "principal_id"},
	{number: 6, keyword: "TYPE", view: "sys.types", id: "user_type_id", schema: true, owner: "principal_id"},
	{number: 10, keyword: "XML SCHEMA COLLECTION", view: "sys.xml_schema_collections", id: "xml_collection_id", schema: true, owner: "principal_id"},
	{number: 15, keyword: "MESSAGE TYPE", view: "sys.service_message_types", id: "message_type_id", owner: "principal_id"},
	{number: 16, keyword: "CONTRACT", view: "sys.service_contracts", id: "service_contract_id", owner: "principal_id"},
	{number: 17, keyword: "SERVICE", view: "sys.services", id: "service_id", owner: "principal_id"},
	{number: 18, keyword: "REMOTE SERVICE BINDING", view: "sys.remote_service_bindings", id: "remote_service_binding_id", owner: "principal_id"},
	{number: 19, keyword: "ROUTE", view: "sys.routes", id: "route_id", owner: "principal_id"},
	{number: 23, keyword: "FULLTEXT CATALOG", view: "sys.fulltext_catalogs", id: "fulltext_catalog_id", owner: "principal_id"},
	{number: 24, keyword: "SYMMETRIC KEY", view: "sys.symmetric_keys", id: "symmetric_key_id", owner: "principal_id"},
	{number: 25, keyword: "CERTIFICATE", view: "sys.certificates", id: "certificate_id", owner: "principal_id"},
	{number: 26, keyword: "ASYMMETRIC KEY", view: "sys.asymmetric_keys", id: "asymmetric_key_id", owner: "principal_id"},
	{number: 29, keyword: "FULLTEXT STOPLIST", view: "sys.fulltext_stoplists", id: "stoplist_id", owner: "principal_id"},
	{number: 31, keyword: "SEARCH PROPERTY LIST", view: "sys.registered_search_property_lists", id: "property_list_id", owner: "principal_id"},
	{number: 32, keyword: "DATABASE SCOPED CREDENTIAL", view: "sys.database_scoped_credentials", id: "credential_id", owner: "principal_id"},
	{number: 34, keyword: "EXTERNAL LANGUAGE", view: "sys.external_languages", id: "external_language_id", owner: "principal_id",
		name: "language", since: version2019},
}

// Major versions.
const (
	version2016 = 13 // the first that is supported
	version2019 = 15
)

func classOf(number string) (class, bool) {
	for _, k := range classes {
		if fmt.Sprint(k.number) == number {
			return k, true
		}
	}
	return class{}, false
}

// collated gives a name of the catalog the one collation in which names can be
// united and compared. It stands behind each name in a UNION, in a COALESCE and
// in a comparison of two: Service Broker's message types, contracts and services
// have names in Latin1_General_BIN, the server's principals in the server's
// collation and others in the database's, and two of them without it end the
// query, whatever its rows (451, 468).
// Source: Transact-SQL reference, "Collation Precedence".
const collated = " COLLATE DATABASE_DEFAULT"

// column is what a query selects as the name of a thing x of the class.
func (k class) column() string {
	if k.name == "" {
		return "x.name"
	}
	return "x." + k.name
}

// permissions is the query for a user's permissions on things of the class:
// permission, state, grantor, schema, name, column, the type of a principal, the
// numbers of the thing, and its owner. A name that the session may not see is
// NULL.
func (k class) permissions() string {
	schema, name, column, kind, owner := "NULL", "NULL", "NULL", "NULL", "NULL"
	from := " FROM sys.database_permissions p LEFT JOIN sys.database_principals g ON g.principal_id = p.grantor_principal_id"
	if k.view != "" {
		name, owner = k.column(), "x."+k.owner
		from += " LEFT JOIN " + k.view + " x ON x." + k.id + " = p.major_id"
	}
	if k.schema { // what has no owner of its own is its schema's owner's
		schema, owner = "s.name", "COALESCE(x."+k.owner+", s.principal_id)"
		from += " LEFT JOIN sys.schemas s ON s.schema_id = x.schema_id"
	}
	switch k.number {
	case 1:
		column = "c.name"
		from += " LEFT JOIN sys.all_columns c ON c.object_id = p.major_id AND c.column_id = p.minor_id"
	case 4:
		kind = "x.type"
	}
	return fmt.Sprintf("/* rotor: permissions of class %d */\nSELECT p.permission_name, p.state, g.name, %s, %s, %s, %s, CONCAT(p.major_id, '.', p.minor_id), %s%s\n"+
		"WHERE p.class = %d AND p.grantee_principal_id = @p1", k.number, schema, name, column, kind, owner, from, k.number)
}

// ownings is the query for all that a user owns on a server of a major version:
// class, schema, name, type.
func ownings(version int) string {
	var all []string
	for _, k := range classes {
		if k.owner == "" || version < k.since {
			continue
		}
		schema, kind, from, extra := "N''", "N''", k.view+" x", "" // NULL would be an int in a union
		if k.schema {
			schema = "s.name" + collated
			from += " JOIN sys.schemas s ON s.schema_id = x.schema_id"
		}
		switch k.number {
		case 1:
			extra = " AND x.parent_object_id = 0"
		case 4:
			kind = "x.type" + collated
		}
		all = append(all, fmt.Sprintf("SELECT %d, %s, %s%s, %s FROM %s WHERE x.%s = @p1%s", k.number, schema, k.column(), collated, kind, from, k.owner, extra))
	}
	return "/* rotor: owned */\n" + strings.Join(all, "\nUNION ALL ")
}

// on is how GRANT names a thing of the class.
func (k class) on(schema, name, kind string) string {
	keyword := k.keyword
	switch {
	case keyword == "":
		return ""
	case k.number == 4 && kind == "R":
		keyword = "ROLE"
	case k.number == 4 && kind == "A":
		keyword = "APPLICATION ROLE"
	}
	if k.schema {
		return " ON " + keyword + "::" + ident(schema) + "." + ident(name)
	}
	return " ON " + keyword + "::" + ident(name)
}
