package sqlservertest

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/internal/catalogquery"
)

// views are the catalog as a session sees it: what it has no right to know of is
// not there.
// Source: the section "Permissions" of each view's page; "Metadata Visibility
// Configuration".
var views = map[string]func(*session) []catalogquery.Row{
	"sys.server_principals":             serverPrincipals,
	"sys.sql_logins":                    sqlLogins,
	"sys.server_role_members":           serverRoleMembers,
	"sys.server_permissions":            serverPermissionRows,
	"sys.credentials":                   credentials,
	"sys.server_principal_credentials":  principalCredentials,
	"sys.endpoints":                     nothing,
	"sys.availability_groups":           nothing,
	"sys.availability_replicas":         nothing,
	"sys.databases":                     databases,
	"sys.servers":                       linkedServers,
	"sys.linked_logins":                 linkedLogins,
	"sys.fn_builtin_permissions":        builtinPermissions,
	"msdb.dbo.sysjobs":                  jobs,
	"msdb.dbo.sysproxies":               proxies,
	"msdb.dbo.sysproxylogin":            proxyLogins,
	"msdb.dbo.sysmail_profile":          mailProfiles,
	"msdb.dbo.sysmail_principalprofile": mailPrincipals,

	"sys.database_principals":   databasePrincipals,
	"sys.database_role_members": databaseRoleMembers,
	"sys.database_permissions":  databasePermissions,
	"sys.all_columns":           allColumns,
	"sys.triggers":              triggers,
	"sys.trigger_events":        triggerEvents,

	"sys.all_objects":                      ofClass(classObject, "object_id", "name"),
	"sys.schemas":                          ofClass(classSchema, "schema_id", "name"),
	"sys.assemblies":                       ofClass(5, "assembly_id", "name"),
	"sys.types":                            ofClass(classType, "user_type_id", "name"),
	"sys.xml_schema_collections":           ofClass(10, "xml_collection_id", "name"),
	"sys.service_message_types":            ofClass(15, "message_type_id", "name"),
	"sys.service_contracts":                ofClass(16, "service_contract_id", "name"),
	"sys.services":                         ofClass(17, "service_id", "name"),
	"sys.remote_service_bindings":          ofClass(18, "remote_service_binding_id", "name"),
	"sys.routes":                           ofClass(19, "route_id", "name"),
	"sys.fulltext_catalogs":                ofClass(23, "fulltext_catalog_id", "name"),
	"sys.symmetric_keys":                   ofClass(24, "symmetric_key_id", "name"),
	"sys.certificates":                     ofClass(25, "certificate_id", "name"),
	"sys.asymmetric_keys":                  ofClass(26, "asymmetric_key_id", "name"),
	"sys.fulltext_stoplists":               ofClass(29, "stoplist_id", "name"),
	"sys.registered_search_property_lists": ofClass(31, "property_list_id", "name"),
	"sys.database_scoped_credentials":      ofClass(32, "credential_id", "name"),
	"sys.external_languages":               ofClass(34, "external_language_id", "language"),
}

func nothing(*session) []catalogquery.Row { return nil }

// orNull is NULL for none.
func orNull(n int) catalogquery.Value {
	if n == 0 {
		return nil
	}
	return int64(n)
}

func textOrNull(s string) catalogquery.Value {
	if s == "" {
		return nil
	}
	return s
}

// sidOf is a SID as the server keeps it.
func sidOf(sid string) catalogquery.Value {
	b, err := hex.DecodeString(strings.TrimPrefix(sid, "0x"))
	if err != nil || sid == "" {
		return nil
	}
	return b
}

func (s *session) hasOnServer(permissions ...string) bool {
	return slices.ContainsFunc(permissions, func(name string) bool { return s.mayOnServer(name, target{class: classServer}) })
}

