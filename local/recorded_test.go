package local_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/local"
)

// TestRepliesAreThoseRecordedOfTheService holds whole conversations against what AWS answered. testdata/recorded.txt has them: which
// replies, with every member, were recorded by the tests of LocalStack and moto (both Apache-2.0), which ran against AWS.
func TestRepliesAreThoseRecordedOfTheService(t *testing.T) {
	text, err := os.ReadFile("testdata/recorded.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split("\n"+string(text), "\n# ")[1:]
	if len(cases) < 40 {
		t.Errorf("there are only %d cases", len(cases))
	}
	for _, recorded := range cases {
		name, conversation, _ := strings.Cut(recorded, "\n")
		t.Run(name, func(t *testing.T) { replay(t, conversation) })
	}
}

// replay sends the requests of one case to a service of its own. A line is an operation, its input and, after =>, the whole reply. @x is a
// version id, "arn" and "date" stand for any.
func replay(t *testing.T, conversation string) {
	s := serve(t, local.Options{})
	steps := 0
	for line := range strings.Lines(conversation) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		call, want, answered := strings.Cut(line, " => ")
		operation, body, given := strings.Cut(call, " ")
		if !given {
			t.Fatalf("%q is no step", line)
		}
		body = versionMark.ReplaceAllStringFunc(body, func(mark string) string { return token(mark[1:]) })
		got := post(t, s.url, operation, body)
		steps++
		if answered && normal(t, got.text) != normal(t, want) {
			t.Errorf("%s\n got %s\nwant %s", call, normal(t, got.text), normal(t, want))
		}
	}
	if steps == 0 {
		t.Error("the case has no step")
	}
}

var (
	versionMark = regexp.MustCompile(`@\w+`)
	versionID   = regexp.MustCompile(`(\w+)-{24,}`)
	arnText     = regexp.MustCompile(`arn:aws:secretsmanager:us-east-1:123456789012:secret:[\w/+=.@!-]*-\w{6}`)
	dateText    = regexp.MustCompile(`("\w*Date"):[0-9.]+`)
)

// normal is JSON in one form, without what differs from run to run.
func normal(t *testing.T, text string) string {
	t.Helper()
	text = versionID.ReplaceAllString(arnText.ReplaceAllString(dateText.ReplaceAllString(text, `$1:"date"`), "arn"), "@$1")
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		var compact strings.Builder
		encoder := json.NewEncoder(&compact)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(members[name]); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, fmt.Sprintf("%q:%s", name, strings.TrimSpace(sorted(t, compact.String()))))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// sorted puts the members of an object, and of objects in a list, into one order.
func sorted(t *testing.T, text string) string {
	t.Helper()
	switch {
	case strings.HasPrefix(text, "{"):
		return normal(t, text)
	case strings.HasPrefix(text, "["):
		var list []json.RawMessage
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, one := range list {
			parts = append(parts, sorted(t, string(one)))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return text
}
