package oracle

import (
	"context"
	"slices"
	"strings"
)

// A view or a type that does not compile takes no grant: ORA-04063. Nobody can
// use it either, so that a rotation goes on without it: what is granted on it is
// neither copied nor compared, and a note names it. Procedures, functions and
// packages take grants all the same.
//
// STATUS alone does not tell: an object is INVALID from the change of what it is
// made of until it is used next, and GRANT compiles it. Each grant is tried
// therefore, and what is INVALID still after that has errors.
// Source: Database Reference, "ALL_OBJECTS"; Database Development Guide, "Schema
// Object Dependency"; Error Messages, ORA-04063. That GRANT refuses views alone
// was reported by others and is in no manual (?).

// readFaulty fills in which views and types are INVALID.
func (c *conn) readFaulty(ctx context.Context, pair map[string]*account, s source) error {
	rows, err := c.rows(ctx, "SELECT OWNER, OBJECT_NAME FROM "+s.objects+"_OBJECTS WHERE STATUS = 'INVALID' AND OBJECT_TYPE IN ('VIEW', 'TYPE')")
	for _, row := range rows {
		for _, a := range pair {
			a.faulty[object{owner: row[0], name: row[1]}] = true
		}
	}
	return err
}

// isUseless reports whether nothing can be granted on an object because it has
// errors, or is gone, and says so.
func (c *conn) isUseless(ctx context.Context, o object, err error) bool {
	switch {
	case isCode(err, codeErrors, codeSynonym):
		c.login.Report.Notef("Nothing can be granted on %s, which has errors, so that what is granted on it is neither copied nor compared: %v. "+
			"Mend it, or drop it; a view is compiled by ALTER VIEW %s COMPILE;", o, fault(err), o)
		return true
	case !isCode(err, codeNoTable, codeNoObject), o.owner == "":
		return false
	}
	rows, seen := c.rows(ctx, "SELECT OBJECT_TYPE FROM DBA_OBJECTS WHERE OWNER = :1 AND OBJECT_NAME = :2", o.owner, o.name)
	if seen != nil || len(rows) > 0 {
		return false
	}
	c.login.Report.Notef("%s was dropped meanwhile", o)
	return true
}

// bases is what views are made of that their owners may not pass on: nobody else
// can be granted SELECT on such a view (ORA-01720).
// Source: SQL Language Reference, "GRANT", object_privilege.
const bases = "SELECT D.NAME, D.REFERENCED_OWNER, D.REFERENCED_NAME FROM DBA_DEPENDENCIES D WHERE D.OWNER = :1 AND D.TYPE = 'VIEW'" +
	" AND D.REFERENCED_TYPE IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW') AND D.REFERENCED_LINK_NAME IS NULL AND D.REFERENCED_OWNER <> D.OWNER" +
	" AND NOT EXISTS (SELECT 1 FROM DBA_TAB_PRIVS P WHERE P.OWNER = D.REFERENCED_OWNER AND P.TABLE_NAME = D.REFERENCED_NAME" +
	" AND P.GRANTEE IN (D.OWNER, 'PUBLIC') AND P.PRIVILEGE = 'SELECT' AND P.GRANTABLE = 'YES')"

// unpassable are, for each view of owner's that can be shared with nobody, the
// statements that would change that. The error has no class yet.
func (c *conn) unpassable(ctx context.Context, owner string) (map[object][]string, error) {
	rows, err := c.rows(ctx, bases, owner)
	all := map[object][]string{}
	for _, row := range rows {
		view := object{owner: owner, name: row[0]}
		all[view] = append(all[view], need{what: "SELECT ON " + object{owner: row[1], name: row[2]}.String(), option: " WITH GRANT OPTION"}.to(owner))
	}
	return all, err
}

// basesOf is what to do so that a view can be shared, if that is known.
func (c *conn) basesOf(ctx context.Context, view object) string {
	all, err := c.unpassable(ctx, view.owner)
	if err != nil || len(all[view]) == 0 {
		return ""
	}
	return passOn(all[view])
}

func passOn(statements []string) string {
	slices.Sort(statements)
	return "The owner of a view has to have the grant option on what it is made of, or nobody else may use the view. As the owner of each object: " +
		strings.Join(slices.Compact(statements), " ") + " Or drop the view."
}
