package postgrestest

import (
	"slices"
	"strings"
	"testing"
)

func TestLexerFollowsPostgreSQLsRules(t *testing.T) {
	for source, want := range map[string][]token{
		`Select "Na""me" , 'it''s' ; $1`: {
			{kind: wordToken, text: "select"}, {kind: quotedToken, text: `Na"me`}, {kind: punctToken, text: ","},
			{kind: stringToken, text: "it's"}, {kind: punctToken, text: ";"}, {kind: paramToken, text: "1"},
		},
		`'back\slash' E'a\'b\\c\n\x41\101\u00e9\U0001F600'`: {
			{kind: stringToken, text: `back\slash`}, {kind: stringToken, text: "a'b\\c\nAAé😀"},
		},
		"$$a$b$$ $x$ $$ $x$ -- end": {{kind: stringToken, text: "a$b"}, {kind: stringToken, text: " $$ "}},
		"a/* /* */ ' */b--c\n.5 1.5": {
			{kind: wordToken, text: "a"}, {kind: wordToken, text: "b"}, {kind: numberToken, text: ".5"}, {kind: numberToken, text: "1.5"},
		},
		"x::int<=ünïq_1$": {
			{kind: wordToken, text: "x"}, {kind: punctToken, text: "::"}, {kind: wordToken, text: "int"},
			{kind: punctToken, text: "<="}, {kind: wordToken, text: "ünïq_1$"},
		},
		`"` + strings.Repeat("é", 40) + `"`: {{kind: quotedToken, text: strings.Repeat("é", 31)}},
	} {
		got, err := lex(source)
		same := func(a, b token) bool { return a.kind == b.kind && a.text == b.text }
		if err != nil || !slices.EqualFunc(got, want, same) {
			t.Errorf("%s: got %+v, %v", source, got, err)
		}
	}
}

func TestLexerRefusesWhatDoesNotEnd(t *testing.T) {
	for _, source := range []string{`'a`, `"a`, `E'a\'`, `$x$a$$`, `/* /* */`, `""`, `$`, `E'\u12'`} {
		if tokens, err := lex(source); err == nil {
			t.Errorf("%s: got %+v", source, tokens)
		}
	}
}

// Whatever a client sends, every token is a part of it, in order, and what quoting makes of a text is that text again.
func FuzzLexer(f *testing.F) {
	for _, source := range []string{`a "b" 'c' $d$e$d$ E'\x' -- f`, `/*`, `$1::text`, "é\x00\xff", `E'\`} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		tokens, _ := lex(source)
		at := 0
		for _, tok := range tokens {
			if tok.start < at || tok.end <= tok.start || tok.end > len(source) {
				t.Fatalf("token %+v is out of place", tok)
			}
			at = tok.end
		}
		literal, err := lex("'" + strings.ReplaceAll(source, "'", "''") + "'")
		if err != nil || len(literal) != 1 || literal[0].text != source {
			t.Fatalf("as a literal: %+v, %v", literal, err)
		}
		if name := quoteIdentifier(source); source != "" && len(source) <= maxIdentifier {
			if tokens, err := lex(name); err != nil || len(tokens) != 1 || tokens[0].text != source {
				t.Fatalf("as an identifier %s: %+v, %v", name, tokens, err)
			}
		}
	})
}
