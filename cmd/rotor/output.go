package main

import (
	"cmp"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
)

// A report is what status found.
type report struct {
	secrets []fleet.Secret
	notes   []string // what it lacks
	now     time.Time
	all     bool // a row for each secret
	why     bool // the logs were read
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
	State       string `json:"state"`
	Act         bool   `json:"act"`
	Secret      string `json:"secret"`
	ARN         string `json:"arn"`
	Profile     string `json:"profile,omitempty"`
	Region      string `json:"region"`
	Since       string `json:"since,omitempty"` // RFC 3339, as all times
	Rotated     string `json:"rotated,omitempty"`
	Days        *int   `json:"daysSinceRotation,omitempty"`
	Next        string `json:"next,omitempty"`
	Function    string `json:"function,omitempty"`
	Kind        string `json:"functionOf,omitempty"`
	Version     string `json:"functionVersion,omitempty"`
	Pending     string `json:"pendingVersion,omitempty"`
	Certificate *int   `json:"certificateDays,omitempty"`
	Class       string `json:"class,omitempty"`
	Cause       string `json:"cause,omitempty"`
	Remedy      string `json:"remedy,omitempty"`
}

func (r report) rows() []row {
	rows := make([]row, 0, len(r.secrets))
	for _, s := range r.secrets {
		row := row{State: string(s.State), Act: s.State.Bad(), Secret: s.Name, ARN: s.ARN, Profile: s.Profile, Region: s.Region, Since: date(s.Since), Rotated: date(s.Rotated),
			Next: date(s.Next), Function: s.Function.Name(), Kind: string(s.Function.Kind), Version: s.Function.Version, Pending: s.Pending,
			Days: fleet.Days(s.Rotated, r.now), Certificate: fleet.Days(r.now, s.Certificate)}
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

// columns are those of the CSV. What others wrote is made plain.
var columns = []struct {
	name string
	of   func(row) string
}{
	{"state", func(r row) string { return r.State }},
	{"act", func(r row) string { return fmt.Sprint(r.Act) }},
	{"secret", func(r row) string { return plain(r.Secret) }},
	{"arn", func(r row) string { return plain(r.ARN) }},
	{"profile", func(r row) string { return plain(r.Profile) }},
	{"region", func(r row) string { return r.Region }},
	{"since", func(r row) string { return r.Since }},
	{"rotated", func(r row) string { return r.Rotated }},
	{"daysSinceRotation", func(r row) string { return number(r.Days) }},
	{"next", func(r row) string { return r.Next }},
	{"function", func(r row) string { return plain(r.Function) }},
	{"functionOf", func(r row) string { return r.Kind }},
	{"functionVersion", func(r row) string { return plain(r.Version) }},
	{"pendingVersion", func(r row) string { return plain(r.Pending) }},
	{"certificateDays", func(r row) string { return number(r.Certificate) }},
	{"class", func(r row) string { return plain(r.Class) }},
	{"cause", func(r row) string { return plain(r.Cause) }},
	{"remedy", func(r row) string { return plain(r.Remedy) }},
}

func asCSV(t *terminal, r report) error {
	w := csv.NewWriter(t.out)
	var cells []string
	for _, c := range columns {
		cells = append(cells, c.name)
	}
	_ = w.Write(cells) // Error has it
	for _, row := range r.rows() {
		for i, c := range columns {
			cells[i] = c.of(row)
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return w.Error()
}

func number(n *int) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}

// plain keeps a spreadsheet from taking what somebody wrote for a formula.
func plain(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
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

//go:embed status.html
var page string

var pageTemplate = template.Must(template.New("status").Funcs(template.FuncMap{"short": short, "minute": minute}).Parse(page))

// minute is a time of a row as people read it.
func minute(date string) string {
	day, clock, ok := strings.Cut(date, "T")
	if !ok {
		return date
	}
	return day + " " + clock[:len("15:04")]
}

// short is a class as people say it.
func short(class string) string { return strings.TrimPrefix(class, rotation.Prefix) }

func asHTML(t *terminal, r report) error {
	return pageTemplate.Execute(t.out, map[string]any{"Rows": r.rows(), "Notes": r.notes, "Why": r.why, "Summary": r.summary(),
		"When": r.now.UTC().Format("2006-01-02 15:04 UTC"), "Version": serve.Version})
}
