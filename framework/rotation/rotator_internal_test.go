package rotation

import (
	"strings"
	"testing"
)

// A client library may still be closing a connection when the step has ended.
func TestWhatAReportHasHandedOutStaysAsItIs(t *testing.T) {
	r := &Report{}
	r.Gauge("Days", 1)
	_, _, gauges := r.take()
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
	_, changes, _ := r.take()
	if text := listing(changes); len(changes) != mostChanges+2 || !strings.HasSuffix(text, "GRANT; GRANT; and 2 more") {
		t.Errorf("got %s", text)
	}
	if text := listing([]string{"a", "b"}); text != "a; b" {
		t.Errorf("got %s", text)
	}
}
