package main

import (
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A hider takes out of a text what tells which server it is about, and how to get
// in: the host, its addresses, the administrator's password.
type hider struct{ replace *strings.Replacer }

// newHider reads the host and the password in a variable that names a server. The
// error has no part of it.
func newHider(value string) (hider, error) {
	host, password := parse(value)
	if host == "" {
		return hider{}, errors.New("it names no host in a form that is known")
	}
	var pairs []string
	add := func(text, shown string) {
		if len(text) >= 4 && !slices.Contains(pairs, text) { // less would only tell which it is
			pairs = append(pairs, text, shown)
		}
	}
	quoted, _ := json.Marshal(password) // a text can always be marshalled
	for _, form := range []string{
		password, url.QueryEscape(password), url.PathEscape(password), url.UserPassword("", password).String()[1:],
		strings.Trim(string(quoted), `"`), strings.Trim(strconv.Quote(password), `"`),
	} {
		add(form, "[password]")
	}
	if !isLocal(host) {
		add(host, "[host]")
		addresses, _ := net.LookupHost(host) // one without is no less hidden
		for _, a := range addresses {
			add(a, "[address]")
		}
	}
	return hider{strings.NewReplacer(pairs...)}, nil
}

// isLocal reports whether a host is this machine, whose name tells nothing.
func isLocal(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

// endpoint is the name of a server of AWS's, such as a member of a cluster.
var endpoint = regexp.MustCompile(`[A-Za-z0-9.-]+\.amazonaws\.com(\.cn)?`)

func (h hider) hide(text string) string {
	return endpoint.ReplaceAllString(h.replace.Replace(text), "[host]")
}

// The forms of a variable: JSON as in a secret, a URL, a data source name of
// go-sql-driver/mysql, words as libpq has them.
var (
	dataSource = regexp.MustCompile(`^(?:[^:@/]*(?::(.*))?@)?\w+\(([^()]*)\)/`)
	words      = regexp.MustCompile(`\b(host|hostaddr|password)\s*=\s*('(?:[^'\\]|\\.)*'|\S+)`)
)

func parse(value string) (host, password string) {
	var d struct{ Host, Password string }
	if json.Unmarshal([]byte(value), &d) == nil {
		return d.Host, d.Password
	}
	if strings.Contains(value, "://") {
		u, err := url.Parse(value)
		if err != nil {
			return "", ""
		}
		password, _ = u.User.Password()
		return u.Hostname(), password
	}
	if m := dataSource.FindStringSubmatch(value); m != nil {
		if host, _, err := net.SplitHostPort(m[2]); err == nil {
			return host, m[1]
		}
		return m[2], m[1]
	}
	for _, m := range words.FindAllStringSubmatch(value, -1) {
		text := strings.NewReplacer(`\'`, `'`, `\\`, `\`).Replace(strings.Trim(m[2], "'"))
		if m[1] == "password" {
			password = text
		} else {
			host = text
		}
	}
	return host, password
}
