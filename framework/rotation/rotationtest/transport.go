package rotationtest

import (
	"net"
	"net/http"
)

// Transport passes every request to rt through f, as calls of the kinds
// "HTTP GET", "HTTP PUT" and so on: a path may hold what is different each
// time. An injected fault looks like a connection that broke.
func (f *Faults) Transport(rt http.RoundTripper) http.RoundTripper { return faultyTransport{rt, f} }

type faultyTransport struct {
	http.RoundTripper
	f *Faults
}

// RoundTrip implements http.RoundTripper.
func (t faultyTransport) RoundTrip(q *http.Request) (*http.Response, error) {
	var resp *http.Response
	var failed error // rt's own, as it came
	injected := t.f.Do("HTTP "+q.Method, func() error {
		resp, failed = t.RoundTripper.RoundTrip(q)
		return nil
	})
	if injected == nil {
		return resp, failed
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
	return nil, &net.OpError{Op: "read", Net: "tcp", Err: injected}
}
