package redshifttest

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/seed492efc12/rotor/internal/catalogquery"
)

type row = catalogquery.Row

// fills are the rows of each view, as the session sees them.
var fills = map[string]func(*look) []row{
	"pg_user": func(l *look) (all []row) {
		for name, u := range l.users {
			var config []string
			for k, v := range u.settings {
				config = append(config, k+"="+v)
			}
			all = append(all, row{"usename": name, "usesysid": id("user", name), "usecreatedb": u.createDB, "usesuper": u.super, "usecatupd": u.super,
				"passwd": "********", "valuntil": orNull(u.validUntil), "useconfig": config})
		}
		return all
	},
	"pg_group": func(l *look) (all []row) {
		for name, members := range l.groups {
			var ids []int64
			for _, m := range members {
				ids = append(ids, id("user", m))
			}
			all = append(all, row{"groname": name, "grosysid": id("group", name), "grolist": ids})
		}
		return all
	},
	"pg_namespace": owned("schema", func(o object, is fact) row {
		return row{"oid": id("schema", o.name), "nspname": o.name, "nspowner": id("user", is.owner)}
	}),
	"pg_database": owned("database", func(o object, is fact) row {
		return row{"oid": id("database", o.name), "datname": o.name, "datdba": id("user", is.owner)}
	}),
	"pg_language": owned("language", func(o object, _ fact) row { return row{"oid": id("language", o.name), "lanname": o.name} }),
	"pg_class": owned("table", func(o object, is fact) row {
		kind := "r"
		if is.view {
			kind = "v"
		}
		return row{"oid": id("table", o.schema+"."+o.name), "relname": o.name, "relnamespace": id("schema", o.schema),
			"relowner": id("user", is.owner), "relkind": kind}
	}),
	"pg_proc_info": func(l *look) []row {
		return append(owned("function", routine)(l), owned("procedure", routine)(l)...)
	},
	"pg_external_schema": func(l *look) (all []row) {
		for o, is := range l.objects {
			if is.external {
				all = append(all, row{"esoid": id("schema", o.name), "eskind": int64(1), "esdbname": "lake", "esoptions": "{}"})
			}
		}
		return all
	},
	"svv_user_info": func(l *look) (all []row) {
		for name, u := range l.users {
			if !l.visible(name) {
				continue
			}
			limit, access := "UNLIMITED", "RESTRICTED"
			if u.limit >= 0 {
				limit = strconv.Itoa(u.limit)
			}
			if u.unrestricted {
				access = "UNRESTRICTED"
			}
			all = append(all, row{"user_name": name, "user_id": id("user", name), "createdb": u.createDB, "superuser": u.super, "connection_limit": limit,
				"syslog_access": access, "session_timeout": int64(u.timeout)})
		}
		return all
	},
	"svv_user_grants": func(l *look) (all []row) {
		for r, admin := range l.roleGrants {
			if r.kind == "user" && l.visible(r.name) {
				all = append(all, row{"user_name": r.name, "role_name": r.role, "admin_option": admin})
			}
		}
		return all
	},
	"svv_role_grants": func(l *look) (all []row) {
		for r := range l.roleGrants {
			if r.kind == "role" {
				all = append(all, row{"role_name": r.name, "granted_role_name": r.role})
			}
		}
		return all
	},
	"svv_system_privileges": func(l *look) (all []row) {
		for p := range l.powers {
			all = append(all, row{"system_privilege": p.privilege, "identity_name": p.role, "identity_type": "role"})
		}
		return all
	},
	"svv_iam_privileges": func(l *look) (all []row) {
		for a := range l.assumed {
			all = l.identified(all, a.grantee, row{"iam_arn": a.arn, "command_type": a.command})
		}
		return all
	},
	"svv_relation_privileges": privileges("table", "", "namespace_name", "relation_name"),
	"svv_column_privileges": func(l *look) (all []row) {
		for a := range l.grants {
			if a.column != "" {
				all = l.identified(all, a.grantee, row{"namespace_name": a.schema, "relation_name": a.object.name, "column_name": a.column, "privilege_type": a.privilege})
			}
		}
		return all
	},
	"svv_schema_privileges":    privileges("schema", "SCHEMA", "", "namespace_name"),
	"svv_database_privileges":  privileges("database", "DATABASE", "", "database_name"),
	"svv_language_privileges":  privileges("language", "", "", "language_name"),
	"svv_ml_model_privileges":  privileges("model", "", "namespace_name", "model_name"),
	"svv_datashare_privileges": privileges("datashare", "", "", "datashare_name"),
	"svv_function_privileges": func(l *look) []row {
		return append(privileges("function", "", "namespace_name", "function_name")(l), privileges("procedure", "", "namespace_name", "function_name")(l)...)
	},
	"svv_default_privileges": func(l *look) (all []row) {
		kinds := map[string]string{"tables": "RELATION", "functions": "FUNCTION", "procedures": "PROCEDURE"}
		for d, option := range l.defaults {
			if l.visible(d.name) {
				all = append(all, row{"schema_name": orNull(d.schema), "object_type": kinds[d.objects], "owner_name": d.owner, "owner_type": "user",
					"privilege_type": d.privilege, "grantee_name": d.name, "grantee_type": d.kind, "admin_option": option})
			}
		}
		return all
	},
	"svv_ml_model_info": owned("model", func(o object, is fact) row {
		padded := func(s string) string { return s + strings.Repeat(" ", max(0, 128-len(s))) }
		return row{"database_name": padded("dev"), "schema_name": padded(o.schema), "user_name": padded(is.owner), "model_name": padded(o.name)}
	}),
	"svv_rls_attached_policy": func(l *look) (all []row) {
		for a := range l.attachments {
			if !a.mask {
				all = append(all, row{"relschema": a.schema, "relname": a.object.name, "relkind": "table", "polname": a.policy, "grantor": a.grantor,
					"grantee": a.grantee.name, "granteekind": a.grantee.kind, "is_pol_on": true, "is_rls_on": true, "rls_conjunction_type": "and"})
			}
		}
		return all
	},
	"svv_attached_masking_policy": func(l *look) (all []row) {
		for a := range l.attachments {
			if a.mask && l.users[l.user].super {
				all = append(all, row{"policy_name": a.policy, "schema_name": a.schema, "table_name": a.object.name, "table_type": "table", "grantor": a.grantor,
					"grantee": a.grantee.name, "grantee_type": a.grantee.kind, "priority": int64(a.priority), "input_columns": a.inputs, "output_columns": a.outputs})
			}
		}
		return all
	},
}

