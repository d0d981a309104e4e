package password

import (
	"strings"
	"testing"
)

func TestPasswordsFollowThePolicy(t *testing.T) {
	for _, c := range []struct {
		name    string
		p       Policy
		r       Rules
		allowed string
		each    []string
	}{
		{"default", Default(), Rules{}, without(lower+upper+digits+punctuation, `:/@"'\`), []string{lower, upper, digits, without(punctuation, `:/@"'\`)}},
		{"no punctuation", Policy{Length: 24, ExcludePunctuation: true, RequireEach: true}, Rules{}, lower + upper + digits, []string{lower, upper, digits}},
		{"lower case alone", Policy{Length: 40, ExcludePunctuation: true, ExcludeNumbers: true, ExcludeUpper: true, RequireEach: true}, Rules{}, lower, []string{lower}},
		{"the most that the engine takes", Default(), Rules{Max: 30}, without(lower+upper+digits+punctuation, `:/@"'\`), nil},
		{"the engine's rules too", Policy{Length: 30, Exclude: "abc", RequireEach: true}, Rules{Exclude: `"`, Min: 8, Max: 30}, without(lower+upper+digits+punctuation, `abc"`), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := New(c.p, c.r)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for range 500 {
				p := g.Generate()
				if len(p) != wantLength(c.p, c.r) || strings.Trim(p, c.allowed) != "" || seen[p] {
					t.Fatalf("%q: wrong length, wrong characters or seen before", p)
				}
				seen[p] = true
				for _, kind := range c.each {
					if !strings.ContainsAny(p, kind) {
						t.Fatalf("%q has none of %q", p, kind)
					}
				}
			}
			used := map[rune]bool{}
			for p := range seen {
				for _, r := range p {
					used[r] = true
				}
			}
			if len(used) != len(c.allowed) {
				t.Errorf("%d characters are used, %d are allowed", len(used), len(c.allowed))
			}
		})
	}
}

func wantLength(p Policy, r Rules) int {
	switch {
	case p.Length > 0:
		return p.Length
	case r.Max > 0:
		return r.Max
	}
	return 32
}

func TestEveryCharacterIsEquallyLikely(t *testing.T) {
	g, err := New(Policy{Length: 1000}, Rules{})
	if err != nil {
		t.Fatal(err)
	}
	count := map[rune]int{}
	for range 94 {
		for _, r := range g.Generate() {
			count[r]++
		}
	}
	for r, n := range count { // the mean is 1000, the standard deviation 32
		if n < 800 || n > 1200 {
			t.Errorf("%q came %d times", r, n)
		}
	}
}

// What AWS's functions and CDK are set to.
func TestUsualPoliciesAreTaken(t *testing.T) {
	for _, p := range []Policy{{Length: 16}, {Length: 20, ExcludePunctuation: true}, {Length: 20, Exclude: " %+~`#$&*()|[]{}:;<>?!'/@\"\\" + digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZ-=_.,^"}} {
		if g, err := New(p, Rules{}); err != nil || g.Entropy() < MinEntropy {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func TestBadPoliciesAreNamed(t *testing.T) {
	for _, c := range []struct {
		name string
		p    Policy
		r    Rules
		says string
	}{
		{"too little entropy", Policy{Length: 16, ExcludePunctuation: true, ExcludeUpper: true, ExcludeNumbers: true}, Rules{}, "entropy"},
		{"no characters", Policy{Length: 32, Exclude: lower + upper + digits + punctuation}, Rules{}, "0 characters"},
		{"negative length", Policy{Length: -1}, Rules{}, "PASSWORD_LENGTH"},
		{"longer than the engine takes", Policy{Length: 32}, Rules{Max: 30}, "at most 30"},
		{"shorter than the engine wants", Policy{Length: 32}, Rules{Min: 40}, "at least 40"},
		{"a kind that the engine wants is off", Policy{Length: 32, RequireEach: true, ExcludeNumbers: true}, Rules{Letters: true}, "EXCLUDE_NUMBERS"},
		{"kinds are not required", Policy{Length: 32}, Rules{Letters: true}, "REQUIRE_EACH_INCLUDED_TYPE"},
		{"absurd", Policy{Length: 1 << 20}, Rules{}, "the most"},
	} {
		if _, err := New(c.p, c.r); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}
