package redshift

import (
	"strings"
	"testing"
)

func sqls(plan []statement) string {
	var all []string
	for _, s := range plan {
		all = append(all, s.sql)
	}
	return strings.Join(all, "; ")
}

func TestOnlyWhatDiffersIsSaid(t *testing.T) {
	on := `ON TABLE "s"."t"`
	a := grants{{"SELECT", on}: false, {"INSERT", on}: true, {`UPDATE ("c")`, on}: false, {"USAGE", `ON SCHEMA "s"`}: false}
	b := grants{{"SELECT", on}: true, {"INSERT", on}: false, {"DELETE", on}: false}
	for _, c := range []struct {
		plan []statement
		want string
	}{
		{grantChanges("u", a, a), ``},
		{grantChanges("u", b, a), `GRANT USAGE ON SCHEMA "s" TO "u"; GRANT UPDATE ("c") ON TABLE "s"."t" TO "u"; GRANT INSERT ON TABLE "s"."t" TO "u" WITH GRANT OPTION; ` +
			`REVOKE DELETE ON TABLE "s"."t" FROM "u"; REVOKE GRANT OPTION FOR SELECT ON TABLE "s"."t" FROM "u"`},
		{roleChanges("u", map[string]bool{"a": true, "b": false, "c": false}, map[string]bool{"a": false, "b": true, "d": false}),
			`REVOKE ROLE "a" FROM "u"; REVOKE ROLE "c" FROM "u"; GRANT ROLE "a" TO "u"; GRANT ROLE "b" TO "u" WITH ADMIN OPTION; GRANT ROLE "d" TO "u"`},
		{groupChanges("u", map[string]bool{"a": true}, map[string]bool{"b": true}), `ALTER GROUP "b" ADD USER "u"; ALTER GROUP "a" DROP USER "u"`},
		{attributeChanges("u", attributes{}, attributes{super: true, createDB: true, limit: "5", unrestricted: true, timeout: 60}),
			`ALTER USER "u" CREATEUSER; ALTER USER "u" CREATEDB; ALTER USER "u" CONNECTION LIMIT 5; ALTER USER "u" SYSLOG ACCESS UNRESTRICTED; ALTER USER "u" SESSION TIMEOUT 60`},
		{attributeChanges("u", attributes{super: true, createDB: true, limit: "5", unrestricted: true, timeout: 60}, attributes{limit: "x; DROP"}),
			`ALTER USER "u" NOCREATEUSER; ALTER USER "u" NOCREATEDB; ALTER USER "u" CONNECTION LIMIT UNLIMITED; ALTER USER "u" SYSLOG ACCESS RESTRICTED; ALTER USER "u" RESET SESSION TIMEOUT`},
		{settingChanges("u", map[string]string{"a": "1", "b": "2"}, map[string]string{"b": `it's \`, "search_path": `"$user", x`}),
			`ALTER USER "u" RESET "a"; ALTER USER "u" SET "b" TO 'it''s \\'; ALTER USER "u" SET "search_path" TO '$user', 'x'`},
		{defaultChanges("u", map[defaultGrant]bool{{owner: "o", objects: "TABLES", privilege: "SELECT", granteeKind: "user"}: false},
			map[defaultGrant]bool{{schema: "s", objects: "FUNCTIONS", privilege: "EXECUTE", granteeKind: "group", grantee: "g"}: false}),
			`ALTER DEFAULT PRIVILEGES FOR USER "o" REVOKE SELECT ON TABLES FROM "u"; ALTER DEFAULT PRIVILEGES FOR USER "u" IN SCHEMA "s" GRANT EXECUTE ON FUNCTIONS TO GROUP "g"`},
	} {
		if got := sqls(c.plan); got != c.want {
			t.Errorf("got\n%s, want\n%s", got, c.want)
		}
	}
}

func TestPrivilegesThatNobodyCanGrantAreLeftOut(t *testing.T) {
	for in, want := range map[string]string{"select": "SELECT", "TEMPORARY": "TEMP", " drop ": "DROP", "RULE": "", "TRIGGER": "", "": "", "SELECT; DROP": ""} {
		if got := privilege(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}

func TestScopedPrivilegesAreWrittenAsSuch(t *testing.T) {
	for scope, want := range map[string]string{"SCHEMA": `ON SCHEMA "s"`, "": `ON SCHEMA "s"`, "TABLES": `FOR TABLES IN SCHEMA "s"`, "functions": `FOR FUNCTIONS IN SCHEMA "s"`} {
		if got := scoped(scope, "SCHEMA", "s"); got != want {
			t.Errorf("%s became %s", scope, got)
		}
	}
}
