package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
)

// A screen prints, and counts the promises that were not kept.
type screen struct {
	out    io.Writer
	colour bool
	broken int
}

// newScreen prints in colour on a terminal, unless NO_COLOR asks otherwise (no-color.org).
func newScreen(f *os.File) *screen {
	info, err := f.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	return &screen{out: f, colour: terminal && os.Getenv("NO_COLOR") == ""}
}

// The colours used (ECMA-48, SGR).
const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
)

func (s *screen) paint(colour, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (s *screen) line(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

func (s *screen) title(format string, args ...any) {
	s.line("")
	s.line("%s", s.paint(bold, fmt.Sprintf(format, args...)))
}

func (s *screen) fact(name, format string, args ...any) {
	s.line("%s %s", s.paint(dim, fmt.Sprintf("%-10s", name)), fmt.Sprintf(format, args...))
}

// promise prints whether what it says is so.
func (s *screen) promise(err error, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if err == nil {
		s.line("  %s %s", s.paint(green, "✓"), text)
		return
	}
	s.broken++
	s.line("  %s %s: %v", s.paint(red, "✗ NOT"), text, err)
}

// labels are the columns of a rotation's table.
var labels = []string{"AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"}

// rotation prints the steps with the labels before and after each.
func (s *screen) rotation(n rig.Rotation, versions *versions) {
	s.row(dim, "", "time", labels...)
	for i, step := range n.Steps {
		if i == 0 {
			s.row("", "before", "", versions.of(step.Before)...)
		}
		s.row("", step.Name, milliseconds(step.Duration), versions.of(step.After)...)
	}
	s.row("", "after", milliseconds(n.Duration), versions.of(n.Labels)...)
}

func (s *screen) row(colour, name, took string, cells ...string) {
	text := fmt.Sprintf("  %-14s %9s", name, took)
	for _, cell := range cells {
		text += fmt.Sprintf("   %-11s", cell)
	}
	text = strings.TrimRight(text, " ")
	if colour != "" {
		text = s.paint(colour, text)
	}
	s.line("%s", text)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// versions gives a secret's versions short names in the order in which they appear.
type versions struct{ ids []string }

// of are the cells of a row.
func (v *versions) of(l local.Labels) []string {
	var cells []string
	for _, label := range labels {
		cells = append(cells, v.short(l[label]))
	}
	return cells
}

func (v *versions) short(id string) string {
	if id == "" {
		return "-"
	}
	for i, known := range v.ids {
		if known == id {
			return fmt.Sprintf("v%d", i+1)
		}
	}
	v.ids = append(v.ids, id)
	return fmt.Sprintf("v%d", len(v.ids))
}
