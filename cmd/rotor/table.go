package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/seed492efc12/rotor/internal/fleet"
)

// asTable shows those that somebody must look at, and counts all.
func asTable(t *terminal, r report) error {
	w := table.NewWriter()
	w.SetOutputMirror(t.painted())
	w.SetStyle(table.StyleDefault)
	w.SuppressTrailingSpaces()
	w.Style().Options = table.OptionsNoBordersAndSeparators
	w.Style().Box.PaddingLeft, w.Style().Box.PaddingRight = "", "  "
	w.Style().Format.Header = text.FormatDefault
	lines, places := r.folded(), r.places()
	header := table.Row{"STATE", "SECRET", "SINCE", "ROTATED", "NEXT", "FUNCTION"}
	if r.why {
		header = append(header, "CERTIFICATE", "CLASS")
	}
	if places > 1 {
		header = append(header, "WHERE")
	}
	w.AppendHeader(header)
	for _, l := range lines {
		cells := table.Row{paint(t, l.State), l.name(), l.since, l.rotated, l.next, l.function}
		if r.why {
			cells = append(cells, l.certificate, printable(short(l.trouble().Class)))
		}
		if places > 1 {
			cells = append(cells, printable(strings.TrimSpace(l.Profile+" "+l.Region)))
		}
		w.AppendRow(cells)
	}
	if w.Length() > 0 {
		w.Render()
		fmt.Fprintln(t.out)
	}
	for _, l := range lines {
		if tr := l.trouble(); l.Trouble != nil {
			fmt.Fprintf(t.out, "%s: %s: %s\nWhat to do: %s\n\n", l.name(), printable(short(tr.Class)), printable(tr.Cause), printable(tr.Remedy))
		}
	}
	fmt.Fprintln(t.out, r.summary())
	return nil
}

func paint(t *terminal, s fleet.State) string {
	switch {
	case !t.colours():
		return string(s)
	case s.Bad():
		return text.FgRed.Sprint(s)
	case s == fleet.OK:
		return text.FgGreen.Sprint(s)
	}
	return text.FgYellow.Sprint(s)
}

// printable keeps what others wrote from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// A line is one row of the table: secrets that differ in nothing but their names.
type line struct {
	fleet.Secret
	since, rotated, next, function, certificate string
	alike                                       int
}

func (l line) name() string {
	if l.alike == 0 {
		return printable(l.Name)
	}
	return fmt.Sprintf("%s (+%d alike)", printable(l.Name), l.alike)
}

// folded are the table's rows.
func (r report) folded() (lines []line) {
	for _, s := range r.secrets {
		if !r.all && !s.State.Bad() && s.State != fleet.Rotating {
			continue
		}
		l := line{Secret: s, since: ago(r.now, s.Since), rotated: ago(r.now, s.Rotated), next: ahead(r.now, s.Next), function: function(s), certificate: left(r.now, s.Certificate)}
		at := slices.IndexFunc(lines, func(o line) bool { return o.same(l) })
		if at < 0 || r.all {
			lines = append(lines, l)
			continue
		}
		lines[at].alike++
	}
	return lines
}

func (l line) same(o line) bool {
	return l.State == o.State && l.Profile == o.Profile && l.Region == o.Region && l.since == o.since && l.rotated == o.rotated && l.next == o.next &&
		l.Function == o.Function && l.certificate == o.certificate && l.anyone() == o.anyone()
}

// anyone is the trouble as it would be any secret's: without the name, which is in the
// commands that a remedy has.
func (l line) anyone() fleet.Trouble {
	names := strings.NewReplacer(l.ARN, "\x00", l.Name, "\x00")
	t := l.trouble()
	t.Cause, t.Remedy = names.Replace(t.Cause), names.Replace(t.Remedy)
	return t
}

func (l line) trouble() fleet.Trouble {
	if l.Trouble == nil {
		return fleet.Trouble{}
	}
	return *l.Trouble
}

// function names the function, and its version if it is Rotor's.
func function(s fleet.Secret) string {
	switch f := s.Function; {
	case f.ARN == "":
		return "-"
	case f.Kind == fleet.Missing && s.State != fleet.Gone:
		return printable(f.Name()) + " (gone)"
	default:
		return printable(strings.TrimSpace(f.Name() + " " + f.Version))
	}
}

func (r report) places() int {
	seen := map[string]bool{}
	for _, s := range r.secrets {
		seen[s.Profile+" "+s.Region] = true
	}
	return len(seen)
}

func ago(now, then time.Time) string {
	if then.IsZero() {
		return "-"
	}
	return span(now.Sub(then)) + " ago"
}

func ahead(now, then time.Time) string {
	switch {
	case then.IsZero():
		return "-"
	case then.Before(now):
		return span(now.Sub(then)) + " late"
	}
	return "in " + span(then.Sub(now))
}

// left is how long a certificate is good for.
func left(now, end time.Time) string {
	switch {
	case end.IsZero():
		return "-"
	case end.Before(now):
		return "ended"
	}
	return span(end.Sub(now))
}

// span is a length of time as people say it.
func span(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
