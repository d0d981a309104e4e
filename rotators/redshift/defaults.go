package redshift

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// A defaultGrant is what ALTER DEFAULT PRIVILEGES gives on objects to come. The
// user whose it is stands as "" in it, as owner or as grantee, so that those of
// two users compare.
type defaultGrant struct {
	owner       string
	schema      string // "" is every one
	objects     string // TABLES, FUNCTIONS or PROCEDURES
	privilege   string
	granteeKind string // user, group, role or public
	grantee     string
}

// Both what a user gets and what others get on objects that the user will make:
// what the clone makes must be as visible as what the original makes.
const queryDefaults = `/* rotor: default privileges */
SELECT schema_name, object_type, owner_name, privilege_type, grantee_name, grantee_type, admin_option FROM svv_default_privileges
WHERE grantee_type = 'user' AND grantee_name IN ($1, $2) OR owner_name IN ($1, $2)`

// futures are the kinds of objects that have default privileges, as the view and
// the statement call them.
var futures = map[string]string{"RELATION": "TABLES", "FUNCTION": "FUNCTIONS", "PROCEDURE": "PROCEDURES"}

type futureGrant struct {
	defaultGrant
	option, known bool // known: a statement can say it
}

func scanDefault(row pgx.CollectableRow) (f futureGrant, err error) {
	var schema, kind, privilegeType, grantee, granteeKind *string
	var option *bool
	err = row.Scan(&schema, &kind, &f.owner, &privilegeType, &grantee, &granteeKind, &option)
	f.privilege, f.known = privilege(text(privilegeType))
	if objects, ok := futures[strings.ToUpper(text(kind))]; ok {
		f.objects = objects
	} else {
		f.objects, f.known = text(kind), false
	}
	f.schema, f.grantee, f.granteeKind = text(schema), text(grantee), strings.ToLower(text(granteeKind))
	f.option = option != nil && *option
	return f, err
}

// readDefaults fills in the default privileges of two users, but for those of
// one of them towards the other.
func (c *conn) readDefaults(ctx context.Context, pair map[string]*profile, one, other string) error {
	all, err := rows(ctx, c, scanDefault, queryDefaults, one, other)
	for _, f := range all {
		for user, p := range pair {
			twin := one
			if user == one {
				twin = other
			}
			d, ok := f.of(user, twin)
			switch {
			case !ok:
			case f.known:
				p.defaults[d] = p.defaults[d] || f.option
			case d.received():
				p.extras[extra{with: d.String()}] = true
			}
		}
	}
	return err
}

// of is the grant as one of user's; ok is false if it is not, or means nothing.
func (f futureGrant) of(user, twin string) (d defaultGrant, ok bool) {
	d = f.defaultGrant
	toUser := d.granteeKind == "user"
	switch {
	case slices.Contains(unsupported, d.privilege):
		return d, false
	case d.owner == twin || toUser && d.grantee == twin, toUser && d.grantee == d.owner: // an owner has it anyway
		return d, false
	}
	mine := d.owner == user || toUser && d.grantee == user
	if d.owner == user {
		d.owner = ""
	}
	if toUser && d.grantee == user {
		d.grantee = ""
	}
	return d, mine
}

// statement is ALTER DEFAULT PRIVILEGES for user, with the verb GRANT or REVOKE.
func (d defaultGrant) statement(user, verb string, option bool) string {
	s := "ALTER DEFAULT PRIVILEGES FOR USER " + pgwire.Ident(cmp.Or(d.owner, user))
	if d.schema != "" {
		s += " IN SCHEMA " + pgwire.Ident(d.schema)
	}
	preposition := " TO "
	if verb == "REVOKE" {
		preposition = " FROM "
	}
	s += " " + verb + " " + d.privilege + " ON " + d.objects + preposition
	switch d.granteeKind {
	case "user":
		s += pgwire.Ident(cmp.Or(d.grantee, user))
	case "public":
		s += "PUBLIC"
	default:
		s += strings.ToUpper(d.granteeKind) + " " + pgwire.Ident(d.grantee)
	}
	if option && d.granteeKind == "user" {
		s += " WITH GRANT OPTION"
	}
	return s
}

// received are those of a user's default privileges that the user gets. The rest
// are for others, on what the user will make.
func received(all map[defaultGrant]bool) map[defaultGrant]bool {
	mine := maps.Clone(all)
	maps.DeleteFunc(mine, func(d defaultGrant, _ bool) bool { return !d.received() })
	return mine
}

func (d defaultGrant) received() bool { return d.granteeKind == "user" && d.grantee == "" }

// String names the right for people.
func (d defaultGrant) String() string {
	s := d.privilege + " on future " + strings.ToLower(d.objects)
	if d.owner != "" {
		s += " of " + pgwire.Ident(d.owner)
	}
	if d.schema != "" {
		s += " in schema " + pgwire.Ident(d.schema)
	}
	return s
}

// defaultChanges are the statements that turn the default privileges that user
// has into want.
func defaultChanges(user string, has, want map[defaultGrant]bool) []statement {
	var all []statement
	for _, d := range sortedDefaults(has) {
		option, wanted := want[d]
		if !wanted || has[d] && !option {
			all = append(all, may(d.statement(user, "REVOKE", false), "revoke from "+pgwire.Ident(user)+" what the original does not have: "+d.String()))
		}
	}
	for _, d := range sortedDefaults(want) {
		if option, had := has[d]; !had || option != want[d] {
			all = append(all, must(d.statement(user, "GRANT", want[d])))
		}
	}
	return all
}

func sortedDefaults(m map[defaultGrant]bool) []defaultGrant {
	return slices.SortedFunc(maps.Keys(m), func(a, b defaultGrant) int {
		return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.schema, b.schema), cmp.Compare(a.objects, b.objects),
			cmp.Compare(a.privilege, b.privilege), cmp.Compare(a.granteeKind, b.granteeKind), cmp.Compare(a.grantee, b.grantee))
	})
}
