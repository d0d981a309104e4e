package rotation

import "testing"

// A client library may still be closing a connection when the step has ended.
func TestWhatAReportHasHandedOutStaysAsItIs(t *testing.T) {
	r := &Report{}
	r.Gauge("Days", 1)
	_, gauges := r.take()
	r.Gauge("Days", 2)
	if len(gauges) != 1 || gauges["Days"] != 1 {
		t.Errorf("got %v", gauges)
	}
}
