package mysqltest

import (
	"maps"
	"slices"
	"strings"
)

// A wireAccount is a row of mysql.user with all that belongs to it.
type wireAccount struct {
	who
	plugin             string
	primary, secondary string // passwords; "" is none
	cached             []string
	locked, expired    bool
	require            string
	certificate        [3]string // SUBJECT, ISSUER, CIPHER
	limits             map[string]string
	expire             string            // PASSWORD EXPIRE ...
	policy             map[string]string // the other clauses about passwords, by their first words
	grants             map[string]map[string]bool
	denied             map[string]map[string]bool
	dynamic            map[string]bool // with GRANT OPTION or without
	roles              map[who]bool    // with ADMIN OPTION or without
	defaults           []who
	proxies            map[who]bool
}

// policies are MySQL 8's clauses about passwords that say DEFAULT at first, and counts those that say 0 and then are
// not shown.
var (
	policies = []string{"PASSWORD HISTORY", "PASSWORD REUSE INTERVAL", "PASSWORD REQUIRE CURRENT"}
	counts   = []string{"FAILED_LOGIN_ATTEMPTS", "PASSWORD_LOCK_TIME"}
)

func newAccount(name who, plugin string) *wireAccount {
	a := &wireAccount{
		who: name, plugin: plugin, require: "NONE", expire: "DEFAULT", limits: map[string]string{}, policy: map[string]string{},
		grants: map[string]map[string]bool{}, denied: map[string]map[string]bool{}, dynamic: map[string]bool{}, roles: map[who]bool{}, proxies: map[who]bool{},
	}
	for _, p := range policies {
		a.policy[p] = "DEFAULT"
	}
	return a
}

// copied lets a statement fail as a whole.
func (a *wireAccount) copied() *wireAccount {
	b := *a
	b.limits, b.policy = maps.Clone(a.limits), maps.Clone(a.policy)
	b.cached = slices.Clone(a.cached)
	return &b
}

// valid are the passwords that log in.
func (a *wireAccount) valid() []string {
	return slices.DeleteFunc([]string{a.primary, a.secondary}, func(p string) bool { return p == "" })
}

// globals are the static privileges on everything, in the order in which SHOW GRANTS has them.
var globals = []string{
	"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "RELOAD", "SHUTDOWN", "PROCESS", "FILE", "REFERENCES", "INDEX", "ALTER",
	"SHOW DATABASES", "SUPER", "CREATE TEMPORARY TABLES", "LOCK TABLES", "EXECUTE", "REPLICATION SLAVE", "REPLICATION CLIENT", "CREATE VIEW",
	"SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "CREATE USER", "EVENT", "TRIGGER", "CREATE TABLESPACE", "CREATE ROLE", "DROP ROLE",
}

// dynamics are some of MySQL 8's dynamic privileges.
var dynamics = []string{"APPLICATION_PASSWORD_ADMIN", "BACKUP_ADMIN", "CONNECTION_ADMIN", "ROLE_ADMIN", "SYSTEM_USER", "XA_RECOVER_ADMIN"}

func (w *Wire) defaultPlugin() string {
	if w.config.Wire.NativePassword || !w.since(8, 0) {
		return nativePlugin
	}
	return sha2Plugin
}

func (w *Wire) administrator(password string) *wireAccount {
	a := newAccount(who{admin, "%"}, w.defaultPlugin())
	a.primary = password
	a.grants["*.*"] = map[string]bool{"GRANT OPTION": true}
	for _, g := range globals {
		a.grants["*.*"][g] = true
	}
	if w.since(8, 0) {
		for _, d := range dynamics {
			a.dynamic[d] = true
		}
	}
	return a
}

// find finds an account by its name. w.mu is held.
func (w *Wire) find(user, host string) *wireAccount {
	for _, a := range w.accounts {
		if a.user == user && strings.EqualFold(a.host, host) {
			return a
		}
	}
	return nil
}

// match finds the account that a login from this machine is for: one for its address before those with patterns.
func (w *Wire) match(user string) *wireAccount {
	for _, host := range []string{"127.0.0.1", "127.%", "%"} {
		if a := w.find(user, host); a != nil {
			return a
		}
	}
	return nil
}

// has reports whether the account has a privilege on an object itself, or by a role that a login activates.
func (a *wireAccount) has(privilege, object string) bool {
	_, dynamic := a.dynamic[privilege]
	return a.grants[object][privilege] || a.grants[object]["ALL PRIVILEGES"] || dynamic && object == "*.*"
}

// mayGrant reports whether the account may grant a privilege on an object.
func (a *wireAccount) mayGrant(privilege, object string) bool {
	if option, ok := a.dynamic[privilege]; ok {
		return option
	}
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
