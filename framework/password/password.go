// Package password makes the passwords that a rotation moves to.
package password

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// The kinds of characters, as in Secrets Manager's GetRandomPassword.
const (
	lower       = "abcdefghijklmnopqrstuvwxyz"
	upper       = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// MinEntropy is how many bits a password must have at least. GoodEntropy is how
// many it should have: with fewer, a fast hash that leaks could be searched for its
// password by somebody who has the means.
const MinEntropy, GoodEntropy = 80, 128

// DefaultLength is that of AWS's own rotation functions.
const DefaultLength = 32

// A Policy says what passwords look like. See also [Default].
type Policy struct {
	// Length is in characters, all of them ASCII; 0 is DefaultLength, or the
	// engine's most if that is less.
	Length  int
	Exclude string // characters that are never used
	// The kinds of characters that are never used.
	ExcludeLower, ExcludeUpper, ExcludeNumbers, ExcludePunctuation bool
	// RequireEach puts at least one character of each kind that is used into
	// each password.
	RequireEach bool
}

// Default is the policy of AWS's own rotation functions: DefaultLength characters
// of all kinds, without those that connection strings trip over.
func Default() Policy { return Policy{Exclude: `:/@"'\`, RequireEach: true} }

// Rules are what a kind of server demands of every password. The zero Rules
// demand nothing.
type Rules struct {
	Exclude  string // characters the server cannot take
	Min, Max int    // length in characters; 0 is no limit
	// Letters demands an upper-case letter, a lower-case one and a digit.
	Letters bool
}

// A Generator makes passwords by a policy that was checked. It is safe for
// concurrent use.
type Generator struct {
	policy   Policy
	kinds    []string
	alphabet string
}

// New returns a generator for p within the rules. The error names the setting,
// by its environment variable, that has to change.
func New(p Policy, r Rules) (*Generator, error) {
	if p.Length == 0 {
		p.Length = DefaultLength
		if r.Max > 0 {
			p.Length = min(p.Length, r.Max)
		}
	}
	g := &Generator{policy: p}
	for _, k := range []struct {
		chars string
		off   bool
	}{{lower, p.ExcludeLower}, {upper, p.ExcludeUpper}, {digits, p.ExcludeNumbers}, {punctuation, p.ExcludePunctuation}} {
		if left := without(k.chars, p.Exclude+r.Exclude); !k.off && left != "" {
			g.kinds = append(g.kinds, left)
		}
	}
	g.alphabet = strings.Join(g.kinds, "")
	switch {
	case r.Letters && !p.RequireEach:
		return nil, errors.New("REQUIRE_EACH_INCLUDED_TYPE is off, but this engine wants upper-case and lower-case letters and digits in each password")
	case r.Letters && !g.uses(lower, upper, digits):
		return nil, errors.New("EXCLUDE_UPPERCASE, EXCLUDE_LOWERCASE, EXCLUDE_NUMBERS or EXCLUDE_CHARACTERS leaves no character of a kind that this engine wants in each password: upper-case and lower-case letters and digits")
	case r.Max > 0 && p.Length > r.Max:
		return nil, fmt.Errorf("PASSWORD_LENGTH is %d, but this engine takes at most %d characters", p.Length, r.Max)
	case p.Length < r.Min:
		return nil, fmt.Errorf("PASSWORD_LENGTH is %d, but this engine wants at least %d characters", p.Length, r.Min)
	case p.Length > maxLength:
		return nil, fmt.Errorf("PASSWORD_LENGTH is %d; the most is %d", p.Length, maxLength)
	case g.Entropy() < MinEntropy:
		return nil, fmt.Errorf("PASSWORD_LENGTH %d with an alphabet of %d characters gives %.0f bits of entropy, and %d are needed: raise PASSWORD_LENGTH or exclude less",
			p.Length, len(g.alphabet), g.Entropy(), MinEntropy)
	}
	return g, nil
}

// uses reports whether the alphabet has a character of each kind.
func (g *Generator) uses(kinds ...string) bool {
	for _, k := range kinds {
		if !strings.ContainsAny(g.alphabet, k) {
			return false
		}
	}
	return true
}

// maxLength is GetRandomPassword's limit.
const maxLength = 4096

// Entropy is that of each password, in bits.
func (g *Generator) Entropy() float64 {
	if len(g.alphabet) == 0 {
		return 0
	}
	return float64(g.policy.Length) * math.Log2(float64(len(g.alphabet)))
}

func without(chars, exclude string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(exclude, r) {
			return -1
		}
		return r
	}, chars)
}

// Generate returns a new password: each one that the policy allows is equally
// likely.
func (g *Generator) Generate() string {
	for {
		if p := g.draw(); !g.policy.RequireEach || g.hasEach(p) {
			return p // drawing again, rather than mending, keeps all equally likely
		}
	}
}

func (g *Generator) draw() string {
	size := big.NewInt(int64(len(g.alphabet)))
	p := make([]byte, g.policy.Length)
	for i := range p {
		n, _ := rand.Int(rand.Reader, size) // crypto/rand never fails: it ends the program instead
		p[i] = g.alphabet[n.Int64()]
	}
	return string(p)
}

func (g *Generator) hasEach(p string) bool {
	for _, kind := range g.kinds {
		if !strings.ContainsAny(p, kind) {
			return false
		}
	}
	return true
}
