package servertest

import "testing"

// DeafPort is a port, of [Host] as of this machine's other IPv4 addresses, that refuses every connection until release: it is
// taken, so that no server which starts meanwhile gets it, and nobody listens.
func DeafPort() (port int, release func() error, err error) { return deafPort() }

// Deaf is [DeafPort] until the test ends.
func Deaf(t testing.TB) (port int) {
	t.Helper()
	port, release, err := deafPort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = release() })
	return port
}
