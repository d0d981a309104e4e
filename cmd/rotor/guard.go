package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A guard keeps what others wrote from steering a terminal: a name, a cause, an
// answer. Of what is no letter, mark, digit, sign or blank, it lets line feeds and tabs
// through, and writes the rest as JSON would, such as \u001b: JSON that goes through it
// means the same. A rune may come in pieces; Flush ends the last. Several may write
// at once.
type guard struct {
	to io.Writer

	mu   sync.Mutex
	rest []byte // the beginning of a rune
}

func (g *guard) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	text := append(g.rest, p...)
	var shown bytes.Buffer
	for utf8.FullRune(text) {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		show(&shown, r)
	}
	g.rest = bytes.Clone(text)
	if _, err := g.to.Write(shown.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what was held back.
func (g *guard) Flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	text := bytes.ToValidUTF8(g.rest, []byte(string(utf8.RuneError)))
	g.rest = nil
	_, err := g.to.Write(text)
	return err
}

func show(w *bytes.Buffer, r rune) {
	switch {
	case r == '\n' || r == '\t' || unicode.IsPrint(r):
		w.WriteRune(r)
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		fmt.Fprintf(w, `\u%04x\u%04x`, high, low)
	default:
		fmt.Fprintf(w, `\u%04x`, r)
	}
}
