//go:build !unix

package servertest

// deafPort is a free port, which another process may take.
func deafPort() (port int, release func() error, err error) {
	port, err = freePort()
	return port, func() error { return nil }, err
}
