package main

import (
	"cmp"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
)

// A report is what status found.
type report struct {
	secrets []fleet.Secret
	failed  []string // places that could not be looked at
	now     time.Time
	all     bool // a row for each secret
}

// outputs are the ways to show it.
var outputs = map[string]func(*terminal, report) error{
	"table": asTable,
	"json":  asJSON,
	"csv":   asCSV,
	"html":  asHTML,
}

// A row is a secret in words. Empty cells are of what there is not.
type row struct {
	State    string `json:"state"`
	Secret   string `json:"secret"`
	ARN      string `json:"arn"`
	Profile  string `json:"profile,omitempty"`
	Region   string `json:"region"`
	Since    string `json:"stuckSince,omitempty"` // RFC 3339, at the latest
	Rotated  string `json:"rotated,omitempty"`
	Days     *int   `json:"daysSinceRotation,omitempty"`
	Next     string `json:"next,omitempty"`
	Function string `json:"function,omitempty"`
	Kind     string `json:"functionOf,omitempty"`
	Version  string `json:"functionVersion,omitempty"`
	Pending  string `json:"pendingVersion,omitempty"`
	Class    string `json:"class,omitempty"`
	Cause    string `json:"cause,omitempty"`
	Remedy   string `json:"remedy,omitempty"`
	Bad      bool   `json:"act"`
}

func (r report) rows() []row {
	rows := make([]row, 0, len(r.secrets))
	for _, s := range r.secrets {
		row := row{State: string(s.State), Secret: s.Name, ARN: s.ARN, Profile: s.Profile, Region: s.Region, Since: date(s.Since), Rotated: date(s.Rotated),
			Next: date(s.Next), Function: s.Function.Name(), Kind: string(s.Function.Kind), Version: s.Function.Version, Pending: s.Pending, Bad: s.State.Bad()}
		if !s.Rotated.IsZero() {
			days := int(r.now.Sub(s.Rotated).Hours() / 24)
			row.Days = &days
		}
		if t := s.Trouble; t != nil {
			row.Class, row.Cause, row.Remedy = t.Class, t.Cause, t.Remedy
		}
		rows = append(rows, row)
	}
	return rows
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func asJSON(t *terminal, r report) error {
	e := json.NewEncoder(t.out)
	e.SetIndent("", "  ")
	return e.Encode(r.rows())
}

func asCSV(t *terminal, r report) error {
	w := csv.NewWriter(t.out)
	_ = w.Write([]string{"state", "secret", "arn", "profile", "region", "stuckSince", "rotated", "daysSinceRotation", "next", "function", "functionOf", "functionVersion", "pendingVersion", "class", "cause", "remedy"})
	for _, s := range r.rows() {
		days := ""
		if s.Days != nil {
			days = fmt.Sprint(*s.Days)
		}
		_ = w.Write([]string{s.State, plain(s.Secret), s.ARN, s.Profile, s.Region, s.Since, s.Rotated, days, s.Next, s.Function, s.Kind, s.Version, s.Pending, s.Class, plain(s.Cause), plain(s.Remedy)})
	}
	w.Flush()
	return w.Error()
}

// plain keeps a spreadsheet from taking what somebody wrote for a formula.
func plain(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// asTable shows those that somebody must look at, and counts the rest.
func asTable(t *terminal, r report) error {
	w := table.NewWriter()
	w.SetOutputMirror(t.out)
	w.SetStyle(table.StyleDefault)
	w.Style().Options = table.OptionsNoBordersAndSeparators
	w.Style().Format.Header = text.FormatDefault
	places := r.places()
	header := table.Row{"STATE", "SECRET", "SINCE", "ROTATED", "NEXT", "FUNCTION"}
	if places > 1 {
		header = append(header, "WHERE")
	}
	w.AppendHeader(header)
	for _, l := range r.folded() {
		cells := table.Row{paint(t, l.State), l.name(), l.since, l.rotated, l.next, l.function}
		if places > 1 {
			cells = append(cells, strings.TrimSpace(l.Profile+" "+l.Region))
		}
		w.AppendRow(cells)
	}
	if w.Length() > 0 {
		w.Render()
		fmt.Fprintln(t.out)
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

// A line is one row of the table: secrets that differ in nothing but their names.
type line struct {
	fleet.Secret
	since, rotated, next, function string
	alike                          int
}

func (l line) name() string {
	if l.alike == 0 {
		return l.Name
	}
	return fmt.Sprintf("%s (+%d alike)", l.Name, l.alike)
}

// folded are the table's rows.
func (r report) folded() (lines []line) {
	for _, s := range r.secrets {
		if !r.all && !s.State.Bad() && s.State != fleet.Rotating {
			continue
		}
		l := line{Secret: s, since: ago(r.now, s.Since), rotated: ago(r.now, s.Rotated), next: ahead(r.now, s.Next), function: s.Function.Name()}
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
	return l.State == o.State && l.Profile == o.Profile && l.Region == o.Region && l.since == o.since && l.rotated == o.rotated && l.next == o.next && l.Function == o.Function && l.trouble() == o.trouble()
}

func (l line) trouble() fleet.Trouble {
	if l.Trouble == nil {
		return fleet.Trouble{}
	}
	return *l.Trouble
}

func (r report) places() int {
	seen := map[string]bool{}
	for _, s := range r.secrets {
		seen[s.Profile+" "+s.Region] = true
	}
	return len(seen)
}

// summary counts the states.
func (r report) summary() string {
	counts := map[fleet.State]int{}
	for _, s := range r.secrets {
		counts[s.State]++
	}
	var said []string
	for _, s := range fleet.States() {
		if n := counts[s]; n > 0 {
			said = append(said, fmt.Sprintf("%d %s", n, s))
		}
	}
	noun := "secrets"
	if len(r.secrets) == 1 {
		noun = "secret"
	}
	return fmt.Sprintf("%d %s: %s", len(r.secrets), noun, cmp.Or(strings.Join(said, ", "), "none"))
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

//go:embed status.html
var page string

var pageTemplate = template.Must(template.New("status").Parse(page))

func asHTML(t *terminal, r report) error {
	return pageTemplate.Execute(t.out, map[string]any{"Rows": r.rows(), "Failed": r.failed, "Summary": r.summary(), "When": r.now.UTC().Format("2006-01-02 15:04 UTC"), "Version": serve.Version})
}
