package sqlserver

import (
	"context"
	"strings"
)

// Triggers of a database that statements of ours fire. They run with the rights of
// whoever sends the statement, on the whole server.
// Source: "sys.triggers", "sys.trigger_events", "DDL Triggers", "Manage Trigger
// Security".
const queryTriggers = `/* rotor: triggers */
SELECT DISTINCT t.name FROM sys.triggers t JOIN sys.trigger_events e ON e.object_id = t.object_id
WHERE t.parent_class = 0 AND t.is_disabled = 0 AND e.type_desc IN (N'CREATE_USER', N'ALTER_USER', N'DROP_USER', N'ADD_ROLE_MEMBER', N'DROP_ROLE_MEMBER',
 N'GRANT_DATABASE', N'DENY_DATABASE', N'REVOKE_DATABASE', N'ALTER_AUTHORIZATION_DATABASE') ORDER BY t.name`

// noteTriggers names, once, what the owner of the present database has made, and
// what runs with the session's rights when its users are changed.
func (c *conn) noteTriggers(ctx context.Context, p place) error {
	if p.contained || c.triggers[p.name] { // a contained administrator has rights in this database alone
		return nil
	}
	names, err := c.column(ctx, queryTriggers)
	if err != nil || len(names) == 0 {
		return err
	}
	if c.triggers == nil {
		c.triggers = map[string]bool{}
	}
	c.triggers[p.name] = true
	for i, name := range names {
		names[i] = ident(name)
	}
	c.login.Report.Notef("In database %s, triggers run with the rights of %q on the whole server when its users are changed: %s. "+
		"Whoever may make triggers there can use these rights: look at them (sys.sql_modules), and drop or disable those that nobody knows.",
		ident(p.name), c.login.User, strings.Join(names, ", "))
	return nil
}
