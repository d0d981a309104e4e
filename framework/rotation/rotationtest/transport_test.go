package rotationtest

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func TestAFaultOfATransportIsABrokenConnection(t *testing.T) {
	for _, late := range []bool{false, true} {
		served := 0
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }))
		t.Cleanup(server.Close)
		f := &Faults{At: "HTTP GET#2", Late: late}
		client := &http.Client{Transport: f.Transport(server.Client().Transport)}
		var failed []bool
		for range 3 {
			resp, err := client.Get(server.URL)
			if err == nil {
				_ = resp.Body.Close()
			}
			var broken *net.OpError
			if err != nil && (!errors.As(err, &broken) || !errors.Is(err, ErrInjected)) {
				t.Errorf("got %v", err)
			}
			failed = append(failed, err != nil)
		}
		want := 2
		if late {
			want = 3
		}
		if !slices.Equal(failed, []bool{false, true, false}) || served != want {
			t.Errorf("late=%v: failed %v, served %d", late, failed, served)
		}
	}
}

func TestALastingFaultOfATargetLeavesTheStore(t *testing.T) {
	for at, want := range map[string][]bool{
		"target#1": {true, true, false, true},
		"Put s#1":  {false, false, true, true},
	} {
		f := &Faults{At: at, Lasting: true}
		fails := func(kind string) bool { return f.Do(kind, func() error { return nil }) != nil }
		if got := []bool{fails("target"), fails("target"), fails("Put s"), fails("target")}; !slices.Equal(got, want) {
			t.Errorf("%s: %v fail, want %v", at, got, want)
		}
		if f.Revive(); fails("target") || fails("Put s") {
			t.Errorf("%s: a call fails after the fault's end", at)
		}
	}
}
