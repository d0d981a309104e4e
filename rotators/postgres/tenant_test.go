package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// attacks are what the owner of a database, who has CREATEROLE too, tries against an administrator who rotates app
// there. $APP is app, $DB the database, $ME the tenant. Some are refused by some versions: the rest of an attack goes on.
var attacks = map[string][]string{
	"operators of its own":            nil, // see takeover
	"functions of its own":            {`CREATE SCHEMA evil`, `GRANT USAGE ON SCHEMA evil TO PUBLIC`, `CREATE FUNCTION evil.set_config(text, text, bool) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN $GRAB RETURN $2; END $f$`, `CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN $GRAB RETURN ''; END $f$`, `CREATE FUNCTION evil.quote_ident(text) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN $GRAB RETURN $1; END $f$`, `ALTER DATABASE $DB SET search_path = evil, pg_catalog`},
	"views in place of the catalog":   {`CREATE SCHEMA evil`, `GRANT USAGE ON SCHEMA evil TO PUBLIC`, `CREATE FUNCTION evil.grab() RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN $GRAB RETURN true; END $f$`, `CREATE VIEW evil.pg_roles AS SELECT * FROM pg_catalog.pg_roles WHERE evil.grab()`, `CREATE VIEW evil.pg_auth_members AS SELECT * FROM pg_catalog.pg_auth_members WHERE evil.grab()`, `CREATE VIEW evil.pg_db_role_setting AS SELECT * FROM pg_catalog.pg_db_role_setting WHERE evil.grab()`, `ALTER DATABASE $DB SET search_path = evil, pg_catalog`},
	"a cast of its own":               {`CREATE SCHEMA evil`, `GRANT USAGE ON SCHEMA evil TO PUBLIC`, `CREATE TYPE evil.name AS (n text)`, `CREATE DOMAIN evil.text AS pg_catalog.text`, `ALTER DATABASE $DB SET search_path = evil, pg_catalog`},
	"temporary tables first":          {`ALTER DATABASE $DB SET search_path = pg_temp, pg_catalog`},
	"another role for every session":  {`ALTER DATABASE $DB SET role = $ME`},
	"another role for app":            {`ALTER ROLE $APP SET role = $ME`},
	"another user for every session":  {`ALTER DATABASE $DB SET session_authorization = $ME`},
	"quotes that mean something else": {`ALTER DATABASE $DB SET standard_conforming_strings = off`, `ALTER DATABASE $DB SET backslash_quote = on`, `ALTER DATABASE $DB SET escape_string_warning = off`},
	"another encoding":                {`ALTER DATABASE $DB SET client_encoding = 'SJIS'`},
	"all names in quotes":             {`ALTER DATABASE $DB SET quote_all_identifiers = on`},
	"arrays and numbers as text":      {`ALTER DATABASE $DB SET array_nulls = off`, `ALTER DATABASE $DB SET bytea_output = escape`, `ALTER DATABASE $DB SET extra_float_digits = -15`, `ALTER DATABASE $DB SET datestyle = 'German'`, `ALTER DATABASE $DB SET intervalstyle = sql_standard`},
	"weaker passwords":                {`ALTER DATABASE $DB SET password_encryption = md5`},
	"endless work":                    {`ALTER DATABASE $DB SET scram_iterations = 30000000`},
	"commits that a crash undoes":     {`ALTER DATABASE $DB SET synchronous_commit = off`},
	"read only":                       {`ALTER DATABASE $DB SET default_transaction_read_only = on`},
	"serializable":                    {`ALTER DATABASE $DB SET default_transaction_isolation = serializable`, `ALTER DATABASE $DB SET default_transaction_deferrable = on`},
	"a time-out":                      {`ALTER DATABASE $DB SET statement_timeout = 100`, `ALTER DATABASE $DB SET lock_timeout = 1`, `ALTER DATABASE $DB SET idle_in_transaction_session_timeout = 1`, `ALTER DATABASE $DB SET transaction_timeout = 200`},
	"a library":                       {`ALTER DATABASE $DB SET session_preload_libraries = 'evil'`},
	"no row security":                 {`ALTER DATABASE $DB SET row_security = off`},
	"no messages":                     {`ALTER DATABASE $DB SET client_min_messages = error`, `ALTER DATABASE $DB SET log_statement = 'all'`, `ALTER DATABASE $DB SET debug_print_plan = on`},
	"a trigger of events":             {`CREATE FUNCTION grab() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN $GRAB END $f$`, `CREATE EVENT TRIGGER grab ON ddl_command_start EXECUTE FUNCTION grab()`},
	"a clone made before":             {`CREATE ROLE "$APP_clone" LOGIN PASSWORD 'tenant'`, `GRANT $APP TO "$APP_clone"`, `ALTER ROLE "$APP_clone" SET role = $APP`},
	"a member of the clone":           {`CREATE ROLE "$APP_clone" LOGIN PASSWORD 'tenant'`, `GRANT "$APP_clone" TO $ME WITH ADMIN OPTION`},
	"itself for the original":         {`GRANT $ME TO $APP WITH ADMIN OPTION`},
	"a role with a hostile name":      {`CREATE ROLE "x"" SUPERUSER; ALTER ROLE $ME SUPERUSER; --"`, `GRANT "x"" SUPERUSER; ALTER ROLE $ME SUPERUSER; --" TO $APP`},
	"a table with a hostile name":     {`CREATE TABLE public."t"" TO $APP; ALTER ROLE $ME SUPERUSER; --" (n int)`, `GRANT SELECT ON public."t"" TO $APP; ALTER ROLE $ME SUPERUSER; --" TO $APP`},
	"a column with a hostile name":    {`CREATE TABLE public.columns ("c"") ON public.columns TO $ME; ALTER ROLE $ME SUPERUSER; --" int)`, `GRANT SELECT ("c"") ON public.columns TO $ME; ALTER ROLE $ME SUPERUSER; --") ON public.columns TO $APP`},
	"a schema with a hostile name":    {`CREATE SCHEMA "s""; ALTER ROLE $ME SUPERUSER; --"`, `GRANT USAGE ON SCHEMA "s""; ALTER ROLE $ME SUPERUSER; --" TO $APP`, `ALTER DEFAULT PRIVILEGES IN SCHEMA "s""; ALTER ROLE $ME SUPERUSER; --" GRANT SELECT ON TABLES TO $APP`},
	"a function with hostile types":   {`CREATE TYPE public."i""); ALTER ROLE $ME SUPERUSER; --" AS (n int)`, `CREATE FUNCTION public.f(public."i""); ALTER ROLE $ME SUPERUSER; --") RETURNS int LANGUAGE sql AS 'SELECT 1'`, `GRANT EXECUTE ON FUNCTION public.f TO $APP`},
	"a setting with a hostile value":  {`ALTER ROLE $APP SET "evil.x" = 'a''; ALTER ROLE $ME SUPERUSER; --'`, `ALTER ROLE $APP SET search_path = 'a"; ALTER ROLE $ME SUPERUSER; --'`, `ALTER ROLE $APP IN DATABASE $DB SET application_name = E'\\'; ALTER ROLE $ME SUPERUSER; --'`},
	"the lock of a name":              {`SELECT pg_advisory_lock(hashtext('rotor'), hashtext('$APP'))`, `SELECT pg_advisory_lock(hashtext('rotor:$APP'))`},
}

