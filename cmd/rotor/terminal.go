package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// A terminal is where a command writes: results to out, progress to err. Both are
// guarded: nothing that is written steers a screen.
type terminal struct{ out, err *guard }

func newTerminal(out, err io.Writer) *terminal {
	return &terminal{out: &guard{to: out}, err: &guard{to: err}}
}

// flush ends what was written.
func (t *terminal) flush() {
	_ = t.out.Flush()
	_ = t.err.Flush()
}

// progress says what is waited for. It is no result.
func (t *terminal) progress(format string, args ...any) {
	fmt.Fprintln(t.err, indented(fmt.Sprintf(format, args...)))
}

// indented keeps the further lines of a text from being taken for rotor's own.
func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }

// colours reports whether out is somebody's screen, and they want colours.
// Source: no-color.org.
func (t *terminal) colours() bool {
	return t.screen() && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func (t *terminal) screen() bool {
	f, ok := t.out.to.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// painted is out without its guard, for what has colours. All else in it has to be
// printable.
func (t *terminal) painted() io.Writer { return t.out.to }
