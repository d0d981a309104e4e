package postgrestest

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// roleOptions are the options of CREATE ROLE and ALTER ROLE that a statement gives. What is nil it does not mention.
type roleOptions struct {
	super, inherit, createRole, createDB, login, replication, bypassRLS *bool

	limit      *int
	validUntil *pgtype.Timestamptz
	password   *string // empty: NULL

	in, members, admins []roleName
}

// parseRoleOptions reads options to the end of the statement. Those about membership are CREATE ROLE's alone.
func parseRoleOptions(p *parser, creating bool) (roleOptions, error) {
	var o roleOptions
	given := map[string]bool{}
	p.take("with")
	for !p.done() {
		start := p.at
		kind, err := o.parseOne(p, creating)
		if err != nil {
			return o, err
		}
		if given[kind] {
			return o, raise("42601", "conflicting or redundant options")
		}
		if given[kind] = true; p.at == start {
			return o, p.syntax()
		}
	}
	return o, nil
}

// parseOne reads one option and says which it is.
func (o *roleOptions) parseOne(p *parser, creating bool) (kind string, err error) {
	switch {
	case p.take("connection", "limit"):
		var n int
		n, err = p.number()
		if err == nil && n < -1 {
			err = raise("22023", "invalid connection limit: %d", n)
		}
		o.limit = &n
		return "limit", err
	case p.take("valid", "until"):
		return "valid", o.parseValidUntil(p)
	case p.take("password", "null"):
		o.password = new(string)
		return "password", nil
	case p.take("password"), p.take("encrypted", "password"):
		var text string
		text, err = p.text()
		o.password = &text
		return "password", err
	case p.take("unencrypted", "password"):
		return "", raise("0A000", "UNENCRYPTED PASSWORD is no longer supported")
	}
	if creating {
		if kind, err = o.parseMembers(p); kind != "" {
			return kind, err
		}
	}
	return o.parseFlag(p)
}

func (o *roleOptions) parseMembers(p *parser) (kind string, err error) {
	switch {
	case p.take("in", "role"), p.take("in", "group"):
		o.in, err = list(p, p.role)
		return "in", err
	case p.take("role"), p.take("user"):
		o.members, err = list(p, p.role)
		return "role", err
	case p.take("admin"):
		o.admins, err = list(p, p.role)
		return "admin", err
	case p.take("sysid"):
		_, err = p.number()
		return "sysid", err
	}
	return "", nil
}

// parseFlag reads an option of one word, with or without NO.
func (o *roleOptions) parseFlag(p *parser) (kind string, err error) {
	word, ok := p.takeKind(wordToken)
	if !ok {
		return "", p.syntax()
	}
	for name, flag := range map[string]**bool{
		"superuser": &o.super, "inherit": &o.inherit, "createrole": &o.createRole, "createdb": &o.createDB,
		"login": &o.login, "replication": &o.replication, "bypassrls": &o.bypassRLS,
	} {
		if word == name || word == "no"+name {
			on := word == name
			*flag = &on
			return name, nil
		}
	}
	p.at--
	return "", raise("42601", "unrecognized role option %q", word)
}

// timeLayouts are the forms of a time that VALID UNTIL takes here: those of ISO 8601 that PostgreSQL prints, and RFC 3339.
var timeLayouts = []string{
	"2006-01-02 15:04:05.999999Z07:00:00", "2006-01-02 15:04:05.999999Z07:00", "2006-01-02 15:04:05.999999Z07",
	time.RFC3339Nano, "2006-01-02 15:04:05.999999", "2006-01-02T15:04:05.999999", "2006-01-02",
}

func (o *roleOptions) parseValidUntil(p *parser) error {
	text, err := p.text()
	if err != nil {
		return err
	}
	switch text {
	case "infinity":
		o.validUntil = &pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.Infinity}
		return nil
	case "-infinity":
		o.validUntil = &pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.NegativeInfinity}
		return nil
	}
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			o.validUntil = &pgtype.Timestamptz{Time: at, Valid: true}
			return nil
		}
	}
	return raise("22007", "invalid input syntax for type timestamp with time zone: %q", text)
}

// apply changes a role as the options say. Passwords are stored as verifiers.
func (o roleOptions) apply(r *role, asMD5 bool) {
	for _, flag := range []struct{ from, to *bool }{
		{o.super, &r.super}, {o.inherit, &r.inherit}, {o.createRole, &r.createRole}, {o.createDB, &r.createDB},
		{o.login, &r.login}, {o.replication, &r.replication}, {o.bypassRLS, &r.bypassRLS},
	} {
		if flag.from != nil {
			*flag.to = *flag.from
		}
	}
	if o.limit != nil {
		r.limit = *o.limit
	}
	if o.validUntil != nil {
		r.validUntil = *o.validUntil
	}
	if o.password != nil {
		if r.verifier = ""; *o.password != "" { // an empty password is none
			r.verifier = verifier(*o.password, r.name, asMD5)
		}
	}
}