// hindered are attacks that hinder the rotation itself, which the owner of a database can always do: it may fail, and
// then changes nothing.
var hindered = map[string]bool{"a clone made before": true, "a member of the clone": true, "itself for the original": true, "endless work": true, "another encoding": true}

// A tenant owns the database, and may create roles. Whatever it prepares, rotations by an administrator give it nothing.
func TestTheTenantGainsNothing(t *testing.T) {
	if len(attacks) < 30 {
		t.Errorf("there are %d attacks", len(attacks))
	}
	each(t, func(t *testing.T, w *world) {
		if w.server.Major != 15 && !w.server.IsNewest() {
			t.Skip("covered by PostgreSQL 15 and by the newest")
		}
		tenant := w.user(t, "", "tenant")
		w.exec(t, `ALTER ROLE `+tenant+` CREATEROLE`, `ALTER DATABASE `+quoted(w.box.Database)+` OWNER TO `+tenant)
		t.Cleanup(func() { w.exec(t, `ALTER DATABASE `+quoted(w.box.Database)+` OWNER TO CURRENT_USER`) })
		worked := 0
		for name, statements := range attacks {
			t.Run(name, func(t *testing.T) {
				if statements == nil {
					statements = takeover(w.box.Database, tenant)
				}
				t.Cleanup(func() {
					w.exec(t, `ALTER DATABASE `+quoted(w.box.Database)+` RESET ALL`, `DROP SCHEMA IF EXISTS evil CASCADE`)
				})
				conn := w.box.Connect(t, tenant, "tenant")
				for way, s := range databasetest.Ways() {
					app := w.user(t, "", "old")
					of := strings.NewReplacer("$APP", app, "$DB", quoted(w.box.Database), "$ME", tenant, "$GRAB",
						fmt.Sprintf(`BEGIN EXECUTE 'ALTER ROLE %s SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;`, tenant))
					for _, s := range statements {
						if _, err := conn.Exec(t.Context(), of.Replace(s)); err == nil {
							worked++
						} else {
							t.Logf("%s: %v", of.Replace(s), err)
						}
					}
					before := w.holdings(t, tenant)
					r := w.rotor(t, s, app, "old", w.superuser(t))
					for range 2 {
						err := r.Rotate(t)
						if err != nil && !hindered[name] {
							t.Errorf("%s: %v", way, err)
						}
						if err != nil && !w.logsIn(t, r.Current()) && !w.logsIn(t, r.Store.Value("user", rotation.Pending)) {
							t.Errorf("%s: nobody can log in, after %v", way, err)
						}
					}
					if after := w.holdings(t, tenant); after != before {
						t.Errorf("the tenant holds\n%s, and held\n%s", after, before)
					}
				}
			})
		}
		if worked < 60 {
			t.Errorf("of all statements of attacks %d worked: this proves little", worked)
		}
	})
}

