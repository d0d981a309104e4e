package redshift

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// An extra is what a user may do, or is kept from, by other statements than GRANT
// on an object.
type extra struct {
	// with is the right that comes of it, and without the one that comes of not
	// having it, where the other user has it: a mask that one user lacks shows it more.
	// Either may be empty.
	with, without string
	// give and take are statements, before and after the user's name. Those of what
	// no statement is known for are empty: people give it and take it.
	give, take [2]string
}

// extras are a user's.
type extras map[extra]bool

func (e extra) name() string { return cmp.Or(e.with, e.without) }

func (x extras) sorted() []extra {
	return slices.SortedFunc(maps.Keys(x), func(a, b extra) int {
		return cmp.Or(cmp.Compare(a.name(), b.name()), cmp.Compare(a.give[1], b.give[1]))
	})
}

// less are those of x that other has not.
func (x extras) less(other extras) extras {
	rest := maps.Clone(x)
	maps.DeleteFunc(rest, func(e extra, _ bool) bool { return other[e] })
	return rest
}

// becoming is what the statements make of x that are to make it want.
func (x extras) becoming(want extras) extras {
	after := extras{}
	for e := range x {
		if want[e] || e.take == ([2]string{}) {
			after[e] = true
		}
	}
	for e := range want {
		if e.give != ([2]string{}) {
			after[e] = true
		}
	}
	return after
}

// with is x with the rights that only other has, as far as statements give them.
func (x extras) with(other extras) extras {
	after := maps.Clone(x)
	for e := range other {
		if e.with != "" && e.give != ([2]string{}) {
			after[e] = true
		}
	}
	return after
}

// lines are the rights that a user with x has beside one with twin.
func (x extras) lines(twin extras) map[string]bool {
	all := map[string]bool{}
	for e := range x {
		all[e.with] = true
	}
	for e := range twin.less(x) {
		all[e.without] = true
	}
	delete(all, "")
	return all
}

// differing are the rights of one of two users that the other lacks: those that only x
// gives, and those that only other gives.
func (x extras) differing(other extras) (lacks, more []string) {
	sorted := func(lines map[string]bool) []string { return slices.Sorted(maps.Keys(lines)) }
	d := database.Differing(sorted(x.lines(other)), sorted(other.lines(x)))
	return d.Original, d.Clone
}

// extraChanges are the statements that turn the extras that user has into want. What
// takes the place of another comes after it.
func extraChanges(user string, has, want extras) []statement {
	var all []statement
	say := func(form [2]string) string { return form[0] + pgwire.Ident(user) + form[1] }
	taken := map[string]bool{}
	for _, e := range has.less(want).sorted() {
		sql := say(e.take)
		if e.take == ([2]string{}) || taken[sql] {
			continue
		}
		taken[sql] = true
		all = append(all, may(sql, "take from "+pgwire.Ident(user)+" what the original does not have: "+e.name()))
	}
	for _, e := range want.sorted() {
		if e.give != ([2]string{}) && (!has[e] || taken[say(e.take)]) {
			all = append(all, must(say(e.give)))
		}
	}
	return all
}

// unsayable is a privilege that no statement of those that are known here can say: it
// is compared, and people grant it.
func unsayable(g grant, option bool) extra {
	if option {
		return extra{with: g.String() + " with grant option"}
	}
	return extra{with: g.String()}
}

const (
	queryAssumeRole = `/* rotor: iam privileges */
SELECT identity_name, iam_arn, command_type FROM svv_iam_privileges WHERE identity_type = 'user' AND identity_name IN ($1, $2)`
	queryUsersSystem = `/* rotor: system privileges of users */
SELECT identity_name, system_privilege FROM svv_system_privileges WHERE identity_type = 'user' AND identity_name IN ($1, $2)`
	queryRowPolicies = `/* rotor: row-level security */
SELECT grantee, relschema, relname, polname FROM svv_rls_attached_policy WHERE granteekind = 'user' AND grantee IN ($1, $2)`
	queryMasks = `/* rotor: masks */
SELECT grantee, schema_name, table_name, policy_name, input_columns, output_columns, priority
FROM svv_attached_masking_policy WHERE grantee_type = 'user' AND grantee IN ($1, $2)`
)

// readExtras fills in what everybody sees of himself.
func (c *conn) readExtras(ctx context.Context, pair map[string]*profile, one, other string) error {
	for _, q := range []struct {
		sql string
		of  func(texts []string) extra
	}{
		{queryAssumeRole, func(t []string) extra { return assumeRole(t[0], t[1]) }},
		// GRANT gives them to roles alone; what users still have is from before.
		{queryUsersSystem, func(t []string) extra { return extra{with: "system privilege " + t[0]} }},
	} {
		if err := c.readInto(ctx, pair, q.sql, q.of, one, other); err != nil {
			return err
		}
	}
	return nil
}

