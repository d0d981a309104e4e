package redis

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gomodule/redigo/redis"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// codes are the words that begin the server's errors, with their classes.
// Source: Redis documentation, "RESP protocol", "Simple errors"; server.c, where
// they are made.
var codes = map[string]rotation.Fault{
	"CLUSTERDOWN": {Class: rotation.Unavailable, Transient: true, Remedy: "Look at CLUSTER INFO: some slots of the cluster are served by no node."},
	"LOADING":     {Class: rotation.Unavailable, Transient: true, Remedy: "Wait until the server has loaded its data; Secrets Manager tries again."},
	"MASTERDOWN":  {Class: rotation.Unavailable, Transient: true, Remedy: "Bring the link of the replica to its primary up, or point the secret's host at the primary."},
	"BUSY":        {Class: rotation.Unavailable, Transient: true, Remedy: "A script keeps the server busy: wait, or end it by SCRIPT KILL."},
	"READONLY":    {Class: rotation.ReadOnly},
	"OOM":         {Class: rotation.Unavailable, Remedy: "The server is out of memory: raise maxmemory, or let it evict keys (maxmemory-policy)."},
	"MISCONF":     {Class: rotation.Unavailable, Remedy: "The server cannot write its snapshots: look into its log."},
	"NOREPLICAS":  {Class: rotation.Unavailable, Remedy: "Too few replicas are there for min-replicas-to-write: bring them up."},
	"DENIED":      {Class: rotation.Unreachable, Remedy: "The server is in protected mode, which lets in its own host alone: give its users passwords, then CONFIG SET protected-mode no."},
	"NOAUTH":      {Class: rotation.LoginRefused},
}

const (
	refusedCode = "WRONGPASS"
	deniedCode  = "NOPERM"
)

// codeOf is the first word of a server's error, "" for another error.
func codeOf(err error) string {
	var e redis.Error
	if !errors.As(err, &e) {
		return ""
	}
	code, _, _ := strings.Cut(string(e), " ")
	return strings.TrimPrefix(code, "-")
}

// isDenied reports whether the session's user lacks a right.
func isDenied(err error) bool { return codeOf(err) == deniedCode }

// says reports whether a server's error has some words.
func says(err error, words string) bool {
	var e redis.Error
	return errors.As(err, &e) && strings.Contains(string(e), words)
}

// fault gives an error of a session its class.
func (c *conn) fault(err error) error {
	if isDenied(err) {
		return rotation.Fail(rotation.MissingPrivilege, "%q lacks a right: %w", c.login.User, err).
			With(fmt.Sprintf("As an administrator, at each node: ACL SETUSER %s %s; then rotate again.", quote(c.login.User), strings.Join(needed(c.seed.mode), " ")))
	}
	return fault(err)
}

// needed are the rights of whoever changes passwords. The last two are for a
// node that is restarted.
func needed(mode string) []string {
	rights := []string{"+acl|getuser", "+acl|setuser", "+info"}
	if mode == "cluster" {
		rights = append(rights, "+cluster|myid", "+cluster|shards")
	}
	return append(rights, "+acl|save", "+config|rewrite")
}

// fault gives a server's error its class. Others stay as they are.
func fault(err error) error {
	var known *rotation.Fault
	var e redis.Error
	if errors.As(err, &known) || !errors.As(err, &e) {
		return err
	}
	f, ok := codes[codeOf(err)]
	switch {
	case ok:
	case says(err, "max number of clients reached"):
		f = rotation.Fault{Class: rotation.TooManyConnections, Transient: true, Remedy: "Close connections, or raise maxclients."}
	case says(err, "unknown command"):
		f = rotation.Fault{Class: rotation.Unknown, Remedy: "The server does not know a command that a rotation takes: it has no access control lists, or its commands were renamed (rename-command)."}
	default:
		f.Class = rotation.Unknown
	}
	f.Err = err
	return &f
}

// loginFault gives an error of a login its class.
func loginFault(err error, l database.Login) error {
	if codeOf(err) == refusedCode {
		return database.Refused(err).With("Put a password that works into the secret's AWSCURRENT version, then rotate it again. A user that is switched off is refused too: ACL SETUSER " + quote(l.User) + " on; then rotate it again.")
	}
	if err != nil && l.TLS == nil && strings.Contains(err.Error(), "redigo: ") && !errors.As(err, new(redis.Error)) {
		return rotation.Fail(rotation.TLS, "the answer is not Redis's: %w", err).With("If the server wants TLS, take \"ssl\": false out of the secret.")
	}
	return fault(err)
}

// word is a rule as redis-cli reads it.
func word(rule string) string {
	if strings.ContainsFunc(rule, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'\\", r) }) {
		return quote(rule)
	}
	return rule
}

// quote is a name as redis-cli reads it.
func quote(name string) string {
	if strings.IndexFunc(name, func(r rune) bool {
		return !(r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}) < 0 && name != "" {
		return name
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(name) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			b.WriteString(`\x` + strings.ToLower(strconv.FormatUint(0x100|uint64(c), 16)[1:]))
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
