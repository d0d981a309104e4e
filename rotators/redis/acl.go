package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/gomodule/redigo/redis"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A permission is what a user may do: commands, on keys, in channels. A user has
// one of its own, and one for each selector; what any of them allows, it may do.
// The words are the server's.
type permission struct{ commands, keys, channels string }

// line is the permission for people, and for comparing.
func (p permission) line() string {
	return fmt.Sprintf("commands %s on keys %s in channels %s", canonical(p.commands), orNone(p.keys), orNone(p.channels))
}

func orNone(words string) string {
	if words == "" {
		return "(none)"
	}
	return words
}

// empty reports whether it allows nothing.
func (p permission) empty() bool { return p.commands == "-@all" }

// words are the permission as arguments of ACL SETUSER.
func (p permission) words() []string {
	return slices.Concat(split(p.commands), split(p.keys), split(p.channels))
}

// split splits what the server has joined by blanks. Its patterns have none of
// ASCII's, but may have others of Unicode's: what stands behind one is no rule.
func split(words string) []string {
	return strings.FieldsFunc(words, func(r rune) bool { return r == ' ' })
}

// selector is the permission as one argument of ACL SETUSER, which the server splits
// as redis-cli splits a line: a quote in a pattern would begin a word that it reads.
// Source: acl.c, ACLCreateSelectorFromOpSet, which uses sdssplitargs.
func (p permission) selector() string {
	words := p.words()
	for i, w := range words {
		if strings.ContainsAny(w, "\"'") {
			words[i] = quote(w)
		}
	}
	return "(" + strings.Join(words, " ") + ")"
}

// An account is a user as one node has it.
type account struct {
	off, nopass, unsanitized bool
	passwords                []string // SHA-256, in hexadecimal
	own                      permission
	selectors                []permission
}

// find reads a user; nil is none of that name.
func (n *node) find(ctx context.Context, user string) (*account, error) {
	reply, err := n.do(ctx, "ACL", "GETUSER", user)
	if reply == nil || err != nil {
		return nil, err
	}
	fields, err := redis.Values(reply, nil)
	if err != nil {
		return nil, fmt.Errorf("reading what ACL GETUSER answers: %w", err)
	}
	a := &account{}
	for i := 0; i+1 < len(fields); i += 2 {
		name, err := redis.String(fields[i], nil)
		if err == nil {
			err = a.read(name, fields[i+1])
		}
		if err != nil {
			return nil, fmt.Errorf("reading what ACL GETUSER answers (%s): %w", name, err)
		}
	}
	return a, nil
}

// read takes one field of ACL GETUSER. One that is not known may be a
// restriction that a clone would lack.
func (a *account) read(name string, value any) (err error) {
	switch name {
	case "flags":
		flags, err := redis.Strings(value, nil)
		for _, f := range flags {
			if err := a.flag(f); err != nil {
				return err
			}
		}
		return err
	case "passwords":
		a.passwords, err = redis.Strings(value, nil)
		return err
	case "selectors":
		selectors, err := redis.Values(value, nil)
		if err != nil {
			return err
		}
		for _, s := range selectors {
			p, err := readSelector(s)
			if err != nil {
				return err
			}
			a.selectors = append(a.selectors, p)
		}
		return nil
	}
	return a.own.read(name, value)
}

func (a *account) flag(f string) error {
	switch f {
	case "on", "allkeys", "allchannels", "allcommands", "sanitize-payload":
	case "off":
		a.off = true
	case "nopass":
		a.nopass = true
	case "skip-sanitize-payload":
		a.unsanitized = true
	default:
		return notKnown("the flag " + f)
	}
	return nil
}

func (p *permission) read(name string, value any) error {
	text, err := redis.String(value, nil)
	switch {
	case err != nil:
		return err
	case name == "commands":
		p.commands = text
	case name == "keys":
		p.keys = text
	case name == "channels":
		p.channels = text
	default:
		return notKnown("the field " + name)
	}
	return nil
}

// canonical orders rules of commands between which the server has no order of its
// own: commands, and below them subcommands, as far as no category stands between.
func canonical(commands string) string {
	words := split(commands)
	for from := 0; from < len(words); {
		to := from
		for to < len(words) && !strings.Contains(words[to], "@") {
			to++
		}
		slices.SortStableFunc(words[from:to], func(a, b string) int { return strings.Compare(a[1:], b[1:]) })
		from = to + 1
	}
	return strings.Join(words, " ")
}

func readSelector(value any) (p permission, err error) {
	fields, err := redis.Values(value, nil)
	for i := 0; i+1 < len(fields) && err == nil; i += 2 {
		var name string
		if name, err = redis.String(fields[i], nil); err == nil {
			err = p.read(name, fields[i+1])
		}
	}
	return p, err
}

// notKnown says that the server has something that is newer than this package.
func notKnown(what string) error {
	return rotation.Fail(rotation.Unknown, "the server has %s of a user, which this version does not know and so cannot copy", what).
		With("Use ROTATION_STRATEGY=single-user, which copies nothing, until a version of Rotor knows it.")
}

// permissions are all that the user has, the empty ones left out.
func (a *account) permissions() (all []permission) {
	for _, p := range append([]permission{a.own}, a.selectors...) {
		if !p.empty() {
			all = append(all, p)
		}
	}
	return all
}

// lines are the user's rights, for people and for comparing.
func (a *account) lines() []string {
	var lines []string
	for _, p := range a.permissions() {
		lines = append(lines, p.line())
	}
	if a.unsanitized {
		lines = append(lines, "skip-sanitize-payload")
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// rules are the arguments of ACL SETUSER that give another user just these
// rights, and leave its passwords as they are.
func (a *account) rules() []string {
	rules := append([]string{"on", "nocommands", "resetkeys", "resetchannels", "clearselectors"}, a.own.words()...)
	for _, s := range a.selectors {
		rules = append(rules, s.selector())
	}
	if a.unsanitized {
		return append(rules, "skip-sanitize-payload")
	}
	return append(rules, "sanitize-payload")
}

// hash is how ACL SETUSER takes a password without seeing it.
func hash(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// A password is one that a user gets, and what people may read in its place.
type password struct{ text, name string }

func newPassword(text string) password { return password{text, "the new password"} }

// setUser sends ACL SETUSER to a node, which does all that its rules say, or nothing.
// A rehearsal sends nothing.
func (c *conn) setUser(ctx context.Context, n *node, user string, rules []string, passwords ...password) error {
	arguments, told := []any{"SETUSER", user}, []string{"ACL SETUSER", quote(user)}
	for _, r := range rules {
		arguments, told = append(arguments, r), append(told, word(r))
	}
	for _, p := range passwords {
		arguments, told = append(arguments, "#"+hash(p.text)), append(told, "#<SHA-256 of "+p.name+">")
	}
	if !c.sends(n, strings.Join(told, " ")) {
		return nil
	}
	_, err := n.do(ctx, "ACL", arguments...)
	return err
}

// sends asks for leave to send a command to a node.
func (c *conn) sends(n *node, command string) bool {
	return c.login.Report.Sends(n.address + ": " + command)
}
