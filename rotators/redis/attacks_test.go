package redis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

// An attack is what somebody does who has one user of a server, or may write that user's secret. Whatever rotations make of it,
// nobody else's user is another afterwards, and the user and its clone may do what the user could do before.
type attack struct {
	name     string
	user     string                          // its name, with TAG in it
	rules    []string                        // its rights, beside those of every user here
	before   func(t *testing.T, b *battle)   // what somebody has done before
	secret   func(b *battle) secret.Document // the user's secret, if it is not the plain one
	previous func(b *battle) secret.Document // AWSPREVIOUS, if somebody has written one
	fails    rotation.Class                  // how rotations end; empty if they are to succeed
	only     func(s database.Strategy) bool  // by which strategies; all if nil
}

// A battle is one attack by one strategy.
type battle struct {
	*world
	name   string          // the attacker's user
	doc    secret.Document // its secret, as it should be
	victim string          // somebody else's user, with every right
}

func alternating(s database.Strategy) bool { return s == database.AlternatingUsers }

func byAdministrator(s database.Strategy) bool { return s != database.SingleUser }

// hashed looks like a password's hash, which ACL SETUSER takes.
const hashed = "#5e884898da28047151d0e56f8dc6292773603d0d6aabbd62a11ef721d1542d8"

var attacks = []attack{
	// Names that are rules to ACL SETUSER, or to who reads its line.
	{name: "a name that is a password", user: ">TAG"},
	{name: "a name that is a hash", user: hashed + "TAG"},
	{name: "a name that is a right", user: "+@all", rules: []string{"+get"}},
	{name: "a name that is all rights in a selector", user: "(+@all)TAG(allkeys)"},
	{name: "a name that is a flag", user: "nopass"},
	{name: "a name that resets", user: "reset"},
	{name: "a name that is a pattern of keys", user: "%RW~*TAG"},
	{name: "a name that is a channel", user: "&*TAG"},
	{name: "a name that is a wildcard", user: "*"},
	{name: "a name with quotes", user: `TAG"on"'x'`},
	{name: "a name with a blank of Unicode's", user: "TAG\u00a0on\u2003nopass\u0085+@all"},
	{name: "a name that is two lines of Unicode's", user: "TAG\u2028user\u2029evil"},
	{name: "a name that is not UTF-8's shortest", user: "TAG\u200b\ufeff"},

	// Rights that are more when they are said again.
	{name: "a key with a blank of Unicode's before a right", user: "TAGa", rules: []string{"~TAG\u00a0+@all", "~TAG\u2003allkeys", "~TAG\u0085nopass"}},
	{name: "a channel with a blank of Unicode's", user: "TAGb", rules: []string{"&TAG\u00a0allchannels"}},
	{name: "a key in quotes, in a selector", user: "TAGc", rules: []string{`("~\"*\"" +get)`}},
	{name: "a key in single quotes, in a selector", user: "TAGd", rules: []string{`("~'*'" +get)`}},
	{name: "a key with a quote and an escape, in a selector", user: "TAGe", rules: []string{`("~a\"\\x2a\"" "&\"*" +get)`}},
	{name: "a key with parentheses, in a selector", user: "TAGf", rules: []string{`(~a)(+@all)x +get)`, "(~( +get)", "(~) +get)"}},
	{name: "keys with parentheses", user: "TAGg", rules: []string{"~(TAG", "~TAG)", "~(+@all)"}},
	{name: "a selector that takes everything back", user: "TAGh", rules: []string{"(allkeys +@all -@all)", "(+@all -get -@admin)"}},
	{name: "keys with quotes", user: "TAGi", rules: []string{`~"*"`, `~'*'`, `~\x2a`, `~a"b`}},

	// Twins.
	{name: "somebody else's user has the clone's name", user: "TAGj", fails: rotation.NotItsTwin, only: alternating, before: func(t *testing.T, b *battle) {
		b.victim = b.name + "_clone"
		b.somebody(t, b.victim)
	}},
	{name: "the attacker's has a clone's name, of somebody else's user", user: "TAGk_clone", fails: rotation.NotItsTwin, only: alternating, before: func(t *testing.T, b *battle) {
		b.victim = strings.TrimSuffix(b.name, "_clone")
		b.somebody(t, b.victim)
	}},
	{name: "a guess at the twin's password in AWSPREVIOUS", user: "TAGl", fails: rotation.NotItsTwin, only: alternating, before: func(t *testing.T, b *battle) {
		b.victim = b.name + "_clone"
		b.somebody(t, b.victim)
	}, previous: func(b *battle) secret.Document { return b.doc.With("username", b.victim).With("password", "a guess") }},
	{name: "a twin that any password lets in", user: "TAGm", fails: rotation.BadSecret, only: alternating, before: func(t *testing.T, b *battle) {
		b.victim = b.name + "_clone"
		b.somebody(t, b.victim, "nopass")
	}, previous: func(b *battle) secret.Document { return b.doc.With("username", b.victim).With("password", "a guess") }},
	{name: "a twin of the attacker's own making has more", user: "TAGn", only: alternating, before: func(t *testing.T, b *battle) {
		b.user(t, b.name+"_clone", "the attacker's", "+@all", "allkeys", "allchannels", "(+@all allkeys)", "skip-sanitize-payload")
	}, previous: func(b *battle) secret.Document {
		return b.doc.With("username", b.name+"_clone").With("password", "the attacker's")
	}},

	// A writer of the secret.
	{name: "the secret names somebody else", user: "TAGo", fails: rotation.LoginRefused, before: withVictim, secret: func(b *battle) secret.Document { return b.doc.With("username", b.victim) }},
	{name: "the secret names the administrator", user: "TAGp", fails: rotation.LoginRefused, secret: func(b *battle) secret.Document { return b.doc.With("username", b.server.AdminUser) }},
	{name: "the secret has a line more in its name", user: "TAGq", fails: rotation.BadSecret, secret: func(b *battle) secret.Document { return b.doc.With("username", b.name+"\nuser evil on nopass +@all") }},
	{name: "the secret has rules in its name", user: "TAGr", fails: rotation.BadSecret, secret: func(b *battle) secret.Document { return b.doc.With("username", b.name+" nopass") }},
	{name: "the secret's password is a rule", user: "TAGs", fails: rotation.LoginRefused, secret: func(b *battle) secret.Document { return b.doc.With("password", "nopass +@all") }},
	{name: "the secret names no user, but the default", user: "TAGt", fails: rotation.LoginRefused, secret: func(b *battle) secret.Document { return b.doc.With("username", "default") }},
	{name: "the administrator's secret is the attacker's own", user: "TAGu", fails: rotation.MissingPrivilege, only: byAdministrator, secret: func(b *battle) secret.Document { return b.doc.With("masterarn", "own") }},
}

