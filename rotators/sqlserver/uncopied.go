package sqlserver

import (
	"context"
	"strings"
)

// What a login has that no clone gets: its password on another server is no
// catalog's to tell, a provider's credential is for one login, and what msdb
// keeps is for the Agent and for Database Mail to change.
const queryUncopied = `/* rotor: not copied */
SELECT N'the credential of a provider of keys', c.name` + collated + ` FROM sys.server_principal_credentials m
 JOIN sys.server_principals p ON p.principal_id = m.principal_id JOIN sys.credentials c ON c.credential_id = m.credential_id
 WHERE p.name = @p1 AND c.target_type = N'CRYPTOGRAPHIC PROVIDER'
UNION ALL SELECT N'a login on the linked server', s.name` + collated + ` FROM sys.linked_logins l JOIN sys.servers s ON s.server_id = l.server_id
 JOIN sys.server_principals p ON p.principal_id = l.local_principal_id WHERE p.name = @p1`

// Whether the session may read the tables of msdb with what belongs to a SID.
// Source: "dbo.sysjobs", "dbo.sysproxylogin". Database Mail's tables have no page.
const queryMayReadMsdb = `/* rotor: may read msdb */
SELECT HAS_PERMS_BY_NAME('msdb.dbo.sysjobs', 'OBJECT', 'SELECT'), HAS_PERMS_BY_NAME('msdb.dbo.sysproxylogin', 'OBJECT', 'SELECT'),
 HAS_PERMS_BY_NAME('msdb.dbo.sysmail_principalprofile', 'OBJECT', 'SELECT')`

// inMsdb are the queries for them, in that order.
var inMsdb = []string{
	`/* rotor: jobs */
SELECT N'the Agent job', j.name FROM msdb.dbo.sysjobs j WHERE j.owner_sid = CONVERT(varbinary(85), @p1, 1)`,
	`/* rotor: proxies */
SELECT N'the Agent proxy', x.name FROM msdb.dbo.sysproxylogin l JOIN msdb.dbo.sysproxies x ON x.proxy_id = l.proxy_id WHERE l.sid = CONVERT(varbinary(85), @p1, 1)`,
	`/* rotor: mail profiles */
SELECT N'the mail profile', f.name FROM msdb.dbo.sysmail_principalprofile m JOIN msdb.dbo.sysmail_profile f ON f.profile_id = m.profile_id
 WHERE m.principal_sid = CONVERT(varbinary(85), @p1, 1)`,
}

// noteUncopied names what a clone of a login will not have.
func (c *conn) noteUncopied(ctx context.Context, from *principal) error {
	if from.contained {
		return nil
	}
	rows, err := c.rows(ctx, queryUncopied, from.name)
	if err != nil {
		return err
	}
	may, err := c.rows(ctx, queryMayReadMsdb)
	if err != nil || len(may) != 1 {
		return err
	}
	for i, query := range inMsdb {
		if !isTrue(may[0][i]) {
			continue
		}
		more, err := c.rows(ctx, query, from.sid)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	var all []string
	for _, r := range rows {
		all = append(all, r[0]+" "+ident(r[1]))
	}
	if len(all) > 0 {
		c.login.Report.Notef("%q has what its clone does not get: %s. If the application needs it, give it to the clone by hand.", from.name, strings.Join(all, ", "))
	}
	return nil
}
