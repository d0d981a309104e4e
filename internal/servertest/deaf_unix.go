//go:build unix

package servertest

import (
	"errors"
	"fmt"
	"syscall"
)

// DeafPort is a port of [Host] that refuses every connection until release: it is
// taken, so that no server which starts meanwhile gets it, and nobody listens.
func DeafPort() (port int, release func() error, err error) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return 0, nil, fmt.Errorf("taking a port: %w", err)
	}
	release = func() error { return syscall.Close(socket) }
	syscall.CloseOnExec(socket)
	err = syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err == nil {
		var at syscall.Sockaddr
		if at, err = syscall.Getsockname(socket); err == nil {
			return at.(*syscall.SockaddrInet4).Port, release, nil
		}
	}
	return 0, nil, errors.Join(fmt.Errorf("taking a port: %w", err), release())
}
