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
	const on = `ON TABLE "s"."t"`
	table := func(privilege string) grant { return grant{privilege: privilege, on: on} }
	column := func(privilege, name string) grant { return grant{privilege, `"` + name + `"`, on} }
	a := grants{table("SELECT"): false, table("INSERT"): true, column("UPDATE", "c"): false, {privilege: "USAGE", on: `ON SCHEMA "s"`}: false, {privilege: "CREATE MODEL"}: false}
	b := grants{table("SELECT"): true, table("INSERT"): false, table("DELETE"): false}
	scoped := grant{privilege: "SELECT", on: `FOR TABLES IN SCHEMA "s"`}
	share := func(privilege string) grant { return grant{privilege: privilege, on: `ON DATASHARE "d"`} }
	for _, c := range []struct {
		plan []statement
		want string
	}{
		{grantChanges("u", a, a), ``},
		{grantChanges("u", b, a), `REVOKE DELETE ON TABLE "s"."t" FROM "u"; REVOKE GRANT OPTION FOR SELECT ON TABLE "s"."t" FROM "u"; ` +
			`GRANT CREATE MODEL TO "u"; GRANT USAGE ON SCHEMA "s" TO "u"; GRANT UPDATE ("c") ON TABLE "s"."t" TO "u"; GRANT INSERT ON TABLE "s"."t" TO "u" WITH GRANT OPTION`},
		{grantChanges("u", grants{column("SELECT", "a"): false, column("SELECT", "b"): false, column("UPDATE", "a"): false}, grants{table("SELECT"): true, column("UPDATE", "b"): false}),
			`REVOKE SELECT ("a", "b") ON TABLE "s"."t" FROM "u"; REVOKE UPDATE ("a") ON TABLE "s"."t" FROM "u"; GRANT UPDATE ("b") ON TABLE "s"."t" TO "u"; GRANT SELECT ON TABLE "s"."t" TO "u" WITH GRANT OPTION`},
		{grantChanges("u", grants{table("SELECT"): true, table("UPDATE"): false}, grants{column("SELECT", "a"): false, column("UPDATE", "a"): false, column("SELECT", "b"): false}),
			`REVOKE SELECT, UPDATE ON TABLE "s"."t" FROM "u"; GRANT SELECT ("a", "b"), UPDATE ("a") ON TABLE "s"."t" TO "u"`},
		{grantChanges("u", grants{table("SELECT"): false}, grants{table("SELECT"): false, column("SELECT", "a"): false}), ``},
		{grantChanges("u", grants{scoped: true, share("ALTER"): true}, grants{scoped: false, share("ALTER"): false, share("SHARE"): false}),
			`REVOKE SELECT FOR TABLES IN SCHEMA "s" FROM "u"; REVOKE ALTER ON DATASHARE "d" FROM "u"; ` +
				`GRANT SELECT FOR TABLES IN SCHEMA "s" TO "u"; GRANT ALTER ON DATASHARE "d" TO "u"; GRANT SHARE ON DATASHARE "d" TO "u"`},
		{extraChanges("u", extras{assumeRole("a", "COPY"): true}, extras{assumeRole("it's", "EXFUNC"): true, assumeRole("default-aws-iam-role", "NEW"): true}),
			`REVOKE ASSUMEROLE ON 'a' FROM "u" FOR COPY; GRANT ASSUMEROLE ON 'it''s' TO "u" FOR EXTERNAL FUNCTION`},
		{extraChanges("u", extras{mask("s", "t", "p", `["a"]`, `["a"]`, "1"): true, mask("s", "t", "p", `["a"]`, `["a"]`, "2"): true}, extras{mask("s", "t", "p", `["a"]`, `["a"]`, "2"): true}),
			`DETACH MASKING POLICY "p" ON "s"."t" ("a") FROM "u"; ATTACH MASKING POLICY "p" ON "s"."t" ("a") USING ("a") TO "u" PRIORITY 2`},
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

func TestPrivilegesAreKnownByTheirNames(t *testing.T) {
	for in, want := range map[string]string{"select": "SELECT", "TEMPORARY": "TEMP", " drop ": "DROP", "share": "SHARE"} {
		if got, known := privilege(in); got != want || !known {
			t.Errorf("%q became %q, %v", in, got, known)
		}
	}
	for _, in := range []string{"RULE", "TRIGGER", "", "SELECT; DROP", "DEBUG"} {
		if _, known := privilege(in); known {
			t.Errorf("%q is known", in)
		}
	}
}

// What a new release may bring must not become a privilege on the whole.
func TestScopedPrivilegesAreWrittenAsSuch(t *testing.T) {
	for scope, want := range map[string]string{"SCHEMA": `ON SCHEMA "s"`, "": `ON SCHEMA "s"`, "TABLES": `FOR TABLES IN SCHEMA "s"`, "functions": `FOR FUNCTIONS IN SCHEMA "s"`,
		"COPY JOBS": `FOR COPY JOBS IN SCHEMA "s"`, "COPY_JOBS": `FOR COPY JOBS IN SCHEMA "s"`} {
		if got, known := scoped(scope, "SCHEMA", "s"); got != want || !known {
			t.Errorf("%s became %s, %v", scope, got, known)
		}
	}
	if got, known := scoped("TEMPLATES", "DATABASE", "d"); got != `FOR TEMPLATES IN DATABASE "d"` || known {
		t.Errorf("got %s, %v", got, known)
	}
}

func TestTheStorageOfMaterializedViewsIsKnownByItsName(t *testing.T) {
	for in, want := range map[string]string{
		`"s"."mv_tbl__sales__0"`: `"s"."sales"`, `ON TABLE "s"."mv_tbl__a__b__12"`: `ON TABLE "s"."a__b"`, `"s"."mv_tbl__q""x__0"`: `"s"."q""x"`,
		`"s"."mv_tbl__sales"`: "", `"s"."mv_tbl__sales__"`: "", `"s"."mv_tbl____0"`: "", `"s"."sales"`: "", `"mv_tbl__x__0"."sales"`: "",
	} {
		if got, ok := storedFor(in); got != want || ok != (want != "") {
			t.Errorf("%s is for %q, %v", in, got, ok)
		}
	}
}

func TestMasksOnPartsOfAColumnAreLeftToPeople(t *testing.T) {
	for array, want := range map[string]string{`["a"]`: `"a"`, `["a","B c"]`: `"a", "B c"`, `["a.b"]`: "", `["a[0]"]`: "", `["\"a\""]`: "", `[]`: "", ``: "", `["a"]; DROP`: ""} {
		if got, ok := columnList(array); got != want || ok != (want != "") {
			t.Errorf("%s became %s, %v", array, got, ok)
		}
	}
}
