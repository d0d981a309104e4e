//go:build !unix

package servertest

// DeafPort is a free port, which another process may take.
func DeafPort() (port int, release func() error, err error) {
	port, err = freePort()
	return port, func() error { return nil }, err
}
