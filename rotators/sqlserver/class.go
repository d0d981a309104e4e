package sqlserver

import "fmt"

// A class is a kind of thing in a database that permissions are on.
type class struct {
	number  int    // in sys.database_permissions
	keyword string // in GRANT ... ON keyword::name; "" is the database itself
	view    string // the catalog view
	id      string // its column that major_id is
	schema  bool   // its names are in schemas
	owner   string // its column of the owner, where there is one
}

// classes are all those of sys.database_permissions that can be named.
// Source: Transact-SQL reference, "sys.database_permissions", and the pages
// "GRANT ... permissions". That external languages are 34 is not on the first
// (?).
var classes = []class{
	{0, "", "", "", false, ""},
	{1, "OBJECT", "sys.all_objects", "object_id", true, "principal_id"},
	{3, "SCHEMA", "sys.schemas", "schema_id", false, "principal_id"},
	{4, "USER", "sys.database_principals", "principal_id", false, "owning_principal_id"},
	{5, "ASSEMBLY", "sys.assemblies", "assembly_id", false, "principal_id"},
	{6, "TYPE", "sys.types", "user_type_id", true, "principal_id"},
	{10, "XML SCHEMA COLLECTION", "sys.xml_schema_collections", "xml_collection_id", true, "principal_id"},
	{15, "MESSAGE TYPE", "sys.service_message_types", "message_type_id", false, "principal_id"},
	{16, "CONTRACT", "sys.service_contracts", "service_contract_id", false, "principal_id"},
	{17, "SERVICE", "sys.services", "service_id", false, "principal_id"},
	{18, "REMOTE SERVICE BINDING", "sys.remote_service_bindings", "remote_service_binding_id", false, "principal_id"},
	{19, "ROUTE", "sys.routes", "route_id", false, "principal_id"},
	{23, "FULLTEXT CATALOG", "sys.fulltext_catalogs", "fulltext_catalog_id", false, "principal_id"},
	{24, "SYMMETRIC KEY", "sys.symmetric_keys", "symmetric_key_id", false, "principal_id"},
	{25, "CERTIFICATE", "sys.certificates", "certificate_id", false, "principal_id"},
	{26, "ASYMMETRIC KEY", "sys.asymmetric_keys", "asymmetric_key_id", false, "principal_id"},
	{29, "FULLTEXT STOPLIST", "sys.fulltext_stoplists", "stoplist_id", false, "principal_id"},
	{31, "SEARCH PROPERTY LIST", "sys.registered_search_property_lists", "property_list_id", false, "principal_id"},
	{32, "DATABASE SCOPED CREDENTIAL", "sys.database_scoped_credentials", "credential_id", false, ""}, // not before 2016
	{34, "EXTERNAL LANGUAGE", "sys.external_languages", "external_language_id", false, ""},            // not before 2019
}

func classOf(number string) (class, bool) {
	for _, k := range classes {
		if fmt.Sprint(k.number) == number {
			return k, true
		}
	}
	return class{}, false
}

// permissions is the query for a user's permissions on things of the class:
// permission, state, grantor, schema, name, column, the type of a principal, and
// the numbers of the thing. A name that the session may not see is NULL.
func (k class) permissions() string {
	const id = ", CONCAT(p.major_id, '.', p.minor_id)"
	const from = " FROM sys.database_permissions p LEFT JOIN sys.database_principals g ON g.principal_id = p.grantor_principal_id"
	where := fmt.Sprintf(" WHERE p.class = %d AND p.grantee_principal_id = @p1", k.number)
	head := fmt.Sprintf("/* rotor: permissions of class %d */\nSELECT p.permission_name, p.state, g.name, ", k.number)
	switch {
	case k.view == "":
		return head + "NULL, NULL, NULL, NULL" + id + from + where
	case k.number == 1:
		return head + "SCHEMA_NAME(x.schema_id), x.name, c.name, NULL" + id + from + join(k) +
			" LEFT JOIN sys.all_columns c ON c.object_id = p.major_id AND c.column_id = p.minor_id" + where
	case k.schema:
		return head + "SCHEMA_NAME(x.schema_id), x.name, NULL, NULL" + id + from + join(k) + where
	case k.number == 4:
		return head + "NULL, x.name, NULL, x.type" + id + from + join(k) + where
	}
	return head + "NULL, x.name, NULL, NULL" + id + from + join(k) + where
}

func join(k class) string { return " LEFT JOIN " + k.view + " x ON x." + k.id + " = p.major_id" }

// ownings is the query for all that a user owns: class, schema, name, type.
func ownings() string {
	query := "/* rotor: owned */"
	for _, k := range classes {
		if k.owner == "" {
			continue
		}
		schema, kind, extra := "N''", "N''", "" // NULL would be an int in a union
		if k.schema {
			schema = "SCHEMA_NAME(x.schema_id)"
		}
		switch k.number {
		case 1:
			extra = " AND x.parent_object_id = 0"
		case 4:
			kind = "x.type"
		}
		if query[len(query)-1] != '/' {
			query += " UNION ALL"
		}
		query += fmt.Sprintf("\nSELECT %d, %s, x.name, %s FROM %s x WHERE x.%s = @p1%s", k.number, schema, kind, k.view, k.owner, extra)
	}
	return query
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