// seesPrincipal reports whether the session sees a login or a role of the server.
func (s *session) seesPrincipal(l *login) bool {
	who := s.serverPrincipals()
	if l == s.login || l.name == "sa" || l.fixed || slices.Contains(who, l.id) || s.hasOnServer("VIEW ANY DEFINITION") || s.hasOnServer(altersAny(l)) {
		return true
	}
	return l.owner != 0 && slices.Contains(who, l.owner) || slices.ContainsFunc(s.server.catalog.permissions, func(p *permission) bool {
		return p.class == classLogin && p.major == l.id && p.state != 'D' && slices.Contains(who, p.grantee)
	})
}

func altersAny(l *login) string {
	if l.kind == "R" {
		return "ALTER ANY SERVER ROLE"
	}
	return "ALTER ANY LOGIN"
}

func serverPrincipals(s *session) (all []catalogquery.Row) {
	for _, l := range s.server.catalog.principals {
		if s.seesPrincipal(l) {
			all = append(all, s.principalRow(l))
		}
	}
	return all
}

func (s *session) principalRow(l *login) catalogquery.Row {
	row := catalogquery.Row{
		"name": l.name, "principal_id": int64(l.id), "sid": sidOf(l.sid), "type": l.kind, "is_disabled": truth(l.disabled),
		"is_fixed_role": l.fixed && l.name != "public", "default_database_name": textOrNull(l.database), "default_language_name": textOrNull(l.language),
		"credential_id": nil, "owning_principal_id": orNull(l.owner),
	}
	if l.credential != "" {
		row["credential_id"] = int64(s.server.catalog.credentialID(l.credential))
	}
	return row
}

func sqlLogins(s *session) (all []catalogquery.Row) {
	for _, l := range s.server.catalog.principals {
		if l.kind == "S" && s.seesPrincipal(l) {
			row := s.principalRow(l)
			row["is_policy_checked"], row["is_expiration_checked"], row["password_hash"] = l.policy, l.expiry, nil
			all = append(all, row)
		}
	}
	return all
}

// serverRoleMembers are the session's own memberships, the members of the fixed
// roles, and all others for who may view definitions.
func serverRoleMembers(s *session) (all []catalogquery.Row) {
	who := s.serverPrincipals()
	sees := s.hasOnServer("VIEW ANY DEFINITION") || s.isServerMember("securityadmin") == int64(1)
	for _, r := range s.server.catalog.principals {
		for member := range r.members {
			if sees || r.fixed || slices.Contains(who, member) {
				all = append(all, catalogquery.Row{"role_principal_id": int64(r.id), "member_principal_id": int64(member)})
			}
		}
	}
	return all
}

func serverPermissionRows(s *session) (all []catalogquery.Row) {
	who, c := s.serverPrincipals(), s.server.catalog
	for _, p := range c.permissions {
		if !slices.Contains(who, p.grantee) && !s.hasOnServer("VIEW ANY DEFINITION", altersAny(c.loginByID(p.grantee))) {
			continue
		}
		class := map[int]string{classServer: "SERVER", classLogin: "SERVER_PRINCIPAL"}[p.class]
		all = append(all, permissionRow(p, class))
	}
	return all
}

func permissionRow(p *permission, class string) catalogquery.Row {
	return catalogquery.Row{
		"class": int64(p.class), "class_desc": class, "major_id": int64(p.major), "minor_id": int64(p.minor), "grantee_principal_id": int64(p.grantee),
		"grantor_principal_id": int64(p.grantor), "permission_name": p.name, "state": string(p.state),
	}
}

func credentials(s *session) (all []catalogquery.Row) {
	if !s.hasOnServer("VIEW ANY DEFINITION", "ALTER ANY CREDENTIAL") {
		return nil
	}
	for i, c := range s.server.catalog.credentials {
		row := catalogquery.Row{"credential_id": int64(firstCredential + i), "name": c.name, "target_type": nil, "target_id": int64(0)}
		if c.provider {
			row["target_type"], row["target_id"] = "CRYPTOGRAPHIC PROVIDER", int64(1)
		}
		all = append(all, row)
	}
	return all
}

