package sqlserver

import (
	"cmp"
	"maps"
	"strings"
)

// A statement changes what one principal holds in one place: a permission, or the
// membership in a role.
type statement struct {
	whom    *profile
	verb    string // GRANT, DENY, REVOKE or revokeOption; of a role ADD or DROP
	what    grant
	role    string // if it is about one
	option  bool   // WITH GRANT OPTION
	cascade bool
	as      string // whose grant it ends; "" for the session's
}

const revokeOption = "REVOKE GRANT OPTION FOR"

func (s statement) String() string {
	switch {
	case s.role != "" && s.whom.server:
		return "ALTER SERVER ROLE " + ident(s.role) + " " + s.verb + " MEMBER " + ident(s.whom.name)
	case s.role != "":
		return "ALTER ROLE " + ident(s.role) + " " + s.verb + " MEMBER " + ident(s.whom.name)
	}
	text := s.verb + " " + s.what.String()
	if strings.HasPrefix(s.verb, "REVOKE") {
		text += " FROM " + ident(s.whom.name)
	} else {
		text += " TO " + ident(s.whom.name)
	}
	if s.option {
		text += " WITH GRANT OPTION"
	}
	if s.cascade {
		text += " CASCADE"
	}
	if s.as != "" {
		text += " AS " + ident(s.as)
	}
	return text
}

func texts(all []statement) (said []string) {
	for _, s := range all {
		said = append(said, s.String())
	}
	return said
}

// A row is a permission and who gave it, as the catalog has them.
type row struct {
	grant
	grantor string
}

// after is what p will hold when it was told to follow of by these statements. A
// rotation reads that back from the server; a rehearsal, whose statements are not
// sent, goes on from here. Whoever the session speaks for counts as one grantor.
func (p *profile) after(statements []statement, of *profile) *profile {
	const byStrength = "RGWD"
	rows := map[row]byte{}
	for r, state := range p.rows {
		r.grantor = p.as(r.grantor)
		if strings.IndexByte(byStrength, state) > strings.IndexByte(byStrength, rows[r]) {
			rows[r] = state
		}
	}
	q := newProfile(p.server, p.session)
	q.id, q.name, q.schema, q.encrypted, q.owned, q.roles = p.id, p.name, p.schema, p.encrypted, p.owned, maps.Clone(p.roles)
	maps.Copy(q.things, of.things)
	maps.Copy(q.things, p.things)
	for _, s := range statements {
		switch {
		case s.role == "":
			s.apply(rows)
		case s.verb == "ADD":
			q.roles[s.role] = of.roles[s.role]
		default:
			delete(q.roles, s.role)
		}
	}
	for r, state := range rows {
		q.add(r.grant, string(state), r.grantor)
	}
	q.settle()
	return q
}

// apply changes the one row of the statement's grantor. What is said of a table
// holds for its columns too; a column has a row where it differs from its table,
// also if its permission was revoked (R).
// Source: "sys.database_permissions"; Transact-SQL reference, "REVOKE", arguments
// and remarks.
func (s statement) apply(rows map[row]byte) {
	at, table := row{s.what, s.as}, byte(0)
	if whole, isColumn := s.what.whole(); isColumn {
		table = rows[row{whole, s.as}]
	} else {
		maps.DeleteFunc(rows, func(r row, _ byte) bool {
			whole, isColumn := r.whole()
			return isColumn && whole == s.what
		})
	}
	switch state := s.leaves(cmp.Or(rows[at], table)); state {
	case table:
		delete(rows, at)
	case 0:
		rows[at] = 'R'
	default:
		rows[at] = state
	}
}

// leaves is the state that a permission has after the statement, by the one that
// it had. Without the option, REVOKE GRANT OPTION FOR takes the permission itself.
func (s statement) leaves(had byte) byte {
	switch {
	case s.verb == revokeOption && had == 'W':
		return 'G'
	case strings.HasPrefix(s.verb, "REVOKE"):
		return 0
	case s.verb == "DENY":
		return 'D'
	case s.option || had == 'W':
		return 'W'
	}
	return 'G'
}
