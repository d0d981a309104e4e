package mysqltest

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// A form is a statement that the server knows, by its first words.
type form struct {
	words []string
	run   func(*wireSession, *parser) (*result, *code)
}

var forms = []form{
	{[]string{"SELECT", "GET_LOCK", "("}, (*wireSession).getLock},
	{[]string{"SELECT", "USER", ",", "HOST", ",", "plugin", "FROM", "mysql", ".", "user", "WHERE", "USER", "="}, (*wireSession).selectUsers},
	{[]string{"SELECT", "x509_subject", ",", "x509_issuer", ",", "ssl_cipher", "FROM", "mysql", ".", "user", "WHERE", "USER", "="}, (*wireSession).selectCertificate},
	{[]string{"SELECT", "COLUMN_NAME", "FROM", "information_schema", ".", "COLUMNS"}, (*wireSession).selectColumns},
	{[]string{"SELECT", "CONCAT", "("}, (*wireSession).selectDefined},
	{[]string{"SELECT"}, (*wireSession).selectValues},
	{[]string{"SET", "NAMES"}, (*wireSession).settle},
	{[]string{"SHOW", "WARNINGS"}, (*wireSession).showWarnings},
	{[]string{"SHOW", "CREATE", "USER"}, (*wireSession).showCreateUser},
	{[]string{"SHOW", "GRANTS"}, (*wireSession).showGrantsOf},
	{[]string{"CREATE", "USER"}, (*wireSession).createUser},
	{[]string{"CREATE", "ROLE"}, (*wireSession).createRole},
	{[]string{"ALTER", "USER"}, (*wireSession).alterUser},
	{[]string{"DROP", "USER"}, (*wireSession).dropUser},
	{[]string{"GRANT"}, (*wireSession).grant},
	{[]string{"REVOKE"}, (*wireSession).revoke},
}

func (s *wireSession) getLock(p *parser) (*result, *code) {
	name, c := p.kind("t")
	if c == nil {
		c = p.expect(",")
	}
	if c != nil {
		return nil, c
	}
	wait, c := p.kind("w")
	if c == nil {
		c = p.expect(")")
	}
	if c != nil {
		return nil, c
	}
	seconds, _ := strconv.Atoi(wait)
	got := "0"
	if s.lock(context.Background(), s.id, name, time.Duration(seconds)*time.Second) {
		got = "1"
	}
	return &result{[]string{"GET_LOCK"}, [][]string{{got}}}, p.end()
}

func (s *wireSession) selectUsers(p *parser) (*result, *code) {
	name, c := p.kind("t")
	if c == nil {
		c = p.end()
	}
	if c == nil && !s.account.has("SELECT", "*.*") && !s.account.has("SELECT", "`mysql`.*") && !s.account.has("SELECT", "`mysql`.`user`") {
		c = raise(1142, "SELECT command denied to user '%s'@'127.0.0.1' for table 'user'", s.account.user)
	}
	r := &result{columns: []string{"User", "Host", "plugin"}}
	for _, a := range s.accounts {
		if a.user == name {
			r.rows = append(r.rows, []string{a.user, a.host, a.plugin})
		}
	}
	return r, c
}

func (s *wireSession) selectCertificate(p *parser) (*result, *code) {
	user, c := p.kind("t")
	if c == nil {
		c = p.expect("AND", "HOST", "=")
	}
	if c != nil {
		return nil, c
	}
	host, c := p.kind("t")
	if c == nil && !s.account.has("SELECT", "*.*") {
		c = raise(1142, "SELECT command denied to user '%s'@'127.0.0.1' for table 'user'", s.account.user)
	}
	r := &result{columns: []string{"x509_subject", "x509_issuer", "ssl_cipher"}}
	if a := s.find(user, host); a != nil {
		r.rows = [][]string{a.certificate[:]}
	}
	return r, c
}

// selectColumns knows no tables: every one has these columns.
func (s *wireSession) selectColumns(*parser) (*result, *code) {
	return &result{[]string{"COLUMN_NAME"}, [][]string{{"item"}, {"price"}}}, nil
}

// selectDefined knows no views and routines.
func (s *wireSession) selectDefined(*parser) (*result, *code) {
	return &result{columns: []string{"name"}}, nil
}

// selectValues answers a list of expressions that it knows.
func (s *wireSession) selectValues(p *parser) (*result, *code) {
	readOnly := "0"
	if s.readOnly {
		readOnly = "1"
	}
	known := map[string]string{
		"1": "1", "VERSION()": s.config.Wire.Version, "CURRENT_USER()": s.account.user + "@" + s.account.host,
		"@@GLOBAL.read_only": readOnly, "@@GLOBAL.innodb_read_only": "0",
	}
	r := &result{rows: [][]string{nil}}
	for _, text := range strings.Split(p.source[p.tokens[p.at-1].end:], ",") {
		value, ok := known[strings.TrimSpace(text)]
		if !ok {
			return nil, p.syntax()
		}
		r.columns = append(r.columns, strings.TrimSpace(text))
		r.rows[0] = append(r.rows[0], value)
	}
	return r, nil
}

// settle takes what the driver sets, and nothing else: the server has one sql_mode.
func (s *wireSession) settle(p *parser) (*result, *code) {
	if p.source != `SET NAMES utf8mb4, SESSION sql_mode = IF(VERSION() REGEXP '^5[.]|MariaDB', 'NO_AUTO_CREATE_USER', ''), SESSION sql_quote_show_create = 1` {
		return nil, p.syntax()
	}
	return nil, nil
}

func (s *wireSession) showWarnings(p *parser) (*result, *code) {
	return &result{columns: []string{"Level", "Code", "Message"}}, p.end()
}

func (s *wireSession) showCreateUser(p *parser) (*result, *code) {
	own := p.take("CURRENT_USER", "(", ")")
	a := s.account
	if !own {
		name, c := p.account()
		if c != nil {
			return nil, c
		}
		if !s.account.has("SELECT", "*.*") && !s.account.has("SELECT", "`mysql`.*") {
			return nil, raise(1142, "SELECT command denied to user '%s'@'127.0.0.1' for table 'user'", s.account.user)
		}
		if a = s.find(name.user, name.host); a == nil {
			return nil, raise(1396, "Operation SHOW CREATE USER failed for %s", s.name(name))
		}
	}
	return &result{[]string{"CREATE USER"}, [][]string{{s.definition(a, !s.account.has("SELECT", "*.*"))}}}, p.end()
}

func (s *wireSession) showGrantsOf(p *parser) (*result, *code) {
	a, active := s.account, s.account.defaults
	if p.take("FOR") {
		name, c := p.account()
		if c != nil {
			return nil, c
		}
		if name != s.account.who && !s.account.has("SELECT", "*.*") && !s.account.has("SELECT", "`mysql`.*") {
			return nil, raise(1044, "Access denied for user '%s'@'%s' to database 'mysql'", s.account.user, s.account.host)
		}
		if a, active = s.find(name.user, name.host), nil; a == nil {
			return nil, raise(1141, "There is no such grant defined for user '%s' on host '%s'", name.user, name.host)
		}
	}
	r := &result{columns: []string{"Grants"}}
	for _, line := range s.showGrants(a, active) {
		r.rows = append(r.rows, []string{line})
	}
	return r, p.end()
}
