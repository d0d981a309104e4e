package sqlserver

import (
	"context"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A principal is whom a password belongs to.
type principal struct {
	name string
	// contained is a user of the session's database with a password of its own.
	// It has no login.
	contained bool
	options   options
	sid       string // of a login, as 0x...
	kind      string // S is one with a password; others are Windows accounts, certificates, keys
	disabled  bool
	locked    bool
	mustSet   bool // MUST_CHANGE
	absent    bool // it would be there, if this were no rehearsal
}

// options are what CREATE LOGIN or CREATE USER sets, apart from the password.
type options struct {
	database, language   string // DEFAULT_DATABASE, DEFAULT_LANGUAGE
	schema               string // DEFAULT_SCHEMA of a contained user
	encrypted            bool   // ALLOW_ENCRYPTED_VALUE_MODIFICATIONS of a contained user
	policy, expiration   bool   // CHECK_POLICY, CHECK_EXPIRATION
	credential           string
	hasCredential, plain bool // plain: the server tells of CHECK_POLICY
}

const (
	// A name that a contained user has is that user's, though a login may have
	// it too: the server tries the user first.
	// Source: "Contained Database Users - Making Your Database Portable".
	queryContained = `/* rotor: contained user */
SELECT name, default_schema_name, default_language_name, allow_encrypted_value_modifications FROM sys.database_principals WHERE name = @p1 AND authentication_type = 2`
	queryLogin = `/* rotor: login */
SELECT p.name, CONVERT(nvarchar(200), p.sid, 1), p.type, p.is_disabled, p.default_database_name, p.default_language_name,
 s.is_policy_checked, s.is_expiration_checked, p.credential_id, c.name, LOGINPROPERTY(p.name, 'IsLocked'),
 LOGINPROPERTY(p.name, 'IsMustChange')
FROM sys.server_principals p LEFT JOIN sys.sql_logins s ON s.principal_id = p.principal_id
 LEFT JOIN sys.credentials c ON c.credential_id = p.credential_id
WHERE p.name = @p1`
)

// find looks for the principal of that name. Nil without an error is none.
func (c *conn) find(ctx context.Context, name string) (*principal, error) {
	if _, err := c.about(ctx); err != nil {
		return nil, err
	}
	found, err := c.rows(ctx, queryContained, name)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		row := found[0]
		return &principal{name: row[0], contained: true, kind: "S", options: options{schema: row[1], language: row[2], encrypted: isTrue(row[3])}}, nil
	}
	found, err = c.rows(ctx, queryLogin, name)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	row := found[0]
	return &principal{name: row[0], sid: row[1], kind: row[2], disabled: isTrue(row[3]), locked: isTrue(row[10]), mustSet: isTrue(row[11]), options: options{
		database: row[4], language: row[5], policy: isTrue(row[6]), expiration: isTrue(row[7]), plain: row[6] != "",
		hasCredential: row[8] != "", credential: row[9],
	}}, nil
}

// isTrue reads a bit or an int, as a text.
func isTrue(value string) bool { return value == "1" || value == "true" }

// usable is find for a principal that must exist and be able to log in with a
// password.
func (c *conn) usable(ctx context.Context, name string) (*principal, error) {
	p, err := c.find(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		return nil, rotation.Fail(rotation.NoUser, "there is no login %q on the server that this session may see, and no contained user in database %q", name, c.login.Database).
			With("Correct the secret's username, or its dbname where the user is one of a contained database; or, as an administrator of the server: " + grantLogins(c.login.User))
	case p.kind != "S":
		return nil, rotation.Fail(rotation.BadSecret, "%q does not log in with a password: it is a Windows or Entra account, a certificate, a key or a server role", name)
	case p.disabled && name != c.enabled:
		return nil, rotation.Fail(rotation.AccountLocked, "the login %q is disabled", name).With("As an administrator: ALTER LOGIN " + ident(name) + " ENABLE;")
	}
	return p, nil
}

// what is the word for the principal in ALTER.
func (p *principal) what() string {
	if p.contained {
		return "USER "
	}
	return "LOGIN "
}

// grantLogins is what lets an administrator change logins.
func grantLogins(admin string) string {
	return "USE [master]; GRANT ALTER ANY LOGIN TO " + ident(admin) + ";"
}

// grantView is what lets an administrator see who may do what.
func grantView(admin string) string {
	return "USE [master]; GRANT VIEW ANY DEFINITION TO " + ident(admin) + ";"
}

// grantUsers is what lets an administrator change users of a database.
func grantUsers(database, admin string) string {
	return "USE " + ident(database) + "; GRANT ALTER ANY USER TO " + ident(admin) + ";"
}
