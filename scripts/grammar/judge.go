package main

import (
	"fmt"
	"regexp"
	"strings"
)

// A word is what a parser found in a statement: a "name" in delimiters, a "bare" one without, a "text" or a "comment".
// The value of a name or a text is without its delimiters.
type word struct{ kind, value string }

// A reading is what a parser made of a statement.
type reading struct {
	statements int
	words      []word
	err        string // what it did not understand
}

// values are the values of one kind of words.
func (r reading) values(kind string) (all []string) {
	for _, w := range r.words {
		if w.kind == kind {
			all = append(all, w.value)
		}
	}
	return all
}

// A vocabulary is what names and texts may be in the statements of a driver.
type vocabulary struct{ names, delimited, texts map[string]bool }

// learn makes the vocabulary from the statements that made the worlds, as the same parser read them.
func (e engine) learn(worlds []reading) vocabulary {
	v := vocabulary{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	add := func(names map[string]bool, name string) {
		names[name] = true
		for _, suffix := range e.suffixes {
			names[name+suffix] = true
		}
	}
	for _, r := range worlds {
		for _, w := range r.words {
			switch w.kind {
			case "name":
				add(v.names, w.value)
				add(v.delimited, w.value)
			case "bare":
				add(v.names, e.fold(w.value))
			case "text":
				v.texts[w.value] = true
			}
		}
	}
	for _, name := range e.own {
		add(v.names, name)
	}
	for _, text := range e.texts {
		v.texts[text] = true
	}
	return v
}

// label is what a query calls itself.
var label = regexp.MustCompile(`^/\* rotor: [a-z0-9_' -]+ \*/\s*`)

// query tells what gets names as parameters alone from commands, which have them in the statement.
var query = regexp.MustCompile(`^(?:SELECT|DECLARE)\b`)

// fault says in what a statement is not read as it is meant; "" if it is.
func (e engine) fault(statement string, r reading, v vocabulary) string {
	plain := label.ReplaceAllString(statement, "")
	if want := e.meant(plain); r.statements != want {
		return fmt.Sprintf("read as %d statements", r.statements)
	}
	return e.strange(statement, r, v)
}

// strange says which word of a statement is not meant to be in it; "" if all are.
func (e engine) strange(statement string, r reading, v vocabulary) string {
	plain := label.ReplaceAllString(statement, "")
	comments := r.values("comment")
	if plain != statement {
		comments = comments[min(1, len(comments)):]
	}
	if len(comments) > 0 {
		return fmt.Sprintf("%q is a comment", comments[0])
	}
	command := !query.MatchString(plain)
	for _, w := range r.words {
		switch {
		case w.kind == "name" && !v.names[w.value]:
			return fmt.Sprintf("no world has the name %q", w.value)
		case command && w.kind == "text" && !v.texts[w.value] && !v.names[w.value]:
			return fmt.Sprintf("no world has the text %q", w.value)
		case command && w.kind == "bare" && v.delimited[w.value]:
			return fmt.Sprintf("the name %q stands without delimiters", w.value)
		}
	}
	return ""
}

// meant is of how many statements a text is meant to be.
func (e engine) meant(plain string) int {
	for start, n := range e.batches {
		if strings.HasPrefix(plain, start) {
			return n
		}
	}
	return 1
}
