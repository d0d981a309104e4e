package redis_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

// A file that the server cannot read again would keep it from starting: it is left as it was, and the log says why.
func TestAServerStartsAgainWhateverItsUsersAreCalled(t *testing.T) {
	for name, c := range map[string]struct {
		config redistest.Config
		user   string
		rules  []string
	}{
		"a quote in a name, in the configuration file":          {redistest.Config{NoFile: true}, `quote"d`, nil},
		"an apostrophe in a name, in the configuration file":    {redistest.Config{NoFile: true}, `apo'strophe`, nil},
		"a quote in a key, in the configuration file":           {redistest.Config{NoFile: true}, "app", []string{`~"a`}},
		"a quote in a selector, in the configuration file":      {redistest.Config{NoFile: true}, "app", []string{`("~\"a" +get)`}},
		"a quote in a selector, in the ACL file":                {redistest.Config{}, "app", []string{`("~\"a" +get)`}},
		"a word in quotes in a selector, in the ACL file":       {redistest.Config{}, "app", []string{`("~\"*\"" +get)`}},
		"a quote in a name and in a key, in the ACL file":       {redistest.Config{}, `quote"d'`, []string{`~"a'`}},
		"a backslash and a number sign, in the ACL file":        {redistest.Config{}, `back\x20slash#`, []string{`~\x20#`}},
		"a backslash and a number sign, in the configuration":   {redistest.Config{NoFile: true}, `back\x20slash#`, []string{`~\x20#`}},
		"blanks that are none of ASCII's, in the ACL file":      {redistest.Config{}, "a\u00a0b\u2028c", []string{"~\u00a0*"}},
		"blanks that are none of ASCII's, in the configuration": {redistest.Config{NoFile: true}, "a\u00a0b\u2028c", []string{"~\u00a0*"}},
	} {
		t.Run(name, func(t *testing.T) {
			redistest.Products(t, func(t *testing.T, product string) {
				for by, strategy := range ways() {
					t.Run(by, func(t *testing.T) {
						w := own(t, product, c.config)
						w.user(t, c.user, hardPassword, append(append([]string{}, redistest.Administers...), c.rules...)...)
						before := w.rules(t, w.server.Port, c.user)
						r := w.rotations(t, strategy, w.fixtureOf(t, c.user, hardPassword))
						r.Must(t)
						told := strings.Contains(r.Log.String(), "A restart of ")
						port := w.server.Again(t)
						now, ok := w.rulesAt(t, port, c.user)
						if !ok != told || ok && now != before {
							t.Errorf("the log:\n%s\nthe user had\n%s\nand has after a restart (%v)\n%s", r.Log.String(), before, ok, now)
						}
						if _, ok := w.rulesAt(t, port, c.user+"_clone"); ok && strategy != database.AlternatingUsers {
							t.Error("there is a clone")
						}
					})
				}
			})
		})
	}
}