func principalCredentials(s *session) (all []catalogquery.Row) {
	for _, l := range s.server.catalog.principals {
		for _, name := range append(slices.Clone(l.keys), l.credential) {
			if name != "" && s.seesPrincipal(l) {
				all = append(all, catalogquery.Row{"principal_id": int64(l.id), "credential_id": int64(s.server.catalog.credentialID(name))})
			}
		}
	}
	return all
}

// databases are those that the session sees. One that is offline shows to who
// may alter or create databases.
func databases(s *session) (all []catalogquery.Row) {
	for _, d := range s.server.catalog.databases {
		high := s.hasOnServer("ALTER ANY DATABASE", "CREATE ANY DATABASE") || d.owner == s.sid()
		if d.offline && !high || !high && d != s.database && d.name != "master" && !s.hasOnServer("VIEW ANY DATABASE") {
			continue
		}
		row := catalogquery.Row{"name": d.name, "database_id": int64(d.id), "source_database_id": nil, "owner_sid": sidOf(d.owner), "is_read_only": d.readOnly,
			"state": int64(0), "state_desc": "ONLINE", "containment": truth(d.contained)}
		if d.offline {
			row["state"], row["state_desc"] = int64(6), "OFFLINE"
		}
		all = append(all, row)
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

func linkedServers(s *session) []catalogquery.Row {
	all := []catalogquery.Row{{"server_id": int64(0), "name": "HERE", "is_linked": false}}
	for i, l := range s.server.catalog.links {
		all = append(all, catalogquery.Row{"server_id": int64(i + 1), "name": l.name, "is_linked": true})
	}
	return all
}

func linkedLogins(s *session) (all []catalogquery.Row) {
	for i, l := range s.server.catalog.links {
		if of := s.server.catalog.login(l.login); of != nil && s.seesPrincipal(of) {
			all = append(all, catalogquery.Row{"server_id": int64(i + 1), "local_principal_id": int64(of.id), "uses_self_credential": false, "remote_name": "x"})
		}
	}
	return all
}

func builtinPermissions(*session) (all []catalogquery.Row) {
	classes := map[string]int{"SERVER": classServer}
	for _, k := range keywords {
		classes[k.words] = k.class
	}
	for words, class := range classes {
		for _, name := range permissionsOf(class) {
			all = append(all, catalogquery.Row{"class_desc": words, "permission_name": name})
		}
	}
	return all
}

// possessions are the rows of msdb that belong to logins, by kind.
func (s *session) possessions(kind string, row func(i int, p possession, sid catalogquery.Value) catalogquery.Row) (all []catalogquery.Row) {
	for i, p := range s.server.catalog.possessions {
		if l := s.server.catalog.login(p.login); p.kind == kind && l != nil {
			all = append(all, row(i, p, sidOf(l.sid)))
		}
	}
	return all
}

func jobs(s *session) []catalogquery.Row {
	return s.possessions("job", func(_ int, p possession, sid catalogquery.Value) catalogquery.Row {
		return catalogquery.Row{"name": p.name, "owner_sid": sid}
	})
}

func proxies(s *session) []catalogquery.Row {
	return s.possessions("proxy", func(i int, p possession, _ catalogquery.Value) catalogquery.Row {
		return catalogquery.Row{"proxy_id": int64(i), "name": p.name}
	})
}

func proxyLogins(s *session) []catalogquery.Row {
	return s.possessions("proxy", func(i int, _ possession, sid catalogquery.Value) catalogquery.Row {
		return catalogquery.Row{"proxy_id": int64(i), "sid": sid, "flags": int64(0)}
	})
}

func mailProfiles(s *session) []catalogquery.Row {
	return s.possessions("mail", func(i int, p possession, _ catalogquery.Value) catalogquery.Row {
		return catalogquery.Row{"profile_id": int64(i), "name": p.name}
	})
}

func mailPrincipals(s *session) []catalogquery.Row {
	return s.possessions("mail", func(i int, _ possession, sid catalogquery.Value) catalogquery.Row {
		return catalogquery.Row{"profile_id": int64(i), "principal_sid": sid, "is_default": false}
	})
}
