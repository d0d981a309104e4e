package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// A terminal is where a command writes: results to out, progress to err.
type terminal struct{ out, err io.Writer }

// progress says what is waited for. It is no result.
func (t *terminal) progress(format string, args ...any) {
	fmt.Fprintf(t.err, format+"\n", args...)
}

// colours reports whether out is somebody's screen, and they want colours.
// Source: no-color.org.
func (t *terminal) colours() bool {
	return t.screen() && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func (t *terminal) screen() bool {
	f, ok := t.out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