// holdings are a role's rights, memberships and powers, and who is superuser.
func (w *world) holdings(t *testing.T, role string) string {
	t.Helper()
	return w.value(t, `SELECT pg_catalog.concat_ws(E'\n',
		(SELECT pg_catalog.string_agg(rolname OPERATOR(pg_catalog.||) CASE WHEN rolsuper THEN ' is superuser' ELSE '' END, ', ' ORDER BY rolname) FROM pg_catalog.pg_roles r WHERE pg_catalog.pg_has_role($1::name, r.oid, 'MEMBER')),
		(SELECT pg_catalog.string_agg(rolname, ', ' ORDER BY rolname) FROM pg_catalog.pg_roles r WHERE pg_catalog.pg_has_role($1::name, r.oid, 'MEMBER WITH ADMIN OPTION')),
		(SELECT pg_catalog.string_agg(rolname, ', ' ORDER BY rolname) FROM pg_catalog.pg_roles WHERE rolsuper),
		(SELECT pg_catalog.row_to_json(r)::text FROM (SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolconfig FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1::name) r),
		(SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x WHERE x.grantee OPERATOR(pg_catalog.=) $1::regrole::oid))`, role)
}

// logsIn reports whether a value of the secret is a login.
func (w *world) logsIn(t *testing.T, doc secret.Document) bool {
	t.Helper()
	conn, err := w.server.Connect(t.Context(), doc.Text("username"), doc.Text("password"), w.box.Database)
	if err == nil {
		_ = conn.Close(t.Context())
	}
	return err == nil
}