// readPolicies fills in the policies that are attached to two users, which none but
// superusers see, and users with sys:secadmin. A superuser who may not see those of
// row-level security reads of the others (?).
func (c *conn) readPolicies(ctx context.Context, pair map[string]*profile, one, other string) error {
	err := c.readInto(ctx, pair, queryRowPolicies, func(t []string) extra { return rowPolicy(t[0], t[1], t[2]) }, one, other)
	if code := pgwire.Code(err); code == "42501" || code == "42P01" {
		c.login.Report.Remarkf("Policies of row-level security that are attached to %q or %q were neither copied nor compared: "+
			"to see them, %q lacks the role sys:secadmin.", one, other, c.login.User)
		err = nil
	}
	if err != nil {
		return err
	}
	return c.readInto(ctx, pair, queryMasks, func(t []string) extra { return mask(t[0], t[1], t[2], t[3], t[4], t[5]) }, one, other)
}

// readInto reads rows of texts, of which the first is a user.
func (c *conn) readInto(ctx context.Context, pair map[string]*profile, sql string, of func([]string) extra, one, other string) error {
	_, err := rows(ctx, c, func(row pgx.CollectableRow) (user string, err error) {
		texts, into := make([]*string, len(row.FieldDescriptions())), []any{}
		for i := range texts {
			into = append(into, &texts[i])
		}
		if err := row.Scan(into...); err != nil {
			return "", err
		}
		all := make([]string, len(texts))
		for i, t := range texts {
			all[i] = text(t)
		}
		if p := pair[all[0]]; p != nil {
			p.extras[of(all[1:])] = true
		}
		return all[0], nil
	}, sql, one, other)
	return err
}

// assumeRole is the right to run a command with an IAM role, or a chain of roles. The
// view has one name for DEFAULT and for ALL: it is copied as the narrower of the two (?).
// Source: Database Developer Guide, "GRANT", "SVV_IAM_PRIVILEGES".
func assumeRole(arn, command string) extra {
	on := literal(arn)
	if arn == "default-aws-iam-role" {
		on = "DEFAULT"
	}
	if command == "EXFUNC" {
		command = "EXTERNAL FUNCTION"
	}
	e := extra{with: "ASSUMEROLE ON " + on + " FOR " + command}
	if slices.Contains([]string{"COPY", "UNLOAD", "EXTERNAL FUNCTION", "CREATE MODEL"}, command) {
		e.give = [2]string{"GRANT ASSUMEROLE ON " + on + " TO ", " FOR " + command}
		e.take = [2]string{"REVOKE ASSUMEROLE ON " + on + " FROM ", " FOR " + command}
	}
	return e
}

// rowPolicy is a policy that says which rows a user sees. More of them may show more
// rows or fewer, as the table says, and so both users have to have the same.
// Source: Database Developer Guide, "ATTACH RLS POLICY", "DETACH RLS POLICY".
func rowPolicy(schema, table, policy string) extra {
	on := pgwire.Ident(policy) + " ON TABLE " + qualified(schema, table)
	return extra{
		with:    "rows of TABLE " + qualified(schema, table) + " by the policy " + pgwire.Ident(policy),
		without: "rows of TABLE " + qualified(schema, table) + " without the policy " + pgwire.Ident(policy),
		give:    [2]string{"ATTACH RLS POLICY " + on + " TO "},
		take:    [2]string{"DETACH RLS POLICY " + on + " FROM "},
	}
}

// mask is a policy that hides values of columns from a user.
// Source: Database Developer Guide, "ATTACH MASKING POLICY", "DETACH MASKING POLICY".
func mask(schema, table, policy, inputs, outputs, priority string) extra {
	in, ok := columnList(inputs)
	out, known := columnList(outputs)
	e := extra{without: "values of " + outputs + " of TABLE " + qualified(schema, table) +
		" without the mask " + pgwire.Ident(policy) + " of priority " + priority}
	if ok && known && digits(priority) {
		on := pgwire.Ident(policy) + " ON " + qualified(schema, table) + " (" + out + ")"
		e.give = [2]string{"ATTACH MASKING POLICY " + on + " USING (" + in + ") TO ", " PRIORITY " + priority}
		e.take = [2]string{"DETACH MASKING POLICY " + on + " FROM "}
	}
	return e
}

// columnList reads the names of a JSON array. Those within a SUPER are paths, whose
// form is not known.
func columnList(array string) (quoted string, ok bool) {
	var names []string
	if err := json.Unmarshal([]byte(array), &names); err != nil || len(names) == 0 {
		return "", false
	}
	for i, n := range names {
		if strings.ContainsAny(n, `."[]`) {
			return "", false
		}
		names[i] = pgwire.Ident(n)
	}
	return strings.Join(names, ", "), true
}
