package main

import (
	"slices"
	"strings"
	"testing"
)

const bill = `{"metadata": {"tools": [{"vendor": "v", "name": "n", "version": "1", "hashes": [{"alg": "MD5", "content": "machine"}]}], "timestamp": "t"},
	"components": [{"name": "std", "version": "go1.26"}, {"name": "a.org/b", "version": "v1.0.0"}]}`

func TestABillNamesTheListedModulesAndNoOthers(t *testing.T) {
	listed := "mysql\n  a.org/other v9.0.0\npostgres\n  a.org/b v1.0.0\n"
	if got := modules(listed, "postgres"); !slices.Equal(got, []string{"a.org/b v1.0.0"}) {
		t.Fatalf("read %q", got)
	}
	if err := compare([]byte(bill), modules(listed, "postgres")); err != nil {
		t.Error(err)
	}
	for name, want := range map[string][]string{
		"another version": {"a.org/b v1.0.1"},
		"one more":        {"a.org/b v1.0.0", "a.org/c v1.0.0"},
		"one fewer":       nil,
	} {
		if compare([]byte(bill), want) == nil {
			t.Errorf("%s: no difference was seen", name)
		}
	}
	if compare([]byte(strings.Replace(bill, "std", "other", 1)), []string{"a.org/b v1.0.0", "other go1.26"}) == nil {
		t.Error("a bill without the standard library passed")
	}
}

func TestABillSaysNothingOfTheMachineThatMadeIt(t *testing.T) {
	clean, err := withoutTool([]byte(bill))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(clean); strings.Contains(text, "machine") || !strings.Contains(text, `"name": "n"`) || !strings.Contains(text, `"timestamp": "t"`) {
		t.Errorf("got %s", text)
	}
}
