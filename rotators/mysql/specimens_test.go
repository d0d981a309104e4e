package mysql

import "github.com/seed492efc12/rotor/framework/rotation"

// A specimen is an account to look at. In its statements %a is the account, %b another one, %d a database and %r a role.
type specimen struct {
	name string
	on   func(dialect) bool // the servers that know the statements; nil are all
	make []string
	// closed: nobody logs in as the account.
	closed bool
	// everyway looks at it in sessions of other settings and rights too.
	everyway bool
	// forGood: it changes the server.
	forGood bool
	// unlike: its clone has a password, and it has none that is valid.
	unlike bool
	// noClone is why it cannot be cloned.
	noClone rotation.Class
}

func isMaria(d dialect) bool { return d.maria }
func isMySQL(d dialect) bool { return !d.maria }
func since(major, minor, patch int) func(dialect) bool {
	return func(d dialect) bool { return d.since(major, minor, patch) }
}

const createSpecimen = "CREATE USER %a IDENTIFIED BY 'Specimen-1'"

var specimens = []specimen{
	{name: "plain", make: []string{createSpecimen}, everyway: true},
	{name: "locked", make: []string{createSpecimen + " ACCOUNT LOCK"}, closed: true},
	{name: "expired", make: []string{createSpecimen + " PASSWORD EXPIRE INTERVAL 30 DAY", "ALTER USER %a PASSWORD EXPIRE"}, closed: true, unlike: true},
	{name: "expiry", make: []string{createSpecimen + " PASSWORD EXPIRE INTERVAL 30 DAY"}},
	{name: "no expiry", make: []string{createSpecimen + " PASSWORD EXPIRE NEVER"}},
	{name: "limits", make: []string{createSpecimen + " WITH MAX_QUERIES_PER_HOUR 500 MAX_UPDATES_PER_HOUR 400 MAX_CONNECTIONS_PER_HOUR 300 MAX_USER_CONNECTIONS 9"}},
	{name: "statement time", on: isMaria, make: []string{createSpecimen + " WITH MAX_STATEMENT_TIME 3.5"}},
	{name: "require SSL", make: []string{createSpecimen + " REQUIRE SSL"}},
	{name: "require X509", make: []string{createSpecimen + " REQUIRE X509"}, closed: true},
	{name: "require all", make: []string{createSpecimen + " REQUIRE SUBJECT '/CN=app' AND ISSUER '/CN=an authority' AND CIPHER 'TLS_AES_256_GCM_SHA384'"}, closed: true},
	{name: "require quotes", make: []string{createSpecimen + ` REQUIRE SUBJECT '/CN="app"' AND ISSUER '/O=O''Reilly \\ REQUIRE NONE ACCOUNT LOCK'`}, closed: true},
	{name: "require forgery", make: []string{createSpecimen + ` REQUIRE ISSUER 'a'' PASSWORD EXPIRE NEVER ACCOUNT LOCK COMMENT ''b' PASSWORD EXPIRE DEFAULT`}, closed: true},
	{name: "native", on: func(d dialect) bool { return d.maria || !d.since(9, 0, 0) }, make: []string{"CREATE USER %a IDENTIFIED WITH mysql_native_password"}, closed: true, unlike: true},
	{name: "native with a password", on: func(d dialect) bool { return !d.maria && !d.since(9, 0, 0) }, make: []string{"CREATE USER %a IDENTIFIED WITH mysql_native_password BY 'Specimen-1'"}},
	{name: "sha256", on: isMySQL, make: []string{"CREATE USER %a IDENTIFIED WITH sha256_password BY 'Specimen-1'"}},
	{name: "several ways", on: isMaria, make: []string{"CREATE USER %a IDENTIFIED VIA mysql_native_password USING PASSWORD('Specimen-1') OR unix_socket"}},
	{name: "no password", on: isMaria, make: []string{"CREATE USER %a"}, closed: true, unlike: true},
	{name: "unix socket", on: isMaria, make: []string{"CREATE USER %a IDENTIFIED VIA unix_socket"}, closed: true, noClone: rotation.BadSecret},
	{name: "comment", on: since(8, 0, 21), make: []string{createSpecimen + ` COMMENT 'it''s \\ "this" ACCOUNT LOCK'`}},
	{name: "attribute", on: since(8, 0, 21), make: []string{createSpecimen + ` ACCOUNT LOCK ATTRIBUTE '{"team": "a''b", "n": {"m": [1, null]}}'`}, closed: true},
	{name: "empty attribute", on: since(8, 0, 21), make: []string{createSpecimen + ` ATTRIBUTE '{"team": "a"}'`, `ALTER USER %a ATTRIBUTE '{"team": null}'`}},
	{name: "password rules", on: since(8, 0, 19), make: []string{createSpecimen + " PASSWORD HISTORY 5 PASSWORD REUSE INTERVAL 365 DAY PASSWORD REQUIRE CURRENT FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2"}},
	{name: "other password rules", on: since(8, 0, 19), make: []string{createSpecimen + " PASSWORD REQUIRE CURRENT OPTIONAL FAILED_LOGIN_ATTEMPTS 4 PASSWORD_LOCK_TIME UNBOUNDED"}},
	{name: "two factors", on: since(8, 0, 27), make: []string{"CREATE USER %a IDENTIFIED WITH caching_sha2_password BY 'Specimen-1' AND IDENTIFIED WITH auth_socket"}, closed: true, noClone: rotation.BadSecret},
	{name: "default roles", on: since(8, 0, 0), make: []string{"CREATE ROLE %r, '%r TO x'", createSpecimen, "GRANT %r, '%r TO x' TO %a", "ALTER USER %a DEFAULT ROLE ALL"}},
	{name: "all of MySQL", on: since(8, 0, 21), everyway: true, make: []string{
		"CREATE ROLE %r", "GRANT SELECT ON %d.* TO %r",
		createSpecimen + " REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 500 PASSWORD EXPIRE INTERVAL 30 DAY ACCOUNT UNLOCK PASSWORD HISTORY 5 FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2 ATTRIBUTE '{\"team\": \"a\"}'",
		"GRANT %r TO %a WITH ADMIN OPTION", "ALTER USER %a DEFAULT ROLE %r",
		"GRANT INSERT (n), UPDATE (n, `m ``TO```) ON %d.t TO %a WITH GRANT OPTION", "GRANT EXECUTE ON PROCEDURE %d.p TO %a", "GRANT XA_RECOVER_ADMIN ON *.* TO %a WITH GRANT OPTION", "GRANT BACKUP_ADMIN, SHOW DATABASES ON *.* TO %a",
	}},
	{name: "maria role", on: isMaria, everyway: true, make: []string{"CREATE ROLE %r", "GRANT SELECT ON %d.* TO %r", createSpecimen, "GRANT %r TO %a WITH ADMIN OPTION", "SET DEFAULT ROLE %r FOR %a", "GRANT SELECT ON %d.t TO %a"}},
	{name: "global", make: []string{createSpecimen, "GRANT PROCESS, SHOW DATABASES, CREATE USER ON *.* TO %a WITH GRANT OPTION"}},
	{name: "all on everything", make: []string{createSpecimen, "GRANT ALL ON *.* TO %a WITH GRANT OPTION"}},
	{name: "all on a database", make: []string{createSpecimen, "GRANT ALL ON %d.* TO %a WITH GRANT OPTION"}},
	{name: "a pattern of databases", make: []string{createSpecimen, "GRANT SELECT ON `%d\\_x%`.* TO %a"}},
	{name: "columns", make: []string{createSpecimen, "GRANT SELECT (n, `m ``TO```), UPDATE (n), DELETE ON %d.t TO %a WITH GRANT OPTION"}},
	{name: "routines", make: []string{createSpecimen, "GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE %d.p TO %a", "GRANT EXECUTE ON FUNCTION %d.f TO %a WITH GRANT OPTION"}},
	{name: "dynamic privileges", on: since(8, 0, 0), make: []string{createSpecimen, "GRANT BACKUP_ADMIN ON *.* TO %a", "GRANT XA_RECOVER_ADMIN, CONNECTION_ADMIN ON *.* TO %a WITH GRANT OPTION"}},
	{name: "partial revokes", forGood: true, on: since(8, 0, 16), make: []string{createSpecimen, "SET GLOBAL partial_revokes = ON", "GRANT SELECT, INSERT ON *.* TO %a", "REVOKE INSERT ON mysql.* FROM %a", "REVOKE SELECT ON %d.* FROM %a"}},
	{name: "proxies", make: []string{createSpecimen, "CREATE USER %b IDENTIFIED BY 'Specimen-1'", "GRANT PROXY ON %b TO %a WITH GRANT OPTION"}},
	{name: "roles of roles", on: since(8, 0, 0), make: []string{"CREATE ROLE %r, '%r TO x'", "GRANT '%r TO x' TO %r", "GRANT SELECT ON %d.* TO %r", "GRANT INSERT ON %d.t TO '%r TO x'", createSpecimen, "GRANT %r TO %a", "GRANT '%r TO x' TO %a WITH ADMIN OPTION", "SET DEFAULT ROLE %r TO %a"}},
	{name: "dropped table", make: []string{createSpecimen, "CREATE TABLE %d.gone (n int)", "GRANT SELECT, INSERT ON %d.gone TO %a", "DROP TABLE %d.gone"}},
	{name: "dropped columns", make: []string{createSpecimen, "CREATE TABLE %d.gone (n int)", "GRANT SELECT, INSERT (n) ON %d.gone TO %a", "DROP TABLE %d.gone"}, noClone: rotation.FewerRights},
}
