package rotation

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// A client library may still be closing a connection when the step has ended.
func TestWhatAReportHasHandedOutStaysAsItIs(t *testing.T) {
	r := &Report{}
	r.Gauge("Days", 1)
	gauges := r.take().gauges
	r.Gauge("Days", 2)
	if len(gauges) != 1 || gauges["Days"] != 1 {
		t.Errorf("got %v", gauges)
	}
}

func TestChangesAreOneLine(t *testing.T) {
	r := &Report{}
	for range mostChanges + 2 {
		r.Changed("GRANT")
	}
	changes := r.take().changes
	if text := listing(changes); len(changes) != mostChanges+2 || !strings.HasSuffix(text, "GRANT; GRANT; and 2 more") {
		t.Errorf("got %s", text)
	}
	if text := listing([]string{"a", "b"}); text != "a; b" {
		t.Errorf("got %s", text)
	}
}

func TestWhatNobodyCanMendIsNoWarning(t *testing.T) {
	r := &Report{}
	r.Notef("mend %s", "this")
	r.Remarkf("so it is")
	if got := r.take().notes; !slices.Equal(got, []note{{slog.LevelWarn, "mend this"}, {slog.LevelInfo, "so it is"}}) {
		t.Errorf("got %v", got)
	}
	(*Report)(nil).Remarkf("dropped")
}
