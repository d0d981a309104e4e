package main

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/seed492efc12/rotor/internal/fleet"
)

// What comes from elsewhere neither steers a terminal, nor is markup or a formula.
func TestWhatOthersWroteIsShownAsItIs(t *testing.T) {
	const markup, escape, formula = `<script>alert(1)</script>"><b onclick=x>`, "\x1b[31m\x1b]0;title\a\r\u202e", "=HYPERLINK(1)"
	now := time.Now()
	trouble := fleet.Trouble{Class: "Rotation.TLS", Cause: formula + markup + escape, Remedy: formula + markup + escape, Step: "setSecret"}
	r := report{now: now, why: true, notes: []string{markup + escape}, secrets: []fleet.Secret{{
		Name: formula + markup + escape, ARN: "arn:" + markup, Profile: markup, Region: "eu-west-1", State: fleet.Stuck, Since: now,
		Function: fleet.Function{ARN: "arn:aws:lambda:eu-west-1:1:function:" + markup, Kind: fleet.Rotor, Version: markup + escape}, Trouble: &trouble,
	}}}
	shown := map[string]string{}
	for name, show := range outputs {
		var out bytes.Buffer
		if err := show(newTerminal(&out, &out), r); err != nil {
			t.Fatal(err)
		}
		shown[name] = out.String()
	}
	if strings.ContainsAny(shown["table"], "\x1b\a\r\u202e") || !strings.Contains(shown["table"], markup) {
		t.Errorf("the table is %q", shown["table"])
	}
	root, err := html.Parse(strings.NewReader(shown["html"]))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "b") {
			t.Errorf("<%s> is an element", n.Data)
		}
	}
	if n := strings.Count(shown["html"], "&lt;script&gt;"); n < 6 {
		t.Errorf("the markup is shown %d times", n)
	}
	records, err := csv.NewReader(strings.NewReader(shown["csv"])).ReadAll()
	if err != nil || len(records) != 2 {
		t.Fatal(err, records)
	}
	for _, cell := range records[1] {
		if strings.HasPrefix(cell, "=") {
			t.Errorf("a formula: %q", cell)
		}
	}
	if strings.Contains(shown["json"], "\x1b") {
		t.Error("the JSON has an escape sequence")
	}
}

// What is alike but for its own name is folded; what differs in anything that is
// shown is not.
func TestOnlyWhatIsAlikeIsFolded(t *testing.T) {
	now := time.Now()
	secret := func(name string, change func(*fleet.Secret)) fleet.Secret {
		s := fleet.Secret{Name: name, ARN: "arn:" + name, Region: "eu-west-1", State: fleet.Stuck, Since: now.Add(-72 * time.Hour), Rotated: now.Add(-40 * 24 * time.Hour), Next: now.Add(time.Hour),
			Function: fleet.Function{ARN: "f", Kind: fleet.Rotor, Version: "1"}, Certificate: now.Add(99 * time.Hour),
			Trouble: &fleet.Trouble{Class: "Rotation.TLS", Cause: "no", Remedy: "rotate-secret --secret-id arn:" + name, Step: "setSecret"}}
		change(&s)
		return s
	}
	for what, change := range map[string]func(*fleet.Secret){
		"":            func(*fleet.Secret) {},
		"state":       func(s *fleet.Secret) { s.State = fleet.Overdue },
		"since":       func(s *fleet.Secret) { s.Since = now.Add(-96 * time.Hour) },
		"rotated":     func(s *fleet.Secret) { s.Rotated = time.Time{} },
		"next":        func(s *fleet.Secret) { s.Next = now.Add(-time.Hour) },
		"function":    func(s *fleet.Secret) { s.Function.ARN = "g" },
		"version":     func(s *fleet.Secret) { s.Function.Version = "2" },
		"region":      func(s *fleet.Secret) { s.Region = "us-east-1" },
		"profile":     func(s *fleet.Secret) { s.Profile = "prod" },
		"certificate": func(s *fleet.Secret) { s.Certificate = now.Add(-time.Hour) },
		"class":       func(s *fleet.Secret) { s.Trouble.Class = "Rotation.Locked" },
		"cause":       func(s *fleet.Secret) { s.Trouble.Cause = "none" },
		"remedy":      func(s *fleet.Secret) { s.Trouble.Remedy = "rotate-secret --secret-id arn:other" },
		"trouble":     func(s *fleet.Secret) { s.Trouble = nil },
	} {
		r := report{now: now, why: true, secrets: []fleet.Secret{secret("a/first", func(*fleet.Secret) {}), secret("b/second", change)}}
		want := 2
		if what == "" {
			want = 1
		}
		if got := len(r.folded()); got != want {
			t.Errorf("%q: %d rows, want %d", what, got, want)
		}
	}
}