func withVictim(t *testing.T, b *battle) { b.somebody(t, b.victim) }

// somebody makes a user of somebody else's.
func (b *battle) somebody(t *testing.T, name string, more ...string) {
	t.Helper()
	b.user(t, name, "somebody's", append([]string{"+@all", "allkeys"}, more...)...)
}

// A Sentinel knows several primaries, of which one may be the attacker's.
func TestASecretForAnotherPrimaryBorrowsNoAdministrator(t *testing.T) {
	shaped(t, redistest.Watched, func(t *testing.T, w *world) {
		mine := own(t, w.server.Engine(), redistest.Config{})
		w.server.Monitor(t, "mine", mine.server.Port)
		f := w.fixture(t, "")
		mine.user(t, f.User.Text("username"), "the attacker's", w.application()...)
		f.User = f.User.With("sentinelMaster", "mine").With("password", "the attacker's")
		f.Roots.AppendCertsFromPEM(mine.server.CA)
		before := w.lists(t)
		for name, strategy := range ways() {
			if strategy == database.SingleUser {
				continue // which changes the attacker's own
			}
			r := w.rotations(t, strategy, f)
			databasetest.Wants(t, r.Preflight(t), rotation.BadSecret, `"mine"`)
			databasetest.Wants(t, r.Rotate(t), rotation.BadSecret, `"mine"`)
			if after := w.lists(t); !slices.Equal(before, after) {
				t.Errorf("%s: there were\n%s\nand are\n%s", name, before, after)
			}
		}
	})
}

func TestRotationsGiveAnAttackerNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.server.Shape() == redistest.Watched {
			return // as replicated
		}
		for i, a := range attacks {
			t.Run(a.name, func(t *testing.T) {
				for name, strategy := range ways() {
					if a.only == nil || a.only(strategy) {
						t.Run(name, func(t *testing.T) { w.fight(t, a, fmt.Sprint(w.tag, "x", i), strategy) })
					}
				}
			})
		}
	})
}

// fight makes the attack's user, rotates three times, and looks at everybody's rights.
func (w *world) fight(t *testing.T, a attack, tag string, strategy database.Strategy) {
	fill := strings.NewReplacer("TAG", tag)
	b := &battle{world: w, name: fill.Replace(a.user), victim: tag + "victim"}
	rules := []string{"~" + tag + ":*", "&" + tag + ":*", "+get"}
	if strategy == database.SingleUser {
		rules = append(rules, redistest.Administers...)
	}
	for _, r := range a.rules {
		rules = append(rules, fill.Replace(r))
	}
	b.user(t, b.name, hardPassword, rules...)
	b.doc = w.secret(t, b.name, hardPassword)
	if a.before != nil {
		a.before(t, b)
	}
	f := w.fixtureOf(t, b.name, hardPassword)
	if a.secret != nil {
		f.User = a.secret(b)
	}
	r := w.rotations(t, strategy, f)
	r.Store.Add("own", b.doc)
	if a.previous != nil {
		r.Store.Write("user", "before", a.previous(b))
		r.Store.Stage("user", rotation.Previous, "before")
	}
	before, rights := w.lists(t), w.rules(t, w.server.Port, b.name)
	if a.fails != "" {
		databasetest.Wants(t, r.Preflight(t), a.fails)
		databasetest.Wants(t, r.Rotate(t), a.fails)
		if after := w.lists(t); !slices.Equal(before, after) {
			t.Errorf("there were\n%s\nand are\n%s", before, after)
		}
		return
	}
	others := b.others(t)
	for range 3 {
		r.Must(t)
	}
	if after := b.others(t); !slices.Equal(others, after) {
		t.Errorf("others were\n%s\nand are\n%s", others, after)
	}
	b.keepsRights(t, rights, strategy == database.AlternatingUsers)
}

// others are what ACL LIST says of everybody else, at each node.
func (b *battle) others(t *testing.T) (all []string) {
	t.Helper()
	for _, port := range b.server.Ports() {
		for _, line := range b.at(t, port, "ACL", "LIST").([]any) {
			text := string(line.([]byte))
			if !strings.HasPrefix(text, "user "+b.name+" ") && !strings.HasPrefix(text, "user "+b.name+"_clone ") {
				all = append(all, fmt.Sprint(port, " ", text))
			}
		}
	}
	return all
}

// keepsRights checks that the user has the rights that it had, at each node, and its clone no others.
func (b *battle) keepsRights(t *testing.T, rights string, cloned bool) {
	t.Helper()
	for _, port := range b.server.Ports() {
		if now := b.rules(t, port, b.name); now != rights {
			t.Errorf("port %d: it had\n%q\nand has\n%q", port, rights, now)
		}
		if now, ok := b.rulesAt(t, port, b.name+"_clone"); ok != cloned || ok && now != rights {
			t.Errorf("port %d: it had\n%q\nand its clone has\n%q", port, rights, now)
		}
	}
}
