package mysqltest

import (
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
	{[]string{"SELECT", "User", ",", "Host", ",", "plugin", "FROM", "mysql", ".", "user", "WHERE", "User", "="}, (*wireSession).selectUsers},
	{[]string{"SELECT", "x509_subject"}, (*wireSession).selectOfAccount},
	{[]string{"SELECT", "CASE", "WHEN", "password_lifetime"}, (*wireSession).selectOfAccount},
	{[]string{"SELECT", "COLUMN_NAME", "FROM", "information_schema", ".", "COLUMNS"}, (*wireSession).selectColumns},
	{[]string{"SELECT", "CONCAT", "("}, (*wireSession).selectDefined},
	{[]string{"SELECT"}, (*wireSession).selectValues},
	{[]string{"SET", "NAMES"}, (*wireSession).settle},
	{[]string{"SHOW", "WARNINGS"}, (*wireSession).showWarnings},
	{[]string{"SHOW", "GLOBAL", "VARIABLES", "LIKE"}, (*wireSession).showVariables},
	{[]string{"SHOW", "CREATE", "USER"}, (*wireSession).showCreateUser},
	{[]string{"SHOW", "GRANTS"}, (*wireSession).showGrantsOf},
	{[]string{"CREATE", "USER"}, (*wireSession).createUser},
	{[]string{"ALTER", "USER"}, (*wireSession).alterUser},
	{[]string{"DROP", "USER"}, (*wireSession).dropUser},
	{[]string{"GRANT"}, (*wireSession).grant},
	{[]string{"REVOKE"}, (*wireSession).revoke},
}

// label is the statement's text from its second word up to a word, as columns are called.
func (p *parser) label(word string) string {
	for _, t := range p.tokens[1:] {
		if t.kind == 'w' && strings.EqualFold(t.value, word) {
			return strings.TrimSpace(p.source[p.tokens[1].start:t.start])
		}
	}
	return p.source[p.tokens[1].start:]
}

// unreadable is the error for whoever may not read mysql.user.
func (s *wireSession) unreadable() *code {
	return raise(1142, "SELECT command denied to user '%s'@'127.0.0.1' for table 'user'", s.account.user)
}

// showVariables is of plug-ins' variables: there are no plug-ins.
func (s *wireSession) showVariables(p *parser) (*result, *code) {
	if _, c := p.kind("t"); c != nil {
		return nil, c
	}
	return &result{columns: []string{"Variable_name", "Value"}}, p.end()
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
	if s.lock(s.id, name, time.Duration(seconds)*time.Second) {
		got = "1"
	}
	return &result{[]string{p.label("")}, [][]string{{got}}}, p.end()
}

func (s *wireSession) selectUsers(p *parser) (*result, *code) {
	name, c := p.kind("t")
	if c == nil {
		c = p.end()
	}
	if c == nil && !s.account.reads() {
		c = s.unreadable()
	}
	r := &result{columns: []string{"User", "Host", "plugin"}}
	for _, a := range s.accounts {
		if a.user == name {
			r.rows = append(r.rows, []string{a.user, a.host, nativePlugin})
		}
	}
	return r, c
}

// selectOfAccount reads what one account demands of certificates, or how long its password lives.
func (s *wireSession) selectOfAccount(p *parser) (*result, *code) {
	columns := p.label("FROM")
	for !p.done() && !p.take("WHERE", "User", "=") {
		p.at++
	}
	user, c := p.kind("t")
	if c == nil {
		c = p.expect("AND", "Host", "=")
	}
	if c != nil {
		return nil, c
	}
	host, c := p.kind("t")
	if c == nil && !s.account.reads() {
		c = s.unreadable()
	}
	r := &result{columns: []string{columns}}
	a := s.find(user, host)
	if c != nil || a == nil {
		return r, c
	}
	r.rows = [][]string{{a.expire}}
	if strings.HasPrefix(columns, "x509") {
		r.columns, r.rows = strings.Split(columns, ", "), [][]string{a.certificate[:]}
	}
	return r, c
}

// selectColumns knows no tables: every one has these columns.
func (s *wireSession) selectColumns(*parser) (*result, *code) {
	return &result{[]string{"COLUMN_NAME"}, [][]string{{"item"}, {"price"}}}, nil
}

// selectDefined knows no views and routines.
func (s *wireSession) selectDefined(p *parser) (*result, *code) {
	return &result{columns: []string{p.label("FROM")}}, nil
}

// selectValues answers a list of expressions that it knows.
func (s *wireSession) selectValues(p *parser) (*result, *code) {
	known := map[string]string{
		"1": "1", "VERSION()": wireVersion, "CURRENT_USER()": s.account.user + "@" + s.account.host, "USER()": s.account.user + "@127.0.0.1",
		"@@GLOBAL.read_only": "0", "@@GLOBAL.innodb_read_only": "0",
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
	const known = `SET NAMES utf8mb4, SESSION sql_mode = IF(VERSION() REGEXP '^5[.]|MariaDB', 'NO_AUTO_CREATE_USER', ''), SESSION sql_quote_show_create = 1, SESSION lock_wait_timeout = `
	seconds, ok := strings.CutPrefix(p.source, known)
	if n, err := strconv.Atoi(seconds); !ok || err != nil || n < 1 {
		return nil, p.syntax()
	}
	return nil, nil
}

func (s *wireSession) showWarnings(p *parser) (*result, *code) {
	r := &result{columns: []string{"Level", "Code", "Message"}}
	if s.failed != nil {
		r.rows = [][]string{{"Error", strconv.Itoa(int(s.failed.number)), s.failed.message}}
	}
	return r, p.end()
}

func (s *wireSession) showCreateUser(p *parser) (*result, *code) {
	a := s.account
	if !p.take("CURRENT_USER", "(", ")") {
		name, c := p.account()
		if c != nil {
			return nil, c
		}
		if !s.account.reads() && name != s.account.who {
			return nil, s.unreadable()
		}
		if a = s.find(name.user, name.host); a == nil {
			return nil, raise(1396, "Operation SHOW CREATE USER failed for %s", name.shown())
		}
	}
	return &result{[]string{"CREATE USER for " + a.user + "@" + a.host}, [][]string{{a.definition(!s.account.reads())}}}, p.end()
}

func (s *wireSession) showGrantsOf(p *parser) (*result, *code) {
	a := s.account
	if p.take("FOR") {
		name, c := p.account()
		if c != nil {
			return nil, c
		}
		if name != s.account.who && !s.account.reads() {
			return nil, raise(1044, "Access denied for user '%s'@'%s' to database 'mysql'", s.account.user, s.account.host)
		}
		if a = s.find(name.user, name.host); a == nil {
			return nil, raise(1141, "There is no such grant defined for user '%s' on host '%s'", name.user, name.host)
		}
	}
	r := &result{columns: []string{"Grants for " + a.user + "@" + a.host}}
	for _, line := range a.showGrants() {
		r.rows = append(r.rows, []string{line})
	}
	return r, p.end()
}
