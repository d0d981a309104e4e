package mysqltest

import (
	"crypto/sha1"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// A wireAccount is a row of mysql.user with all that belongs to it.
type wireAccount struct {
	who
	password        string // "" is none
	locked, expired bool
	require         string
	certificate     [3]string // SUBJECT, ISSUER, CIPHER
	limits          map[string]string
	expire          string // PASSWORD EXPIRE ...
	grants          map[string]map[string]bool
	proxies         map[who]bool // with GRANT OPTION or without
}

func newAccount(name who) *wireAccount {
	return &wireAccount{
		who: name, require: "NONE", expire: "DEFAULT", limits: map[string]string{},
		grants: map[string]map[string]bool{}, proxies: map[who]bool{},
	}
}

// copied lets a statement fail as a whole.
func (a *wireAccount) copied() *wireAccount {
	b := *a
	b.limits = maps.Clone(a.limits)
	return &b
}

// hash is what mysql_native_password keeps.
func (a *wireAccount) hash() string {
	if a.password == "" {
		return ""
	}
	one := sha1.Sum([]byte(a.password))
	two := sha1.Sum(one[:])
	return "*" + strings.ToUpper(hex.EncodeToString(two[:]))
}

// globals are the privileges on everything, in the order in which SHOW GRANTS has them.
var globals = []string{
	"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "RELOAD", "SHUTDOWN", "PROCESS", "FILE", "REFERENCES", "INDEX", "ALTER",
	"SHOW DATABASES", "SUPER", "CREATE TEMPORARY TABLES", "LOCK TABLES", "EXECUTE", "REPLICATION SLAVE", "REPLICATION CLIENT", "CREATE VIEW",
	"SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "CREATE USER", "EVENT", "TRIGGER", "CREATE TABLESPACE",
}

// hasAll says whether privileges are all those on everything.
func hasAll(list map[string]bool) bool {
	return !slices.ContainsFunc(globals, func(name string) bool { return !list[name] })
}

func administrator(password string) *wireAccount {
	a := newAccount(who{admin, "%"})
	a.password = password
	a.proxies[who{"", ""}] = true
	a.grants["*.*"] = map[string]bool{"GRANT OPTION": true}
	for _, g := range globals {
		a.grants["*.*"][g] = true
	}
	return a
}

// find finds an account by its name. w.mu is held.
func (w *wire) find(user, host string) *wireAccount {
	for _, a := range w.accounts {
		if a.user == user && strings.EqualFold(a.host, host) {
			return a
		}
	}
	return nil
}

// match finds the account that a login from this machine is for: one for its address before those with patterns.
func (w *wire) match(user string) *wireAccount {
	for _, host := range []string{"127.0.0.1", "127.%", "%"} {
		if a := w.find(user, host); a != nil {
			return a
		}
	}
	return nil
}

// has reports whether the account has a privilege on an object itself.
func (a *wireAccount) has(privilege, object string) bool {
	return a.grants[object][privilege] || a.grants[object]["ALL PRIVILEGES"]
}

// reads reports whether the account may read mysql.user.
func (a *wireAccount) reads() bool {
	return a.has("SELECT", "*.*") || a.has("SELECT", "`mysql`.*") || a.has("SELECT", "`mysql`.`user`")
}

// mayGrant reports whether the account may grant a privilege on an object.
func (a *wireAccount) mayGrant(privilege, object string) bool {
	name, _, column := strings.Cut(privilege, " (")
	levels := []string{"*.*", object}
	plain := strings.TrimPrefix(strings.TrimPrefix(object, "PROCEDURE "), "FUNCTION ")
	if i := strings.LastIndex(plain, "`.`"); i >= 0 {
		levels = append(levels, plain[:i+1]+".*")
	}
	for _, o := range levels {
		if a.grants[o]["GRANT OPTION"] && (a.has(name, o) || column && a.has(privilege, o) || name == "ALL PRIVILEGES" && o == "*.*" || privilege == "USAGE" || privilege == "GRANT OPTION") {
			return true
		}
	}
	return false
}
