package functiontest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// Find returns the lines of a text that hold one of the secrets, with [HERE] in its place. It looks for each of the
// forms in which a secret may be written: as it is, in JSON, in Go, in SQL, in a URL, in hexadecimal and in base64,
// also in the middle of something longer. An empty secret is in no text.
func Find(text string, secrets ...string) (lines []string) {
	var pairs []string
	for _, s := range secrets {
		for _, form := range forms(s) {
			pairs = append(pairs, form, "[HERE]")
		}
	}
	clean := strings.NewReplacer(pairs...)
	for line := range strings.Lines(text) {
		if found := clean.Replace(line); found != line {
			lines = append(lines, found)
		}
	}
	return lines
}

func forms(s string) []string {
	if s == "" {
		return nil
	}
	inner := func(quoted string) string { return quoted[1 : len(quoted)-1] }
	marshalled, _ := json.Marshal(s) // a string always marshals
	escaped := inner(string(marshalled))
	plain := strings.NewReplacer(`\u003c`, `<`, `\u003e`, `>`, `\u0026`, `&`).Replace(escaped)
	forms := []string{
		s, escaped, plain, inner(strconv.Quote(escaped)), inner(strconv.Quote(plain)),
		inner(strconv.Quote(s)), inner(strconv.QuoteToASCII(s)),
		strings.ReplaceAll(s, `'`, `''`), strings.ReplaceAll(s, `"`, `""`),
		strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s), strings.NewReplacer(`\`, `\\`, `'`, `\'`, `"`, `\"`).Replace(s),
		url.QueryEscape(s), url.PathEscape(s),
		hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
	}
	for before := range 3 {
		forms = append(forms, inBase64(s, before, base64.RawStdEncoding), inBase64(s, before, base64.RawURLEncoding))
	}
	return forms
}

// inBase64 is what base64 makes of s, whatever stands around it, if so many bytes (modulo three) stand before it: the
// characters that depend on the neighbours are left out.
func inBase64(s string, before int, e *base64.Encoding) string {
	skip := []int{0, 2, 3}[before] // characters that a byte before s has a part in
	whole := e.EncodeToString([]byte("..."[:before] + s))
	end := (before + len(s)) * 8 / 6 // characters without a bit of what follows
	return whole[skip:end]
}
