package gotest

import (
	"slices"
	"strings"
	"testing"
)

func TestLinesAreRead(t *testing.T) {
	p, ok := ParsePoint("    sweep.go:58: GUARANTEE never-locked-out/store engine=mysql strategy=single-user server=\"MariaDB 10.11 (real)\" real=true points=22 modes=4\n")
	if !ok || p.Kind != "never-locked-out/store" || p.Fields["engine"] != "mysql" || p.Fields["server"] != "MariaDB 10.11 (real)" || p.Fields["real"] != "true" || p.Fields["modes"] != "4" {
		t.Errorf("got %+v", p)
	}
	if _, ok := ParsePoint("    some_test.go:1: nothing"); ok {
		t.Error("a line of another kind was taken")
	}
}

func TestServersAreRead(t *testing.T) {
	for line, want := range map[string]Server{
		"    pool.go:72: SERVER real \"MySQL 8.0.33\"\n":       {Real: true, Title: "MySQL 8.0.33"},
		"        x.go:1: SERVER imitation \"say \\\"x\\\"\"\n": {Title: `say "x"`},
	} {
		if s, ok := ParseServer(line); !ok || s != want {
			t.Errorf("%s: got %+v", line, s)
		}
	}
	if title, ok := ParseMissing("    pool.go:128: MISSING \"MySQL 9.7\"\n"); !ok || title != "MySQL 9.7" {
		t.Errorf("got %q", title)
	}
	for _, line := range []string{"", "SERVER real \"x\"", "    a.go:1: the SERVER real \"x\"", "    a.go:1: SERVER real x", "    a.go:1: SERVER \"x\""} {
		if s, ok := ParseServer(line); ok {
			t.Errorf("%s: got %+v", line, s)
		}
	}
}

func TestAStreamMayHoldOtherLines(t *testing.T) {
	var got []string
	err := Read(strings.NewReader("{\"Action\":\"start\",\"Package\":\"p\"}\nhello\n{\"Action\":\"pass\",\"Package\":\"p\"}\n[1]"), func(e Event) {
		got = append(got, e.Action+" "+e.Package+e.Output)
	})
	if want := []string{"start p", "output hello\n", "pass p", "output [1]"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}
