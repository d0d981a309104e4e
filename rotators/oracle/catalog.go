package oracle

import "context"

// A source is where rights are read: as an administrator of anybody, or of the
// session's own user, which takes no privilege.
type source struct {
	prefix  string // of the views
	suffix  string // of those that show grants to objects
	user    string // the column that has the user, or what stands for it
	grantee string // the same in views of system privileges and roles
	objects string // the prefix of the views of objects
}

var (
	dictionary = source{"DBA", "", "USERNAME", "GRANTEE", "DBA"}
	session    = source{"USER", "_RECD", "USER", "USERNAME", "ALL"}
)

// receiver is the column with a grant's receiver in views of grants.
func (s source) receiver() string {
	if s.suffix == "" {
		return s.grantee
	}
	return s.user
}

// A look is a query, and what to do with its rows.
type look struct {
	query string
	put   func(a *account, row []string) error
}

// read fills in what the users of pair hold. The error has no class yet.
func (c *conn) read(ctx context.Context, f *facts, pair map[string]*account, s source, one, other string) error {
	delegate, kind := "'NO'", "'TABLE'"
	if f.since(12, 1) {
		kind = "TYPE"
	}
	if f.since(12, 1, 0, 2) {
		delegate = "DELEGATE_OPTION"
	}
	in := " IN (:1, :2)"
	looks := []look{
		{"SELECT " + s.user + ", TABLESPACE_NAME, TO_CHAR(MAX_BYTES) FROM " + s.prefix + "_TS_QUOTAS WHERE DROPPED = 'NO' AND " + s.user + in, putQuota},
		{"SELECT " + s.grantee + ", GRANTED_ROLE, ADMIN_OPTION, " + delegate + ", DEFAULT_ROLE FROM " + s.prefix + "_ROLE_PRIVS WHERE " + s.grantee + in, putRole},
		{"SELECT " + s.grantee + ", PRIVILEGE, ADMIN_OPTION FROM " + s.prefix + "_SYS_PRIVS WHERE " + s.grantee + in, putSystem},
		{"SELECT " + s.receiver() + ", OWNER, TABLE_NAME, " + kind + ", PRIVILEGE, GRANTABLE, GRANTOR, HIERARCHY FROM " + s.prefix + "_TAB_PRIVS" + s.suffix + " WHERE " + s.receiver() + in, putObject},
		{"SELECT " + s.receiver() + ", OWNER, TABLE_NAME, COLUMN_NAME, PRIVILEGE, GRANTABLE, GRANTOR FROM " + s.prefix + "_COL_PRIVS" + s.suffix + " WHERE " + s.receiver() + in, putColumn},
		{"SELECT OWNER, OBJECT_NAME, OBJECT_TYPE FROM " + s.objects + "_OBJECTS WHERE GENERATED = 'N' AND SECONDARY = 'N' AND OWNER" + in, putOwned},
		{"SELECT OWNER, TABLE_NAME FROM " + s.objects + "_NESTED_TABLES WHERE OWNER" + in, dropNested},
		{"SELECT OWNER, TABLE_NAME FROM " + s.objects + "_EXTERNAL_TABLES WHERE OWNER" + in, putExternal},
	}
	if f.since(23, 0) {
		looks = append(looks, look{"SELECT " + s.grantee + ", PRIVILEGE, SCHEMA, ADMIN_OPTION FROM " + s.prefix + "_SCHEMA_PRIVS WHERE " + s.grantee + in, putSchema})
	}
	for _, look := range looks {
		rows, err := c.rows(ctx, look.query, one, other)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if a := pair[row[0]]; a != nil {
				if err := look.put(a, row); err != nil {
					return err
				}
			}
		}
	}
	if err := c.readFaulty(ctx, pair, s); err != nil {
		return err
	}
	return c.directories(ctx, f, pair)
}

func putQuota(a *account, row []string) error {
	if row[2] != "0" && row[2] != "" {
		a.quotas[row[1]] = row[2]
	}
	return nil
}

func putRole(a *account, row []string) error {
	a.roles[row[1]] = role{admin: row[2] == "YES", delegate: row[3] == "YES", byDefault: row[4] == "YES"}
	return nil
}

// directories tells directories from tables before 12.1, whose views of grants
// do not say what they are on.
func (c *conn) directories(ctx context.Context, f *facts, pair map[string]*account) error {
	if f.since(12, 1) {
		return nil
	}
	rows, err := c.rows(ctx, "SELECT DIRECTORY_NAME FROM ALL_DIRECTORIES")
	for _, row := range rows {
		was, is := object{owner: "SYS", name: row[0]}, object{kind: "DIRECTORY", name: row[0]}
		for _, a := range pair {
			for g, o := range a.grants {
				if g.on == was {
					delete(a.grants, g)
					g.on = is
					a.grants[g] = o
				}
			}
		}
	}
	return err
}