// id is a number that stands for a name.
func id(kind, name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(kind + "\x00" + name))
	return int64(h.Sum64() >> 1)
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// visible says whether the session sees what is about a user in the SVV_ views: superusers see all, others themselves.
func (l *look) visible(name string) bool { return l.users[l.user].super || l.user == name }

// identified adds a row about somebody, if the session sees it.
func (l *look) identified(all []row, who grantee, r row) []row {
	if who.kind == "user" && !l.visible(who.name) {
		return all
	}
	r["identity_name"], r["identity_type"] = who.name, who.kind
	return append(all, r)
}

// owned are the objects of a kind.
func owned(kind string, columns func(object, fact) row) func(*look) []row {
	return func(l *look) (all []row) {
		for o, is := range l.objects {
			if o.kind == kind {
				all = append(all, columns(o, is))
			}
		}
		return all
	}
}

func routine(o object, is fact) row {
	return row{"prooid": id(o.kind, o.schema+"."+o.name+o.arguments), "proname": o.name, "pronamespace": id("schema", o.schema), "proowner": id("user", is.owner),
		"prolang": id("language", is.language), "proargtypes": o.arguments, "prokind": o.kind[:1]}
}

// privileges are those on the objects of a kind, in a view that calls their schema and name so.
func privileges(kind, scope, schema, name string) func(*look) []row {
	return func(l *look) (all []row) {
		for a, option := range l.grants {
			if a.object.kind != kind || a.column != "" || scope == "" && a.scope != "" {
				continue
			}
			r := row{name: a.object.name, "privilege_type": a.privilege, "admin_option": option}
			switch {
			case scope != "" && a.scope != "":
				r["privilege_scope"] = a.scope
			case scope != "":
				r["privilege_scope"] = scope
			}
			if schema != "" {
				r[schema] = a.schema
			}
			if slices.Contains([]string{"function", "procedure"}, kind) {
				r["argument_types"] = a.arguments
			}
			all = l.identified(all, a.grantee, r)
		}
		return all
	}
}
