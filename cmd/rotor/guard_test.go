package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/operate"
)

// hostile is what steers a terminal, or turns a line around, in each way: ESC, CSI in one rune and in one byte, a bell, a
// carriage return, a backspace, the marks of right to left, a rune without width, one beyond the BMP.
const hostile = "\x1b[2J\x1b]0;title\a\u009b31m\x9b31m\r\b\x00\u202e\u2066\u200b\U000e0001"

// Whatever is written, a terminal takes no order from it, and JSON stays what it is.
func TestNothingThatIsWrittenSteersATerminal(t *testing.T) {
	for _, chunk := range []int{1, 2, 3, 7, 1000} {
		var out bytes.Buffer
		g := &guard{to: &out}
		text := "before\t" + hostile + " é 漢 after\n"
		for rest := []byte(text); len(rest) > 0; rest = rest[min(chunk, len(rest)):] {
			if n, err := g.Write(rest[:min(chunk, len(rest))]); err != nil || n != min(chunk, len(rest)) {
				t.Fatal(n, err)
			}
		}
		want := "before\t" + `\u001b[2J\u001b]0;title\u0007\u009b31m` + "\ufffd" + `31m\u000d\u0008\u0000\u202e\u2066\u200b\udb40\udc01` + " é 漢 after\n"
		if out.String() != want {
			t.Errorf("in pieces of %d: %q\nwant %q", chunk, out.String(), want)
		}
	}
	var out bytes.Buffer
	in := map[string]string{"cause": strings.ToValidUTF8(hostile, "")}
	if err := json.NewEncoder(&guard{to: &out}).Encode(in); err != nil {
		t.Fatal(err)
	}
	var is map[string]string
	if err := json.Unmarshal(out.Bytes(), &is); err != nil || is["cause"] != in["cause"] {
		t.Errorf("%q is %q, %v", out.String(), is, err)
	}
}

// What ends in the middle of a rune is written all the same.
func TestTheGuardKeepsNothingBack(t *testing.T) {
	var out bytes.Buffer
	g := &guard{to: &out}
	_, _ = g.Write([]byte("cut \xe6\xbc"))
	if err := g.Flush(); err != nil || !strings.HasPrefix(out.String(), "cut \ufffd") {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// What a function answers is shown by every command through the guard, and its lines are told from rotor's own.
func TestAHostileAnswerIsShownAsItIs(t *testing.T) {
	bad := hostile + "\napp/db: rotated in 1 s"
	failure := &rotation.Failure{Class: rotation.Class("Rotation." + bad), Cause: bad, Remedy: bad}
	answer := rotation.Answer{Plan: &rotation.Plan{User: bad, Statements: []string{bad}, Gains: []string{bad}, Loses: []string{bad}}, Notes: []rotation.Note{{Text: bad}}}
	recovery := operate.Recovery{Labels: []rotation.Label{{Name: bad, Version: bad, User: bad, Failure: failure}}, Means: bad, Failure: failure}
	for name, show := range map[string]func(*terminal){
		"a failure":  func(t *terminal) { tell(t, "app/db", failure) },
		"a plan":     func(t *terminal) { printPlan(t, "app/db", answer) },
		"notes":      func(t *terminal) { printNotes(t, "app/db", answer.Notes) },
		"a recovery": func(t *terminal) { printRecovery(t, recovery) },
		"progress":   func(t *terminal) { t.progress("asking %s", bad) },
	} {
		var out bytes.Buffer
		show(newTerminal(&out, &out))
		if text := out.String(); strings.ContainsAny(text, "\x1b\a\r\b\x00\u009b\u202e\u2066\u200b") || !strings.Contains(text, `\u001b[2J`) {
			t.Errorf("%s: %q", name, text)
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "app/db: rotated") {
				t.Errorf("%s: a line of the function's looks like one of rotor's:\n%s", name, out.String())
			}
		}
	}
}
