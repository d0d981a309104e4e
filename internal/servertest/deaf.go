package servertest

import "testing"

// Deaf is [DeafPort] until the test ends.
func Deaf(t testing.TB) (port int) {
	t.Helper()
	port, release, err := DeafPort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = release() })
	return port
}
