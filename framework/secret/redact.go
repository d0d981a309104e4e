package secret

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// public are the fields, of those that Secrets Manager documents and the one
// that Rotor adds for all, that an error may quote. Every other field counts as
// sensitive, unless whoever redacts says that it is public too.
// Source: Secrets Manager user guide, "JSON structure of secrets".
var public = []string{
	"engine", "host", "port", "username", "dbname", "masterarn", "ssl", "dbInstanceIdentifier", "dbClusterIdentifier", "tlsServerName",
}

// Quotable reports whether a field may be declared public: one whose name tells
// of a password, a key, a token or another secret never is.
func Quotable(field string) bool {
	name := strings.ToLower(field)
	return name != "" && !strings.HasSuffix(name, "key") &&
		!slices.ContainsFunc([]string{"pass", "pwd", "secret", "token", "credential"}, func(word string) bool { return strings.Contains(name, word) })
}

// shortest is the least number of bytes of a value that is worth hiding: to
// cut a shorter one out of a text would only tell which one it is.
const shortest = 4

// Redact returns text with each sensitive value of d replaced by [secret], in
// each form in which drivers and servers are known to quote one: as it is, as
// a SQL literal, a Go or JSON string, or in a URL. Also are fields that are
// public beside the well-known ones, as far as they are
// [Quotable].
func (d Document) Redact(text string, also ...string) string {
	if text == "" {
		return text
	}
	var forms []string
	for _, f := range d.fields {
		if !slices.Contains(public, f.name) && !(slices.Contains(also, f.name) && Quotable(f.name)) {
			forms = appendValues(forms, d.raw[f.start:f.end])
		}
	}
	// The longest first: a password may be part of another.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, form := range forms {
		text = strings.ReplaceAll(text, form, redacted)
	}
	return text
}

// appendValues appends the forms of each string or number in a JSON value, at
// any depth.
func appendValues(forms []string, value []byte) []string {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return forms
		}
		switch v := tok.(type) {
		case string:
			forms = appendForms(forms, v)
		case json.Number:
			forms = appendForms(forms, v.String())
		}
	}
}

func appendForms(forms []string, s string) []string {
	if len(s) < shortest {
		return forms
	}
	inner := func(quoted string) string { return quoted[1 : len(quoted)-1] }
	return append(forms, s,
		strings.ReplaceAll(s, `'`, `''`),
		strings.ReplaceAll(s, `"`, `""`),
		strings.ReplaceAll(s, `]`, `]]`),
		strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s),
		strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s),
		inner(strconv.Quote(s)), inner(strconv.QuoteToASCII(s)), inner(string(quote(s))), marshalled(s),
		url.QueryEscape(s), url.PathEscape(s))
}

func marshalled(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b[1 : len(b)-1])
}
