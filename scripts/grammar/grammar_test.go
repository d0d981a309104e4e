package main

import (
	"strings"
	"testing"
)

// server is an engine with T-SQL's delimiters, and a world in it.
var server = engine{
	open: "[", close: "]", fold: func(s string) string { return s }, suffixes: []string{"_clone"}, own: []string{"master"}, hard: []string{"]", " "},
	batches: map[string]int{"DECLARE": 3},
}

var world = server.learn([]reading{{words: []word{
	{"bare", "LOGIN"}, {"name", "sp ace"}, {"name", "a]b"}, {"name", "UPPER"}, {"bare", "orders"}, {"text", "en"}}}})

func TestOnlyWhatIsReadAsItIsMeantPasses(t *testing.T) {
	for _, test := range []struct {
		name, statement string
		statements      int
		words           []word
		want            string // of the fault; "" for none
	}{
		{"a clone", "ALTER LOGIN [sp ace_clone] ENABLE", 1, []word{{"bare", "LOGIN"}, {"name", "sp ace_clone"}}, ""},
		{"a text", "ALTER LOGIN [a]]b] WITH x = 'en'", 1, []word{{"name", "a]b"}, {"text", "en"}}, ""},
		{"what was bare in the world", "GRANT SELECT ON [orders] TO [a]]b]", 1, []word{{"name", "orders"}, {"name", "a]b"}}, ""},
		{"two statements", "ALTER LOGIN [UPPER] ENABLE; DROP LOGIN [master]", 2, []word{{"name", "UPPER"}, {"name", "master"}}, "2 statements"},
		{"none", "", 0, nil, "0 statements"},
		{"a batch", "DECLARE @r int; EXEC x; SELECT @r", 3, []word{{"text", "Exclusive"}}, ""},
		{"half a batch", "DECLARE @r int; EXEC x", 2, nil, "2 statements"},
		{"another name", "ALTER LOGIN [a] ENABLE", 1, []word{{"name", "a"}}, "the name \"a\""},
		{"another text", "ALTER LOGIN [UPPER] WITH x = 'de'", 1, []word{{"name", "UPPER"}, {"text", "de"}}, "the text \"de\""},
		{"no delimiters", "ALTER LOGIN UPPER ENABLE", 1, []word{{"bare", "LOGIN"}, {"bare", "UPPER"}}, "without delimiters"},
		{"a comment", "ALTER LOGIN [UPPER] -- ENABLE", 1, []word{{"name", "UPPER"}, {"comment", "-- ENABLE"}}, "a comment"},
		{"a label", "/* rotor: users */\nSELECT a FROM b WHERE c = 'S'", 1, []word{{"comment", "/* rotor: users */"}, {"bare", "UPPER"}, {"text", "S"}}, ""},
		{"a comment after a label", "/* rotor: users */ SELECT a -- b", 1, []word{{"comment", "/* rotor: users */"}, {"comment", "-- b"}}, "a comment"},
		{"a name in a query", "SELECT [a] FROM b", 1, []word{{"name", "a"}}, "the name \"a\""},
	} {
		got := server.fault(test.statement, reading{statements: test.statements, words: test.words}, world)
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestEveryMistakeChangesAStatement(t *testing.T) {
	read := []string{"ALTER LOGIN [a]]b_clone] ENABLE", "SELECT [a]]b]", "GRANT SELECT ON [x] TO [sp ace]"}
	want := map[string]string{
		"a name without delimiters":       "ALTER LOGIN a]b_clone ENABLE|GRANT SELECT ON [x] TO sp ace",
		"a delimiter that is not doubled": "ALTER LOGIN [a]b_clone] ENABLE",
		"a second statement":              "ALTER LOGIN [a]]b_clone]; DROP USER [a]]b_clone] ENABLE|GRANT SELECT ON [x] TO [sp ace]; DROP USER [sp ace]",
		"the rest in a comment":           "ALTER LOGIN [a]]b_clone] --  ENABLE|GRANT SELECT ON [x] TO [sp ace] -- ",
		"another name":                    "ALTER LOGIN []]b_clone] ENABLE|GRANT SELECT ON [x] TO [p ace]",
	}
	for _, m := range mistakes {
		if got := strings.Join(server.spoil(m, read, world), "|"); got != want[m.title] {
			t.Errorf("%s: got %s, want %s", m.title, got, want[m.title])
		}
	}
}

func TestAStatementThatDiffersInATestsOwnNamesIsTheSame(t *testing.T) {
	e := engines[0]
	if a, b := e.key("USE [app1_abcde23456_clone]"), e.key("USE [app22_zzzzz77777_clone]"); a != b {
		t.Errorf("%s and %s", a, b)
	}
}

func TestAnExceptionThatIsNotNeededFails(t *testing.T) {
	r := reader{unknown: []exception{unknown("ALTER USER .*", "ALTER USER"), unknown("CREATE USER .*", "CREATE USER")}}
	got := result{unread: map[string]string{}, used: make([]bool, 2)}
	got.misses("ALTER USER x\nSET y", "no", r)
	got.misses("DROP USER x", "no", r)
	all := got.failures("here", r)
	if len(all) != 2 || !strings.Contains(all[0].Error(), "not understood (no): DROP USER x") || !strings.Contains(all[1].Error(), "CREATE USER") {
		t.Errorf("%v", all)
	}
}
