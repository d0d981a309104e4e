package postgrestest

import (
	"maps"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// SET, SHOW and RESET, and the settings of roles.

// defaults are the parameters that the wire-level server knows. Their values mean nothing to it, but for
// transaction_read_only, default_transaction_read_only, password_encryption, createrole_self_grant and role.
func (s *wireSession) defaults() map[string]string {
	known := map[string]string{
		"application_name": "", "bytea_output": "hex", "client_encoding": "UTF8", "client_min_messages": "notice",
		"createrole_self_grant": "", "datestyle": "ISO, MDY", "default_transaction_isolation": "read committed",
		"default_transaction_read_only": "off", "extra_float_digits": "1", "idle_in_transaction_session_timeout": "0",
		"in_hot_standby": "off", "integer_datetimes": "on", "intervalstyle": "postgres", "is_superuser": "off",
		"lock_timeout": "0", "log_statement": "all", "max_connections": "40",
		"password_encryption": s.server.config.encryption(), "role": "none", "scram_iterations": "4096",
		"search_path": `"$user", public`, "server_encoding": "UTF8", "server_version": wireVersion,
		"server_version_num": "180004", "session_authorization": s.user, "standard_conforming_strings": "on",
		"statement_timeout": "0", "synchronous_commit": "on", "timezone": "UTC",
		"transaction_isolation": "read committed", "work_mem": "4MB",
	}
	maps.Copy(known, s.server.config.Settings)
	if s.server.recovery {
		known["in_hot_standby"] = "on"
	}
	return known
}

// initialSettings are those of a new session: the server's, the role's, and what the client asked for.
func (s *wireSession) initialSettings(wanted map[string]string) map[string]string {
	settings := s.defaults()
	c := s.server.committed()
	if c.isSuper(s.user) {
		settings["is_superuser"] = "on"
	}
	for name, value := range c.effectiveSettings(s.user, s.database) {
		if name == "role" && !s.acceptableRole(value) {
			continue // the real server warns and goes on
		}
		settings[name] = value
	}
	for name, value := range wanted {
		if _, known := settings[strings.ToLower(name)]; known {
			settings[strings.ToLower(name)] = value
		}
	}
	return settings
}

func (s *wireSession) acceptableRole(name string) bool {
	return name == "none" || s.view().roles[name] != nil && s.view().maySet(s.user, name)
}

// setting is a parameter's value.
func (s *wireSession) setting(name string) string { return s.settings[strings.ToLower(name)] }

// currentUser is whose rights count: the role of SET ROLE, or the one that logged in.
func (s *wireSession) currentUser() string {
	if role := s.settings["role"]; role != "none" {
		return role
	}
	return s.user
}

// know checks that a parameter exists. Names with a dot belong to extensions and always do.
func (s *wireSession) know(name string) error {
	if _, ok := s.defaults()[name]; ok || strings.Contains(name, ".") || name == "transaction_read_only" {
		return nil
	}
	return raise("42704", "unrecognized configuration parameter %q", name)
}

// A setClause is "name = value" of SET and ALTER ROLE SET. Without a value it is DEFAULT.
type setClause struct {
	name  string
	value *string
}

// parseSetClause reads a parameter and its value. SET ROLE x needs no TO.
func parseSetClause(p *parser) (setClause, error) {
	if p.take("time", "zone") {
		value, err := p.settingValues()
		return setClause{"timezone", value}, err
	}
	name, err := p.parameterName()
	if err != nil {
		return setClause{}, err
	}
	if p.take("from", "current") {
		return setClause{}, unknown(p.source)
	}
	if !p.take("to") && !p.take("=") && name != "role" {
		return setClause{}, p.syntax()
	}
	value, err := p.settingValues()
	return setClause{name, value}, err
}

// parameterName reads a name that may have dots. Its case does not matter, even in quotes.
func (p *parser) parameterName() (string, error) {
	name, err := p.name()
	for err == nil && p.take(".") {
		var part string
		part, err = p.name()
		name += "." + part
	}
	return strings.ToLower(name), err
}

// settingValues reads a value, or several with commas between them, into one text. DEFAULT is nil.
func (p *parser) settingValues() (*string, error) {
	if p.take("default") {
		return nil, nil
	}
	values, err := list(p, func() (string, error) {
		negative := p.take("-")
		text, ok := p.takeKind(wordToken, quotedToken, stringToken, numberToken)
		if !ok {
			return "", p.syntax()
		}
		if negative {
			text = "-" + text
		}
		return text, nil
	})
	if err != nil {
		return nil, err
	}
	if len(values) == 1 {
		return &values[0], nil
	}
	for i := range values {
		values[i] = quoteIdentifier(values[i])
	}
	joined := strings.Join(values, ", ")
	return &joined, nil
}

// quoteIdentifier is PostgreSQL's quote_ident, but for key words.
func quoteIdentifier(name string) string {
	plain := name != "" && !isDigit(name[0])
	for i := range len(name) {
		c := name[i]
		plain = plain && (c >= 'a' && c <= 'z' || c == '_' || isDigit(c))
	}
	if plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func parseSet(p *parser) (action, error) {
	local := p.take("local")
	if !local {
		p.take("session")
	}
	clause, err := parseSetClause(p)
	if err != nil {
		return nil, err
	}
	return func(s *wireSession) (string, error) { return "SET", s.set(clause, local) }, nil
}

// set changes a parameter of the session, or of the transaction.
func (s *wireSession) set(clause setClause, local bool) error {
	if err := s.know(clause.name); err != nil {
		return err
	}
	value := s.defaults()[clause.name]
	if clause.value != nil {
		value = *clause.value
	}
	if err := s.checkSetting(clause.name, value); err != nil {
		return err
	}
	s.settings[clause.name] = value
	if !local && clause.name != "transaction_read_only" {
		s.tx.after[clause.name] = value
	}
	return nil
}

// checkSetting refuses what the session may not set.
func (s *wireSession) checkSetting(name, value string) error {
	switch {
	case name == "role" && value != "none" && s.view().roles[value] == nil:
		return raise("22023", "role %q does not exist", value)
	case name == "role" && !s.acceptableRole(value):
		return denied("permission denied to set role %q", value)
	case name == "transaction_read_only" && value != "on" && s.server.recovery:
		return raise("0A000", "cannot set transaction read-write mode during recovery")
	}
	return nil
}

func parseReset(p *parser) (action, error) {
	if p.take("all") {
		return func(s *wireSession) (string, error) {
			s.resetAll()
			return "RESET", nil
		}, nil
	}
	name, err := p.parameterName()
	return func(s *wireSession) (string, error) {
		if err := s.know(name); err != nil {
			return "", err
		}
		s.settings[name] = s.initialSettings(nil)[name]
		s.tx.after[name] = s.settings[name]
		return "RESET", nil
	}, err
}

// resetAll gives all parameters the values that the session started with: a role's own settings stay.
func (s *wireSession) resetAll() {
	s.settings = s.initialSettings(nil)
	s.tx.after = maps.Clone(s.settings)
}

func parseDiscardAll(*parser) (action, error) {
	return func(s *wireSession) (string, error) {
		if s.tx.explicit {
			return "", raise("25001", "DISCARD ALL cannot run inside a transaction block")
		}
		clear(s.prepared)
		s.resetAll()
		return "DISCARD ALL", nil
	}, nil
}

func parseDeallocate(p *parser) (action, error) {
	p.take("prepare")
	all := p.take("all")
	name := ""
	if !all {
		var err error
		if name, err = p.name(); err != nil {
			return nil, err
		}
	}
	return func(s *wireSession) (string, error) {
		if all {
			clear(s.prepared)
			return "DEALLOCATE ALL", nil
		}
		if s.prepared[name] == nil {
			return "", raise("26000", "prepared statement %q does not exist", name)
		}
		delete(s.prepared, name)
		return "DEALLOCATE", nil
	}, nil
}

func planShow(p *parser) (*plan, error) {
	name, err := p.parameterName()
	if err != nil {
		return nil, err
	}
	run := func(s *wireSession, _ []any) (result, error) {
		if err := s.know(name); err != nil {
			return result{}, err
		}
		return result{tag: "SHOW", rows: [][]any{{s.setting(name)}}}, nil
	}
	return &plan{columns: []column{{name, pgtype.TextOID}}, run: run}, p.end()
}
